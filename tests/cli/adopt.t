# adopt: take the outputs that are there as the result of the present key.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a step whose state was lost
t_dir
chain
ok mlbuild
did 'a b c d'
rm -rf .mlbuild mlbuild.lock
ok mlbuild adopt a
did ''
ok mlbuild adopt b
ok mlbuild
did 'c d'

t after a cosmetic change of a script
t_dir
: >"$RAN"
put train.sh <<'X'
echo train >>"$RAN"
echo 1 >"$1"
X
put mlbuild.ini <<'X'
[model m]
run = sh train.sh ${out}
out = m.txt
[report r]
run = echo r >>"$RAN"; cat ${m} > ${out}
out = r.txt
X
ok mlbuild
did 'r train'
echo '# cosmetic' >>train.sh
ok mlbuild status
has train.sh
ok mlbuild adopt m
ok mlbuild
did ''

t what is adopted is in the cache
rm m.txt
ok mlbuild
did ''
eq "$(cat m.txt)" 1

t outputs that are not there cannot be adopted
echo '# more' >>train.sh
rm m.txt
code 2 mlbuild adopt m
err_has m.txt

t one result for each file
t_dir
: >"$RAN"
mkdir in
for i in 1 2 3; do echo "$i" >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo up >>"$RAN"; cp ${each} ${out:a}; cp ${each} ${out:b}
out.a = up/${each:stem}.a
out.b = up/${each:stem}.b
[report r]
run = echo r >>"$RAN"; cat ${up:a}/*.a > ${out}
out = r.txt
X
ok mlbuild
did 'r up up up'
cp mlbuild.lock "$T_ROOT/lock"
rm -rf .mlbuild mlbuild.lock
ok mlbuild adopt up
did ''
ok mlbuild
did 'r'
ok cmp mlbuild.lock "$T_ROOT/lock"
change mlbuild.ini 'run = echo up' 'run = : cosmetic; echo up'
ok mlbuild adopt up
ok mlbuild
did ''
echo mine >up/2.a
ok mlbuild adopt up
ok mlbuild
did 'r'
eq "$(cat r.txt | tr '\n' ' ')" '1 mine 3 '
rm up/2.a
ok mlbuild
did ''
eq "$(cat up/2.a)" mine

t and all of them have to be there
echo 4 >in/4.txt
rm up/1.b
code 2 mlbuild adopt up
err_has "'up/4.a'"
err_has "'up/1.b'"
did ''
rm -r up
echo file >up
code 2 mlbuild adopt up
err_has "'up' cannot be adopted"
eq "$(cat up)" file

t a source cannot
t_dir
chain
put train.sh <<'X'
x
X
cat >>mlbuild.ini <<'X'
[dataset s]
path = train.sh
X
code 2 mlbuild adopt s
err_has "'s' cannot be adopted"

t all that is missing is named at once, and a wrong kind too
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[model m]
run = echo m >>"$RAN"; cat ${raw} >${out:a}
out.a = a.txt
out.b = b.txt
out.d = d/
metrics = m.json
[feature f]
run = echo f >>"$RAN"; cat ${m:a} >${out}
out = f.txt
X
echo raw >raw.txt
echo a >a.txt
echo d >d
code 2 mlbuild adopt m
for text in "'m' cannot be adopted" "'b.txt' is not there" "'m.json' is not there" \
	"'d' is a file, and has to be a directory"; do
	err_has "$text"
done
err_hasnt "'a.txt'"
rm d a.txt
mkdir d a.txt
echo b >b.txt
echo '{' >m.json
code 2 mlbuild adopt m
err_has "'a.txt' is a directory, and has to be a file"
err_has "'m.json' is not JSON"
gone mlbuild.lock
rmdir a.txt
echo a >a.txt
echo '{"x": 1}' >m.json

t inputs have to be known
code 2 mlbuild adopt f
err_has "'f' cannot be adopted"
err_has "'m'"
err_has "mlbuild adopt m"
mv raw.txt away
code 2 mlbuild adopt m
err_has 'raw.txt'
mv away raw.txt
ok mlbuild adopt m
echo f >f.txt
ok mlbuild adopt f
ok mlbuild
did ''

t what has no result of its own cannot be adopted, and it says why
mkdir in && echo 1 >in/1
echo c >c.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[check c]
run = echo c >>"$RAN"; false
out = c.txt
guards = raw
[task t]
run = echo t >>"$RAN"
[feature e]
each = in/*
run = cp ${each} ${out}
out = e/${each:stem}.txt
[model z]
run = echo z >>"$RAN"; date >${out}
out = z.txt
frozen = yes
X
code 2 mlbuild adopt raw
err_has "'raw' cannot be adopted: it is a source"
code 2 mlbuild adopt c
err_has "'c' cannot be adopted: a check has to say yes itself"
code 2 mlbuild adopt t
err_has "'t' cannot be adopted: a task has no result"
code 2 mlbuild adopt e
err_has "'e' cannot be adopted"
ok mlbuild z
did 'z'
code 2 mlbuild adopt z
err_has "'z' cannot be adopted: it is frozen"

t one that cannot be adopted leaves the others as they were
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo $k >${out}
matrix.k = 1 2
out = m${matrix:k}.txt
X
echo mine >m1.txt
cp mlbuild.lock "$T_ROOT/lock"
code 2 mlbuild adopt m
err_has "'m@k=2' cannot be adopted"
ok cmp mlbuild.lock "$T_ROOT/lock"
ok mlbuild adopt m@k=1
ok mlbuild
did 'm'
eq "$(cat m1.txt)" mine

t what is not to be stored is not
t_dir
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo m >${out}
out = m.txt
store = no
X
echo 'these bytes stay here' >m.txt
ok mlbuild adopt m
if grep -rqF 'these bytes stay here' .mlbuild; then fail 'they are in .mlbuild'; else pass; fi
ok mlbuild
did ''

t not while another mlbuild is at work, whose outputs may be half made
t_dir
mkfifo go
put mlbuild.ini <<'X'
[model m]
run = echo half >${out}; echo m >>"$RAN"; cat go; echo whole >${out}
out = m.txt
X
"$MLBUILD" m >"$T_ROOT/first" 2>&1 &
wait_for "$RAN"
code 1 mlbuild adopt m
err_has 'mlbuild m'
code 1 mlbuild clean m
err_has 'mlbuild m'
eq "$(cat m.txt)" half
echo >go
wait
ok mlbuild
eq "$(cat m.txt)" whole

t what a killed mlbuild left half made is undone first
echo x >>mlbuild.ini
: >"$RAN"
put mlbuild.ini <<'X'
[model m]
run = echo half >${out}; echo m >>"$RAN"; cat go; echo other >${out}
out = m.txt
X
"$MLBUILD" m >"$T_ROOT/first" 2>&1 &
pid=$!
wait_for "$RAN"
kill -9 $pid
wait
ok mlbuild adopt m
eq "$(cat m.txt)" whole
ok mlbuild
eq "$(cat m.txt)" whole

done_testing
