# A full disk gives one clear error, and a project that works afterwards.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "1..0 # skipped: needs root and unshare -m"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
fi

t_dir
# What runs inside the mount namespace: small file system, build, look, make room, build.
put inside.sh <<'X'
set -u
mount -t tmpfs -o "size=$SIZE" none mnt || exit 99
cp project/mlbuild.ini mnt/ && cd mnt || exit 99
"$MLBUILD" >../first.out 2>../first.err
echo $? >../first.code
mount -o remount,size=64m "$PWD" || exit 99
"$MLBUILD" >../second.out 2>../second.err
echo $? >../second.code
: >"$RAN"
sha256sum big.bin small.txt >../sums
"$MLBUILD" >../third.out 2>../third.err
echo $? >../third.code
X
put project/mlbuild.ini <<'X'
[dataset small]
run = echo small >>"$RAN"; echo small > ${out}
out = small.txt
[dataset big]
run = echo big >>"$RAN"; head -c 3000000 /dev/zero | tr '\0' x > ${out}; cat ${small} >> ${out}
out = big.bin
X
mkdir mnt
want=$(
	head -c 3000000 /dev/zero | tr '\0' x
	echo small
)
want=$(printf '%s\n' "$want" | sha256sum | cut -d' ' -f1)

full=0
# The first sizes let the command itself fail, the later ones the store.
for size in 400k 1m 2m 3100k 3500k 4m 5m 6m; do
	t "a file system of $size"
	SIZE=$size
	export SIZE
	: >"$RAN"
	ok unshare -m sh inside.sh
	first=$(cat first.code)
	case $first in
	0) pass ;;
	*)
		full=$((full + 1))
		ok grep -qiE 'no space left|disk full|disk is full' first.err
		[ "$(grep -ciE 'segmentation|abort|assert' first.err)" = 0 ] || fail 'it crashed'
		;;
	esac
	eq "$(cat second.code)" 0
	[ "$(cat second.code)" = 0 ] || cat second.err
	eq "$(head -n 1 sums | cut -d' ' -f1)" "$want"
	eq "$(cat third.code)" 0
	did ''
done

t the sizes were such that some were too small, and not all
[ "$full" -ge 3 ] && [ "$full" -lt 8 ] && pass || fail "$full of 8 were full"

done_testing
