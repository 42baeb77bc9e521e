# A command that takes too long is ended, with all that it started.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t it says so, after how long
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = sleep 20; echo 1 > ${out}
out = a.txt
timeout = 200ms
X
start=$(date +%s)
code 1 mlbuild
[ $(($(date +%s) - start)) -lt 10 ] && pass || fail 'it took too long'
match 'timed out after (0\.2|200)'
gone a.txt

t a command that does not listen
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = trap '' TERM INT; (trap '' TERM; sleep 21.5) & sleep 21.5; sleep 21.5; echo 1 > ${out}
out = a.txt
timeout = 200ms
X
start=$(date +%s)
code 1 mlbuild
[ $(($(date +%s) - start)) -lt 10 ] && pass || fail 'it took too long'
eq "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" " " | grep -c "sleep 21[.]5")" 0

t what is faster is left alone, and the timeout is in no key
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
timeout = 1h
X
ok mlbuild
did 'a'
change mlbuild.ini 1h 2h30m
t_run_ mlbuild
[ "$T_CODE" = 2 ] || eq "$T_CODE" 0
change mlbuild.ini 2h30m 90s
ok mlbuild
did ''

done_testing
