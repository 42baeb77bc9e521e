# mlbuild.lock: stable byte for byte, and says which bytes this commit means.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t two projects with the same content have the same lock
t_dir
chain
ok mlbuild
did 'a b c d'
cp mlbuild.lock "$T_ROOT/lock"
t_dir
chain
ok mlbuild -j1
did 'a b c d'
ok cmp mlbuild.lock "$T_ROOT/lock"

t built in another order, in pieces
t_dir
chain
ok mlbuild d
ok mlbuild b
ok mlbuild
did 'a b c d'
ok cmp mlbuild.lock "$T_ROOT/lock"

t a no-op does not write it
ino=$(stat -c '%i %Y' mlbuild.lock)
ok mlbuild
eq "$(stat -c '%i %Y' mlbuild.lock)" "$ino"

t the first build says what to commit
t_dir
t_git
chain
t_commit
ok mlbuild
did 'a b c d'
has 'mlbuild.lock'
has '.gitignore'
has 'commit'
t_commit lock
ok mlbuild
hasnt commit
eq "$(git status --short)" ''

t conflict markers: both sides are candidates, the computed key chooses
git checkout -q -b other
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild
did 'b c'
t_commit other
git checkout -q main
ok mlbuild
did ''
change mlbuild.ini 'x = 1' 'x = 3'
ok mlbuild
did 'b c'
t_commit main
git merge -q other >/dev/null 2>&1 && fail 'the test has no conflict'
ok grep -q '<<<<<<<' mlbuild.lock
git checkout -q --theirs mlbuild.ini
rm -f .mlbuild/state.db .mlbuild/state.db-*
ok mlbuild
did ''
eq "$(grep -c '<<<<<<<' mlbuild.lock)" 0
eq "$(head -n 1 out/b.txt)" one-2

t a lock that is broken is an error that says what to do, never followed blindly
git checkout -q -f main
ok mlbuild
did ''
cp mlbuild.lock "$T_ROOT/lock"
for damage in 's/^key = ./key = /' 's/^key/kex/' '/^sum/d' 's/^\[model/[stage/' '1s/.*/total nonsense/' \
	'$d' 's/^output = f/output = z/' 's/^\(output.*\)c.txt/\1z.txt/'; do
	sed "$damage" "$T_ROOT/lock" >mlbuild.lock
	code 2 mlbuild
	err_has 'mlbuild.lock:'
	err_has 'restore the file from git, or delete'
done
did ''
rm mlbuild.lock
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/lock"

t a target that goes leaves the lock
t_dir
chain
ok mlbuild
ok grep -q 'd.txt' mlbuild.lock
sed '/report d/,$d' mlbuild.ini >new.ini && mv new.ini mlbuild.ini
echo more >>in.txt
ok mlbuild
eq "$(grep -c 'd.txt' mlbuild.lock)" 0

t a build of one target keeps the blocks of the others
t_dir
chain
ok mlbuild
echo x >>other.txt
ok mlbuild c
ok grep -q 'd.txt' mlbuild.lock

t what a build of a part leaves out of a new lock, the next of all puts in
t_dir
chain
put each.ini <<'X'
[dataset e]
each = in/*
run = echo e >>"$RAN"; cat ${each} > ${out}
out = e/${each:name}
[model m]
matrix.k = 1 2
run = echo m >>"$RAN"; cat ${a} > ${out}
out = m.${matrix:k}
X
cat each.ini >>mlbuild.ini
put in/1 </dev/null
ok mlbuild
did 'a b c d e m m'
cp mlbuild.lock whole
rm mlbuild.lock
ok mlbuild a
ok mlbuild
ok cmp mlbuild.lock whole
rm mlbuild.lock
ok mlbuild m@k=1
ok mlbuild c
ok mlbuild -f d
did d
ok mlbuild
ok cmp mlbuild.lock whole
did ''

t 'and what it did not look at follows the lock, not what was built here'
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = a.txt
[dataset random]
run = echo random >>"$RAN"; date +%N > ${out}; echo $$ >> ${out}
out = random.txt
deterministic = no
[dataset many]
each = in.*
run = echo many >>"$RAN"; date +%N > ${out}; echo $$ >> ${out}
out = many/${each:name}
deterministic = no
X
echo 1 >in.txt
ok mlbuild
cp mlbuild.lock first
cat random.txt many/* >bytes
ok mlbuild -f random many
did 'a many many random random'
cp first mlbuild.lock
ok mlbuild a
ok mlbuild
did ''
ok cmp mlbuild.lock first
eq "$(cat random.txt many/*)" "$(cat bytes)"

done_testing
