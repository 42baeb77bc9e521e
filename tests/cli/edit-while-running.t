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
[ "$first" = 0 ] || ok grep -q in.txt "$T_ROOT/log"

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

done_testing
