# Stores that were cut, mixed up or locked away, and clocks that lie: right outputs or one clear error.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
# Where the test of permissions may go as another user.
chmod 755 "$T_ROOT"

for what in cut foreign permissions clock tick; do
	t "$what"
	t_dir
	ok /usr/bin/env python3 "$here/harm.py" "$MLBUILD" "$what"
	cat "$T_OUT"
done

done_testing
