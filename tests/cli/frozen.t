# frozen = yes: made once, then only by update.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
echo 1 >in.txt
put mlbuild.ini <<'X'
[dataset snap]
run = echo snap >>"$RAN"; cat in.txt > ${out}
out = snap.txt
frozen = yes
[model m]
run = echo m >>"$RAN"; cat ${snap} > ${out}
out = m.txt
X

t made once
ok mlbuild
did 'm snap'
ok mlbuild
did ''

t a changed input and a changed command do not run it
echo 2 >in.txt
ok mlbuild
did ''
change mlbuild.ini 'cat in.txt' 'cat in.txt in.txt'
ok mlbuild
did ''
eq "$(cat snap.txt)" 1

t nor does -f of what reads it
ok mlbuild -f m
did 'm'

t -f leaves it alone, too, and says what makes it anew
code 2 mlbuild -f snap
err_has "'snap' is frozen"
err_has "'mlbuild update snap'"
ok mlbuild -f '*'
did 'm'
eq "$(cat snap.txt)" 1

t a deleted output is restored
rm snap.txt
ok mlbuild
did ''
eq "$(cat snap.txt)" 1

t update runs it, and what reads it follows
ok mlbuild update snap
grep -qx snap "$RAN" && pass || fail 'snap did not run'
eq "$(head -n 1 snap.txt)" 2
ok mlbuild
did 'm snap'
eq "$(head -n 1 m.txt)" 2


t update again runs it again, though nothing changed: it may be a download
ok mlbuild update snap
did 'snap'
ok mlbuild
did ''

t the stamp is in the lock: without the state the same is found
rm -f .mlbuild/state.db .mlbuild/state.db-*
ok mlbuild
did ''

t update of what is not frozen says so
code 2 mlbuild update m
err_has "'m' is not frozen"
err_has "'mlbuild -f m'"
cat >>mlbuild.ini <<'X'
[dataset src]
path = in.txt
[task t]
run = echo t >>"$RAN"
X
code 2 mlbuild update src
err_has "'src' is a source"
err_hasnt "-f"
code 2 mlbuild update t
err_has "'t' is a task"
err_has "'mlbuild t'"
err_hasnt "-f"
did ''

done_testing
