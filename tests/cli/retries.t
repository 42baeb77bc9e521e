# Retries, with back-off; only failures of the command are retried.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	: >"$RAN"
	rm -f "$T_ROOT/count"
	COUNT=$T_ROOT/count
	export COUNT
	put try.sh <<'X'
echo try >>"$RAN"
echo x >>"$COUNT"
[ "$(wc -l <"$COUNT")" -ge "$1" ] || { echo half >"$2"; exit 9; }
[ ! -e "$2" ] || exit 8
echo ok >"$2"
X
	put mlbuild.ini <<X
[dataset a]
run = sh try.sh $1 \${out}
out = a.txt
retries = $2
retry_delay = $3
X
}

t it succeeds the third time
project 3 4 10ms
ok mlbuild
did 'try try try'
eq "$(cat a.txt)" ok
ok mlbuild
did ''

t it gives up after the last
project 9 2 10ms
code 1 mlbuild
did 'try try try'
err_has 9
gone a.txt

t no retries
project 2 0 10ms
code 1 mlbuild
did 'try'

t the delay doubles
project 4 3 100ms
start=$(date +%s%N)
ok mlbuild
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -ge 700 ] && pass || fail "100 + 200 + 400 ms took $took ms"

t others run during the delay
project 2 1 600ms
cat >>mlbuild.ini <<'X'
[dataset b]
run = echo b >>"$RAN"; echo 1 > ${out}
out = b.txt
X
ok mlbuild -j1
eq "$(tail -n 1 "$RAN")" try

t a check that says no is not tried again
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[check c]
run = echo c >>"$RAN"; exit 1
retries = 3
retry_delay = 10ms
X
code 3 mlbuild
did 'c'

done_testing
