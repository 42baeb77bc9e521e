# One action per file: 10,000 files in, one more file runs one more command.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t 10,000 files, and one added
t_dir
mkdir in
awk 'BEGIN { for (i = 0; i < 10000; i++) { f = sprintf("in/%05d.txt", i); print i > f; close(f) } }'
put aug.sh <<'X'
echo run >>"$RAN"
for f; do
	f=${f##*/}
	echo "${f%.txt}" >"aug/${f%.txt}.out"
done
X
put mlbuild.ini <<'X'
[feature aug]
each = in/*.txt
batch = 500
run = sh aug.sh ${each}
out = aug/${each:stem}.out
[model m]
run = echo m >>"$RAN"; ls ${aug} | wc -l > ${out}
out = m.txt
X
ok mlbuild
n=$(grep -c run "$RAN")
[ "$n" -ge 20 ] && [ "$n" -le 100 ] && pass || fail "$n commands for 10,000 files in batches of 500"
eq "$(($(cat m.txt)))" 10000
eq "$(cat aug/00042.out)" 00042
: >"$RAN"
ok mlbuild
did ''
echo new >in/new.txt
ok mlbuild
did 'm run'
eq "$(($(cat m.txt)))" 10001
eq "$(cat aug/new.out)" new

t one changed, one removed
echo changed >in/00007.txt
ok mlbuild
did 'run'
rm in/new.txt
ok mlbuild
did ''
gone aug/new.out
eq "$(($(cat m.txt)))" 10000

t one block in the lock
eq "$(grep -c aug mlbuild.lock | awk '{ print ($1 < 20) }')" 1

t without a batch: one command per file
t_dir
: >"$RAN"
mkdir in
for i in 1 2 3 4 5; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo ${each:stem} >>"$RAN"; cp ${each} ${out}
out = up/${each:name}
[report all]
run = echo all >>"$RAN"; cat ${up}/* > ${out}
out = all.txt
X
ok mlbuild
did '1 2 3 4 5 all'
eq "$(tr '\n' ' ' <all.txt)" '1 2 3 4 5 '
echo 6 >in/6.txt
ok mlbuild
did '6 all'
rm up/3.txt
ok mlbuild
did ''
there up/3.txt

t the same content under another name is another file
cp in/1.txt in/7.txt
ok mlbuild
did '7 all'

t a command that changes runs for every file
change mlbuild.ini 'cp ${each}' 'cp -f ${each}'
ok mlbuild
did '1 2 3 4 5 6 7'

t one that fails: the others count
echo bad >in/4.txt
change mlbuild.ini 'cp -f ${each} ${out}' '! grep -q bad ${each}; test "$(cat ${each})" != bad; cp ${each} ${out}'
code 1 mlbuild -k
grep -q all "$RAN" && fail 'the consumer ran'
: >"$RAN"
code 1 mlbuild -k
did '4'
err_has in/4.txt
echo 4 >in/4.txt
ok mlbuild
grep -qx 4 "$RAN" && pass || fail '4 did not run'
: >"$RAN"

t a file that the command names too is one of them all the same
t_dir
: >"$RAN"
mkdir in
for i in 1 2 3; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo ${each:stem} >>"$RAN"; cat in/1.txt ${each} > ${out}
out = up/${each:name}
X
ok mlbuild
did '1 2 3'
eq "$(cat up/1.txt up/3.txt | tr '\n' ' ')" '1 1 1 3 '
echo 33 >in/3.txt
ok mlbuild
did '3'
echo 11 >in/1.txt
ok mlbuild
did '1 2 3'

t each failure has a log and what it left of its own
t_dir
mkdir in
for i in 1 2 3; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo "words of ${each:stem}"; echo "half of ${each:stem}" > ${out}; test "$(cat ${each})" = 2
out = up/${each:name}
X
code 1 mlbuild -k
for i in 1 3; do
	log=$(sed -n "/failed  up in.$i.txt/,\$ { s/.*log  *'*\([^']*\).*/\1/p; }" "$T_ERR" | head -n 1)
	eq "$(cat "$log")" "words of $i"
	kept=$(sed -n "/failed  up in.$i.txt/,\$ { s/.*kept  *'*\([^']*\).*/\1/p; }" "$T_ERR" | head -n 1)
	eq "$(cat "$kept/up/$i.txt")" "half of $i"
done

t how long it takes is known from one file to the next
t_dir
mkdir in
for i in 1 2 3; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = sleep 0.3; cp ${each} ${out}
out = up/${each:name}
X
ok mlbuild --json
for i in 4 5 6 7; do echo $i >in/$i.txt; done
ok mlbuild --json -j 1
cp "$T_OUT" json
ok python3 -c '
import json
rows = [json.loads(line) for line in open("json")]
start = [r["expected"] for r in rows if r["event"] == "start"]
plan = [r["expected"] for r in rows if r["event"] == "plan"]
assert len(start) == 4 and min(start) >= 0.3, start
# Four files, one after the other.
assert len(plan) == 1 and plan[0] >= 4 * 0.3, plan
'

t a variant: each command has its file, and no other, in its private root
t_dir
t_git
mkdir in
for i in 1 2 3; do echo $i >in/$i.txt; done
echo "in/" >.gitignore
echo shared >shared.txt
put mlbuild.ini <<'X'
[params]
n = 1
[feature up]
each = in/*.txt
run = ls in > ${out}; cat shared.txt ${each} >> ${out}; echo ${params:n} >> ${out}
out = up/${each:name}
X
t_commit
ok mlbuild -j 1 -p n=2 --into got up
eq "$(cat got/up/2.txt | tr '\n' ' ')" '2.txt shared 2 2 '
gone up

t what is told of a command names its file
t_dir
mkdir in
for i in 1 2 3 4; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo "said $(cat ${each})"; test "$(cat ${each})" != 3; cp ${each} ${out}
out = up/${each:name}
[feature two]
each = in/*.txt
batch = 3
run = cp ${each} two/
out = two/${each:name}
X
code 1 mlbuild -k -j 1 up
err_has 'running  up in/1.txt'
err_has 'up in/2.txt | said 2'
err_has 'built  up in/4.txt'
err_has 'failed  up in/3.txt'
echo three >in/3.txt
ok mlbuild -j 1 --json --trace trace.json
cp "$T_OUT" json
ok python3 -c '
import json
rows = [json.loads(line) for line in open("json")]
def of(event, target):
    return [(r.get("file"), r.get("files")) for r in rows if r["event"] == event and r.get("target") == target]
assert of("start", "up") == [("in/3.txt", 1)], of("start", "up")
assert of("output", "up") == [("in/3.txt", 1)], of("output", "up")
assert of("built", "up") == [("in/3.txt", 1)], of("built", "up")
assert sorted(of("built", "two")) == [("in/1.txt", 3), ("in/4.txt", 1)], of("built", "two")
trace = json.load(open("trace.json"))
names = [e["name"] for e in (trace["traceEvents"] if isinstance(trace, dict) else trace)]
assert "up in/3.txt" in names, names
assert "two in/1.txt and 2 more" in names, names
'

t over the files that another target made
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[params]
n = 3
[dataset images]
run = echo images >>"$RAN"; for i in $(seq ${params:n}); do mkdir -p ${out}/d$i; echo $i > ${out}/d$i/$i.jpg; done; echo no > ${out}/note.txt
out = images/
[feature small]
each = ${images}/**/*.jpg
run = echo small >>"$RAN"; cp ${each} ${out}
out = small/${each:stem}.jpg
[model m]
run = echo m >>"$RAN"; ls ${small} > ${out}
out = m.txt
X
ok mlbuild m
did 'images m small small small'
eq "$(tr '\n' ' ' <m.txt)" '1.jpg 2.jpg 3.jpg '
change mlbuild.ini 'n = 3' 'n = 4'
ok mlbuild m
did 'images m small'

t two files with one output are an error that names both
t_dir
put in/a/x.txt <<'X'
1
X
put in/b/x.txt <<'X'
2
X
put mlbuild.ini <<'X'
[feature up]
each = in/**/*.txt
run = cp ${each} ${out}
out = up/${each:stem}.txt
X
code 2 mlbuild
err_has in/a/x.txt
err_has in/b/x.txt

t a glob that matches no file of the project is an error
t_dir
put mlbuild.ini <<'X'
[feature up]
each = *.nope
run = tr a-z A-Z <${each} >${out}
out = up/${each:stem}.txt
X
code 2 mlbuild
err_has "mlbuild.ini:2: in 'up': no file matches '*.nope'"
code 2 mlbuild -n
gone up mlbuild.lock
echo a >a.nope
ok mlbuild
eq "$(cat up/a.txt)" A

t a target that goes and comes back is in the lock again, as if nothing had been
t_dir
: >"$RAN"
mkdir in
echo 1 >in/1.txt
echo 2 >in/2.txt
put mlbuild.ini <<'X'
[report other]
run = echo other >>"$RAN"; echo x >${out}
out = other.txt
[feature plain]
run = echo plain >>"$RAN"; echo x >${out}
out = plain.txt
X
cp mlbuild.ini few.ini
cat >>mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo up >>"$RAN"; cp ${each} ${out}
out = up/${each:stem}.txt
X
cp mlbuild.ini all.ini
ok mlbuild
did 'other plain up up'
cp mlbuild.lock "$T_ROOT/lock"
cp few.ini mlbuild.ini
ok mlbuild
eq "$(grep -c 'feature up' mlbuild.lock)" 0
ok python3 -c '
import sqlite3
db = sqlite3.connect(".mlbuild/state.db")
assert db.execute("SELECT count(*) FROM meta WHERE name = ?", ("each up",)).fetchone() == (0,)
'
cp all.ini mlbuild.ini
ok mlbuild
ok cmp mlbuild.lock "$T_ROOT/lock"
did ''
sed '/feature/,$d' all.ini >mlbuild.ini
ok mlbuild
cp all.ini mlbuild.ini
ok mlbuild other
ok mlbuild up
ok mlbuild plain
ok cmp mlbuild.lock "$T_ROOT/lock"
did ''

t but what another target made may have none
t_dir
put mlbuild.ini <<'X'
[dataset images]
run = mkdir -p ${out}; echo a >${out}/a.jpg
out = images/
[feature up]
each = ${images}/*.png
run = tr a-z A-Z <${each} >${out}
out = up/${each:stem}.txt
X
ok mlbuild
eq "$(ls up)" ''

t what is frozen is made once for each file
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset e]
each = in/*
run = echo e >>"$RAN"; cat ${each} > ${out}
out = e/${each:name}
frozen = yes
X
mkdir in
echo 1 >in/a
echo 1 >in/b
ok mlbuild
did 'e e'
echo 2 >in/a
echo 1 >in/c
ok mlbuild -n
out_has '1 of 3 files to make'
ok mlbuild
did 'e'
eq "$(cat e/a e/b e/c)" "$(printf '1\n1\n1')"
change mlbuild.ini 'cat ' 'cat -u '
ok mlbuild
did ''
rm e/a
ok mlbuild
did ''
eq "$(cat e/a)" 1
ok mlbuild update e
did 'e e e'
eq "$(cat e/a)" 2
ok mlbuild
did ''

t metrics of each file are JSON, and known by what is there when the cache is lost
t_dir
put mlbuild.ini <<'X'
[dataset e]
each = in/*
run = echo e >>"$RAN"; cp ${each} ${out}; cp ${each} ${metrics}
out = e/o/${each:name}
metrics = e/m/${each:name}.json
X
mkdir in
echo 1 >in/a
echo 2 >in/b
ok mlbuild
did 'e e'
rm -r .mlbuild
ok mlbuild
did ''
echo nothing >in/b
code 1 mlbuild
err_has "'e/m/b.json' is not JSON"

done_testing
