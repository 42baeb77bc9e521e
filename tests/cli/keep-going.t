# After a failure: without -k nothing new starts, with -k all that can be made is.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	: >"$RAN"
	put mlbuild.ini <<'X'
[dataset bad]
run = echo bad >>"$RAN"; exit 3
out = bad.txt
[model after]
run = echo after >>"$RAN"; cat ${bad} > ${out}
out = after.txt
[dataset good1]
run = echo good1 >>"$RAN"; echo 1 > ${out}
out = good1.txt
[model good2]
run = echo good2 >>"$RAN"; cat ${good1} > ${out}
out = good2.txt
[dataset worse]
run = echo worse >>"$RAN"; exit 4
out = worse.txt
X
}

t -k makes what can be made
project
code 1 mlbuild -k -j1
did 'bad good1 good2 worse'
there good1.txt good2.txt
gone after.txt bad.txt
err_has bad
err_has worse
err_has after
err_has 'incomplete: 2 failed ('
err_hasnt stopped
code 1 mlbuild -k
did 'bad worse'

t without -k the build stops at the first failure
project
code 1 mlbuild -j1 bad after good1 good2
err_has 'stopped: 1 failed (bad)'
grep -q after "$RAN" && fail 'after ran'
gone after.txt
eq "$(grep -c bad "$RAN")" 1

t the failure of something that was not asked for is none
project
ok mlbuild good2
did 'good1 good2'

t what runs when another fails is let finish, and counts
t_dir
: >"$RAN"
SYNC=$T_ROOT/sync
mkdir "$SYNC"
export SYNC
put mlbuild.ini <<'X'
[dataset slow]
run = echo go > "$SYNC/slow"; sleep 0.3; echo slow >>"$RAN"; echo 1 > ${out}
out = slow.txt
[dataset bad]
run = until [ -s "$SYNC/slow" ]; do sleep 0.02; done; exit 1
out = bad.txt
X
code 1 mlbuild -j2
did 'slow'
there slow.txt
code 1 mlbuild -j2
did ''

done_testing
