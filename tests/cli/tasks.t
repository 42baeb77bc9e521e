# A task is a side effect: it runs when named, each time, and is never cached.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put mlbuild.ini <<'X'
[model m]
run = echo m >>"$RAN"; echo 1 > ${out}
out = m.txt
[task deploy]
run = echo deploy >>"$RAN"; cat ${m} >/dev/null
[task fails]
run = echo fails >>"$RAN"; exit 5
X

t a bare build runs no task
ok mlbuild
did 'm'

t named it runs, and what it needs
t_dir
cp ../dir1/mlbuild.ini .
ok mlbuild deploy
did 'deploy m'

t each time
ok mlbuild deploy
did 'deploy'
ok mlbuild deploy
did 'deploy'

t a task that fails is a failure
code 1 mlbuild fails
did 'fails'
err_has fails

t by its kind
code 1 mlbuild -k task
grep -q deploy "$RAN" && pass || fail 'deploy did not run'
: >"$RAN"

t with -n it does not run
ok mlbuild -n deploy
did ''
has deploy

t status does not call it stale
ok mlbuild status --exit-code
did ''

t a task that another target needs is an error: tasks run when they are named
t_dir
put mlbuild.ini <<'X'
[task one]
run = true
[model m]
run = echo 1 > ${out}
out = m.txt
needs = one
X
code 2 mlbuild
err_has one
err_has mlbuild.ini:6

t a task with an output is an error
t_dir
put mlbuild.ini <<'X'
[task t]
run = echo 1 > ${out}
out = x.txt
X
code 2 mlbuild t
err_has mlbuild.ini:

done_testing
