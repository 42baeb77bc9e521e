# A command that fails leaves the old output in place and the rest untouched.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# base COMMAND...: bad's command, which is given ${out}; it worked before.
base() {
	t_dir
	: >"$RAN"
	echo 1 >in.txt
	put mlbuild.ini <<'X'
[dataset bad]
run = echo bad >>"$RAN"; cat in.txt > ${out}
out = bad.txt
[model user]
run = echo user >>"$RAN"; cat ${bad} > ${out}
out = user.txt
[model other]
run = echo other >>"$RAN"; cat other.txt > ${out}
out = other-out.txt
X
	echo 1 >other.txt
	ok mlbuild
	did 'bad other user'
	cp bad.txt "$T_ROOT/bad"
	cp user.txt "$T_ROOT/user"
	cp mlbuild.lock "$T_ROOT/lock"
	awk -v run="run = echo bad >>\"\$RAN\"; $1" '/^run = echo bad/ { print run; next } { print }' mlbuild.ini >new.ini
	mv new.ini mlbuild.ini
}

old_stays() {
	ok cmp bad.txt "$T_ROOT/bad"
	ok cmp user.txt "$T_ROOT/user"
	ok cmp mlbuild.lock "$T_ROOT/lock"
	code 1 mlbuild
	did 'bad'
}

t a command that fails in its first line
base 'false; cat in.txt > ${out}'
code 1 mlbuild
did 'bad'
has 'bad'
old_stays

t the words of the failure: target, command, exit code, log
base 'echo some words of the log; exit 7'
code 1 mlbuild
err_has 'bad'
err_has '7'
err_has 'some words of the log'
err_has 'exit 7'
err_has '.mlbuild/'
did 'bad'
old_stays

t the first part of a pipe, with the shell that init writes
base 'false | cat > ${out}'
awk '/out = bad.txt/ { print; print "shell = bash -eo pipefail -c"; next } { print }' mlbuild.ini >new.ini
mv new.ini mlbuild.ini
code 1 mlbuild
did 'bad'
old_stays

t killed by a signal, after it has written
base 'echo half > ${out}; kill -9 $$'
code 1 mlbuild
match 'KILL|signal 9'
did 'bad'
old_stays
ok grep -rqx half .mlbuild/failed/bad

t ended by a timeout, after it has written
base 'echo half > ${out}; sleep 30'
awk '/out = bad.txt/ { print; print "timeout = 300ms"; next } { print }' mlbuild.ini >new.ini
mv new.ini mlbuild.ini
code 1 mlbuild
err_has 'timed out'
did 'bad'
old_stays

t an output that is not made
base 'true'
code 1 mlbuild
err_has 'bad.txt'
did 'bad'
old_stays

t a directory where a file was declared
base 'mkdir ${out}; echo x > ${out}/x'
code 1 mlbuild
err_has 'bad.txt'
did 'bad'
old_stays

t an old output is no excuse: it is out of the way while the command runs
base 'test ! -e ${out}; cat in.txt > ${out}'
ok mlbuild
did 'bad'

t a program that does not exist
base 'no-such-program-anywhere ${out}'
code 1 mlbuild
err_has 'no-such-program-anywhere'
did 'bad'

t the same without a shell
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = no-such-program-anywhere ${out}
out = a.txt
X
code 1 mlbuild
err_has 'no-such-program-anywhere'

t nothing of a failure enters the cache
base 'cat in.txt > ${out}; exit 1'
code 1 mlbuild
did 'bad'
code 1 mlbuild
did 'bad'

t after the failure is mended, what it did before counts
awk '/^run = echo bad/ { print "run = echo bad >>\"$RAN\"; cat in.txt > ${out}"; next } { print }' mlbuild.ini >new.ini
mv new.ini mlbuild.ini
ok mlbuild
did ''

t an output that is only half a set
t_dir
put mlbuild.ini <<'X'
[dataset two]
run = echo two >>"$RAN"; echo 1 > ${out:x}
out.x = x.txt
out.y = y.txt
X
code 1 mlbuild
err_has 'y.txt'
did 'two'
gone x.txt y.txt

t metrics that are not JSON
t_dir
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo 1 > ${out}; echo accuracy 1 > ${metrics}
out = m.txt
metrics = m.json
X
code 1 mlbuild
err_has 'm.json'

t a command that changes a file that it names without declaring it
t_dir
echo 1 >state.txt
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cp state.txt ${out}; sed -i s/1/2/ state.txt
out = a.txt
X
: >"$RAN"
code 1 mlbuild
err_has 'state.txt'
err_has 'declare'
gone a.txt

t '-q says why, once, and nothing else'
t_dir
put mlbuild.ini <<'X'
[dataset gone]
path = gone.txt
[feature f]
run = cp ${gone} ${out}
out = f.txt
[model m]
run = cp ${f} ${out}
out = m.txt
[feature g]
run = echo 'the last words'; exit 7
out = g.txt
[model n]
run = cp ${g} ${out}
out = n.txt
X
code 1 mlbuild -q m
err_has "its path 'gone.txt' is missing"
err_hasnt "'f' cannot be had"
code 1 mlbuild -q n
err_has 'exit code 7'
err_has 'the last words'
err_hasnt "'g' failed"
code 1 mlbuild --json m
out_has '"by":"gone"'
out_has '"by":"f"'
echo 1 >gone.txt
ok mlbuild -q m
eq "$(cat "$T_ALL")" ''
echo 2 >gone.txt
code 4 mlbuild -q --locked m
err_has 'mlbuild.lock does not have it'

t "a limit of the size of files is an error like a full disk, not mlbuild's end"
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = printf x > ${out}; head -c 200000 /dev/urandom >> ${out} 2>/dev/null || :
out = a.txt
X
for limit in 1 20 60 100 200; do
	t_run_ sh -c 'ulimit -f "$0"; exec "$MLBUILD" -f a 2>&1 | cat' "$limit"
	case $(cat "$T_OUT") in
	*"cannot "* | *"done: 1 built"*) pass ;;
	*) fail "no clear end with ulimit -f $limit" ;;
	esac
done
ok mlbuild a
ok mlbuild fsck

done_testing
