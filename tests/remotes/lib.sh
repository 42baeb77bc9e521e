# shellcheck shell=sh
# Helpers of the tests against real servers, on top of those of tests/cli/lib.sh. A
# test is run by ctest as `MLBUILD=... MLBUILD_TESTS=... sh tests/remotes/NAME.t`.
#
# r_skip TEXT      ends the test as skipped: what it needs is not here
# r_need PROGRAM.. skips unless all are installed
# r_port           prints a free port of 127.0.0.1
# r_start CMD...   starts a server in the background; its pid is in $R_PID, its output
#                  in $R_LOG. It is ended with the test, its children with it
# r_stop PID       ends one of them now
# r_wait_port PORT waits until something listens there; false: it has ended, or does not
# r_wait_for FILE  waits until it is there and not empty
# r_conform ARG... runs the conformance suite (conform.c); each check counts as a case
# r_ask ARG...     the same program for one operation: r_ask URL [KEY=VALUE...] --ask=put:NAME:SIZE,
#                  for ok, code and has
#
# MLBUILD_REMOTES=all runs the long forms.
. "${0%/*}/../cli/lib.sh"

: "${MLBUILD_TESTS:?must be the directory of the test programs}"
R_PIDS='' R_PID='' R_LOG='' R_LOGS=0

r_end_() {
	r_code_=$?
	for r_pid_ in $R_PIDS; do
		r_stop "$r_pid_"
	done
	(exit "$r_code_")
	t_end_
}
trap r_end_ EXIT

r_skip() {
	echo "1..0 # skipped: $*"
	# shellcheck disable=SC2034 # read by t_end_
	T_DONE=1
	exit 77
}

r_need() {
	for r_program_; do
		command -v "$r_program_" >/dev/null || r_skip "$r_program_ is not installed"
	done
}

r_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# In a session of its own, so that what it starts can be ended with it.
r_start() {
	R_LOGS=$((R_LOGS + 1))
	R_LOG=$T_ROOT/server$R_LOGS.log
	setsid "$@" >"$R_LOG" 2>&1 </dev/null &
	R_PID=$!
	R_PIDS="$R_PIDS $R_PID"
}

r_stop() {
	r_left_=''
	for r_each_ in $R_PIDS; do
		[ "$r_each_" = "$1" ] || r_left_="$r_left_ $r_each_"
	done
	R_PIDS=$r_left_
	kill -TERM -"$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null || return 0
	r_tries_=0
	while kill -0 -"$1" 2>/dev/null && [ $r_tries_ -lt 50 ]; do
		sleep 0.1
		r_tries_=$((r_tries_ + 1))
	done
	kill -KILL -"$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

r_wait_port() {
	python3 - "$1" "$R_PID" <<-'WAIT'
		import os, socket, sys, time
		end = time.monotonic() + 60
		while time.monotonic() < end:
		    try:
		        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
		        sys.exit(0)
		    except OSError:
		        pass
		    try:
		        with open("/proc/%s/stat" % sys.argv[2]) as stat:
		            if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
		                sys.exit(1)
		    except OSError:
		        sys.exit(1)
		    time.sleep(0.05)
		sys.exit(1)
	WAIT
}

r_wait_for() {
	r_tries_=0
	while [ ! -s "$1" ]; do
		[ $r_tries_ -lt 600 ] || return 1
		sleep 0.1
		r_tries_=$((r_tries_ + 1))
	done
}

r_conform() {
	t_run_ "$MLBUILD_TESTS/remotes_conform" "$@"
	grep '^#' "$T_OUT"
	if [ "$T_CODE" = 0 ] && grep -q '^1\.\.' "$T_OUT"; then
		T_PASSED=$((T_PASSED + $(grep -c '^ok ' "$T_OUT")))
	else
		fail "the conformance suite: $(grep '^not ok' "$T_OUT" | tr '\n' ' ')"
	fi
}

r_ask() {
	"$MLBUILD_TESTS/remotes_conform" "$@"
}
