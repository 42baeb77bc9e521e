# --json prints one JSON object per line on stdout, and nothing else; every field that the manual names is there.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# The fields by kind of line: always there, then those that may be. T: text, N: number, I: whole number, B: true or
# false, L: list, O: object; ? behind it: or null.
cat >"$T_ROOT/fields.py" <<'X'
import json, re, sys

FAILURE = "seconds:N reason:T command:T log:T log_tail:T kept:T"
EVENTS = {
	"plan": ("expected:N", ""),
	"wait": ("text:T", ""),
	"start": ("command:T expected:N", "file:T files:I"),
	"output": ("text:T", "file:T files:I"),
	"built": ("seconds:N", "metrics:O file:T files:I"),
	"restored": ("", "text:T file:T files:I"),
	"retry": ("text:T", ""),
	"failed": (FAILURE, "file:T files:I"),
	"no": (FAILURE, ""),
	"blocked": ("text:T", "by:T"),
	"note": ("text:T", ""),
	"progress": ("seconds:N files:I bytes:I total_bytes:I", ""),
}
# What only one command prints
OF_ONE = {
	"reproduced": ("target:T kind:T result:T asked:B why:T was_key:T key:T seconds:N outputs:L", ""),
	"combination": ("combination:T id:T status:T reason:T metrics:O? finished:I total:I", ""),
}
ABOUT_ONE = "start output built restored retry failed no blocked".split()
DONE = ("exit:I built:I restored:I fetched:I fetched_bytes:I current:I failed:I blocked:I checks_no:I seconds:N saved:N"
	" metrics:O? changed:L artifacts:L run:T", "experiment:T")
ROWS = {
	"checkout": ("placed:I current:I missing:I files:I bytes:I removed:I kept:I aside:T seconds:N", ""),
	"error": ("exit:I text:T", ""),
	"reproduce": ("commit:T identical:I tolerated:I expected:I different:I impossible:I seconds:N", ""),
	"sweep": ("exit:I total:I done:I failed:I checks_no:I built:I restored:I seconds:N run:T", ""),
	"experiments": ("id:T name:T status:T reason:T targets:L params:O metrics:O? time:T? seconds:N commit:T author:T"
		" shared:B", ""),
	"pins": ("commit:T kind:T parent:T when:T results:I targets:L params:O subject:T", ""),
	"doctor": ("level:T what:T mend:T", ""),
	"du": ("what:T size:I objects:I", "target:T kind:T older:I unique:I shared:I"),
	"fsck": ("level:T kind:T path:T object:T what:T mend:T targets:L repaired:B", ""),
	"gc": ("what:T path:T name:T bytes:I rewritten:B", "used:T"),
	"graph": ("target:T kind:T deps:L gates:L inputs:L outputs:L", "name:T"),
	"diff.sides": ("what:T from:O to:O", ""),
	"diff.param": ("what:T name:T before:V? after:V? delta:N? relative:N?", ""),
	"diff.target": ("what:T target:T kind:T change:T reason:T files_added:I files_removed:I files_changed:I changes:L", ""),
	"log.run": ("what:T run:T started:T seconds:N command_line:T commit:T exit:I? built:I restored:I failed:I"
		" actions:L", ""),
	"log.commit": ("what:T commit:T time:T author:T subject:T actions:L", ""),
	"metrics": ("rev:T commit:T time:T? subject:T metrics:O", ""),
	"params": ("name:T value:T file:T line:I", ""),
	"params.rev": ("rev:T commit:T time:T? subject:T params:O", ""),
	"show.artifact": ("what:T target:T kind:T known:B key:T command:T dir:T action:T rev:T blocked:T failed_log:T",
		"verdict:T locked_by:T commit:T run:T platform:T started:T? seconds:N max_rss:I metrics:O? log:T"
		" outputs:L params:O lineage:L"),
	"show.digest": ("what:T digest:T is:T target:T kind:T path:T member:T size:I locked_by:T commits:I added_by:L"
		" commit:T run:T", ""),
	"show.run": ("what:T run:T started:T seconds:N command_line:T commit:T exit:I? built:I restored:I failed:I"
		" actions:L", ""),
	"ls": ("target:T kind:T desc:T owner:T? tags:T? file:T line:I instances:I source:B outputs:L", ""),
	"contents": ("target:T type:T size:I digest:T path:T", ""),
	"status": ("target:T kind:T fate:T reason:T present:B asked:B expected:N actions:I", "failed:O"),
	"version": ("version:T", ""),
	"why": ("target:T kind:T fate:T reason:T differences:L inputs:L why:T", "failed:O"),
}
NESTED = {
	"failed": ("at:T run:T reason:T log:T", ""),
	"differences": ("what:T name:T change:T old:T? new:T? text:T", "old_kind:T new_kind:T"),
	"inputs": ("path:T", "from:T by:T target:T kind:T digest:T made_by:T key:T commit:T"),
	"artifacts": ("target:T path:T", ""),
	"actions": ("target:T what:T seconds:N commands:I key:T metrics:O? changes:L", ""),
	"added_by": ("commit:T time:T author:T subject:T", ""),
	"lineage": ("target:T kind:T key:T run:T commit:T started:T? seconds:N known:B params:O inputs:L", ""),
	"changes": ("what:T name:T before:V? after:V? delta:N? relative:N?", ""),
	"from": ("name:T commit:T subject:T", ""),
	"to": ("name:T commit:T subject:T", ""),
}
TYPES = {"T": str, "N": (int, float), "I": int, "B": bool, "L": list, "O": dict,
	"V": (str, int, float, bool, list, dict)}

def check(row, fields, where):
	must, may = ({f.split(":")[0]: f.split(":")[1] for f in part.split()} for part in fields)
	for name, t in {**must, **may}.items():
		if name not in row:
			assert name in may, (where, name, row)
			continue
		v = row[name]
		if v is None:
			assert t.endswith("?"), (where, name, row)
			continue
		assert isinstance(v, TYPES[t[0]]) and not (t[0] in "NI" and isinstance(v, bool)), (where, name, row)
	assert not set(row) - set(must) - set(may), (where, "unknown", set(row) - set(must) - set(may))

def nested(row):
	for name, fields in NESTED.items():
		for v in row.get(name, []) if isinstance(row.get(name), list) else [row.get(name)]:
			if isinstance(v, dict):
				check(v, fields, name)
				nested(v)

def compared(outputs):
	for o in outputs:
		check(o, ("path:T kind:T result:T was:T? is:T? was_size:I? size:I? first_difference:I? values:L files:L"
			" files_changed:I", ""), "compared")
		for v in o["values"]:
			check(v, ("name:T was:V? is:V? relative:N? tolerated:B", ""), "values")
		for f in o["files"]:
			check(f, ("path:T was_size:I? size:I? first_difference:I?", ""), "files")

def main(kind, path, *wanted):
	with open(path, encoding="utf-8") as f:
		rows = [json.loads(line) for line in f]
	assert rows or kind == "fsck", "nothing was printed"
	for row in rows:
		nested(row)
		event = row.pop("event", None)
		if event == "done":
			check(row, DONE if kind == "build" else ROWS[kind], "done")
		elif event == "error":
			check(row, ROWS["error"], "error")
		elif event in OF_ONE:
			check(row, OF_ONE[event], event)
			compared(row.get("outputs", []))
		elif event:
			must, may = EVENTS[event]
			if event in ABOUT_ONE:
				must += " target:T kind:T"
			else:
				may += " target:T kind:T"
			if kind == "sweep":
				may += " combination:T"
			check(row, (must + " finished:I total:I", may), event)
		else:
			which = kind + "." + row["what"] if kind in ("log", "diff", "show") else kind
			check(row, ROWS[which], which)
		row["event"] = event
	seen = {r["event"] for r in rows}
	for w in wanted:
		assert w in seen, (w, "is missing", seen)

main(*sys.argv[1:])
X

# fields KIND [EVENT...]: of what the last command printed; these events are among it
fields() {
	fields_=$1
	shift
	keep
	ok python3 "$T_ROOT/fields.py" "$fields_" "$KEPT" "$@"
}

# holds EXPR...: Python expressions over `rows`
holds() {
	ok python3 -c '
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
for e in sys.argv[2:]:
	assert eval(e), (e, rows)
' "$KEPT" "$@"
}

t_dir
chain
cat >>mlbuild.ini <<'X'
[model fit]
run = echo words; echo x > ${out}; echo '{"acc": 0.5, "more": {"x": [1]}}' > ${metrics}
out = fit.bin
metrics = fit.json
[feature e]
each = in/*.txt
run = cp ${each} ${out}
out = out/e/${each:stem}.txt
[model grid]
matrix.k = 1 2 3
run = echo ${matrix:k} > ${out}
out = grid/${matrix:k}.txt
[check verdict]
run = echo so; exit ${params:x}
guards = fit
[report end]
run = cat ${fit} > ${out}
out = end.txt
[task again]
run = test -e tried || { : >tried; exit 5; }
retries = 1
retry_delay = 1ms
[report bad]
run = echo tail; exit 3
out = bad.txt
[report after]
run = cp ${bad} ${out}
out = after.txt
X
mkdir in
echo 1 >in/1.txt
echo 2 >in/2.txt

t the events of a build
code 3 mlbuild --json fit e grid
fields build plan start output built no note done
holds '[r for r in rows if r["event"] == "built" and r["target"] == "fit"][0]["metrics"]["more"]["x"] == [1]' \
	'"metrics" not in [r for r in rows if r["event"] == "built" and r["target"] == "grid@k=1"][0]' \
	'rows[-1]["metrics"]["fit"]["acc"] == 0.5 and rows[-1]["exit"] == 3 and rows[-1]["run"]' \
	'"mlbuild.lock" in rows[-1]["changed"]' \
	'sorted(r["file"] for r in rows if r["event"] == "built" and r["target"] == "e" and "file" in r) == ["in/1.txt", "in/2.txt"]'

holds '[r for r in rows if r["event"] == "no"][0]["log_tail"] == "so\n"'

t a check that said no before, and what it blocks
code 3 mlbuild --json end
fields build no blocked done
holds '[r for r in rows if r["event"] == "blocked"][0]["by"] == "verdict"'

t a retry
ok mlbuild --json again
fields build retry built done

t a failure
code 1 mlbuild --json after
fields build failed blocked done
holds '[r for r in rows if r["event"] == "failed"][0]["target"] == "bad"' \
	'"3" in [r for r in rows if r["event"] == "failed"][0]["reason"]' \
	'rows[-1]["exit"] == 1 or rows[-2]["exit"] == 1'

t what comes from the cache
ok mlbuild c d
rm out/c.txt
ok mlbuild --json c
fields build restored done

t another builder: wait
mkfifo go
cat >>mlbuild.ini <<'X'
[task slow]
run = : >waits; read line <go
X
"$MLBUILD" slow >slow.log 2>&1 &
slow=$!
wait=0
until [ -e waits ] || [ $((wait += 1)) -gt 1000 ]; do sleep 0.02; done
"$MLBUILD" --json c >wait.json 2>wait.err &
second=$!
wait_for wait.json
echo >go
wait "$slow"
wait "$second"
cp wait.json "$T_OUT"
fields build wait done

t a variant
ok mlbuild --json -p x=2 --into v c
fields build done
holds 'rows[-1]["artifacts"][0]["target"] == "c" and rows[-1]["artifacts"][0]["path"]'

t status and a dry run
ok mlbuild status --json -v
fields status
holds '{r["target"]: r["fate"] for r in rows}["c"] == "current"' \
	'[r for r in rows if r["target"] == "bad"][0]["failed"]["reason"] == "exit code 3"' \
	'[r for r in rows if r["target"] == "e"][0]["actions"] == 1'
ok mlbuild -n --json after
fields status

t why: what differs, old and new
ok mlbuild why --json c
fields why
holds 'len(rows) == 1 and rows[0]["fate"] == "current" and rows[0]["differences"] == []'
change mlbuild.ini 'x = 1' 'x = 2'
echo more >>in.txt
ok mlbuild why --json b
ok mlbuild why --json a
fields why
holds '[(d["what"], d["name"], d["change"]) for d in rows[0]["differences"]] == [("input", "in.txt", "changed")]' \
	'all(len(d["old"]) == 64 and len(d["new"]) == 64 and d["old"] != d["new"] for d in rows[0]["differences"])' \
	'[(i["path"], i["from"], i["target"]) for i in rows[0]["inputs"]] == [("in.txt", "word", "")]' \
	'"in.txt" in rows[0]["why"] and rows[0]["reason"] in rows[0]["why"]'
printf 'one\ntwo\n' >in.txt
ok mlbuild why --json b
fields why
holds '[(d["name"], d["old"], d["new"]) for d in rows[0]["differences"] if d["what"] == "param"] == [("x", "1", "2")]' \
	'[i["target"] for i in rows[0]["inputs"]] == ["a"]'
ok mlbuild why --json bad
fields why
holds 'rows[0]["failed"]["log"].startswith(".mlbuild/logs/")'
ok mlbuild why --json grid
fields why
holds '[r["target"] for r in rows] == ["grid@k=1", "grid@k=2", "grid@k=3"]'
change mlbuild.ini 'x = 2' 'x = 1'

t ls: the outputs of all instances
ok mlbuild ls --json
fields ls
holds '[r for r in rows if r["target"] == "grid"][0]["outputs"] == ["grid/1.txt", "grid/2.txt", "grid/3.txt"]' \
	'[r for r in rows if r["target"] == "grid"][0]["instances"] == 3'
ok mlbuild ls --json fit
fields contents

t graph
ok mlbuild graph --json
fields graph
holds '[r["deps"] for r in rows if r["target"] == "c"] == [["b"]]' \
	'[r["gates"] for r in rows if r["target"] == "end"] == [["verdict"]]'

t du
ok mlbuild du --json
fields du
holds '{"target", "kind", "total"} <= {r["what"] for r in rows}'

t checkout
rm -r out/c.txt grid
ok mlbuild checkout --json c grid
fields checkout restored done
holds 'rows[-1]["placed"] == 4 and rows[-1]["missing"] == 0'

t doctor
ok mlbuild doctor --json
fields doctor
holds '{r["level"] for r in rows} <= {"ok", "note", "problem"}'

t fsck
ok mlbuild fsck --json
fields fsck
head -c 200000 /dev/zero >in/big.txt
ok mlbuild e
object=.mlbuild/cache/v1/objects/$(sha256sum in/big.txt | sed 's/^\(..\)\([^ ]*\).*/\1\/\2/')
chmod u+w "$object"
echo x >>"$object"
code 1 mlbuild fsck --json
fields fsck
holds 'any(r["level"] == "problem" and "e" in r["targets"] for r in rows)'

t gc
ok mlbuild gc --json --dry-run --keep-days 0
keep
[ ! -s "$KEPT" ] || fields gc

t log: runs with what they did, and commits that changed the lock
ok mlbuild log --json
fields log
holds 'all(r["what"] == "run" for r in rows)' \
	'[a["target"] for r in rows for a in r["actions"] if a["what"] == "failed"]' \
	'[a for r in rows for a in r["actions"] if a["target"] == "fit"][-1]["metrics"] == {"acc": 0.5, "more": {"x": [1]}}' \
	'[a for r in rows for a in r["actions"] if a["target"] == "e"][-1]["commands"] == 2' \
	'all(len(a["key"]) in (0, 64) for r in rows for a in r["actions"])'
git init -q .
t_commit one
change mlbuild.ini 'acc": 0.5' 'acc": 0.75'
change mlbuild.ini 'x = 1' 'x = 0'
ok mlbuild fit
t_commit two
ok mlbuild log --json
fields log
holds '[r["subject"] for r in rows if r["what"] == "commit"] == ["two", "one"]' \
	'[(a["target"], a["what"]) for a in rows[0]["actions"]] == [("fit", "changed")]' \
	'[(c["what"], c["name"], c["before"], c["after"], c["delta"], c["relative"]) for c in rows[0]["actions"][0]["changes"]] == [("metric", "acc", 0.5, 0.75, 0.25, 0.5)]'

t show: an artifact, a digest and a run
ok mlbuild show --json fit
fields show
holds 'rows[0]["known"] and rows[0]["metrics"] == {"acc": 0.75, "more": {"x": [1]}}' \
	'len(rows[0]["action"]) > 0 and rows[0]["run"] and rows[0]["locked_by"]' \
	'[o["path"] for o in rows[0]["outputs"]] == ["fit.bin", "fit.json"]' \
	'{"path", "kind", "digest", "size"} == set(rows[0]["outputs"][0])' \
	'rows[0]["lineage"][0]["target"] == "fit" and rows[0]["lineage"][0]["inputs"] == []'
ok mlbuild show --json b
fields show
holds 'not rows[0]["known"] and "outputs" not in rows[0]'
ok mlbuild show --json c --rev HEAD
fields show
holds 'rows[0]["rev"] and [l["target"] for l in rows[0]["lineage"]] == ["c", "b", "a"]' \
	'[i["made_by"] for i in rows[0]["lineage"][0]["inputs"]] == ["b"]'
ok mlbuild show --json fit.bin
fields show
cp fit.bin "$T_ROOT/copy"
ok mlbuild show --json "$T_ROOT/copy"
fields show
holds 'rows[0]["what"] == "digest" and rows[1]["what"] == "artifact"'
ok mlbuild show --json verdict
fields show
run=$("$MLBUILD" log --json --limit 1 fit | python3 -c 'import json, sys; r = json.loads(sys.stdin.readline()); print(r.get("run", ""))')
[ -n "$run" ] || run=$("$MLBUILD" show --json fit | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["run"])')
ok mlbuild show --json "$run"
fields show
holds 'rows[0]["run"] == "'"$run"'"'

t diff
ok mlbuild diff --json HEAD~1 HEAD
fields diff
holds '[r["what"] for r in rows] == ["sides", "param", "target"]' 'rows[1]["name"] == "x" and rows[1]["delta"] == -1' \
	'rows[2]["target"] == "fit" and rows[2]["change"] == "changed"' \
	'{(c["what"], c["name"]) for c in rows[2]["changes"]} == {("action", "command"), ("metric", "acc")}'

t metrics and params, of the workspace and of revisions
ok mlbuild metrics --json
fields metrics
holds 'rows[0]["rev"] == "workspace" and rows[0]["metrics"]["fit"] == {"acc": 0.75, "more.x": [1]}'
ok mlbuild metrics --json HEAD~1..HEAD
fields metrics
ok mlbuild params --json
fields params
holds 'rows[0]["name"] == "x" and rows[0]["value"] == "0" and rows[0]["file"] == "mlbuild.ini" and rows[0]["line"] > 0'
ok mlbuild params --json HEAD~1
fields params.rev
holds '[r["params"] for r in rows] == [{"x": 1}, {"x": 0}]'

t pins
ok mlbuild pins --json
fields pins
holds 'any("fit" in r["targets"] for r in rows)' 'all(len(r["commit"]) == 40 for r in rows)'

t reproduce: what builds print, and each target with its outputs compared
ok mlbuild reproduce --json HEAD fit
fields reproduce reproduced done
holds 'all(r["result"] == "identical" and r["asked"] for r in rows if r["event"] == "reproduced")'
cat >>mlbuild.ini <<'X'
[model chance]
run = n=$(tr -dc 1-9 </dev/urandom | head -c 12); echo "$n" > ${out}/n; echo "{\"n\": 1$n, \"s\": \"$n\"}" > ${metrics}
out = chance/
metrics = chance.json
X
ok mlbuild chance
t_commit three
code 1 mlbuild reproduce --json --rebuild HEAD chance fit
fields reproduce start built reproduced done
holds '{r["target"]: r["result"] for r in rows if r["event"] == "reproduced"} == {"verdict": "identical", "fit": "identical", "chance": "different"}' \
	'{v["name"] for r in rows if r["event"] == "reproduced" for o in r["outputs"] for v in o["values"]} == {"metrics.n", "metrics.s"}' \
	'[f["path"] for r in rows if r["event"] == "reproduced" for o in r["outputs"] for f in o["files"]] == ["n"]' \
	'rows[-1]["different"] == 1 and rows[-1]["identical"] == 2'
rm -r .mlbuild
code 1 mlbuild reproduce --json HEAD chance
fields reproduce reproduced done
holds '[r["result"] for r in rows if r["event"] == "reproduced"] == ["impossible"]'

t sweep, and the experiments that it leaves
cat >>mlbuild.ini <<'X'
[model swept]
run = test ${params:x} != 3; echo ${params:x} > ${out}; echo '{"x": ${params:x}}' > ${metrics}
out = swept.txt
metrics = swept.json
X
code 1 mlbuild sweep --json -p x=1,3 swept
fields sweep start built failed combination done
holds '{(r["combination"], r["status"], r["metrics"] and r["metrics"]["swept"]["x"]) for r in rows if r["event"] == "combination"} == {("x=1", "done", 1), ("x=3", "failed", None)}' \
	'all(r["combination"] in ("x=1", "x=3") for r in rows if r["event"] in ("start", "built", "failed"))' \
	'(rows[-1]["exit"], rows[-1]["total"], rows[-1]["done"], rows[-1]["failed"]) == (1, 2, 1, 1)'
ok mlbuild experiments --json --failed
fields experiments
holds 'sorted((r["status"], r["params"]["x"], r["targets"], bool(r["time"]), r["shared"]) for r in rows) == [("done", "1", ["swept"], True, True), ("failed", "3", ["swept"], False, False)]'
ok mlbuild apply --json "$(sed -n 's/.*"id":"\([0-9a-f]*\)".*"status":"done".*/\1/p' "$KEPT")"
fields build done

t version
ok mlbuild --json version
fields version

t an error of the ini
echo '[modle]' >>mlbuild.ini
code 2 mlbuild --json
fields build error
holds 'rows[-1]["exit"] == 2 and "modle" in rows[-1]["text"]'

done_testing
