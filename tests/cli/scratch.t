# ${scratch} survives failure, timeout, Ctrl-C and kill -9, and goes on success.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

TRAIN='echo "epoch $(cat "$1/n" 2>/dev/null || echo 0)" >>"$RAN"
n=$(cat "$1/n" 2>/dev/null || echo 0)
n=$((n + 1))
echo $n >"$1/n"'

project() {
	t_dir
	: >"$RAN"
	rm -rf "$T_ROOT/sync"
	mkdir "$T_ROOT/sync"
	SYNC=$T_ROOT/sync
	export SYNC
	{
		echo "$TRAIN"
		cat
	} >train.sh
	put mlbuild.ini <<X
[params]
v = 1
[model m]
run = sh train.sh \${scratch} \${out} \${params:v}
out = m.txt
$1
X
}

t a retried training finds its checkpoint
project 'retries = 5
retry_delay = 10ms' <<'X'
[ $n -ge 3 ] || exit 1
echo "done after $n" >"$2"
X
ok mlbuild
eq "$(tr '\n' ' ' <"$RAN")" 'epoch 0 epoch 1 epoch 2 '
eq "$(cat m.txt)" 'done after 3'

t it is gone after success: forced to run again it begins anew
: >"$RAN"
t_run_ mlbuild -f m
eq "$(head -n 1 "$RAN")" 'epoch 0'

t after a failure the next build goes on
project '' <<'X'
[ $n -ge 3 ] || exit 1
echo "done after $n" >"$2"
X
code 1 mlbuild
code 1 mlbuild
ok mlbuild
eq "$(tr '\n' ' ' <"$RAN")" 'epoch 0 epoch 1 epoch 2 '

t after a timeout
project 'timeout = 300ms' <<'X'
[ $n -ge 2 ] || sleep 20
echo "done after $n" >"$2"
X
code 1 mlbuild
ok mlbuild
eq "$(cat m.txt)" 'done after 2'

t after Ctrl-C and after kill -9
for sig in INT KILL; do
	project '' <<'X'
[ $n -ge 2 ] || { echo x >"$SYNC/x"; sleep 20; }
echo "done after $n" >"$2"
X
	env --default-signal=INT "$MLBUILD" >"$T_ROOT/log" 2>&1 &
	pid=$!
	wait_for "$SYNC/x"
	kill -$sig "$pid"
	wait "$pid" 2>/dev/null
	ok mlbuild
	eq "$(cat m.txt)" 'done after 2'
done

t another action has another scratch
project '' <<'X'
[ $n -ge 2 ] || exit 1
echo "done after $n for $3" >"$2"
X
code 1 mlbuild
change mlbuild.ini 'v = 1' 'v = 2'
code 1 mlbuild
change mlbuild.ini 'v = 2' 'v = 1'
ok mlbuild
eq "$(cat m.txt)" 'done after 2 for 1'
eq "$(tr '\n' ' ' <"$RAN")" 'epoch 0 epoch 0 epoch 1 '

t its path is in no key: a copy of the project elsewhere finds the result
cp -r . ../copy
cd ../copy || exit 1
: >"$RAN"
ok mlbuild
did ''

done_testing
