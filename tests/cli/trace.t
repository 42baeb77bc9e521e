# --trace writes Chrome trace events.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain
ok mlbuild --trace t.json
did 'a b c d'
ok python3 -c '
import json, sys
trace = json.load(open("t.json"))
events = trace["traceEvents"] if isinstance(trace, dict) else trace
names = [e.get("name") for e in events]
for n in "abcd":
    assert any(n == x or (x or "").endswith(n) for x in names), (n, names)
assert all(e["dur"] >= 0 for e in events if e.get("ph") == "X")
assert any(e.get("ph") == "X" for e in events)
'
ok mlbuild
did ''

t where it cannot be written: exit 2, before anything runs
t_dir
chain
for where in /nonexistent/x . "$T_ROOT" in.txt/x no/such/t.json; do
	code 2 mlbuild --trace "$where"
	err_has "$where"
done
did ''
gone mlbuild.lock
ok mlbuild --trace /dev/null
ln -s t2.json link.json
code 2 mlbuild --trace link.json
: >t2.json
ok mlbuild --trace link.json
ok test -s t2.json -a -L link.json

done_testing
