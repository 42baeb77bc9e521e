# After a build that failed, what asks later says so: when, why, and where the log is.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

tells() {
	for words in status '-n' 'why d'; do
		# shellcheck disable=SC2086
		ok mlbuild $words
		out_has "$1"
		out_has '.mlbuild/logs/'
		out_has "$(date -u +%Y-)"
	done
}

t a target that was never built, and failed
t_dir
chain
ok mlbuild status
out_hasnt failed
change mlbuild.ini 'cp other.txt' 'echo words; exit 7; cp other.txt'
code 1 mlbuild
tells 'exit code 7'
ok mlbuild status
log=$(sed -n "s,.*\(\.mlbuild/logs/[^ );]*\).*,\1,p" "$T_OUT" | head -n 1)
ok grep -qx words "$log"

t in JSON
ok mlbuild status --json d
keep
ok python3 -c '
import json, sys
row = [json.loads(l) for l in open(sys.argv[1])][-1]
f = row["failed"]
assert row["target"] == "d" and row["fate"] == "run", row
assert "7" in f["reason"] and f["log"].startswith(".mlbuild/logs/"), f
assert f["at"].endswith("Z") and f["run"], f
' "$KEPT"
ok mlbuild status --json a
hasnt '"failed"'

t by a signal
change mlbuild.ini 'exit 7' 'kill -9 $$'
code 1 mlbuild
tells signal 9

t the deed of another state of the inputs is told with what has changed since
echo more >>other.txt
tells signal 9
change mlbuild.ini 'kill -9 $$; cp' 'cp'
ok mlbuild status
out_has signal 9

t once it is built it is forgotten
ok mlbuild
ok mlbuild status -v
out_hasnt signal 9
echo more >>other.txt
ok mlbuild status
out_has other.txt
out_hasnt signal 9

t built before, then it failed
change mlbuild.ini 'cp other.txt' 'exit 9; cp other.txt'
code 1 mlbuild
tells 'exit code 9'
ok mlbuild status
out_has "'cp' -> 'exit 9; cp'"

t and back: up to date
change mlbuild.ini 'exit 9; ' ''
printf 'other\nmore\n' >other.txt
ok mlbuild status
out_hasnt 'exit code 9'

t an interrupted command did not fail, nor does a variant say anything of the workspace
ok mlbuild
change mlbuild.ini 'cp other.txt' 'test ${params:x} = 1; cp other.txt'
ok mlbuild
code 1 mlbuild -p x=2 d
ok mlbuild status -v
out_hasnt failed
change mlbuild.ini 'test ${params:x} = 1' 'echo $$ >started; sleep 100'
"$MLBUILD" d >out.log 2>&1 &
pid=$!
wait_for started
kill -INT "$pid"
wait "$pid"
ok mlbuild status
out_hasnt failed

t one file of each
t_dir
mkdir in
echo 1 >in/1.txt
echo 2 >in/2.txt
put mlbuild.ini <<'X'
[feature e]
each = in/*.txt
run = grep -q 1 ${each}; cp ${each} ${out}
out = out/${each:stem}.txt
X
code 1 mlbuild -k
ok mlbuild status
out_has in/2.txt
out_has 'exit code 1'

done_testing
