# log, diff, metrics, params and show where history is not one line: merges, shallow clones, work trees, broken files.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

day=0
snap() {
	day=$((day + 1))
	GIT_AUTHOR_DATE="2026-01-01 1$day:00:00 +0000" GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	t_commit "$1"
}

subjects() {
	"$MLBUILD" log --json --limit 100 "$@" | python3 -c '
import json, sys
print(" ".join(r["subject"] for r in map(json.loads, sys.stdin) if r["what"] == "commit"))'
}

t_dir
t_git
put pipe/a.ini <<'X'
[model a]
run = echo ${params:x} > ${out}; echo '{"v": ${params:x}}' > ${metrics}
out = a.bin
metrics = a.json
X
put pipe/b.ini <<'X'
[model b]
run = echo ${params:y} > ${out}; echo '{"v": ${params:y}}' > ${metrics}
out = b.bin
metrics = b.json
X
put mlbuild.ini <<'X'
[params]
x = 1
file = p.yaml

[include]
files = pipe/*.ini
X
echo 'y: 1' >p.yaml
ok mlbuild
snap base

t two branches, each of which changed one target, merged
git checkout -q -b side
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild
snap left
git checkout -q main
echo 'y: 5' >p.yaml
ok mlbuild
snap right
day=4
GIT_AUTHOR_DATE="2026-01-01 15:00:00 +0000" GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
ok git merge -q -m merged side
ok mlbuild
eq "$(subjects)" 'right left base'
eq "$(subjects a)" 'left base'
eq "$(subjects b)" 'right base'
ok mlbuild diff HEAD^1 HEAD
match '^a  model  changed'
out_hasnt 'b  model'
ok mlbuild diff side HEAD
match '^b  model  changed'
ok mlbuild metrics main side --csv
eq "$(sed -n '2,$p' "$T_OUT")" 'a,v,2,2
b,v,5,1'

t parameters are those of the commit: included files, and the files that they come from
ok mlbuild params HEAD~1 side main --csv
eq "$(cat "$T_OUT")" 'parameter,HEAD~1,side,main
x,1,2,2
y,5,1,5'

t a conflict in the lock
git checkout -q -b other side
echo 'y: 7' >p.yaml
ok mlbuild
snap other
git checkout -q main
code 1 git merge -q -m again other
ok mlbuild log
ok mlbuild metrics HEAD other -- b.v
match '^b +v +5 +7'
git merge --abort

t a commit whose mlbuild.ini is wrong
echo '[modle]' >>mlbuild.ini
snap wrong
git revert -n HEAD
snap mended
code 2 mlbuild params HEAD~1
has 'HEAD~1: mlbuild.ini'
has "did you mean 'model'"
code 2 mlbuild diff HEAD~1 HEAD
ok mlbuild metrics HEAD~1
ok mlbuild log

t while mlbuild.ini is wrong here, there is still a history
echo '[modle]' >>mlbuild.ini
ok mlbuild log
out_has right
git checkout -q mlbuild.ini

t a shallow clone
git clone -q --depth 2 "file://$PWD" "$T_ROOT/shallow"
cd "$T_ROOT/shallow" || exit 1
ok mlbuild log
ok mlbuild metrics HEAD~1 HEAD
match '^b +v +5 +5'
ok mlbuild show --rev HEAD a
out_has a.bin
ok mlbuild show "sha256:$(sha256sum "$T_DIR/a.bin" | cut -c1-64)"
out_has 'of model a'
code 2 mlbuild diff HEAD~5
cd "$T_DIR" || exit 1

t another work tree, and a submodule
git worktree add -q "$T_ROOT/tree" side
cd "$T_ROOT/tree" || exit 1
eq "$(subjects)" 'left base'
ok mlbuild metrics main -- a.v
match '^a +v +2 +2'
cd "$T_DIR" || exit 1
t_dir
t_git
git -c protocol.file.allow=always submodule --quiet add "file://$T_ROOT/dir1" sub
snap outer
cd sub || exit 1
eq "$(subjects)" 'right left base'
ok mlbuild diff HEAD~3 HEAD
ok mlbuild params main -- 'x*'

t a target that was never built, and a check
t_dir
t_git
put mlbuild.ini <<'X'
[dataset d]
run = echo 1 > ${out}
out = d.txt
[check c]
run = test -s ${d}
guards = d
X
snap one
ok mlbuild diff
match '^d  dataset  added  \(a build would make it'
ok mlbuild
snap two
ok mlbuild diff --exit-code
change mlbuild.ini 'test -s' 'test -e'
code 4 mlbuild diff --exit-code
match '^c  check  stale'

t instances that changed alike are told once
t_dir
t_git
put mlbuild.ini <<'X'
[params]
s = 1
[feature f]
matrix.k = 1..5
run = echo ${matrix:k} ${params:s} > ${out}
out = f/${matrix:k}.txt
X
ok mlbuild
snap one
change mlbuild.ini 's = 1' 's = 2'
ok mlbuild
ok mlbuild diff
match '^f@k=1  feature  changed'
match '^  and 4 more instances alike'
out_hasnt 'f@k=2'
eq "$("$MLBUILD" diff --json | grep -c '"target":"f@k=')" 5
snap two
ok mlbuild log
match '^  f@\* +s 1 .+ 2$'

t many files of each are counted, not listed
t_dir
t_git
mkdir in
for i in 1 2 3 4 5; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature e]
each = in/*.txt
run = cp ${each} ${out}
out = out/${each:name}
X
ok mlbuild
snap one
rm in/1.txt
echo more >>in/2.txt
echo 6 >in/6.txt
echo 7 >in/7.txt
ok mlbuild
ok mlbuild diff
match '^e  feature  changed: files 2 added, 1 removed, 1 changed'
ok mlbuild diff --json
out_has '"files_added":2,"files_removed":1,"files_changed":1'
snap two
ok mlbuild log -v e
match '^  e +changed'
match '^  e +built +.*3 commands'

done_testing
