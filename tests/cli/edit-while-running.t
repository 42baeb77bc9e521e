# An input that is edited while its consumer runs is noticed.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t nothing wrong is recorded
t_dir
mkdir "$T_ROOT/sync"
SYNC=$T_ROOT/sync
export SYNC
echo 1 >in.txt
put mlbuild.ini <<'X'
[dataset a]
run =
    echo a >>"$RAN"
    echo go >"$SYNC/started"
    while [ ! -e "$SYNC/go" ]; do sleep 0.02; done
    cat in.txt > ${out}
out = a.txt
X
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 2 >in.txt
: >"$SYNC/go"
wait "$pid"
first=$?
: >"$RAN"
# Now 1 again: had the first run been recorded for 1, a.txt would be 2.
echo 1 >in.txt
ok mlbuild
eq "$(cat a.txt)" 1
: >"$RAN"
echo 2 >in.txt
ok mlbuild
eq "$(cat a.txt)" 2
eq "$first" 1
ok grep -q "'in.txt' changed while it ran" "$T_ROOT/log"

t a file added to a directory that is being read
t_dir
rm -f "$SYNC"/*
: >"$RAN"
mkdir data
echo 1 >data/1
put mlbuild.ini <<'X'
[dataset a]
run =
    echo a >>"$RAN"
    echo go >"$SYNC/started"
    while [ ! -e "$SYNC/go" ]; do sleep 0.02; done
    cat data/* > ${out}
out = a.txt
needs = data
X
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 2 >data/2
: >"$SYNC/go"
wait "$pid"
rm data/2
ok mlbuild
eq "$(cat a.txt)" 1
echo 2 >data/2
ok mlbuild
eq "$(cat a.txt | tr '\n' ' ')" '1 2 '

t the ini edited during the build is no harm
t_dir
rm -f "$SYNC"/*
: >"$RAN"
put mlbuild.ini <<'X'
[params]
x = 1
[dataset a]
run =
    echo a >>"$RAN"
    echo go >"$SYNC/started"
    while [ ! -e "$SYNC/go" ]; do sleep 0.02; done
    echo ${params:x} > ${out}
out = a.txt
X
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
change mlbuild.ini 'x = 1' 'x = 2'
: >"$SYNC/go"
wait "$pid"
ok mlbuild
eq "$(cat a.txt)" 2
change mlbuild.ini 'x = 2' 'x = 1'
ok mlbuild
eq "$(cat a.txt)" 1

t a source edited after it was looked at, before its reader starts
t_dir
rm -f "$SYNC"/*
: >"$RAN"
echo 1 >raw.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[feature first]
run = echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done; echo first > ${out}
out = first.txt
[feature b]
run = echo b >>"$RAN"; cat ${first} ${raw} > ${out}
out = b.txt
X
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 2 >raw.txt
: >"$SYNC/go"
wait "$pid"
eq "$(tr '\n' ' ' <b.txt)" 'first 2 '
ok mlbuild
did b
ok mlbuild status
has 'up to date'
echo 1 >raw.txt
ok mlbuild
did b
eq "$(tr '\n' ' ' <b.txt)" 'first 1 '

t a source that goes away before its reader starts
rm -f "$SYNC"/* first.txt b.txt .mlbuild/state.db*
rm -rf .mlbuild mlbuild.lock
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
rm raw.txt
: >"$SYNC/go"
wait "$pid"
eq $? 1
ok grep -q "blocked  b .*'raw.txt' is missing" "$T_ROOT/log"
: >"$RAN"
echo 1 >raw.txt
ok mlbuild
did b
eq "$(tr '\n' ' ' <b.txt)" 'first 1 '

t a source edited while one of its readers runs: the other reads what is there
t_dir
rm -f "$SYNC"/*
echo 1 >raw.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[feature a]
run = echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done; cat ${raw} > ${out}
out = a.txt
[feature later]
run = while [ ! -e "$SYNC/later" ]; do sleep 0.02; done; echo later > ${out}
out = later.txt
[feature b]
run = echo b >>"$RAN"; cat ${later} >/dev/null; cat ${raw} > ${out}
out = b.txt
X
"$MLBUILD" -j 2 -k >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 2 >raw.txt
: >"$SYNC/go"
until grep -q changed "$T_ROOT/log"; do sleep 0.02; done
: >"$SYNC/later"
wait "$pid"
eq $? 1
ok grep -q "'raw.txt' changed while it ran" "$T_ROOT/log"
eq "$(cat b.txt)" 2
did b
echo 1 >raw.txt
ok mlbuild
did b
eq "$(cat a.txt b.txt | tr '\n' ' ')" '1 1 '

t an output edited before its reader starts is made right again
t_dir
rm -f "$SYNC"/*
echo 1 >in.txt
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = a.txt
[feature first]
run = cat ${a} >/dev/null; echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done; echo first > ${out}
out = first.txt
[feature b]
run = echo b >>"$RAN"; cat ${first} ${a} > ${out}
out = b.txt
X
"$MLBUILD" -j 1 >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
rm -f a.txt
echo mine >a.txt
: >"$SYNC/go"
wait "$pid"
ok mlbuild
did 'a b'
eq "$(tr '\n' ' ' <b.txt)" 'first 1 '
eq "$(cat a.txt)" 1
ok grep -q mine .mlbuild/aside/*/a.txt

t one file of each edited before its command starts
t_dir
rm -f "$SYNC"/*
mkdir in
for i in 1 2 3; do echo $i >in/$i.txt; done
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo ${each:stem} >>"$RAN"; case ${each:stem} in 1) echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done ;; esac; cat ${each} > ${out}
out = up/${each:name}
X
"$MLBUILD" -j 1 >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 33 >in/3.txt
: >"$SYNC/go"
wait "$pid"
eq $? 0
did '1 2 3'
eq "$(cat up/* | tr '\n' ' ')" '1 2 33 '
ok mlbuild
did ''
echo 3 >in/3.txt
ok mlbuild
did 3
eq "$(cat up/3.txt)" 3

t the same for files of a directory that is a target
t_dir
rm -f "$SYNC"/*
mkdir src
for i in 1 2 3; do echo $i >src/$i.txt; done
put mlbuild.ini <<'X'
[dataset files]
path = src/
[feature up]
each = ${files}/*.txt
run = echo ${each:stem} >>"$RAN"; case ${each:stem} in 1) echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done ;; esac; cat ${each} > ${out}
out = up/${each:name}
X
"$MLBUILD" -j 1 >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 33 >src/3.txt
: >"$SYNC/go"
wait "$pid"
eq $? 0
did '1 2 3'
eq "$(cat up/* | tr '\n' ' ')" '1 2 33 '
ok mlbuild
did ''
echo 3 >src/3.txt
ok mlbuild
did 3
eq "$(cat up/3.txt)" 3

t a directory of many files: looked at again at the end of the run, and recorded then
t_dir
rm -f "$SYNC"/*
: >"$RAN"
mkdir -p big/sub
awk 'BEGIN { for (i = 0; i < 5000; i++) { f = sprintf("big/sub/%d.txt", i); print i > f; close(f) } }'
put mlbuild.ini <<'X'
[dataset big]
path = big/
[feature a]
run = echo a >>"$RAN"; cat ${big}/sub/7.txt > ${out}
out = a.txt
[feature b]
run = echo b >>"$RAN"; cat ${a} > ${out}; echo go >"$SYNC/started"; while [ ! -e "$SYNC/go" ]; do sleep 0.02; done
out = b.txt
X
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
# b runs because a has ended well.
wait_for "$SYNC/started"
echo 77 >big/sub/7.txt
: >"$SYNC/go"
wait "$pid"
eq $? 1
ok grep -q "failed  a .*'big' changed while it ran" "$T_ROOT/log"
eq "$(grep -c 'built  a' "$T_ROOT/log")" 0
ok grep -q 'built  b' "$T_ROOT/log"
echo 7 >big/sub/7.txt
: >"$RAN"
ok mlbuild
# What b is was known by what it read.
did a
eq "$(cat a.txt b.txt | tr '\n' ' ')" '7 7 '
ok mlbuild
did ''

t and what it made then does not stay in place: the outputs of before return
echo 70 >big/sub/7.txt
rm -f "$SYNC"/*
: >"$RAN"
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 77 >big/sub/7.txt
: >"$SYNC/go"
wait "$pid"
eq $? 1
ok grep -q "failed  a .*'big' changed while it ran" "$T_ROOT/log"
ok grep -q "made of inputs that changed is in '.mlbuild/failed/a'" "$T_ROOT/log"
eq "$(cat a.txt)" 7
eq "$(cat .mlbuild/failed/a/a.txt)" 70
ok grep -q "a.txt" mlbuild.lock
: >"$RAN"
ok mlbuild
did 'a b'
eq "$(cat a.txt b.txt | tr '\n' ' ')" '77 77 '
ok mlbuild
did ''

t one that was never built leaves nothing there
echo 71 >big/sub/7.txt
rm -f "$SYNC"/*
rm -rf .mlbuild mlbuild.lock a.txt b.txt
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
echo 7 >big/sub/7.txt
: >"$SYNC/go"
wait "$pid"
eq $? 1
gone a.txt
eq "$(cat .mlbuild/failed/a/a.txt)" 71
: >"$RAN"

t the same where a verdict, or all files of each, cannot wait for the end
put mlbuild.ini <<'X'
[dataset big]
path = big/
[check c]
run = test -s ${big}/sub/8.txt
[feature e]
each = in/*.txt
run = echo ${each:stem} >>"$RAN"; cat ${each} ${big}/sub/8.txt > ${out}
out = e/${each:name}
X
mkdir in
echo 1 >in/1.txt
echo 2 >in/2.txt
ok mlbuild
did '1 2'
ok mlbuild
did ''
echo 88 >big/sub/8.txt
ok mlbuild
did '1 2'
eq "$(cat e/*.txt | tr '\n' ' ')" '1 88 2 88 '

t outputs that the user writes while others run are kept when they are restored or made
t_dir
rm -f "$SYNC"/*
: >"$SYNC/go"
: >"$RAN"
slow() { # what it prints, what only its command has
	put mlbuild.ini <<X
[dataset first]
run = echo go >"\$SYNC/started"; while [ ! -e "\$SYNC/go" ]; do sleep 0.02; done; echo $1 > \${out}; : $2
out = first.txt
[feature f]
run = echo f >>"\$RAN"; cat \${first} > \${out}
out = f.txt
[feature d]
run = echo d >>"\$RAN"; cp \${first} \${out}/1; cp \${first} \${out}/2
out = d/
[feature n]
run = echo n >>"\$RAN"; cat \${first} > \${out}
out = n.txt
[feature g]
run = echo g >>"\$RAN"; cat \${first} > \${out}; : $2
out = g.txt
X
}
slow 1 x
ok mlbuild
slow 2 x
ok mlbuild
: >"$RAN"
rm -f "$SYNC"/* n.txt
slow 1 y
"$MLBUILD" >"$T_ROOT/log" 2>&1 &
pid=$!
wait_for "$SYNC/started"
for file in f.txt d/2 n.txt g.txt; do
	rm -f "$file"
	echo "mine $file" >"$file"
done
echo mine >d/mine
: >"$SYNC/go"
wait "$pid"
eq $? 0
did g
eq "$(cat f.txt d/1 d/2 n.txt g.txt | tr '\n' ' ')" '1 1 1 1 1 '
gone d/mine
for file in f.txt d/2 n.txt g.txt; do
	eq "$(cat .mlbuild/aside/*/"$file")" "mine $file"
done
eq "$(cat .mlbuild/aside/*/d/mine)" mine
for file in f.txt d n.txt g.txt; do
	ok grep -q "'$file': it is kept as '.mlbuild/aside/" "$T_ROOT/log"
done
gone .mlbuild/aside/*/d/1

done_testing
