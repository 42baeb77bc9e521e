# Graphics processors are given out by id, and no id twice at once.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	: >"$RAN"
	: >mlbuild.ini
	for i in 1 2 3 4 5 6 7 8; do
		cat >>mlbuild.ini <<X
[model m$i]
run = echo "+ \$CUDA_VISIBLE_DEVICES" >>"\$RAN"; sleep 0.05; echo "- \$CUDA_VISIBLE_DEVICES" >>"\$RAN"; echo $i > \${out}
out = $i.txt
gpus = $1
X
	done
}

# Ids that were used, and how often one was given out that was in use.
used() {
	cut -c3- "$RAN" | tr ',' '\n' | sort -u | tr '\n' ' '
}
shared() {
	awk '{
		n = split($2, id, ",")
		for (i = 1; i <= n; i++)
			if ($1 == "+") { if (busy[id[i]]++) bad++ } else busy[id[i]]--
	} END { print bad + 0 }' "$RAN"
}

CUDA_VISIBLE_DEVICES=0,1,2
export CUDA_VISIBLE_DEVICES

t one each of three
project 1
ok mlbuild -j8
eq "$(shared)" 0
eq "$(used)" '0 1 2 '
eq "$(grep -c + "$RAN")" 8

t two each of three: one at a time
project 2
ok mlbuild -j8
eq "$(shared)" 0
eq "$(awk '{ print gsub(",", "") }' "$RAN" | sort -u)" 1
eq "$(awk '/[+]/ { n++; if (n > m) m = n } /-/ { n-- } END { print m }' "$RAN")" 1

t ids are those that the environment gives
CUDA_VISIBLE_DEVICES=5,7
project 1
ok mlbuild -j8
eq "$(shared)" 0
eq "$(used)" '5 7 '

t what asks for none is left with the environment as it is
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo "$CUDA_VISIBLE_DEVICES" > ${out}
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" 5,7

t what asks for more than the machine has gets all of them
put mlbuild.ini <<'X'
[dataset a]
run = echo "$CUDA_VISIBLE_DEVICES" > ${out}
out = a.txt
gpus = 3
X
change mlbuild.ini 'echo "' 'echo of "'
ok timeout 60 "$MLBUILD"
eq "$(cat a.txt)" 'of 5,7'

t and it is said, once for all that want the same
t_dir
put mlbuild.ini <<'X'
[dataset a]
matrix.k = 1 2 3
run = echo "${matrix:k}" > ${out}
out = ${matrix:k}.txt
gpus = 3
mem = 900000G
[dataset b]
run = echo 1 > ${out}
out = b.txt
gpus = 2
X
ok mlbuild -j1
err_has 'wants 3 graphics processors and gets 2'
eq "$(grep -c 'graphics processors' "$T_ERR")" 1
eq "$(grep -c 'of memory: this machine has' "$T_ERR")" 1
err_hasnt "'b' wants"

done_testing
