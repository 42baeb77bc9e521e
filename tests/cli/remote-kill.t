# push and fetch that are killed at any moment go on, and nothing is wrong after that.
. "${0%/*}/lib.sh"

REMOTE=$T_ROOT/team

# killed_soon SECONDS COMMAND...: ended by SIGKILL after that, unless it was faster
killed_soon() {
	t_wait_=$1
	shift
	"$@" >/dev/null 2>&1 &
	t_pid_=$!
	sleep "$t_wait_"
	kill -9 "$t_pid_" 2>/dev/null
	wait "$t_pid_" 2>/dev/null
	return 0
}

t a project with small files and a large one
t_dir
ORIGIN=$T_DIR
t_git
mkdir "$REMOTE"
cat >mlbuild.ini <<INI
[dataset many]
run = mkdir -p \${out}; for i in \$(seq 300); do echo "file \$i" > \${out}/\$i; done
out = out/many/

[dataset large]
run = seq 3000000 > \${out}
out = out/large.txt

[remote team]
url = $REMOTE
INI
ok mlbuild
t_commit 'the lock'

t a push that is killed
for wait in 0.02 0.05 0.1 0.2 0.4; do
	killed_soon $wait mlbuild push
done
ok mlbuild push
ok mlbuild push
err_has 'everything is there already'

t a fetch that is killed
t_dir
git clone -q "$ORIGIN" . || exit 1
for wait in 0.02 0.05 0.1 0.2 0.4; do
	killed_soon $wait mlbuild pull
done
ok mlbuild pull
ok cmp out/large.txt "$ORIGIN/out/large.txt"
ok diff -r out/many "$ORIGIN/out/many"
ok mlbuild fsck
err_has '0 problems'

done_testing
