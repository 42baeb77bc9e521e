# A command that takes too long is ended, with all that it started.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t it says so, after how long
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = sleep 320; echo 1 > ${out}
out = a.txt
timeout = 200ms
X
code 1 timeout 250 "$MLBUILD"
match 'timed out after (0\.2|200)'
gone a.txt

t a command that does not listen
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = trap '' TERM INT; (trap '' TERM; sleep 321.5) & sleep 321.5; sleep 321.5; echo 1 > ${out}
out = a.txt
timeout = 200ms
X
code 1 timeout 250 "$MLBUILD"
eq "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" " " | grep -c "sleep 321[.]5")" 0

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
change mlbuild.ini 1h 90s
ok mlbuild
did ''
change mlbuild.ini 90s 2h30m
ok mlbuild
did ''
change mlbuild.ini 2h30m soon
code 2 mlbuild
err_has "'soon'"

done_testing
