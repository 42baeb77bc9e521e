# A flipped bit anywhere in the store is never served: it is found, set aside, and what it held made again.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
trials=60
[ "${MLBUILD_FAULTS:-}" != all ] || trials=1200

t "$trials flipped bits"
t_dir
ok /usr/bin/env python3 "$here/flips.py" "$MLBUILD" "$trials"
cat "$T_OUT"
out_has 'flips'

done_testing
