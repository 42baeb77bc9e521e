# Command lines of 5,000 characters and of 200 KB.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# words N: N numbers in a line
words() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf " %07d", i }'
}

t 5,000 characters on one line, without a shell
t_dir
put args.sh <<'X'
out=$1
shift
echo "$# $*" >"$out"
X
{
	echo '[dataset a]'
	echo "run = sh args.sh \${out}$(words 625)"
	echo 'out = a.txt'
} >mlbuild.ini
ok mlbuild
eq "$(cut -d' ' -f1 a.txt)" 625
eq "$(cut -d' ' -f626 a.txt)" 0000625

t 5,000 characters with a shell
{
	echo '[dataset a]'
	echo "run = echo a >>\"\$RAN\"; sh args.sh \${out}$(words 625); true"
	echo 'out = a.txt'
} >mlbuild.ini
ok mlbuild
did 'a'
eq "$(cut -d' ' -f626 a.txt)" 0000625
ok mlbuild
did ''

t a change of its last character is seen
change mlbuild.ini 0000625 0000626
ok mlbuild
did 'a'
eq "$(cut -d' ' -f626 a.txt)" 0000626

t 200 KB
t_dir
put args.sh <<'X'
out=$1
shift
echo "$# $*" >"$out"
X
{
	echo '[dataset a]'
	echo "run = echo a >>\"\$RAN\"; sh args.sh \${out}$(words 25000)"
	echo 'out = a.txt'
} >mlbuild.ini
[ "$(wc -c <mlbuild.ini)" -gt 200000 ] && pass || fail 'the command is too short'
ok mlbuild
did 'a'
eq "$(cut -d' ' -f1 a.txt)" 25000
eq "$(cut -d' ' -f25001 a.txt)" 0025000
ok mlbuild
did ''

t 200 KB in lines
t_dir
{
	echo '[dataset a]'
	echo 'run ='
	awk 'BEGIN { for (i = 1; i <= 10000; i++) printf "    echo %d >> lines.tmp\n", i }'
	echo '    cat lines.tmp > ${out}; rm lines.tmp'
	echo 'out = a.txt'
} >mlbuild.ini
ok mlbuild
eq "$(wc -l <a.txt)" 10000
eq "$(tail -n 1 a.txt)" 10000

t with another shell
change mlbuild.ini 'out = a.txt' 'out = b.txt'
echo 'shell = bash -eo pipefail -c' >>mlbuild.ini
ok mlbuild
eq "$(wc -l <b.txt)" 10000

t a list that is too long for a command line, as a file
t_dir
mkdir in
awk 'BEGIN { for (i = 0; i < 3000; i++) { f = sprintf("in/%0100d.txt", i); print i > f; close(f) } }'
put mlbuild.ini <<'X'
[feature one]
each = in/*.txt
batch = 1000
run = for f in ${each}; do cp "$f" one/; done
out = one/${each:name}
[model all]
run = wc -l < ${one:list} > ${out}; xargs cat < ${one:list} | wc -l >> ${out}
out = all.txt
X
ok mlbuild
eq "$(tr -d ' ' <all.txt | tr '\n' ' ')" '3000 3000 '

t the list of several instances is one file with the paths of all, in declared order
t_dir
put mlbuild.ini <<'X'
[feature fold]
matrix.k = 3 1 2
run = echo ${matrix:k} > ${out}
out = fold/${matrix:k}.txt
[feature one]
matrix.k = 1 2 3
run = cat ${fold:list} > ${out}
out = one/${matrix:k}.txt
[report all]
run = printf '%s\n' ${fold@k=*:list} | wc -l > ${out}; cat ${fold@k=*:list} >> ${out}; cat ${one@k=*:list} >> ${out}
out = all.txt
X
ok mlbuild all
eq "$(sed 1d all.txt | tr '\n' ' ')" 'fold/3.txt fold/1.txt fold/2.txt one/1.txt one/2.txt one/3.txt '
eq "$(($(head -n 1 all.txt)))" 1
eq "$(cat one/2.txt)" fold/2.txt
ok mlbuild show --command all
out_has fold.list
out_hasnt fold@

done_testing
