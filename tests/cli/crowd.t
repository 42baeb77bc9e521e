# Eight processes store, check out and collect in one cache: every byte is right, and fsck finds nothing.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
seconds=5
[ "${MLBUILD_FAULTS:-}" != all ] || seconds=60

t "eight processes for $seconds seconds"
t_dir
ok /usr/bin/env python3 "$here/crowd.py" "$MLBUILD" "$seconds"
cat "$T_OUT"
out_has 'the cache is whole'

done_testing
