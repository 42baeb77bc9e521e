# A checkout or a repair that is killed or meets an error at any system call: no file of the user's is lost.
. "${0%/*}/lib.sh"
to_be_traced

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

for what in checkout repair; do
	for how in kill error; do
		t "$what: $how"
		t_dir
		ok /usr/bin/env python3 "$here/place_faults.py" "$MLBUILD" "$what" "$how"
		cat "$T_OUT"
	done
done

done_testing
