# ls: targets, their kinds, what they are.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain
cat >>mlbuild.ini <<'X'
desc = a copy of other
owner = somebody
[model fit]
matrix.fold = 0..4
run = echo ${matrix:fold} > ${out}
out = fit/${matrix:fold}.txt
[task deploy]
run = true
X

ok mlbuild ls
for x in dataset feature model report task deploy fit; do out_has "$x"; done
out_has 'a copy of other'
out_has out/c.txt

t as JSON, one object a line
ok mlbuild ls --json
keep
ok python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
names = {r["target"]: r["kind"] for r in rows}
assert names["c"] == "model", names
assert names["deploy"] == "task", names
' "$KEPT"

did ''
done_testing
