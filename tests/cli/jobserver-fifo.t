# The FIFO form of the jobserver, with a client and a server of our own: whatever make the machine has.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# shellcheck disable=SC2034 # read by the projects' commands
JS=$(cd "${0%/*}" && pwd)/jobserver.py
LOG=$T_ROOT/log
export JS LOG
# The form is chosen by what the make in PATH knows.
mkdir "$T_ROOT/bin"
printf '#!/bin/sh\n# fifo:\nexit 1\n' >"$T_ROOT/bin/make"
chmod +x "$T_ROOT/bin/make"
PATH=$T_ROOT/bin:$PATH

# most: of the targets that log + and -, how many ran at once
most() {
	awk '/^[+]/ { n++; if (n > most) most = n } /^-/ { n-- } END { print most + 0 }' "$LOG"
}

targets() {
	for i in 1 2 3 4 5 6; do
		printf '[dataset d%s]\nrun = echo + >>"$LOG"; sleep 0.05; echo - >>"$LOG"; echo %s > ${out}\nout = %s.txt\n' $i $i $i
	done
}

t served: a command has one slot, and the others can be had
t_dir
: >"$LOG"
put mlbuild.ini <<'X'
[dataset a]
run = python3 "$JS" count > ${out}
out = a.txt
X
ok mlbuild -j4
eq "$(cat a.txt)" 3

t served: what a client holds is missing to us
t_dir
: >"$LOG"
targets >mlbuild.ini
cat >>mlbuild.ini <<'X'
[dataset client]
run = python3 "$JS" client 2 "$LOG"; echo done > ${out}
out = client.txt
X
ok mlbuild -j3
ok awk '/^[+]/ { n++ } /^-/ { n-- } /^held/ { held = 1 } /^released/ { held = 0; seen = 1 }
	held && n > 0 { bad = 1 } END { exit bad || !seen }' "$LOG"
eq "$(grep -c + "$LOG")" 6

t served: a mlbuild inside of a command shares our slots
t_dir
: >"$LOG"
mkdir sub
targets >sub/mlbuild.ini
targets | sed 's/d\([0-9]\)]/o\1]/' >mlbuild.ini
cat >>mlbuild.ini <<'X'
[dataset inner]
run = "$MLBUILD" -C sub -j6 && echo done > ${out}
out = inner.txt
X
ok mlbuild -j3
eq "$(grep -c + "$LOG")" 12
n=$(most)
[ "$n" -le 3 ] && pass || fail "$n at once"
[ ! -e .mlbuild/jobserver ] && pass || fail 'the FIFO is still there'

t accepted: no more at once than there are slots, and each token comes back as it was
t_dir
: >"$LOG"
targets >mlbuild.ini
ok python3 "$JS" serve ab "$MLBUILD" -q -j6
eq "$(tail -n 1 "$T_OUT")" ab
n=$(most)
[ "$n" -le 3 ] && pass || fail "$n at once"
there 6.txt

t accepted: without a token there is still the one slot that is ours
: >"$LOG"
ok python3 "$JS" serve '' "$MLBUILD" -q -j6 -f 'd*'
eq "$(most)" 1

t accepted: after failures too
: >"$LOG"
change mlbuild.ini 'echo - ' 'echo - >>"$LOG"; exit 3; echo '
code 1 python3 "$JS" serve abc "$MLBUILD" -q -k -j6
eq "$(tail -n 1 "$T_OUT")" abc

t accepted: and after an interruption
: >"$LOG"
change mlbuild.ini 'sleep 0.05' 'sleep 100'
python3 "$JS" serve abc "$MLBUILD" -q -j6 >"$T_ROOT/tokens" 2>/dev/null &
pid=$!
wait_for "$LOG"
kill -TERM "$pid"
wait "$pid"
eq $? 130
eq "$(tail -n 1 "$T_ROOT/tokens")" abc

done_testing
