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

t dead outputs: renamed, of an instance, of a matrix, of an each
# A second build, of the ini without it, must not make clean forget.
forget() {
	cat >mlbuild.ini
	ok mlbuild
	ok mlbuild
	ok mlbuild clean --dead -n
}
kept='[report r]
run = cat in.txt > ${out}
out = r.txt'
matrix='[model m]
matrix.k = 1 2 3
run = echo ${matrix:k} > ${out}
out = m/${matrix:k}'
each='[feature e]
each = src/*.in
run = cp ${each} ${out}
out = e/${each:stem}.out'
t_dir
mkdir src
echo 1 >in.txt
echo x >src/x.in
echo y >src/y.in
printf '%s\n\n' "$kept" "$matrix" "$each" | put mlbuild.ini
ok mlbuild
there r.txt m/1 m/2 m/3 e/x.out e/y.out
printf '%s\n\n' "$kept" "$matrix" "$each" | sed 's/1 2 3/1 2/; s/r.txt/s.txt/' | forget
eq "$(grep -c 'r\.txt' "$T_OUT")" 1
ok mlbuild clean --dead
gone r.txt m/3
there s.txt m/1 m/2 e/x.out e/y.out
printf '%s\n\n' "$kept" | forget
ok mlbuild clean --dead
gone s.txt m e
there r.txt in.txt src/x.in

t but not what a target makes in it or reads of it
printf '[dataset d]\nrun = mkdir -p ${out}; echo 1 >${out}/1\nout = d/\n' | put mlbuild.ini
ok mlbuild
there d/1
printf '[dataset d]\nrun = cat d/1 > ${out}\nout = o.txt\n' | put mlbuild.ini
ok mlbuild
ok mlbuild clean --dead
there d/1 o.txt

t sources are never cleaned
chain
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
