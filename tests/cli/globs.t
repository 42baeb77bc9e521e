# Globs and directories in needs.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put src/a.txt <<'X'
a
X
put src/b.txt <<'X'
b
X
put src/deep/c.txt <<'X'
c
X
put src/note.md <<'X'
note
X
put mlbuild.ini <<'X'
[dataset flat]
run = echo flat >>"$RAN"; ls src > ${out}
out = flat.txt
needs = src/*.txt
[dataset deep]
run = echo deep >>"$RAN"; find src > ${out}
out = deep.txt
needs = src/**/*.txt
[dataset dir]
run = echo dir >>"$RAN"; find src > ${out}
out = dir.txt
needs = src
X

t the first time
ok mlbuild
did 'deep dir flat'
ok mlbuild
did ''

t a file that matches is added, changed, removed
echo new >src/new.txt
ok mlbuild
did 'deep dir flat'
echo newer >src/new.txt
ok mlbuild
did 'deep dir flat'
rm src/new.txt
ok mlbuild
did ''

t one further down
echo d >src/deep/d.txt
ok mlbuild
did 'deep dir'

t a new directory
mkdir src/new
ok mlbuild
eq "$(grep -c -e flat -e deep "$RAN")" 0
: >"$RAN"
echo e >src/new/e.txt
ok mlbuild
did 'deep dir'

t one that does not match
echo more >>src/note.md
ok mlbuild
did 'dir'
echo x >src/other.md
ok mlbuild
did 'dir'

t a hidden file does not match a star
echo x >src/.hidden.txt
ok mlbuild
eq "$(grep -c -e flat -e deep "$RAN")" 0
: >"$RAN"

t a renamed file
mv src/a.txt src/z.txt
ok mlbuild
did 'deep dir flat'

t no match is an error
change mlbuild.ini 'src/\*.txt' 'src/*.csv'
code 2 mlbuild
err_has 'src/*.csv'
err_has mlbuild.ini:4

t files that git ignores are not there
t_dir
t_git
: >"$RAN"
put src/a.py <<'X'
a
X
printf '*.tmp\n__pycache__/\n' >.gitignore
put mlbuild.ini <<'X'
[dataset d]
run = echo d >>"$RAN"; ls src > ${out}
out = d.txt
needs = src
        src/*
X
t_commit
ok mlbuild
did 'd'
echo x >src/x.tmp
mkdir src/__pycache__
echo x >src/__pycache__/a.pyc
ok mlbuild
did ''
echo y >src/y.py
ok mlbuild
did 'd'

t a change of .gitignore counts
printf '__pycache__/\n' >.gitignore
ok mlbuild
did 'd'

t a glob sees sources only
t_dir
: >"$RAN"
echo 1 >1.txt
put mlbuild.ini <<'X'
[dataset made]
run = echo made >>"$RAN"; echo 1 > ${out}
out = made.txt
[dataset d]
run = echo d >>"$RAN"; ls > ${out}
out = list
needs = *.txt
X
ok mlbuild
did 'd made'
ok mlbuild
did ''
rm made.txt
ok mlbuild
did ''

t a glob that reaches into outputs names them: an error if nothing else matches
t_dir
: >"$RAN"
echo 1 >1.txt
put data/raw.csv <<'X'
raw
X
put mlbuild.ini <<'X'
[dataset made]
run = echo made >>"$RAN"; mkdir -p ${out}; cp 1.txt ${out}/x.csv
out = gen/deep/
[dataset file]
run = echo file >>"$RAN"; cp 1.txt ${out}
out = data/file.csv
[dataset d]
run = echo d >>"$RAN"; ls > ${out}
out = list
needs = gen/*/*.csv
X
code 2 mlbuild
err_has "'gen/*/*.csv'"
err_has "'gen/deep'"
err_has "'made'"
did ''
change mlbuild.ini 'needs = gen.*' 'needs = gen/**'
code 2 mlbuild
err_has "'made'"
change mlbuild.ini 'needs = gen.*' 'each = *.csv'
change mlbuild.ini 'out = list' 'out = l/${each:name}'
change mlbuild.ini 'out = data/file.csv' 'out = file.csv'
code 2 mlbuild
err_has "'file.csv'"
change mlbuild.ini 'out = file.csv' 'out = data/file.csv'

t and a note if it matches sources too, once
change mlbuild.ini 'each = .*' 'needs = data/*.csv'
change mlbuild.ini 'out = l/.*' 'out = list'
ok mlbuild status
ok mlbuild
err_has "mlbuild.ini:10: in 'd': 'data/*.csv' leaves out 'data/file.csv', an output of 'file'"
did 'd file made'
ok mlbuild
err_hasnt 'leaves out'
did ''

t no note if the target is read in another way, nor of its own output
change mlbuild.ini 'needs = .*' 'needs = data/*.csv file'
ok mlbuild
err_hasnt 'leaves out'
change mlbuild.ini 'needs = .*' 'needs = l*'
echo l >l.txt
ok mlbuild
err_hasnt 'leaves out'
change mlbuild.ini 'needs = .*' 'needs = data/**'
ok mlbuild d
err_has 'leaves out'

t a source that is a directory
t_dir
: >"$RAN"
put data/a/1 <<'X'
1
X
put mlbuild.ini <<'X'
[dataset raw]
path = data/
[model m]
run = echo m >>"$RAN"; find ${raw} -type f > ${out}
out = m.txt
X
ok mlbuild
did 'm'
echo 2 >data/a/2
ok mlbuild
did 'm'
eq "$(sort m.txt | tr '\n' ' ')" 'data/a/1 data/a/2 '
chmod +x data/a/1
ok mlbuild
did 'm'
mkdir data/empty
ok mlbuild
did 'm'
ok mlbuild
did ''

t a source that is a link out of the project
t_dir
: >"$RAN"
echo out >"$T_ROOT/outside.txt"
ln -s "$T_ROOT/outside.txt" raw.txt
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[model m]
run = echo m >>"$RAN"; cat ${raw} > ${out}
out = m.txt
X
ok mlbuild
did 'm'
eq "$(cat m.txt)" out
echo changed >"$T_ROOT/outside.txt"
ok mlbuild
did 'm'
ok mlbuild
did ''

done_testing
