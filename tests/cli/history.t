# The history of a project: log, diff, metrics and params over git's commits.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# Everything that no command here may touch: files, their times, index, HEAD and branches.
photo() {
	git status --porcelain >"$T_ROOT/photo"
	find . -path ./.git -prune -o -path ./.mlbuild -prune -o -type f -print0 | sort -z |
		xargs -0 stat -c '%n %Y %s %i' >>"$T_ROOT/photo"
	sha256sum .git/index >>"$T_ROOT/photo"
	git for-each-ref --format='%(refname) %(objectname)' refs/heads refs/tags >>"$T_ROOT/photo"
	git rev-parse HEAD >>"$T_ROOT/photo"
	cat "$T_ROOT/photo"
}

project() {
	t_dir
	t_git
	# shellcheck disable=SC2034 # of t_commit_later
	T_DAY=0
	put raw.txt <<'X'
some data
X
	put train.sh <<'X'
cat "$2" >"$3"; echo "C $1" >>"$3"
printf '{"accuracy": 0.9%s, "val": {"loss": %s}, "n": 3, "curve": [1, %s]}\n' "$(echo "$1" | tr -d .)" "$1" "$1" >"$4"
X
	put params.yaml <<'X'
lr: 1e-3
X
	put mlbuild.ini <<'X'
[params]
file = params.yaml
C = 1.0
seed = 7
[dataset raw]
path = raw.txt
[feature f]
run = cat ${raw} > ${out}; echo ${params:seed} >> ${out}
out = f.txt
[model m]
run = sh train.sh ${params:C} ${f} ${out} ${metrics}
out = m.bin
metrics = m.json
X
	t_commit_later 'nothing built'
	ok mlbuild
	t_commit_later 'first model'
	change mlbuild.ini 'C = 1.0' 'C = 0.5'
	ok mlbuild
	t_commit_later 'try less'
	change mlbuild.ini 'seed = 7' 'seed = 8'
	ok mlbuild
	t_commit_later 'another seed'
}

project
photo >"$T_ROOT/before"

t the log has commits that changed the lock, and what changed
ok mlbuild log
out_has 'another seed'
out_has 'try less'
out_hasnt 'nothing built'
match '^  m +C 1.0 .+ 0.5  accuracy 0.91 .+ 0.905  val.loss 1 .+ 0.5'
ok mlbuild log --json --limit 100
keep
ok python3 - "$KEPT" <<'X'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
runs = [r for r in rows if r["what"] == "run"]
commits = [r for r in rows if r["what"] == "commit"]
assert len(runs) == 3 and len(commits) == 3, rows
assert [c["subject"] for c in commits] == ["another seed", "try less", "first model"]
assert commits[0]["author"] == "Test" and commits[0]["time"] == "2026-01-04T12:00:00Z"
less = {a["target"]: a for a in commits[1]["actions"]}
assert list(less) == ["m"] and less["m"]["what"] == "changed" and len(less["m"]["key"]) == 64
change = {c["name"]: c for c in less["m"]["changes"]}
assert change["C"] == {"what": "param", "name": "C", "before": 1.0, "after": 0.5, "delta": -0.5, "relative": -0.5}
assert change["accuracy"]["what"] == "metric" and change["accuracy"]["before"] == 0.91
assert less["m"]["metrics"]["val"]["loss"] == 0.5
assert {a["what"] for a in commits[2]["actions"]} == {"added"}
assert runs[0]["built"] == 2 and runs[0]["exit"] == 0 and runs[0]["seconds"] >= 0
assert [(a["target"], a["what"], a["commands"]) for a in runs[0]["actions"]] == [("f", "built", 1), ("m", "built", 1)]
assert [c["name"] for c in runs[0]["actions"][0]["changes"]] == ["seed"]
assert runs[1]["command_line"] and runs[1]["commit"] and runs[1]["run"] and runs[1]["started"]
X

t of one target, and so many
ok mlbuild log --limit 2 m
eq "$(grep -c '^[0-9a-f]' "$T_OUT")" 2
ok mlbuild log raw
eq "$(grep -c '^[0-9a-f]' "$T_OUT")" 1
out_has 'first model'
code 2 mlbuild log mm
has "'mm'"
ok mlbuild log -v m
match '^  m +built'

t a target that is no more is found in history
cp mlbuild.ini "$T_ROOT/ini"
sed '/^\[model m\]/,$d' "$T_ROOT/ini" >mlbuild.ini
ok mlbuild log m
out_has 'try less'
cp -p "$T_ROOT/ini" mlbuild.ini

t diff of two commits
ok mlbuild diff HEAD~2 HEAD~1
out_has 'first model'
match '^  C +1.0 .+ 0.5 +-0.5 \(-50%\)'
match '^m  model  changed'
match 'metric +accuracy +0.91 .+ 0.905 +-0.005'
out_hasnt '^f '
ok mlbuild diff --json HEAD~2 HEAD~1
keep
ok python3 - "$KEPT" <<'X'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
assert rows[0]["what"] == "sides" and rows[0]["from"]["name"] == "HEAD~2" and rows[0]["to"]["subject"] == "try less"
assert len(rows[0]["from"]["commit"]) == 40
assert [(r["name"], r["before"], r["after"], r["delta"], r["relative"]) for r in rows if r["what"] == "param"] == [("C", 1.0, 0.5, -0.5, -0.5)]
(t,) = [r for r in rows if r["what"] == "target"]
assert t["target"] == "m" and t["kind"] == "model" and t["change"] == "changed" and t["reason"] == ""
assert t["files_added"] == t["files_removed"] == t["files_changed"] == 0
kinds = {(c["what"], c["name"]) for c in t["changes"]}
assert {("param", "C"), ("action", "command"), ("metric", "accuracy"), ("metric", "val.loss"), ("output", "m.bin"), ("metric", "curve")} <= kinds, kinds
assert ("metric", "n") not in kinds and not any(k[0] == "input" for k in kinds)
X
ok mlbuild diff --json HEAD~1 HEAD
out_has '"name":"f.txt"'
ok mlbuild diff --md HEAD~2 HEAD~1
out_has '| m | accuracy | 0.91 | 0.905 | -0.005 (-0.549%) |'
out_has '| C | 1.0 | 0.5 | -0.5 (-50%) |'
out_has '**Targets**'

t nothing differs
ok mlbuild diff
out_hasnt parameters
err_has 'nothing differs'
ok mlbuild diff --exit-code
ok mlbuild diff HEAD HEAD --exit-code
code 4 mlbuild diff HEAD~1 HEAD --exit-code
code 2 mlbuild diff nonesuch
has nonesuch
code 2 mlbuild diff HEAD~3..HEAD

t the workspace: parameters and inputs that were not built yet
change params.yaml 1e-3 1e-4
change train.sh 'C \$1' 'c $1'
ok mlbuild diff
match '^  lr +1e-3 .+ 1e-4'
match '^m  model  stale  .*train.sh changed'
match 'input +train.sh'
code 4 mlbuild diff --exit-code
git checkout -q params.yaml train.sh
ok mlbuild
ok mlbuild diff --exit-code

t an added and a removed target
put other.ini <<'X'
[report extra]
run = cp f.txt ${out}
out = extra.txt
X
{ cat mlbuild.ini && echo '[include]' && echo 'files = other.ini'; } >"$T_ROOT/ini" && cp "$T_ROOT/ini" mlbuild.ini
ok mlbuild
ok mlbuild diff
match '^extra  report  added'
t_commit_later 'an extra'
ok mlbuild diff HEAD HEAD~1
match '^extra  report  removed'
ok mlbuild log extra
out_has 'an extra'

t metrics side by side
ok mlbuild metrics
match '^m +accuracy +0.905$'
ok mlbuild metrics HEAD~3
match 'accuracy +0.91 +0.905 +-0.005'
ok mlbuild metrics HEAD~3 HEAD~2 -- accuracy
match '^m +accuracy +0.91 +0.905'
out_hasnt loss
ok mlbuild metrics --csv HEAD~4..HEAD~1 -- 'val.*'
eq "$(sed -n 2p "$T_OUT")" 'm,val.loss,1,0.5,0.5'
ok mlbuild metrics --md HEAD~3 workspace -- m.accuracy
out_has '| target | metric | HEAD~3 | workspace | change |'
out_has '| m | accuracy | 0.91 | 0.905 | -0.005 (-0.549%) |'
ok mlbuild metrics --json HEAD~4 HEAD~3
keep
ok python3 - "$KEPT" <<'X'
import json, sys
a, b = [json.loads(l) for l in open(sys.argv[1])]
assert a["rev"] == "HEAD~4" and a["subject"] == "nothing built" and a["metrics"] == {} and a["time"] == "2026-01-01T12:00:00Z"
assert b["metrics"] == {"m": {"accuracy": 0.91, "val.loss": 1.0, "n": 3, "curve": [1, 1.0]}} and len(b["commit"]) == 40
X
code 2 mlbuild metrics nonesuch
code 2 mlbuild metrics -- nonesuch
code 2 mlbuild metrics --csv --md

t params side by side, and by name
ok mlbuild params HEAD~4
match '^C +1.0 +0.5 '
match '^lr +1e-3 +1e-3'
ok mlbuild params HEAD~4..HEAD~1 --csv
eq "$(sed -n '/^seed/p' "$T_OUT")" 'seed,7,7,8'
ok mlbuild params --json HEAD~3 HEAD
keep
ok python3 - "$KEPT" <<'X'
import json, sys
a, b = [json.loads(l) for l in open(sys.argv[1])]
assert a["params"] == {"C": 1.0, "seed": 7, "lr": 0.001}, a
assert b["params"]["C"] == 0.5 and b["rev"] == "HEAD" and b["commit"] and b["time"] and b["subject"] == "an extra"
X
ok mlbuild params 's*' HEAD~4
match '^seed +7 +8'
out_hasnt lr
ok mlbuild params --json C
keep
ok python3 -c '
import json, sys
(row,) = [json.loads(l) for l in open(sys.argv[1])]
assert row == {"name": "C", "value": "0.5", "file": "mlbuild.ini", "line": 3}, row' "$KEPT"
code 2 mlbuild params nonesuch
has "no parameter or revision 'nonesuch'"
git branch C HEAD~4
ok mlbuild params C
out_has 'mlbuild.ini:3'
ok mlbuild params refs/heads/C -- C
match '^C +1.0 +0.5'
git branch -q -D C

t a run and a digest are revisions too
run=$("$MLBUILD" log --json --limit 100 | python3 -c '
import json, sys
print([r["run"] for r in map(json.loads, sys.stdin) if r["what"] == "run"][-1])')
ok mlbuild metrics "$run"
match 'accuracy +0.91 +0.905'
rm -f .mlbuild/state.db*
ok mlbuild metrics "$run"
match '^m(.json|.bin)? +accuracy +0.91 '
old=$(git show HEAD~3:mlbuild.lock | sed -n 's/^output = f \([0-9a-f]*\) .* m.bin$/\1/p')
ok mlbuild metrics "sha256:$old"
match 'accuracy +0.91 '
ok mlbuild diff "$old" HEAD~2
match '^m  model  changed'

t more revisions than columns are rows
ok mlbuild metrics HEAD HEAD~1 HEAD~2 HEAD~3 HEAD HEAD~1 HEAD~2 HEAD~3 HEAD -- accuracy
eq "$(grep -c 'HEAD' "$T_OUT")" 9
match '^HEAD~3 +0.91 +first model'

t nothing of this touched the work tree
mlbuild diff >"$T_ROOT/x" 2>&1
photo >"$T_ROOT/before"
for words in log 'log m' diff 'diff HEAD~3 HEAD' 'diff --md' 'metrics HEAD~3' 'params HEAD~3' metrics params; do
	# shellcheck disable=SC2086
	ok mlbuild $words
done
photo >"$T_ROOT/after"
ok cmp "$T_ROOT/before" "$T_ROOT/after"

t a fresh clone: metrics come from git, whatever the cache lacks
git clone -q . "$T_ROOT/clone"
cd "$T_ROOT/clone" || exit 1
ok mlbuild log m
out_has 'try less'
ok mlbuild metrics HEAD~3 HEAD
match 'accuracy +0.91 +0.905'
ok mlbuild diff HEAD~3 HEAD~2
match 'metric +accuracy +0.91 .+ 0.905'

t a project below the repository, a detached HEAD, a branch without a commit
t_dir
t_git
mkdir -p deep/er
cp "$T_ROOT/clone/raw.txt" "$T_ROOT/clone/train.sh" "$T_ROOT/clone/params.yaml" deep/er
cp "$T_ROOT/ini" deep/er/mlbuild.ini
cp "$T_ROOT/clone/other.ini" deep/er
cd deep/er || exit 1
ok mlbuild log
ok mlbuild metrics
code 2 mlbuild diff
has HEAD
ok mlbuild
t_commit one
change mlbuild.ini 'C = 0.5' 'C = 2'
ok mlbuild
t_commit two
ok mlbuild diff HEAD~1 HEAD
match '^  C +0.5 .+ 2 '
git checkout -q --detach HEAD~1
ok mlbuild log m
out_has one
out_hasnt two
ok mlbuild metrics main
match 'accuracy +0.92 '

t without a commit it says so
t_dir
t_git
put mlbuild.ini <<'X'
[project]
default = m
[model m]
run = echo 1 > ${out}
out = m
[report r]
run = echo 2 > ${out}
out = r
X
for words in diff reproduce 'metrics HEAD' 'params HEAD' 'show m --rev HEAD' 'checkout --rev HEAD' 'diff HEAD~1'; do
	# shellcheck disable=SC2086
	code 2 mlbuild $words
	err_has 'no commit yet'
	err_has 'git commit'
done

t a target that no default names, but the lock, is compared too
ok mlbuild -q m r
t_commit one
ok mlbuild diff
err_has 'nothing differs'
sed 's/echo 2/echo 3/' mlbuild.ini >ini
mv ini mlbuild.ini
ok mlbuild diff
out_has 'r  report  stale'
hasnt 'm  model'

t without git
t_dir
put mlbuild.ini <<'X'
[model m]
run = echo 1 > ${out}; echo '{"a": 1}' > ${metrics}
out = m
metrics = m.json
X
ok mlbuild
ok mlbuild log
match '1 built'
ok mlbuild metrics
match '^m +a +1'
ok mlbuild params
code 2 mlbuild diff
has 'git'
code 2 mlbuild metrics HEAD

done_testing
