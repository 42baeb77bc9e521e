# SIGINT, SIGTERM and SIGHUP stop the build: outputs return, no process is left.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

TAG=mlbuild-test-$$
export TAG SYNC="$T_ROOT/sync"

# Processes whose environment carries our tag, apart from this script's own children.
left() {
	for e in /proc/[0-9]*/environ; do
		p=${e#/proc/}
		p=${p%/environ}
		if tr '\0' '\n' <"$e" 2>/dev/null | grep -qx "MARK=$TAG" && [ "$p" != $$ ]; then
			echo "$p"
		fi
	done 2>/dev/null
}

project() {
	t_dir
	rm -rf "$SYNC"
	mkdir "$SYNC"
	put long.sh <<'X'
MARK=$TAG
export MARK
trap '' HUP
sh -c 'trap "" INT TERM; echo x >"$SYNC/child"; sleep 31' &
setsid sh -c 'trap "" INT TERM HUP; echo x >"$SYNC/grandchild"; sleep 32' &
setsid sh -c '(trap "" INT TERM HUP; echo x >"$SYNC/orphan"; sleep 33) & exit 0'
echo half >"$1"
echo x >"$SYNC/started"
sleep 34
X
	put mlbuild.ini <<'X'
[params]
v = 1
[dataset a]
run = if [ ${params:v} = 1 ]; then echo 1 > ${out}; else sh long.sh ${out}; fi
out = a.txt
X
	ok mlbuild
	change mlbuild.ini 'v = 1' 'v = 2'
	# A script's background job is started with SIGINT ignored; env gives it back.
	if [ "${1-}" = background ]; then
		"$MLBUILD" >"$T_ROOT/log" 2>&1 &
	else
		env --default-signal=INT,TERM,HUP "$MLBUILD" >"$T_ROOT/log" 2>&1 &
	fi
	pid=$!
	for f in started child grandchild orphan; do
		wait_for "$SYNC/$f"
	done
	[ "$(left | wc -l)" -ge 4 ] && pass || fail 'the test finds no processes'
}

for sig in INT TERM HUP; do
	t "SIG$sig"
	project
	kill -"$sig" "$pid"
	wait "$pid"
	got=$?
	[ "$sig" != INT ] || eq "$got" 130
	[ "$got" != 0 ] && pass || fail 'exit code 0'
	eq "$(left)" ''
	eq "$(cat a.txt)" 1
	ok grep -rqx half .mlbuild/failed/a
	change mlbuild.ini 'v = 2' 'v = 1'
	ok mlbuild
	eq "$(cat a.txt)" 1
done

t SIGINT to a background job of a script
project background
kill -INT "$pid"
wait "$pid"
eq $? 130
eq "$(left)" ''
eq "$(cat a.txt)" 1

t what nohup ignores stays ignored
t_dir
rm -f "$SYNC"/*
mkfifo go
put mlbuild.ini <<'X'
[dataset a]
run = echo x >"$SYNC/started"; cat go >${out}
out = a.txt
X
nohup "$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
kill -HUP "$pid"
echo end >go
wait "$pid"
eq $? 0
eq "$(cat a.txt)" end

t a killed mlbuild: the next one ends what it left
project
kill -9 "$pid"
wait "$pid" 2>/dev/null
change mlbuild.ini 'v = 2' 'v = 1'
ok mlbuild
eq "$(left)" ''
eq "$(cat a.txt)" 1

t what a successful command leaves running is ended too
t_dir
rm -f "$SYNC"/*
put mlbuild.ini <<'X'
[dataset a]
run = export MARK="$TAG"; setsid sh -c 'echo x >"$SYNC/started"; sleep 35' & until [ -s "$SYNC/started" ]; do sleep 0.02; done; echo 1 > ${out}
out = a.txt
X
ok timeout 20 "$MLBUILD"
eq "$(left)" ''

t nothing new starts after SIGINT
t_dir
rm -f "$SYNC"/*
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo x >"$SYNC/started"; sleep 36; echo 1 > ${out}
out = a.txt
[dataset b]
run = echo b >>"$RAN"; cat ${a} > ${out}
out = b.txt
[dataset c]
run = echo c >>"$RAN"; sleep 0.1; cat ${a} > ${out}
out = c.txt
X
env --default-signal=INT "$MLBUILD" -k -j1 >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
kill -INT "$pid"
wait "$pid"
eq $? 130
did 'a'

done_testing
