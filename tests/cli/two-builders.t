# Two builders at once both succeed, and nothing is built twice.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t "the second waits, says for whom, and finds all made"
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo go > "$T_SYNC"; sleep 0.5; echo 1 > ${out}
out = a.txt
[model b]
run = echo b >>"$RAN"; cat ${a} > ${out}
out = b.txt
X
T_SYNC=$T_ROOT/sync
export T_SYNC
"$MLBUILD" >"$T_ROOT/log1" 2>&1 &
one=$!
wait_for "$T_SYNC"
"$MLBUILD" >"$T_ROOT/log2" 2>&1 &
two=$!
wait "$one"
eq $? 0
wait "$two"
eq $? 0
did 'a b'
ok grep -q "$one" "$T_ROOT/log2"

t "readers do not wait"
: >"$T_SYNC"
change mlbuild.ini 'echo 1' 'echo 2'
"$MLBUILD" >"$T_ROOT/log1" 2>&1 &
one=$!
wait_for "$T_SYNC"
ok mlbuild status
ok mlbuild ls
ok mlbuild -n
ok kill -0 "$one"
wait "$one"
eq $? 0
did 'a b'

t eight at once
t_dir
chain
for i in 1 2 3 4 5 6 7 8; do
	"$MLBUILD" >"$T_ROOT/log.$i" 2>&1 &
	eval "pid$i=$!"
done
for i in 1 2 3 4 5 6 7 8; do
	eval "wait \$pid$i"
	eq $? 0
done
did 'a b c d'

t variants and the workspace at once
for i in 2 3 4 5; do
	"$MLBUILD" -p "x=$i" c >"$T_ROOT/log.$i" 2>&1 &
	eval "pid$i=$!"
done
"$MLBUILD" >"$T_ROOT/log.1" 2>&1
eq $? 0
for i in 2 3 4 5; do
	eval "wait \$pid$i"
	eq $? 0
done
did 'b b b b c c c c'
eq "$(head -n 1 out/c.txt)" one-1

t a builder that was killed leaves no lock behind
t_dir
: >"$RAN"
: >"$T_SYNC"
put mlbuild.ini <<'X'
[dataset a]
run = echo go > "$T_SYNC"; sleep ${params:s}; echo 1 > ${out}
out = a.txt
[params]
s = 20
X
"$MLBUILD" >"$T_ROOT/log1" 2>&1 &
one=$!
wait_for "$T_SYNC"
kill -9 "$one"
wait "$one" 2>/dev/null
change mlbuild.ini 's = 20' 's = 0'
ok timeout 10 "$MLBUILD"
there a.txt

done_testing
