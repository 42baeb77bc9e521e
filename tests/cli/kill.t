# kill -9 of mlbuild at any moment, then a second build succeeds and is right.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
t 200 random kills
t_dir
ok /usr/bin/env python3 "$here/kill.py" "$MLBUILD" "${MLBUILD_KILLS:-200}"
cat "$T_OUT"
out_has 'kills'

done_testing
