# Whatever system call fails, or is the last one: one clear error, and a project that works afterwards.
. "${0%/*}/lib.sh"
to_be_traced

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

faults() {
	t_dir
	ok /usr/bin/env python3 "$here/faults.py" "$MLBUILD" "$1"
	cat "$T_OUT"
}

if strace -o /dev/null true 2>/dev/null; then
	t kill -9 at a system call
	faults kill

	t a system call that fails
	faults error
else
	echo '# strace cannot trace here: nothing is injected into system calls'
fi

t few descriptors
faults files

t a cache that vanishes
faults vanish

# In a mount namespace of its own.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	for what in inodes readonly; do
		t "$what"
		t_dir
		ok unshare -m /usr/bin/env python3 "$here/faults.py" "$MLBUILD" "$what"
		cat "$T_OUT"
	done
else
	echo '# no root or no unshare -m: nothing is mounted'
fi

done_testing
