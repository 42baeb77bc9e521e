# Ctrl-Z stops the commands too, and fg lets them go on. (That no timeout runs meanwhile is in tests/unit/test_job.c.)
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
t_dir
mkdir sub
put wait.sh <<'X'
[ -z "$1" ] || echo $$ >"$MEET/$1.pid"
until [ -e "$MEET/go" ]; do sleep 0.05; done
X
# a, b: in the command's group. d has left it, f is an orphan as well, e is run by a mlbuild inside of a command.
put mlbuild.ini <<'X'
[project]
default = a c d nested
[feature a]
run = echo $$ > "$MEET/a.pid"; sh wait.sh b; echo a > ${out}
out = a.txt
timeout = 60s
[feature c]
run = for i in a b d e f; do until [ -s "$MEET/$i.pid" ]; do sleep 0.05; done; done; echo $$ > "$MEET/c.pid"; echo > "$MEET/started"; sh wait.sh; echo c > ${out}
out = c.txt
timeout = 60s
[feature d]
run = setsid sh wait.sh d & (setsid sh wait.sh f &) ; sh wait.sh; echo d > ${out}
out = d.txt
timeout = 60s
[task nested]
run = "$MLBUILD" -C sub
timeout = 60s
X
put sub/mlbuild.ini <<'X'
[feature e]
run = setsid sh ../wait.sh e & wait; echo e > ${out}
out = e.txt
X
MEET=$T_ROOT/meet
export MEET
mkdir "$MEET"

t all that runs is stopped
root=$PWD
cd "$MEET" || exit 1
timeout 120 python3 "$here/suspend.py" run "$T_ROOT/log" "$MLBUILD" -C "$root" -j 6 --color never &
pid=$!
ok timeout 60 sh -c 'until [ -e stopped ]; do sleep 0.05; done'
ok python3 "$here/suspend.py" states a.pid b.pid c.pid d.pid e.pid f.pid

t it goes on, and what it was stopped for was not its time
sleep 3
: >go
: >resume
wait "$pid"
eq $? 0
cd "$root" || exit 1
eq "$(cat a.txt c.txt d.txt sub/e.txt | tr '\n' ' ')" 'a c d e '
ok mlbuild --json log
cp "$T_OUT" "$T_ROOT/json"
ok python3 -c '
import json, sys
run = json.loads(open(sys.argv[1]).readline())
seconds = [a["seconds"] for a in run["actions"] if a["what"] == "built"]
assert run["failed"] == 0 and len(seconds) == 4, run
# The run was stopped for three seconds, of which the commands have none.
assert max(seconds) + 2 <= run["seconds"], run
' "$T_ROOT/json"

done_testing
