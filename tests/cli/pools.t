# Pools limit, whatever -j says; a job gets all it asks for at once, or waits.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

most() {
	awk '/[+]/ { n++; if (n > most) most = n } /-/ { n-- } END { print most + 0 }' "$RAN"
	: >"$RAN"
}

project() {
	t_dir
	: >"$RAN"
	printf '[pool db]\nslots = %s\n[pool net]\nslots = 3\n' "$1" >mlbuild.ini
	for i in 1 2 3 4 5 6; do
		{
			echo "[dataset d$i]"
			echo "run = echo + >>\"\$RAN\"; sleep 0.1; echo - >>\"\$RAN\"; echo $i > \${out}"
			echo "out = $i.txt"
			printf "$2"
		} >>mlbuild.ini
	done
}

t a pool of one
project 1 'pool.db = 1\n'
ok mlbuild -j6
eq "$(most)" 1

t a pool of two
project 2 'pool.db = 1\n'
ok mlbuild -j6
eq "$(most)" 2

t one that takes two slots of three
project 3 'pool.db = 2\n'
ok mlbuild -j6
eq "$(most)" 1

t two pools: the narrower counts
project 2 'pool.db = 1\npool.net = 1\n'
ok mlbuild -j6
eq "$(most)" 2

t a pool that is not declared
t_dir
put mlbuild.ini <<'X'
[pool database]
slots = 1
[dataset a]
run = echo 1 > ${out}
out = a.txt
pool.databse = 1
X
code 2 mlbuild
has databse
has "database"
has mlbuild.ini:6

t what asks for more than there is could never run
project 1 'pool.db = 5\n'
code 2 timeout 20 "$MLBUILD" -j6
err_has 'd1'
err_has '[pool db]'
eq "$(most)" 0

t others run while one waits for a pool
t_dir
SYNC=$T_ROOT/sync
mkdir "$SYNC"
export SYNC
put mlbuild.ini <<'X'
[pool one]
slots = 1
[dataset a]
run = n=0; until [ -e "$SYNC/free" ]; do n=$((n + 1)); [ $n -lt 300 ]; sleep 0.02; done; echo 1 > ${out}
out = a.txt
pool.one = 1
[dataset b]
run = echo 1 > ${out}
out = b.txt
pool.one = 1
[dataset free]
run = : > "$SYNC/free"; echo 1 > ${out}
out = free.txt
X
ok mlbuild -j2
there a.txt b.txt free.txt

done_testing
