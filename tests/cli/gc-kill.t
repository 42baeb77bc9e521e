# kill -9 of gc at any moment: fsck is clean, the build right, and the next gc ends what was begun.
. "${0%/*}/lib.sh"
to_be_traced

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

t gc is killed
t_dir
ok /usr/bin/env python3 "$here/gc_kill.py" "$MLBUILD"
cat "$T_OUT"
out_has 'trials'

done_testing
