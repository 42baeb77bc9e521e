# mlbuild.lock through git's merges, with real branches.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# b, c, e and f are independent of each other; the model uses them all.
project() {
	t_dir
	t_git
	: >"$RAN"
	for name in b c e f; do
		printf '%s\n' "$name" >in.$name
		printf '[feature %s]\nrun = echo %s >>"$RAN"; cat in.%s >${out}\nout = out/%s\n' $name $name $name $name >>mlbuild.ini
	done
	printf '[model model]\nrun = echo model >>"$RAN"; cat ${b} ${c} ${e} ${f} >${out}\nout = out/model\n' >>mlbuild.ini
	ok mlbuild
	t_commit
	: >"$RAN"
}

# In a branch from main: append TEXT to each FILE, build, commit.
branch() {
	git checkout -q -b "$1" main
	text=$2
	shift 2
	for file; do
		echo "$text" >>"$file"
	done
	ok mlbuild $words
	t_commit "$1"
	: >"$RAN"
}
words=''

markers() {
	grep -c '^[<=>|]\{7\}' mlbuild.lock
}

t changes to independent targets merge without conflict
project
words='b c e f'
branch one 1 in.b
branch two 2 in.e
ok git merge -q -m merge one
eq "$(markers)" 0
ok mlbuild b c e f
did ''
eq "$(git status --porcelain)" ''
words=''

t 'a target that depends on both has markers; only it runs'
project
branch one 1 in.b
branch two 2 in.f
code 1 git merge one
ok grep -q '^<<<<<<<' mlbuild.lock
ok mlbuild
did model
eq "$(markers)" 0
eq "$(tail -1 out/f) $(head -2 out/model | tail -1)" '2 1'
git add -A
git commit -qm merged
ok mlbuild
did ''

t 'the same target changed by both: the key chooses, neither side runs again'
project
git config merge.conflictStyle merge
branch one 1 in.b in.c
git checkout -q main
branch two 2 in.b in.c
code 1 git merge one
git checkout -q --theirs in.b in.c
rm -rf .mlbuild/state.db* .mlbuild/graph out
ok mlbuild
did ''
eq "$(tail -1 out/b)" 1
eq "$(markers)" 0
git merge --abort

t 'one target from either side: what one of them built is not run'
code 1 git merge one
git checkout -q --theirs in.b
git checkout -q --ours in.c
ok mlbuild
did model
eq "$(tail -1 out/b) $(tail -1 out/c)" '1 2'
git merge --abort

for style in diff3 zdiff3; do
	t "a rebase in the style $style"
	project
	git config merge.conflictStyle $style
	branch one 1 in.b
	branch two 2 in.b
	code 1 git rebase one
	ok grep -q '^|||||||' mlbuild.lock
	git checkout -q --theirs in.b
	ok mlbuild
	did ''
	eq "$(tail -1 out/b) $(markers)" '2 0'
	git add -A
	GIT_EDITOR=: ok git rebase --continue
	eq "$(git status --porcelain)" ''
done

t line ends of Windows
project
branch one 1 in.b
branch two 2 in.b
code 1 git merge one
git checkout -q --ours in.b
sed 's/$/\r/' mlbuild.lock >x && mv x mlbuild.lock
ok mlbuild
did ''
eq "$(grep -c "$(printf '\r')" mlbuild.lock)" 0
git checkout -q -f two

t 'both sides add a target in the same place'
project
git checkout -q -b one
printf '[feature d]\nrun = echo d >>"$RAN"; echo one >${out}\nout = out/d\n' >>mlbuild.ini
ok mlbuild
t_commit one
git checkout -q main
printf '[feature d2]\nrun = echo d2 >>"$RAN"; echo two >${out}\nout = out/d2\n' >>mlbuild.ini
ok mlbuild
t_commit two
: >"$RAN"
code 1 git merge one
sed '/^[<=>]\{7\}/d' mlbuild.ini >x && mv x mlbuild.ini
ok mlbuild
did ''
eq "$(grep -c '^\[feature d' mlbuild.lock)" 2

t 'one side removes a target, the other changes it'
project
git checkout -q -b one
sed '/feature f/,/out\/f/d; s/ \${f}//' mlbuild.ini >x && mv x mlbuild.ini
ok mlbuild
t_commit one
git checkout -q main
echo 2 >>in.f
ok mlbuild
t_commit two
: >"$RAN"
code 1 git merge one
ok mlbuild
did ''
eq "$(grep -c '^\[feature f' mlbuild.lock)" 0
eq "$(markers)" 0

t instances of a matrix
project
printf '[feature m]\nmatrix.k = 1..9\nrun = echo m >>"$RAN"; cat in.m.${matrix:k} >${out}\nout = out/m.${matrix:k}\n' >>mlbuild.ini
for k in 1 2 3 4 5 6 7 8 9; do
	echo $k >in.m.$k
done
ok mlbuild
t_commit
branch one 1 in.m.1
branch two 2 in.m.9
code 1 git merge one
ok mlbuild
did ''
eq "$(tail -1 out/m.1) $(tail -1 out/m.9)" '1 2'

t commands that read only take what both sides say, and name the rest
project
git config merge.conflictStyle merge
branch one 1 in.b
branch two 2 in.b
code 1 git merge one
before=$(cksum <mlbuild.lock)
code 4 mlbuild --locked
has mlbuild.lock
ok mlbuild ls c
out_has out/c
ok mlbuild cat c
eq "$(cat "$T_OUT")" c
ok mlbuild show c
code 2 mlbuild ls b
has "two things of 'b': 'mlbuild' settles that"
code 2 mlbuild cat out/b
has "two things of 'b'"
code 2 mlbuild ls 'b:x'
has "two things of 'b'"
rm -rf out
ok mlbuild checkout c e
there out/c out/e
code 2 mlbuild checkout b
has "two things of 'b'"
code 2 mlbuild checkout
has "two things of 'b', 'model'"
there out/f
gone out/b out/model
ok mlbuild ls --rev HEAD b
ok mlbuild status
ok mlbuild -n
ok mlbuild gc -n
eq "$(cksum <mlbuild.lock)" "$before"

t a lock that was committed with its markers
git checkout -q --ours in.b
git add -A
git commit -qm unsettled
ok mlbuild ls --rev HEAD c
code 2 mlbuild ls --rev HEAD b
has "the mlbuild.lock of HEAD was committed with conflict markers, and they say two things of 'b'"
ok mlbuild checkout --rev HEAD c e
ok mlbuild
did ''

done_testing
