# -p builds a variant in a private root, and leaves everything else alone.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

everything() {
	find . -path ./.mlbuild -prune -o -path ./.git -prune -o -type f -exec cksum {} + | sort
}

t a variant leaves workspace, ini and lock alone
t_dir
chain
ok mlbuild
did 'a b c d'
before=$(everything)
ok mlbuild -p x=5 c
did 'b c'
eq "$(everything)" "$before"
ok mlbuild
did ''

t the same variant runs nothing, another one runs
ok mlbuild -p x=5 c
did ''
err_has 'c is up to date (3 targets, '
ok mlbuild -p x=6 c
did 'b c'
err_has 'done: 2 built, 1 up to date in'

t what a variant lacks is told in words, not as a path
mlbuild status -p x=5 >now
ok grep -q 'b  its output is another version$' now
rm now

t what a variant made is known when the file says so too
change mlbuild.ini 'x = 1' 'x = 5'
ok mlbuild
did ''
eq "$(head -n 1 out/b.txt)" one-5
change mlbuild.ini 'x = 5' 'x = 1'

t --into puts the artifacts there
ok mlbuild -p x=7 --into res c
did 'b c'
found=$(find res -name c.txt)
eq "$(head -n 1 "$found")" one-7
eq "$(head -n 1 out/c.txt)" one-5
ok mlbuild
did ''
rm -r res

t without --into it says where they are
ok mlbuild -p x=7 c
did ''
path=$(tr ' ' '\n' <"$T_ALL" | grep 'c.txt$' | head -n 1)
[ -n "$path" ] && eq "$(head -n 1 "$path")" one-7

t a parameter that does not exist is an error that names the nearest
code 2 mlbuild -p y=1 c
has "'y'"
did ''

t values may hold anything
change mlbuild.ini 'sed "[^"]*"' 'true "${params:x}" ${params:x}; cat'
ok mlbuild -p 'x=a=b; echo boo >&2' c
did 'b c'
hasnt boo

t a script that opens params.yaml itself sees the variant
t_dir
put params.yaml <<'X'
# learning
train:
  lr: 0.1    # the rate
  layers: [1, 2]
X
put train.sh <<'X'
echo train >>"$RAN"
grep lr params.yaml >"$1"
X
put mlbuild.ini <<'X'
[params]
file = params.yaml
[model m]
run = sh train.sh ${out}
out = m.txt
needs = params:train.*
X
ok mlbuild
did 'train'
before=$(everything)
ok mlbuild -p train.lr=0.5 --into ../v1 m
did 'train'
eq "$(everything)" "$before"
eq "$(find ../v1 -name m.txt -exec cat {} + | tr -d ' ' | cut -c1-6)" 'lr:0.5'
rm -r ../v1

t values from a file
put dev.yaml <<'X'
train:
  lr: 0.25
X
ok mlbuild -p @dev.yaml --into ../v2 m
did 'train'
eq "$(find ../v2 -name m.txt -exec cat {} + | tr -d ' ' | cut -c1-7)" 'lr:0.25'
rm -r ../v2

t a variant inside a git repository sees what is not committed yet
t_dir
t_git
chain
t_commit
echo three >>in.txt
put tool.sh <<'X'
cat "$1" "$1"
X
change mlbuild.ini 'cat ${b} ${b}' 'sh tool.sh ${b}'
ok mlbuild -p x=9 --into ../v3 c
did 'a b c'
eq "$(find ../v3 -name c.txt -exec cat {} + | tail -n 1)" three-9
gone out
rm -r ../v3

t a parameter file that is not there
code 2 mlbuild -p @no.yaml c
err_has "'@no.yaml'"
err_hasnt "$PWD"
code 2 mlbuild -p @. c
err_has directory

t a variant that fails leaves everything alone
t_dir
chain
ok mlbuild
did 'a b c d'
change mlbuild.ini '${params:x}/"' '${params:x}/"; test ${params:x} = 1; sed "s/$/-${params:x}/"'
ok mlbuild
did 'b'
before=$(everything)
code 1 mlbuild -p x=2 c
eq "$(everything)" "$before"
: >"$RAN"
ok mlbuild
did ''

t of one command for each file too it is said how much is up to date
t_dir
put mlbuild.ini <<'INI'
[params]
k = 1
[dataset e]
each = in/*
run = echo e >>"$RAN"; echo ${params:k} >${out}
out = e/${each:name}
[dataset f]
run = cat ${e}/* >${out}
out = f
INI
mkdir in
echo | tee in/1 >in/2
ok mlbuild -p k=2 f
did 'e e'
ok mlbuild -p k=2 f
did ''
err_has 'f is up to date (2 targets, '

t 'what a committed link leads to is not written to'
t_dir
t_git
mkdir ../elsewhere
ln -s ../elsewhere far
echo '*.csv' >.gitignore
put mlbuild.ini <<'INI'
[params]
k = 1
[dataset raw]
path = far/raw.csv
[dataset note]
path = far/note.txt
[dataset a]
run = cat ${raw} ${note} > ${out}; echo ${params:k} >> ${out}
out = far/a.txt
[dataset big]
path = near/big.csv
[dataset b]
run = cat ${a} far/more.txt ${big} near/conf.txt > ${out}
out = b.txt
INI
mkdir ../near
ln -s ../near near
echo big >near/big.csv
echo conf >near/conf.txt
echo raw >far/raw.csv
echo note >far/note.txt
echo more >far/more.txt
ok mlbuild
t_commit one
touch -d '2001-01-01 00:00' ../elsewhere/raw.csv
seen() {
	ls -li --time-style=full-iso ../elsewhere ../near
	cat ../elsewhere/* ../near/*
}
before=$(seen)
ok mlbuild -p k=2 b --into ../k2
eq "$(tr '\n' ' ' <../k2/b.txt)" 'raw note 2 more big conf '
eq "$(seen)" "$before"

done_testing
