# What was made once comes back from the cache.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t from A to B to A: the third build runs nothing
t_dir
chain
ok mlbuild
did 'a b c d'
cp out/c.txt "$T_ROOT/first"
echo three >>in.txt
ok mlbuild
did 'a b c'
printf 'one\ntwo\n' >in.txt
ok mlbuild
did ''
ok cmp out/c.txt "$T_ROOT/first"

t the same with a parameter
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild
did 'b c'
change mlbuild.ini 'x = 2' 'x = 1'
ok mlbuild
did ''
ok cmp out/c.txt "$T_ROOT/first"

t a deleted output is restored, not rebuilt
rm out/c.txt
ok mlbuild
did ''
ok cmp out/c.txt "$T_ROOT/first"
rm -r out
ok mlbuild
did ''
there out/a.txt out/b.txt out/c.txt out/d.txt

t an intermediate that is absent and known is up to date
rm out/a.txt out/b.txt
ok mlbuild c
did ''
gone out/a.txt out/b.txt
ok mlbuild b
did ''
there out/b.txt
gone out/a.txt

t it is put in place when something that must run reads it
rm out/b.txt
change mlbuild.ini 'cat ${b} ${b}' 'cat ${b} ${b} ${b}'
ok mlbuild c
did 'c'
there out/b.txt
gone out/a.txt
eq "$(wc -l <out/c.txt)" 6

t a present intermediate that is outdated does not stay
t_dir
chain
ok mlbuild
did 'a b c d'
echo three >>in.txt
ok mlbuild
did 'a b c'
printf 'one\ntwo\n' >in.txt
ok mlbuild c
did ''
[ ! -e out/a.txt ] || eq "$(cat out/a.txt)" "$(printf 'one\ntwo')"
[ ! -e out/b.txt ] || eq "$(cat out/b.txt)" "$(printf 'one-1\ntwo-1')"

t a restored executable is executable, a directory keeps what is in it
t_dir
put mlbuild.ini <<'X'
[dataset tool]
run = echo tool >>"$RAN"; printf '#!/bin/sh\necho hi\n' > ${out}; chmod +x ${out}
out = bin/tool
[dataset dir]
run = echo dir >>"$RAN"; mkdir ${out}/sub; echo 1 > ${out}/sub/f; ln -s sub/f ${out}/link; : > ${out}/empty
out = dir/
X
ok mlbuild
did 'dir tool'
rm -r bin dir
ok mlbuild
did ''
eq "$(bin/tool)" hi
eq "$(cat dir/link)" 1
eq "$(readlink dir/link)" sub/f
eq "$(wc -c <dir/empty)" 0

t changing an output in place does not change the cache
t_dir
chain
ok mlbuild
did 'a b c d'
cp out/a.txt "$T_ROOT/a"
chmod u+w out/a.txt
echo garbage >>out/a.txt
rm out/a.txt
ok mlbuild a
did ''
ok cmp out/a.txt "$T_ROOT/a"

t sources of a matrix come back as others do
t_dir
t_git
mkdir data
echo 1 >data/1.csv
echo 2 >data/2.csv
echo data/ >.gitignore
put mlbuild.ini <<'X'
[dataset raw]
matrix.k = 1 2
path = data/${matrix:k}.csv
[feature f]
run = echo f >>"$RAN"; cat ${raw@k=*} > ${out}
out = f.txt
X
: >"$RAN"
ok mlbuild
did 'f'
rm -r data f.txt
ok mlbuild f
did ''
gone data
ok mlbuild -f f
did 'f'
eq "$(cat f.txt data/1.csv data/2.csv)" '1
2
1
2'
rm -f .mlbuild/state.db .mlbuild/state.db-* data/1.csv f.txt
echo 3 >data/2.csv
ok mlbuild
did 'f'
eq "$(cat f.txt)" '1
3'

done_testing
