# mlbuild init --ci: the workflow, and its steps run as CI runs them.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

REMOTE=$T_ROOT/team
ORIGIN=$T_ROOT/origin.git

# step FILE NAME     the shell text of a step of a GitHub workflow
step() {
	python3 -c '
import sys, textwrap
lines = open(sys.argv[1]).read().split("\n")
at = next(i for i, l in enumerate(lines) if l.strip() == "- name: " + sys.argv[2])
run = next(i for i in range(at, len(lines)) if lines[i].strip() == "run: |")
text = []
for l in lines[run + 1:]:
    if l.strip() and len(l) - len(l.lstrip()) < 10:
        break
    text.append(l)
print(textwrap.dedent("\n".join(text)))' "$1" "$2"
}

# A machine of CI: a fresh clone of a branch, with these programs in PATH
mkdir "$T_ROOT/bin"
cat >"$T_ROOT/bin/mlbuild" <<X
#!/bin/sh
exec "$MLBUILD" "\$@"
X
cat >"$T_ROOT/bin/gh" <<X
#!/bin/sh
echo "gh \$*" >>"$T_ROOT/gh.log"
case " \$* " in *" --edit-last "*) exit 1 ;; esac
X
chmod +x "$T_ROOT/bin/mlbuild" "$T_ROOT/bin/gh"

# ci BRANCH BASE STEP...    the steps in a fresh clone, as the service runs them
ci() {
	t_dir
	git clone -q -b "$1" "$ORIGIN" . || exit 1
	BASE=$2
	shift 2
	GITHUB_STEP_SUMMARY=$T_ROOT/summary PULL_REQUEST=7
	export BASE GITHUB_STEP_SUMMARY PULL_REQUEST
	: >"$T_ROOT/summary"
	for name; do
		step .github/workflows/mlbuild.yml "$name" >"$T_ROOT/step" || exit 1
		ok env PATH="$T_ROOT/bin:$PATH" bash -e "$T_ROOT/step"
	done
}

t it is written, and never over another one
t_dir
t_git
chain
printf '[remote team]\nurl = %s\n' "$REMOTE" >>mlbuild.ini
mkdir "$REMOTE"
ok mlbuild init --ci github
out_has '.github/workflows/mlbuild.yml'
ok python3 - .github/workflows/mlbuild.yml <<'X'
import sys
text = open(sys.argv[1]).read()
assert "@" not in text.replace("checkout@v4", ""), text
assert "\t" not in text
X
code 2 mlbuild init --ci github
has 'exists already'
code 2 mlbuild init --ci jenkins
ok mlbuild init --ci gitlab
there .gitlab-ci.yml
ok grep -q 'mlbuild push' .gitlab-ci.yml
ok grep -q 'mlbuild --locked' .gitlab-ci.yml
ok sh -n -c "$(step .github/workflows/mlbuild.yml Install)"

t a new directory gets a project, too
t_dir
ok mlbuild init --ci gitlab new
there new/mlbuild.ini new/.gitlab-ci.yml

t main: nothing was built yet, and CI cannot know what the lock would be
cd "$T_ROOT/dir1" || exit 1
ok mlbuild
did 'a b c d'
ok mlbuild push
t_commit 'the project'
git clone -q --bare . "$ORIGIN"
git remote add origin "$ORIGIN"
git fetch -q

t main builds nothing
ci main '' Build Push
did ''

t a pull request that changes a parameter builds two stages and tells what changes
cd "$T_ROOT/dir1" || exit 1
git switch -qc more
sed -i 's/^x = 1/x = 2/' mlbuild.ini
git commit -qam 'more x'
git push -q origin more
ci more main Build Push Report
did 'b c'
ok grep -q 'x' report.md
ok cmp report.md "$T_ROOT/summary"
ok grep -q 'gh pr comment 7 --body-file report.md' "$T_ROOT/gh.log"

t its author gets what CI has made
cd "$T_ROOT/dir1" || exit 1
ok mlbuild
did ''
eq "$(head -n 1 out/b.txt)" one-2
git commit -qam 'the lock'
git push -q origin more:main

t and a second clone, too
ci main '' Build Push
did ''
eq "$(head -n 1 out/c.txt 2>/dev/null)" one-2

t a lock that is not what the commit gives fails in main
cd "$T_ROOT/dir1" || exit 1
sed -i 's/^x = 2/x = 3/' mlbuild.ini
git commit -qam 'forgot the lock'
git push -q origin HEAD:main
t_dir
git clone -q "$ORIGIN" .
step .github/workflows/mlbuild.yml Build >"$T_ROOT/step"
BASE='' PATH="$T_ROOT/bin:$PATH" code 4 bash -e "$T_ROOT/step"

done_testing
