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

done_testing
