# Random graphs and random edits: what ran is exactly what had to.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
t 500 random graphs and edits
t_dir
ok /usr/bin/env python3 "$here/random_dag.py" "$MLBUILD" "${MLBUILD_GRAPHS:-100}" "${MLBUILD_EDITS:-6}"
cat "$T_OUT"
out_has 'builds'

done_testing
