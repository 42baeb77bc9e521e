# show: an artifact of now and then, its lineage down to the sources, a run, and a file found anywhere.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# holds EXPR...: Python expressions over `rows`, what the last command printed
holds() {
	keep
	ok python3 -c '
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
for e in sys.argv[2:]:
	assert eval(e), (e, rows)
' "$KEPT" "$@"
}

t_dir
t_git
mkdir img
echo one >img/1.txt
echo two >img/2.txt
echo data >raw.txt
echo 'cat "$1" >"$2"; echo "C $3" >>"$2"; echo "{\"acc\": $3}" >"$4"' >train.sh
put mlbuild.ini <<'X'
[params]
C = 1.0
seed = 7
[dataset raw]
path = raw.txt
[feature split]
run = mkdir -p parts/deep; cat ${raw} > parts/train.txt; echo ${params:seed} > parts/deep/test.txt
out = parts/
[feature aug]
each = img/*.txt
run = tr a-z A-Z < ${each} > ${out}
out = aug/${each:name}
[feature fold]
matrix.k = 1 2
run = echo ${matrix:k} > ${out}; cat ${split}/train.txt >> ${out}
out = fold/${matrix:k}.txt
[model m]
run = sh train.sh ${fold@k=2} ${out} ${params:C} ${metrics}; cat ${aug}/*.txt >> ${out}
out = m.bin
metrics = m.json
X
t_commit_later 'nothing built'
ok mlbuild
cp m.bin "$T_ROOT/first.bin"
t_commit_later 'first model'
change mlbuild.ini 'C = 1.0' 'C = 0.5'
ok mlbuild
t_commit_later 'try less'
first=$(git rev-parse HEAD~1)
run=$("$MLBUILD" show --json m | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["run"])')

t a target, with its lineage down to the sources
ok mlbuild show --json m
holds 'rows[0]["what"] == "artifact" and rows[0]["known"] and rows[0]["metrics"] == {"acc": 0.5}' \
	'rows[0]["params"] == {"C": 0.5} and rows[0]["locked_by"] == "'"$(git rev-parse HEAD)"'"' \
	'len(rows[0]["commit"]) == 40 and len(rows[0]["outputs"]) == 2' \
	'[l["target"] for l in rows[0]["lineage"]][0] == "m"' \
	'{l["target"] for l in rows[0]["lineage"]} == {"m", "fold@k=2", "split", "aug[img/1.txt]", "aug[img/2.txt]"}' \
	'all(l["known"] and len(l["key"]) == 64 and l["run"] for l in rows[0]["lineage"])' \
	'{i["path"]: i["made_by"] for i in rows[0]["lineage"][0]["inputs"]} == {"aug": "aug", "fold/2.txt": "fold@k=2", "train.sh": ""}' \
	'[(i["path"], i["made_by"], bool(i["commit"])) for l in rows[0]["lineage"] if l["target"] == "split" for i in l["inputs"]] == [("raw.txt", "raw", True)]' \
	'[len(i["commit"]) for l in rows[0]["lineage"] for i in l["inputs"] if i["path"] in ("train.sh", "img/1.txt")] == [40, 40]' \
	'[l["params"] for l in rows[0]["lineage"] if l["target"] == "split"] == [{"seed": 7}]'
ok mlbuild show m
match '^  locked by +[0-9a-f]{40}'
match '^  built from +[0-9a-f]{40}'
match '^    m +fold/2.txt +[0-9a-f]{12}  fold@k=2$'
match '^ +aug +[0-9a-f]{12}  aug$'
match 'train.sh +[0-9a-f]{12}  commit [0-9a-f]{8}'
match '^    split +raw.txt +[0-9a-f]{12}  raw, commit'

t as a revision has it
ok mlbuild show --rev HEAD~1 --json m
holds 'rows[0]["rev"] == "'"$first"'" and rows[0]["metrics"] == {"acc": 1.0} and rows[0]["params"] == {"C": 1.0}' \
	'rows[0]["command"].startswith("sh train.sh fold/2.txt m.bin 1.0")' \
	'{l["target"] for l in rows[0]["lineage"]} >= {"m", "fold@k=2", "split"}'
ok mlbuild show --rev HEAD~1 fold
out_has 'fold@k=1'
out_has 'fold@k=2'
ok mlbuild show --rev HEAD~1 fold/2.txt
out_has 'fold@k=2'
ok mlbuild show --rev HEAD~1 --action m
eq "$(sha256sum <"$T_OUT" | cut -c1-64)" "$("$MLBUILD" show --rev HEAD~1 --json m | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["key"])')"
code 2 mlbuild show --rev HEAD~2 m
code 2 mlbuild show --rev nonesuch m
has nonesuch

t a run
ok mlbuild show "$run"
match "^$run .* 1 built"
match '^  m +built'
match '^    C 1.0 .+ 0.5  -0.5 \(-50%\)'
match '^    acc 1 .+ 0.5  -0.5 \(-50%\)'
ok mlbuild show --json "$run"
holds 'rows[0]["what"] == "run" and rows[0]["run"] == "'"$run"'" and [a["target"] for a in rows[0]["actions"]] == ["m"]'
code 2 mlbuild show 20200101-000000-0000
has 'mlbuild log'

t a file found anywhere: commit, run and target
ok mlbuild show "$T_ROOT/first.bin"
out_has 'm.bin of model m'
out_has "$first"
out_has 'first model'
match '^  run +2'
match '^    m +fold/2.txt'
ok mlbuild show --json "$T_ROOT/first.bin"
holds 'rows[0]["what"] == "digest" and rows[0]["is"] == "output" and rows[0]["target"] == "m" and rows[0]["path"] == "m.bin"' \
	'rows[0]["locked_by"] == "'"$first"'" and rows[0]["commits"] == 1' \
	'[(c["commit"], c["subject"]) for c in rows[0]["added_by"]] == [("'"$first"'", "first model")]' \
	'rows[0]["run"] and rows[0]["commit"]' \
	'rows[1]["what"] == "artifact" and rows[1]["rev"] == "'"$first"'" and rows[1]["params"] == {"C": 1.0}'
digest=$(sha256sum "$T_ROOT/first.bin" | cut -c1-64)
ok mlbuild show "sha256:$digest"
out_has "$first"
ok mlbuild show "$(printf %.10s "$digest")"
out_has "$first"
code 2 mlbuild show "sha256:0000000000"
code 2 mlbuild show /etc/passwd
has '/etc/passwd'
code 2 mlbuild show nonesuch

t one in a directory, a source, what an action reads, and a key
ok mlbuild show --json "sha256:$(echo 7 | sha256sum | cut -c1-64)"
holds 'rows[0]["is"] == "member" and rows[0]["target"] == "split" and rows[0]["path"] == "parts" and rows[0]["member"] == "deep/test.txt"' \
	'rows[0]["commits"] == 2 and rows[1]["target"] == "split"'
ok mlbuild show --json "sha256:$(sha256sum raw.txt | cut -c1-64)"
holds 'rows[0]["is"] == "output" and rows[0]["target"] == "raw" and rows[0]["path"] == "raw.txt"'
ok mlbuild show --json "$T_DIR/train.sh"
holds 'rows[0]["is"] == "input" and rows[0]["path"] == "train.sh" and rows[0]["target"] == "m"'
ok mlbuild show --json "sha256:$(sha256sum aug/1.txt | cut -c1-64)"
holds 'rows[0]["is"] == "output" and rows[0]["target"] == "aug" and rows[0]["path"] == "aug/1.txt"'
key=$("$MLBUILD" show --json m | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["key"])')
ok mlbuild show --json "sha256:$key"
holds 'rows[0]["is"] == "key" and rows[1]["target"] == "m"'

t what was built and never committed: by its run and pin
change mlbuild.ini 'C = 0.5' 'C = 0.25'
ok mlbuild
cp m.bin "$T_ROOT/third.bin"
change mlbuild.ini 'C = 0.25' 'C = 0.5'
ok mlbuild
ok mlbuild show --json "$T_ROOT/third.bin"
holds 'rows[0]["locked_by"] == "" and rows[0]["added_by"] == [] and len(rows[0]["commit"]) == 40 and rows[0]["run"]' \
	'rows[0]["target"] == "m" and rows[1]["params"] == {"C": 0.25} and rows[1]["metrics"] == {"acc": 0.25}'
ok mlbuild show "$T_ROOT/third.bin"
out_has "no commit's mlbuild.lock names it"
match '^m  model$'
pin=$("$MLBUILD" show --json "$T_ROOT/third.bin" | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["commit"])')
ok git show "$pin:mlbuild.ini"
out_has 'C = 0.25'

t the same without state.db, and with neither outputs nor lock
rm -rf .mlbuild/state.db* .mlbuild/graph
ok mlbuild show "$T_ROOT/first.bin"
out_has "$first"
ok mlbuild show --json "$T_ROOT/third.bin"
holds 'rows[0]["run"] and rows[0]["commit"] == "'"$pin"'" and rows[0]["path"] == "m.bin"'
ok mlbuild show "$run"
match "^$run .* 1 built"
cp -p mlbuild.lock "$T_ROOT/lock"
rm -rf m.bin m.json parts aug fold mlbuild.lock
ok mlbuild show "$T_ROOT/first.bin"
out_has "$first"
ok mlbuild show --rev HEAD m
out_has 'acc 0.5'
cp -p "$T_ROOT/lock" mlbuild.lock
ok mlbuild

t a fresh clone without the cache knows the commits
git clone -q . "$T_ROOT/clone"
cd "$T_ROOT/clone" || exit 1
ok mlbuild show --json "$T_ROOT/first.bin"
holds 'rows[0]["target"] == "m" and rows[0]["locked_by"] == "'"$first"'" and rows[1]["metrics"] == {"acc": 1.0}' \
	'rows[1]["lineage"][0]["known"] is False'
ok mlbuild show "$T_ROOT/first.bin"
out_has 'not known any more'
cd "$T_DIR" || exit 1

t two files of the same digits
code 2 mlbuild show sha256:
code 2 mlbuild show sha256:zz
err_has "'sha256:zz' is no digest"

t a check that says no: what it keeps back is still told
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a > ${out}
out = a.txt
[model b]
run = cat ${a} > ${out}
out = b.txt
[check c]
run = test ! -e stop
needs = a
guards = a
X
ok mlbuild
touch stop
put mlbuild.ini <<'X'
[dataset a]
run = echo a > ${out}
out = a.txt
[model b]
run = cat ${a} > ${out}
out = b.txt
[check c]
run = test ! -e stop; false
needs = a
guards = a
X
rm b.txt
code 3 mlbuild
ok mlbuild show --json b
holds 'rows[0]["known"] and [o["path"] for o in rows[0]["outputs"]] == ["b.txt"]' '"c" in rows[0]["blocked"]'
ok mlbuild show b
match '^  blocked: '
out_has b.txt

t nothing of this writes in the work tree
cd "$T_ROOT/dir1" || exit 1
photo() {
	git status --porcelain
	find . -path ./.git -prune -o -path ./.mlbuild -prune -o -type f -print0 | sort -z | xargs -0 stat -c '%n %Y %s %i'
	sha256sum .git/index
	git for-each-ref
}
echo edit >>train.sh
photo >"$T_ROOT/before"
ok mlbuild show m
ok mlbuild show "$T_ROOT/first.bin"
ok mlbuild show --rev HEAD~1 m
ok mlbuild show "$run"
photo >"$T_ROOT/after"
ok cmp "$T_ROOT/before" "$T_ROOT/after"

done_testing
