# What runs, and what does not, when something changes.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t the first build runs everything, the second nothing
t_dir
chain
ok mlbuild
did 'a b c d'
eq "$(cat out/c.txt)" "$(printf 'one-1\ntwo-1\none-1\ntwo-1')"
ok mlbuild
did ''
eq "$(cat "$T_ALL" | wc -l)" 1

t a target builds what it needs, and no more
t_dir
chain
ok mlbuild b
did 'a b'
gone out/c.txt out/d.txt
ok mlbuild out/c.txt
did 'c'
there out/c.txt

t touching without changing runs nothing
t_dir
chain
ok mlbuild
did 'a b c d'
newer in.txt other.txt mlbuild.ini out/a.txt out/b.txt out/c.txt
ok mlbuild
did ''

t a new inode with the same content runs nothing
cp in.txt copy && mv copy in.txt
ok mlbuild
did ''

t an input that changes runs what depends on it
echo three >>in.txt
ok mlbuild
did 'a b c'
eq "$(wc -l <out/c.txt)" 6
echo changed >other.txt
ok mlbuild
did 'd'
eq "$(cat out/d.txt)" changed

t an input of the same size and time is still seen to change
cp -p other.txt keep && echo CHANGED >other.txt && touch -r keep other.txt && rm keep
ok mlbuild
did 'd'
eq "$(cat out/d.txt)" CHANGED

t a parameter that changes runs what reads it
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild
did 'b c'
eq "$(head -n 1 out/b.txt)" one-2

t a command that changes runs
change mlbuild.ini 'cp other.txt' 'cp -f other.txt'
ok mlbuild
did 'd'

t a comment, blank lines, another order and a description run nothing
{
	echo '; a comment'
	echo
	sed -n '/report d/,$p' mlbuild.ini
	echo 'desc = of d'
	echo
	sed '/report d/,$d' mlbuild.ini
} >new.ini
mv new.ini mlbuild.ini
ok mlbuild
did ''
eq "$(sed -n 's/.*desc = //p' mlbuild.ini)" 'of d'

t another name or kind of a target runs nothing
change mlbuild.ini 'report d' 'dataset renamed'
ok mlbuild
did ''

t execution keys run nothing
printf 'cpus = 1\ntimeout = 1h\nretries = 2\ntags = x y\nowner = me\n' >keys
sed '/desc = of d/r keys' mlbuild.ini >new.ini
mv new.ini mlbuild.ini && rm keys
ok mlbuild
did ''
eq "$(grep -c 'timeout = 1h' mlbuild.ini)" 1

t a script that a command names is an input
t_dir
put step.sh <<'X'
echo step >>"$RAN"
echo 1 >"$1"
X
put mlbuild.ini <<'X'
[dataset a]
run = sh step.sh ${out}
out = a.txt
X
ok mlbuild
did 'step'
ok mlbuild
did ''
echo 'echo 2 >"$1"' >>step.sh
ok mlbuild
did 'step'
eq "$(cat a.txt)" 2

t so is a word after an equals sign
t_dir
put conf/a.yaml <<'X'
lr: 1
X
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo --config=conf/a.yaml > ${out}
out = a.txt
X
ok mlbuild
did 'a'
echo 'lr: 2' >conf/a.yaml
ok mlbuild
did 'a'

t a word that is the path of an output means that target
t_dir
put mlbuild.ini <<'X'
[model last]
run = echo last >>"$RAN"; cat made/first.txt > ${out}
out = last.txt
[dataset first]
run = echo first >>"$RAN"; echo 1 > ${out}
out = made/first.txt
X
ok mlbuild last
did 'first last'
change mlbuild.ini 'echo 1' 'echo 2'
ok mlbuild last
did 'first last'
eq "$(cat last.txt)" 2

t a word after a redirection is no input
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo noise > /dev/null; echo 1 > ${out}; if false; then echo 2 > err.txt; fi
out = a.txt
X
echo some >err.txt
ok mlbuild
did 'a'
echo other >err.txt
ok mlbuild
did ''

t several outputs of one command
t_dir
put mlbuild.ini <<'X'
[dataset two]
run = echo two >>"$RAN"; echo 1 > ${out:one}; echo 2 > ${out:two}
out.one = 1.txt
out.two = 2.txt
[model m]
run = echo m >>"$RAN"; cat ${two:two} > ${out}
out = m.txt
X
ok mlbuild
did 'm two'
change mlbuild.ini 'echo 1 >' 'echo 11 >'
ok mlbuild
did 'two'
eq "$(cat 1.txt)" 11

t a directory as output and input
t_dir
put mlbuild.ini <<'X'
[dataset files]
run = echo files >>"$RAN"; for i in 1 2 3; do echo $i > ${out}/$i.txt; done; mkdir ${out}/empty
out = data/files/
[model m]
run = echo m >>"$RAN"; cat ${files}/*.txt > ${out}
out = m.txt
X
ok mlbuild
did 'files m'
eq "$(cat m.txt | tr '\n' ' ')" '1 2 3 '
there data/files/empty
ok mlbuild
did ''
rm -r data/files
ok mlbuild
did ''
there data/files/2.txt data/files/empty

t -f runs what is named, and no more
t_dir
chain
ok mlbuild
did 'a b c d'
ok mlbuild -f b
did 'b'
ok mlbuild
did ''

done_testing
