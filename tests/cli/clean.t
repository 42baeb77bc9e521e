# clean removes outputs that the cache can give back, and asks for the rest.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain

t one target
ok mlbuild
did 'a b c d'
ok mlbuild clean b
gone out/b.txt
there out/a.txt out/c.txt
mlbuild clean c >both 2>&1
eq "$(sed 's/,.*//' both)" 'removed out/c.txt
removed 1 output'
rm both
ok mlbuild c
did ''
ok mlbuild
did ''

t all
ok mlbuild clean --all
gone out/a.txt out/b.txt out/c.txt out/d.txt
there in.txt other.txt mlbuild.ini mlbuild.lock
ok mlbuild
did ''
there out/c.txt

t nothing by nothing
code 2 mlbuild clean
there out/c.txt

t what the cache cannot give back is asked for: no terminal means no
chmod u+w out/c.txt
echo mine >out/c.txt
t_run_ mlbuild clean c </dev/null
there out/c.txt
eq "$(cat out/c.txt)" mine
ok mlbuild
did ''

t dead outputs: those that no target makes any more
sed '/report d/,$d' mlbuild.ini >new.ini && mv new.ini mlbuild.ini
ok mlbuild
did ''
there out/d.txt
ok mlbuild clean --dead
gone out/d.txt
there out/c.txt in.txt other.txt

t sources are never cleaned
cat >>mlbuild.ini <<'X'
[dataset s]
path = in.txt
X
ok mlbuild
t_run_ mlbuild clean s
there in.txt
ok mlbuild clean --all
there in.txt

done_testing
