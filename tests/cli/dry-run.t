# -n changes nothing, runs nothing, and tells the same as the build then does.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

everything() {
	find . -type f -not -name 'state.db*' -exec cksum {} + | sort
}

t before the first build
t_dir
chain
ok mlbuild -n
did ''
gone out mlbuild.lock
for x in a b c d; do out_has "$x"; done

t after it: nothing to do
ok mlbuild
did 'a b c d'
before=$(everything)
ok mlbuild -n
hasnt 'will run'
hasnt 'may run'
eq "$(everything)" "$before"

t what will run, what may, what not
echo three >>in.txt
before=$(everything)
ok mlbuild -n
match '\ba\b.*will run|will run.*\ba\b'
match '\bc\b.*may run|may run.*\bc\b'
eq "$(grep -cE '\bd\b' "$T_OUT")" 0
eq "$(everything)" "$before"
did ''

t what will be restored
printf 'one\ntwo\n' >in.txt
rm out/c.txt
ok mlbuild -n
out_has restore
out_hasnt 'will run'
gone out/c.txt

t the long name
ok mlbuild --dry-run c
out_has c

t --locked: exit 4 instead of changing the lock
ok mlbuild
ok mlbuild --locked
echo four >>in.txt
cp mlbuild.lock "$T_ROOT/lock"
code 4 mlbuild --locked
ok cmp mlbuild.lock "$T_ROOT/lock"

t --locked changes nothing that is committed
t_dir
t_git
chain
ok mlbuild
t_commit
grep -v d.txt .gitignore >"$T_ROOT/ignore" && cp "$T_ROOT/ignore" .gitignore
git commit -qm ignore .gitignore
echo out/d.txt >.git/info/exclude
ok mlbuild --locked
eq "$(git status --short)" ''
ok mlbuild --locked -f d
eq "$(git status --short)" ''
ok mlbuild
eq "$(git status --short)" ' M .gitignore'

t a variant changes nothing anyway
git checkout -q .
ok mlbuild --locked -p x=2 c
eq "$(git status --short)" ''

t an intermediate that is absent is restored if what reads it will run
t_dir
: >"$RAN"
chain
ok mlbuild c
did 'a b c'
rm out/a.txt out/b.txt
change mlbuild.ini 'cat ${b} ${b}' 'cat ${b}'
ok mlbuild -n c
match "will be restored  b  'c' reads it"
match 'will run +c '
out_hasnt ' a '
ok mlbuild status c
match "in the cache  b  'c' reads it"
ok mlbuild c
err_has 'restored  b'
did 'c'
rm -r out/b.txt .mlbuild/cache
change mlbuild.ini 'cat ${b}' 'cat ${b} ${b}'
ok mlbuild -n c
match "will run  a  'b' reads it, and the cache does not have it"
match "will run  b  'c' reads it, and the cache does not have it"
ok mlbuild c
did 'a b c'

t files of an each that only have to be put in place make nothing stale
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset e]
each = in/*
run = echo e >>"$RAN"; cat ${each} > ${out}
out = e/${each:name}
[model m]
run = echo m >>"$RAN"; cat ${e}/* > ${out}
out = m.txt
X
echo 1 >./1
put in/1 <./1
put in/2 <./1
ok mlbuild
did 'e e m'
rm e/1
ok mlbuild -n
out_has 'will be restored  e'
out_hasnt 'm  '
out_has '1 up to date, 1 will be restored'
ok mlbuild
err_has '1 restored, 1 up to date'
rm -r e m.txt
ok mlbuild -n m
out_has 'will be restored  m'
out_hasnt ' e '
ok mlbuild m
gone e
ok mlbuild
there e/1 e/2
did ''

done_testing
