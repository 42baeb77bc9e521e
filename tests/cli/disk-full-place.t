# checkout, reproduce and sweep on a full disk, or where .mlbuild cannot be written: one error, nothing lost.
. "${0%/*}/lib.sh"

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "1..0 # skipped: needs root and unshare -m"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
fi

t_dir
mkdir mnt said
put project/mlbuild.ini <<'X'
[params]
v = 1
[dataset raw]
path = raw.bin
[feature big]
run = cat ${raw} >${out}; echo ${params:v} >>${out}
out = big.bin
[feature dir]
run = cat ${raw} >${out}/raw; for i in 1 2 3; do echo $i ${params:v} >${out}/$i; done
out = dir/
X
head -c 3000000 /dev/urandom >project/raw.bin
# What runs inside: a project that is built, then harm, the command, the end of the harm, the command again.
put inside.sh <<'X'
set -u
say() {
	name=$1
	shift
	"$@" >"$SAID/$name.out" 2>"$SAID/$name.err"
	echo $? >"$SAID/$name.code"
}
mount -t tmpfs -o size=200m none mnt || exit 99
cp project/* mnt/ && cd mnt || exit 99
git init -q . && echo raw.bin >.gitignore
say build "$MLBUILD"
git add -A && git commit -qm one || exit 99
echo notes >notes.txt
case $COMMAND in
checkout*)
	rm -r big.bin dir
	mkdir dir
	echo mine >dir/2
	;;
esac
sha256sum raw.bin notes.txt mlbuild.ini mlbuild.lock >"$SAID/before"
case $HARM in
full)
	used=$(df -k --output=used . | tail -n 1)
	mount -o "remount,size=$((used + 1000))k" "$PWD" || exit 99
	;;
readonly)
	mount --bind .mlbuild .mlbuild && mount -o remount,bind,ro "$PWD/.mlbuild" || exit 99
	;;
esac
# shellcheck disable=SC2086
say harmed "$MLBUILD" $COMMAND
sha256sum raw.bin notes.txt mlbuild.ini mlbuild.lock >"$SAID/after"
grep -rlx mine . >"$SAID/mine" 2>/dev/null
case $HARM in
full) mount -o remount,size=200m "$PWD" || exit 99 ;;
readonly) umount .mlbuild || exit 99 ;;
esac
# shellcheck disable=SC2086
say again "$MLBUILD" $COMMAND
sha256sum raw.bin notes.txt mlbuild.ini mlbuild.lock >"$SAID/last"
say fsck "$MLBUILD" fsck
say checkout "$MLBUILD" checkout
cat raw.bin - <<-Y | cmp - big.bin && cmp raw.bin dir/raw && [ "$(cat dir/2)" = '2 1' ] && echo right >"$SAID/right"
	1
Y
X

SAID=$PWD/said
export SAID HARM COMMAND
for HARM in full readonly; do
	for COMMAND in checkout 'reproduce --rebuild HEAD' 'sweep -p v=2,3 big dir'; do
		t "$COMMAND: $HARM"
		rm -f said/*
		ok unshare -m sh inside.sh
		eq "$(cat said/build.code)" 0
		case $(cat said/harmed.code) in
		1) pass ;;
		*) fail "exit $(cat said/harmed.code): $(cat said/harmed.out said/harmed.err)" ;;
		esac
		case $HARM in
		full) words='No space left on device\|disk is full' ;;
		*) words='Read-only file system' ;;
		esac
		grep -qi "$words" said/harmed.err said/harmed.out && pass || fail "it says: $(cat said/harmed.out said/harmed.err)"
		[ "$(grep -c '^mlbuild: ' said/harmed.err)" -le 1 ] && pass || fail "more than one error: $(cat said/harmed.err)"
		ok cmp said/before said/after
		case $COMMAND in
		checkout*) [ -s said/mine ] && pass || fail "the user's file is nowhere" ;;
		esac
		eq "$(cat said/again.code)" 0
		[ "$(cat said/again.code)" = 0 ] || cat said/again.err
		ok cmp said/before said/last
		eq "$(cat said/fsck.code)" 0
		eq "$(cat said/checkout.code)" 0
		eq "$(cat said/right 2>/dev/null)" right
	done
done

done_testing
