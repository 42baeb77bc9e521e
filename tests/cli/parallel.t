# -j runs in parallel, -j1 does not, and cpus and mem are kept.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# How many ran at once, at most: commands write + when they begin and - when they end.
most() {
	awk '/[+]/ { n++; if (n > most) most = n } /-/ { n-- } END { print most + 0 }' "$RAN"
	: >"$RAN"
}

many() {
	t_dir
	: >"$RAN"
	: >mlbuild.ini
	for i in 1 2 3 4 5 6 7 8; do
		{
			echo "[dataset d$i]"
			echo "run = echo + >>\"\$RAN\"; sleep 0.1; echo - >>\"\$RAN\"; echo $i > \${out}"
			echo "out = $i.txt"
			printf "$1"
		} >>mlbuild.ini
	done
}

t two commands that wait for each other
t_dir
SYNC=$T_ROOT/sync
mkdir "$SYNC"
export SYNC
put meet.sh <<'X'
: >"$SYNC/$1"
n=0
until [ -e "$SYNC/$2" ]; do
	n=$((n + 1))
	[ $n -lt 200 ] || exit 1
	sleep 0.02
done
echo met >"$3"
X
put mlbuild.ini <<'X'
[dataset one]
run = sh meet.sh 1 2 ${out}
out = one.txt
[dataset two]
run = sh meet.sh 2 1 ${out}
out = two.txt
X
ok mlbuild -j2
there one.txt two.txt

t -j1 runs one at a time
many ''
ok mlbuild -j1
eq "$(most)" 1

t -j4 runs four, and never five
t_dir
: >"$RAN"
rm -f "$SYNC"/*
# Each goes on when four have begun: with fewer at once none would end.
put meet.sh <<'X'
echo + >>"$RAN"
: >"$SYNC/$1"
n=0
until [ "$(ls "$SYNC" | wc -l)" -ge 4 ]; do
	n=$((n + 1))
	[ $n -lt 1000 ] || exit 1
	sleep 0.02
done
echo - >>"$RAN"
echo met >"$2"
X
put mlbuild.ini <<'X'
[dataset d]
matrix.k = 1..8
run = sh meet.sh ${matrix:k} ${out}
out = ${matrix:k}.txt
X
ok mlbuild -j4
eq "$(most)" 4

t jobs in the ini, which -j overrides
many ''
{
	cat mlbuild.ini
	printf '[project]\njobs = 1\n'
} >new.ini
mv new.ini mlbuild.ini
ok mlbuild
eq "$(most)" 1
change mlbuild.ini 'jobs = 1' 'jobs = 0'
code 2 mlbuild
err_has jobs

t jobs in the local configuration
many ''
put .mlbuild/config.ini <<'X'
[project]
jobs = 1
X
ok mlbuild
eq "$(most)" 1

t targets that ask for every processor run alone
many 'cpus = 1000\n'
ok mlbuild -j4
eq "$(most)" 1

t "so do those that ask for all memory"
many 'mem = 900T\n'
ok mlbuild -j4
eq "$(most)" 1

t cpus is told to the command
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo "$OMP_NUM_THREADS" > ${out}
out = a.txt
cpus = 2
X
ok mlbuild
eq "$(cat a.txt)" 2

t the longest path starts first, as measured
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[params]
v = 1
[dataset short1]
run = echo short1 >>"$RAN"; echo ${params:v} > ${out}
out = short1.txt
[dataset short2]
run = echo short2 >>"$RAN"; echo ${params:v} > ${out}
out = short2.txt
[dataset long]
run = echo long >>"$RAN"; sleep 0.3; echo ${params:v} > ${out}
out = long.txt
X
ok mlbuild -j1
: >"$RAN"
change mlbuild.ini 'v = 1' 'v = 2'
ok mlbuild -j1
eq "$(head -n 1 "$RAN")" long

done_testing
