# One case for each fault that a review found: the shortest project that showed it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# A copy of sleep, to be found in /proc by its path.
STAY=$T_ROOT/stay
cp "$(command -v sleep)" "$STAY" || exit 1

left() {
	for r_exe in /proc/[0-9]*/exe; do
		r_pid=${r_exe#/proc/}
		[ "$(readlink "$r_exe" 2>/dev/null)" != "$STAY" ] || echo "${r_pid%/exe}"
	done
}

none_left() {
	r_left=$(left)
	eq "$r_left" ''
	for r_pid in $r_left; do
		kill -9 "$r_pid"
	done
}

t a lock that is gone, and a check without outputs
t_dir
echo good >raw.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[feature a]
run = echo a >>"$RAN"; cp ${raw} ${out}
out = a.txt
[check c1]
guards = a
run = echo c1 >>"$RAN"; grep -q good ${a}
X
ok mlbuild
did 'a c1'
cp mlbuild.lock "$T_ROOT/lock"
rm mlbuild.lock
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/lock"

t a command that fails gives the user back the output that was theirs
t_dir
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo half > ${out}; test -e "$T_ENOUGH"
out = m.txt
X
T_ENOUGH=$T_ROOT/enough
export T_ENOUGH
echo precious >m.txt
code 1 mlbuild
did m
eq "$(cat m.txt)" precious
code 1 mlbuild
did m
eq "$(cat m.txt)" precious
eq "$(find .mlbuild/aside -type f 2>/dev/null | wc -l)" 0

t only success moves it to .mlbuild/aside
touch "$T_ENOUGH"
ok mlbuild -f m
did m
eq "$(cat m.txt)" half
err_has .mlbuild/aside
ok grep -rqx precious .mlbuild/aside

t the same for an output that was edited since it was built
rm "$T_ENOUGH" m.txt
echo edited >m.txt
code 1 mlbuild -f m
did m
eq "$(cat m.txt)" edited

t no survivors: a session of its own and an empty environment
t_dir
put mlbuild.ini <<X
[dataset a]
run = setsid env -i $STAY 3132 & echo hi > \${out}
out = a.txt
X
ok mlbuild
none_left

t no survivors: background jobs of a shell with job control
t_dir
put mlbuild.ini <<X
[dataset a]
run = set -m; $STAY 3133 & ($STAY 3134 &) & sleep 0.1; echo hi > \${out}
out = a.txt
shell = bash -c
X
ok mlbuild
none_left

t no survivors: the same with an empty environment
change mlbuild.ini '& (' '\& (env -i '
change mlbuild.ini '-m;' '-m; env -i'
ok mlbuild
none_left

t an undeclared output is moved away: the second build fails too
t_dir
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo 1 | tee log.txt > ${out}
out = m.txt
X
code 1 mlbuild
did m
err_has "'log.txt'"
err_has declare
gone log.txt m.txt
eq "$(find .mlbuild/failed -name log.txt | wc -l)" 1
code 1 mlbuild
did m
err_has "'log.txt'"
gone log.txt

t an undeclared output of an each command
t_dir
mkdir raw
echo 1 >raw/1.txt
put mlbuild.ini <<'X'
[dataset up]
each = raw/*.txt
run = echo up >>"$RAN"; tee log.txt < ${each} > ${out}
out = up/${each:stem}.up
X
code 1 mlbuild
did up
err_has "'log.txt'"
gone log.txt
code 1 mlbuild
did up
err_has "'log.txt'"
gone log.txt

t what a second pass does is told as well: the changed lock, and each target once
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; date +%N > ${out}
out = a.txt
[model b]
run = echo b >>"$RAN"; cat ${a} > ${out}
out = b.txt
X
ok mlbuild
did 'a b'
cp mlbuild.lock "$T_ROOT/lock"
rm -rf .mlbuild a.txt b.txt
ok mlbuild
err_has 'changed: mlbuild.lock'
err_has 'done: 2 built in'
did 'a b'
code 1 cmp -s mlbuild.lock "$T_ROOT/lock"

t a fingerprint that fails blocks the targets that have it, and no other
t_dir
put mlbuild.ini <<'X'
[dataset m]
run = echo m >>"$RAN"; echo 1 > ${out}
out = m.txt
fingerprint = echo no such host >&2; exit 6
[model after]
run = echo after >>"$RAN"; cat ${m} > ${out}
out = after.txt
[model other]
run = echo other >>"$RAN"; echo 1 > ${out}
out = other.txt
X
ok mlbuild status
has other
has fingerprint
code 1 mlbuild -k
did other
err_has fingerprint
err_has after
there other.txt
gone m.txt after.txt
ok mlbuild other
did ''

t words are relative to the current directory
t_dir
mkdir deep
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo 1 > ${out}
out = m.txt
[model n]
run = echo n >>"$RAN"; echo 1 > ${out}
out = deep/n.txt
X
cd deep || exit 1
ok mlbuild ../m.txt
did m
ok mlbuild n.txt
did n
ok mlbuild "$T_DIR/m.txt"
did ''
ok mlbuild why ../m.txt
ok mlbuild m
did ''

t a path inside a collection, and inside a directory that is an output
t_dir
mkdir raw
echo 1 >raw/f1.txt
echo 2 >raw/f2.txt
put mlbuild.ini <<'X'
[dataset up]
each = raw/*.txt
run = echo up >>"$RAN"; cat ${each} > ${out}
out = data/lo/${each:stem}.up
[dataset tree]
run = echo tree >>"$RAN"; mkdir -p ${out}/sub; echo 1 > ${out}/sub/x
out = tree/
X
ok mlbuild
did 'tree up up'
ok mlbuild data/lo/f2.up
out_hasnt 'no target'
ok mlbuild tree/sub/x
did ''
rm -rf data tree
ok mlbuild data/lo/f2.up
there data/lo/f2.up
gone tree
did ''

t 'many that wait for a pool do not keep others from starting'
t_dir
i=0
{
	printf '[pool lic]\nslots = 1\n'
	while [ $((i += 1)) -le 300 ]; do
		printf '[dataset p%s]\nrun = echo p >>"$RAN"; sleep 0.004; echo > ${out}\nout = p%s.txt\npool.lic = 1\n' $i $i
	done
	i=0
	while [ $((i += 1)) -le 20 ]; do
		printf '[dataset q%s]\nrun = echo q >>"$RAN"; echo > ${out}\nout = q%s.txt\n' $i $i
	done
} >mlbuild.ini
ok mlbuild -j8
ran "$RAN" 320
first=$(grep -n q "$RAN" | head -n 1)
first=${first%%:*}
if [ "${first:-999}" -le 20 ]; then pass; else fail "the first free command was number $first"; fi
: >"$RAN"

t a source that cannot be read blocks, and is not replaced
t_dir
echo old >raw.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[model m]
run = echo m >>"$RAN"; cat ${raw} > ${out}
out = m.txt
[model other]
run = echo other >>"$RAN"; echo 1 > ${out}
out = other.txt
X
# root reads whatever the mode says: be someone else, in this directory alone.
user=
if [ "$(id -u)" = 0 ]; then
	user="setpriv --reuid=65534 --regid=65534 --clear-groups"
	chmod 711 "$T_ROOT" && chmod 666 "$RAN" && chown -R 65534:65534 "$T_DIR" || exit 1
fi
# shellcheck disable=SC2086
as_user() { $user "$MLBUILD" "$@"; }
if as_user version >/dev/null 2>&1; then
	ok as_user
	did 'm other'
	echo new >raw.txt
	chmod 000 raw.txt
	code 1 as_user -k
	did ''
	err_has raw.txt
	err_hasnt restored
	eq "$(find .mlbuild/aside -type f 2>/dev/null | wc -l)" 0
	t_run_ as_user status
	has raw
	hasnt 'everything is up to date'
	chmod 644 raw.txt
	eq "$(cat raw.txt)" new
	ok as_user
	did m
else
	echo '# skipped: cannot be another user here'
fi

t standard input, output and error closed
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo said; echo said >&2; cat; echo 1 > ${out}
out = a.txt
[model b]
run = echo b >>"$RAN"; for i in 0 1 2; do readlink "/proc/$PPID/fd/$i"; done > ${out}; cat ${a} >> ${out}
out = b.txt
X
"$MLBUILD" <&- >&- 2>&-
eq "$?" 0
did 'a b'
eq "$(tr '\n' ' ' <b.txt)" '/dev/null /dev/null /dev/null 1 '
if grep -rqa -e 'done: 2' -e ' built  ' .mlbuild mlbuild.lock; then fail 'messages are in a file'; else pass; fi
ok mlbuild
did ''
ok mlbuild show a --output
eq "$(grep -cx said "$T_OUT")" 2

t .gitignore keeps the model when only its metrics are tracked
t_dir
t_git
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo 1 > ${out}; echo '{"a": 1}' > ${metrics}
out = m.bin
metrics = m.json
X
ok mlbuild
ok grep -qx /m.bin .gitignore
t_commit
eq "$(git ls-files m.bin m.json)" m.json
change mlbuild.ini 'echo 1' 'echo 2'
ok mlbuild
did 'm m'
ok grep -qx /m.bin .gitignore
eq "$(git status --short --untracked-files=all | grep '^??')" ''

t a time limit is told once
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = sleep 30
out = a.txt
timeout = 300ms
X
code 1 mlbuild
match 'timed out after [^ ]*$'

t to commit what changed is said only inside a git repository
t_dir
chain
ok mlbuild
did 'a b c d'
match '^changed: mlbuild[.]lock$'
hasnt 'commit them'
t_dir
t_git
mkdir -p sub/project
cd sub/project || exit 1
chain
ok mlbuild
did 'a b c d'
match '^changed: .*: commit them$'
t_commit built
rm mlbuild.lock
ok mlbuild
match '^changed: mlbuild[.]lock: commit it$'

t nor of what git ignores
t_dir
t_git
chain
echo mlbuild.lock >.gitignore
t_commit
ok mlbuild
match '^changed: [.]gitignore: commit it$'
echo more >>in.txt
ok mlbuild
hasnt changed:
ok mlbuild -f d --json
hasnt commit

t a section that nothing acts on is told though nothing is to be done, and once
t_dir
chain
ok mlbuild
printf '[notify n]\non = failure\nrun = true\n' >>mlbuild.ini
ok mlbuild status
ok mlbuild
err_has '[notify]: nothing acts on that in this version'
echo >>mlbuild.ini
ok mlbuild
err_hasnt '[notify]'

t metrics of what was built in spite of a failure
t_dir
put mlbuild.ini <<'X'
[model good]
run = echo 1 > ${out}; echo '{"accuracy": 0.5}' > ${metrics}
out = good.txt
metrics = good.json
[model bad]
run = exit 4
out = bad.txt
X
code 1 mlbuild -k
out_has 'accuracy 0.5'

done_testing
