# Pins in every state a repository can be in; nothing of it is touched.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

project() {
	t_dir
	t_git
	chain
	mlbuild -q
	t_commit
	: >"$RAN"
}

# What is changed in the pin of c, but for the lock.
changed() {
	git diff-tree -r --name-status HEAD "$(pin_of c)" | grep -v mlbuild.lock
}

# The same whatever the state: clean is HEAD, an edit is a snapshot on top of it.
holds() {
	: >"$RAN"
	untouched mlbuild -f c
	eq "$(pin_of c)" "$(git rev-parse HEAD)"
	echo more >>in.txt
	untouched mlbuild
	eq "$(git show "$(pin_of c):./in.txt" | tail -1)" more
	eq "$(git rev-parse "$(pin_of c)^")" "$(git rev-parse HEAD)"
	for command in status checkout 'gc -n' 'ls --rev HEAD c'; do
		untouched mlbuild $command
	done
	eq "$(git fsck --strict --no-dangling 2>&1 | grep -v notice:)" ''
}

t a detached HEAD
project
git checkout -q --detach
holds

t a work tree of its own
project
git worktree add -q ../tree-b
cd ../tree-b || exit 1
holds
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" 2

t a submodule, and the project around it
t_dir
lib=$PWD
t_git
chain
mlbuild -q
t_commit
project
git config --global protocol.file.allow always
git submodule -q add "$lib" lib
t_commit submodule
cd lib || exit 1
holds
cd ..
git -C lib checkout -q .
printf '[report e]\nneeds = lib/in.txt\nrun = cat lib/in.txt >${out}\nout = out/e.txt\n' >>mlbuild.ini
mlbuild -q e
t_commit e
untouched mlbuild -f e
eq "$(pin_of e)" "$(git rev-parse HEAD)"
holds

t a project in a sub-directory
t_dir
t_git
mkdir -p some/where
echo outside >outside
cd some/where || exit 1
chain
mlbuild -q
cd ../.. && t_commit && cd some/where || exit 1
echo changed >../../outside
holds
eq "$(git show "$(pin_of c):outside")" outside

t a shallow clone
project
echo again >>in.txt
mlbuild -q
t_commit two
git clone -q --depth 1 "file://$PWD" ../shallow
cd ../shallow || exit 1
mlbuild -q
holds

t a repository without a commit
t_dir
t_git
chain
untouched mlbuild
pin=$(pin_of c)
eq "$(git show "$pin:in.txt" | cksum)" "$(cksum <in.txt)"
eq "$(git rev-list --count "$pin")" 1
t_commit
untouched mlbuild -f c
eq "$(pin_of c)" "$(git rev-parse HEAD)"

t in the middle of a merge with conflicts
project
git checkout -qb side
echo side >>in.txt
mlbuild -q
t_commit side
git checkout -q main
echo main >>in.txt
mlbuild -q
t_commit main
code 1 git merge side
line=$(grep -n '^<<<<<<< ' in.txt | cut -d: -f1)
untouched mlbuild
err_has "'in.txt' line $line: git's merge is not settled there"
err_has "'git add in.txt'"
printf 'one\nboth\n' >in.txt
untouched mlbuild
err_hasnt 'is not settled'
there .git/MERGE_HEAD
eq "$(git show "$(pin_of c):in.txt" | tail -1)" both
untouched mlbuild checkout
git merge --abort
eq "$(git status --porcelain)" ''

t what only looks like a conflict is none
project
printf '<<<<<<< \n' >>in.txt
untouched mlbuild
err_hasnt 'is not settled'
t_commit marks
untouched mlbuild -f c
err_hasnt 'is not settled'

t in the middle of a rebase
project
git checkout -qb side
echo side >>in.txt
mlbuild -q
t_commit side
git checkout -q main
echo main >>in.txt
mlbuild -q
t_commit main
git checkout -q side
code 1 git rebase main
there .git/rebase-merge
printf 'one\nrebased\n' >in.txt
untouched mlbuild
eq "$(git show "$(pin_of c):in.txt" | tail -1)" rebased
git rebase --abort
eq "$(git status --porcelain)" ''

t during cherry-pick, revert and bisect
git checkout -q main
code 1 git cherry-pick side
printf 'one\npicked\n' >in.txt
untouched mlbuild
there .git/CHERRY_PICK_HEAD
git cherry-pick --abort
git bisect start HEAD HEAD~1 >"$T_ALL" 2>&1
untouched mlbuild
git bisect reset -q

t 'a work tree beside a bare repository'
project
git clone -q --bare . ../bare.git
git --git-dir=../bare.git worktree add -q ../of-bare 2>"$T_ALL"
cd ../of-bare || exit 1
holds

t a repository named by the environment
project
mv .git ../away.git
export GIT_DIR="$PWD/../away.git" GIT_WORK_TREE="$PWD"
holds
unset GIT_DIR GIT_WORK_TREE

t files that a glob or an import no longer finds are gone in the pin
project
mkdir -p src out
echo 1 >src/a.csv
echo 2 >src/b.csv
printf 'import gone_module\n' >use.py
touch gone_module.py
printf '[report e]\nneeds = src/*.csv use.py\nrun = cat src/*.csv >${out}\nout = out/e.txt\n' >>mlbuild.ini
mlbuild -q e
t_commit
untouched mlbuild -f e
eq "$(pin_of e)" "$(git rev-parse HEAD)"
rm src/b.csv gone_module.py
echo other >src/unrelated
untouched mlbuild e
eq "$(git diff-tree -r --name-status HEAD "$(pin_of e)" | grep -v lock)" 'D	gone_module.py
D	src/b.csv'

done_testing
