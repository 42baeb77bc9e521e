# mlbuild init --hooks: git puts artifacts into the workspace.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

# Git starts the hooks, and they the program that is in PATH.
mkdir "$T_ROOT/bin"
printf '#!/bin/sh\necho "$*" >>"%s/calls"\nexec "%s" "$@"\n' "$T_ROOT" "$MLBUILD" >"$T_ROOT/bin/mlbuild"
chmod +x "$T_ROOT/bin/mlbuild"
PATH=$T_ROOT/bin:$PATH
export PATH

calls() {
	touch "$T_ROOT/calls"
	wc -l <"$T_ROOT/calls"
	rm "$T_ROOT/calls"
}

# main and other, with different results of b and c.
branches() {
	chain
	ok "$MLBUILD"
	t_commit one
	git checkout -q -b other
	change mlbuild.ini 'x = 1' 'x = 2'
	ok "$MLBUILD"
	t_commit two
	git checkout -q main
	ok "$MLBUILD"
	: >"$RAN"
}

change() {
	sed "s/$2/$3/" "$1" >x && mv x "$1"
}

t a project that begins
t_dir
t_git
ok "$MLBUILD" init --hooks
there mlbuild.ini
out_has "wrote '$PWD/.git/hooks/post-checkout'"
ok "$MLBUILD" init --hooks
out_has "'$PWD/.git/hooks/post-checkout' is as it should be"
code 2 "$MLBUILD" init

t after git switch the artifacts are those of the branch, and nothing is run
t_dir
t_git
branches
untouched "$MLBUILD" init --hooks
calls >/dev/null
ok git switch -q other
eq "$(head -1 out/c.txt)" one-2
ok git checkout -q main
eq "$(head -1 out/c.txt)" one-1
ok git checkout -q --detach other
eq "$(head -1 out/c.txt)" one-2
eq "$(calls)" 3
did ''
eq "$(git status --porcelain)" ''

t where the lock is the same nothing is started
git checkout -q main
calls >/dev/null
git switch -q -c same
git commit -q --allow-empty -m empty
git switch -q main
git checkout -q -- in.txt
eq "$(calls)" 0

t merges and rebases
git checkout -q -b topic
echo more >>other.txt
ok "$MLBUILD"
t_commit topic
git switch -q main
eq "$(cat out/d.txt)" other
calls >/dev/null
ok git merge -q topic
eq "$(tail -1 out/d.txt)" more
git reset -q --hard HEAD~1
ok "$MLBUILD" checkout
git switch -q -c late
git commit -q --allow-empty -m late
eq "$(cat out/d.txt)" other
ok git rebase -q topic
eq "$(tail -1 out/d.txt)" more

t git does not fail, whatever happens in a hook
git switch -q main
chmod -R u+w .mlbuild/cache
rm -rf .mlbuild/cache .mlbuild/state.db*
ok git switch -q other
err_has 'the cache does not have'
eq "$(git symbolic-ref --short HEAD)" other
printf 'broken\n' >>mlbuild.ini
git commit -qam broken
ok git switch -q main
ok git switch -q other
git reset -q --hard HEAD~1
mv "$T_ROOT/bin/mlbuild" "$T_ROOT/bin/away"
ok git switch -q main
eq "$(cat "$T_ALL")" ''
mv "$T_ROOT/bin/away" "$T_ROOT/bin/mlbuild"

t what the user has edited is kept
t_dir
t_git
branches
ok "$MLBUILD" init --hooks
git switch -q other
echo mine >out/c.txt
ok git switch -q main
err_has 'moved to'
eq "$(cat .mlbuild/aside/*/out/c.txt)" mine

t a hook of the user stays, and runs as before
t_dir
t_git
branches
printf '#!/bin/bash -e\necho "mine $3"\nexit 0\n' >.git/hooks/post-checkout
chmod 750 .git/hooks/post-checkout
cp .git/hooks/post-checkout "$T_ROOT/before"
ok "$MLBUILD" init --hooks
out_has 'added to'
eq "$(stat -c %a .git/hooks/post-checkout)" 750
sed '/# >>> mlbuild/,/# <<< mlbuild/d' .git/hooks/post-checkout >"$T_ROOT/after"
ok cmp "$T_ROOT/before" "$T_ROOT/after"
ok git switch -q other
has 'mine 1'
eq "$(head -1 out/c.txt)" one-2
cp .git/hooks/post-checkout "$T_ROOT/before"
ok "$MLBUILD" init --hooks
ok cmp "$T_ROOT/before" .git/hooks/post-checkout

t a block of an older version is replaced
sed 's/--quiet/--older/' "$T_ROOT/before" >.git/hooks/post-checkout
ok "$MLBUILD" init --hooks
ok cmp "$T_ROOT/before" .git/hooks/post-checkout

t what is no shell script, no program, or a link is left alone, and the text is told
rm -f .git/hooks/post-*
printf '#!/usr/bin/env python3\nprint("mine")\n' >.git/hooks/post-checkout
chmod +x .git/hooks/post-checkout
code 2 "$MLBUILD" init --hooks
has 'is no shell script: it is left as it is'
has 'mlbuild checkout --quiet'
printf '#!/bin/sh\necho mine\n' >.git/hooks/post-checkout
chmod -x .git/hooks/post-checkout
code 2 "$MLBUILD" init --hooks
has 'git does not run it'
eq "$(cat .git/hooks/post-checkout)" '#!/bin/sh
echo mine'
rm .git/hooks/post-checkout
ln -s "$T_ROOT/before" .git/hooks/post-checkout
code 2 "$MLBUILD" init --hooks
has 'is no file of its own'
rm .git/hooks/post-checkout

t core.hooksPath of the repository, and of the user
git config core.hooksPath .githooks
ok "$MLBUILD" init --hooks
there .githooks/post-checkout
gone .git/hooks/post-checkout
git switch -q main
eq "$(head -1 out/c.txt)" one-1
git config --unset core.hooksPath
git config --global core.hooksPath "$T_ROOT/all"
code 2 "$MLBUILD" init --hooks
has 'for all repositories'
gone "$T_ROOT/all"
git config --global --unset core.hooksPath

t 'a project in a sub-directory, with a name of its own; and another one beside it'
t_dir
t_git
mkdir "it's here" plain
cd "it's here" || exit 1
branches
ok "$MLBUILD" init --hooks
ok "$MLBUILD" init --hooks ../plain
eq "$(grep -c 'checkout in .* >>>' ../.git/hooks/post-checkout)" 2
cd .. || exit 1
ok git switch -q other
eq "$(cat "$T_ALL")" ''
eq "$(head -1 "it's here/out/c.txt")" one-2

t work trees
git worktree add -q ../hooks-tree main
cd "../hooks-tree/it's here" || exit 1
ok "$MLBUILD"
ok git switch -q --detach other
ok "$MLBUILD"
: >"$RAN"
ok git switch -q main
eq "$(head -1 out/c.txt)" one-1
ok "$MLBUILD" init --hooks
out_has 'as it should be'
did ''

t outside of git
t_dir
chain
code 2 "$MLBUILD" init --hooks
has 'there is no git'

done_testing
