# .mlbuildignore: what is left out of sources and input directories, and never of outputs.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

digest() {
	"$MLBUILD" show --json "$1" | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/'
}

t_dir
put data/a.csv <<'X'
a
X
put data/sub/b.csv <<'X'
b
X
put mlbuild.ini <<'X'
[dataset raw]
path = data
[feature list]
run = echo list >>"$RAN"; find ${raw} | sort > ${out}
out = list.txt
X

t the defaults: nothing that comes and goes is part of a source
ok mlbuild
did 'list'
mkdir data/__pycache__ data/sub/.ipynb_checkpoints
touch data/__pycache__/x.py data/m.pyc data/sub/.ipynb_checkpoints/n.ipynb data/.DS_Store
ok mlbuild
did ''
eq "$(digest raw | wc -c)" 65

t a default is taken back
echo '!*.pyc' >.mlbuildignore
ok mlbuild
did 'list'
rm .mlbuildignore
ok mlbuild
did ''

t a file in the project directory
before=$(digest raw)
echo tmp >data/x.tmp
echo '*.tmp' >.mlbuildignore
ok mlbuild
did ''
eq "$(digest raw)" "$before"
echo '# all is welcome' >.mlbuildignore
ok mlbuild
did 'list'

t files further down decide first, for what is in their directory
echo '*.tmp' >.mlbuildignore
echo tmp >data/sub/y.tmp
ok mlbuild
did ''
echo '!y.tmp' >data/sub/.mlbuildignore
ok mlbuild
did 'list'
echo '!x.tmp' >data/sub/.mlbuildignore
ok mlbuild
did ''
rm data/sub/.mlbuildignore

t patterns with a slash mean a place, and with one at the end directories alone
mkdir data/logs data/sub/logs
echo 1 >data/logs/1
echo 2 >data/sub/logs/2
echo 3 >data/sub/only
printf '*.tmp\n/data/logs/\ndata/sub/logs\n/only\nonly/\n' >.mlbuildignore
ok mlbuild
did 'list'
rm data/sub/only
ok mlbuild
did ''

t nothing comes back below a directory that is left out
printf '*.tmp\n/data/logs/\n!/data/logs/1\ndata/sub/logs\n' >.mlbuildignore
ok mlbuild
did ''

t the file itself is no part of a source
cp .mlbuildignore data/.mlbuildignore
echo 'nothing' >data/.mlbuildignore
ok mlbuild
did ''
rm data/.mlbuildignore

t never for outputs
rm -r data/__pycache__
put mlbuild.ini <<'X'
[dataset raw]
path = data
[feature made]
run = echo made >>"$RAN"; cp ${raw}/a.csv ${out}/a.csv; echo t > ${out}/x.tmp; mkdir ${out}/__pycache__; echo c > ${out}/__pycache__/m.pyc
out = made/
X
ok mlbuild
did 'made'
rm -r made
ok mlbuild
did ''
there made/x.tmp made/__pycache__/m.pyc

t globs and directories in needs
put src/a.txt <<'X'
a
X
put src/b.tmp <<'X'
b
X
put src/gen/c.txt <<'X'
c
X
put mlbuild.ini <<'X'
[feature dir]
run = echo dir >>"$RAN"; touch ${out}
out = dir.txt
needs = src
[feature glob]
run = echo glob >>"$RAN"; touch ${out}
out = glob.txt
needs = src/**/*.t*
[feature file]
run = echo file >>"$RAN"; touch ${out}
out = file.txt
needs = src/b.tmp
X
printf '*.tmp\ngen/\n' >.mlbuildignore
ok mlbuild
did 'dir file glob'
echo new >src/new.tmp
echo other >src/gen/c.txt
ok mlbuild
did ''

t what is named by its own path is an input all the same
echo other >src/b.tmp
ok mlbuild
did 'file'

t a changed file counts for needs too
printf '*.tmp\n' >.mlbuildignore
ok mlbuild
did 'dir glob'
printf 'c.txt\n' >src/gen/.mlbuildignore
echo third >src/gen/c.txt
ok mlbuild
did ''
rm src/gen/.mlbuildignore
ok mlbuild
did 'dir glob'

t one that cannot be read is an error that names it
truncate -s 17M src/gen/.mlbuildignore
code 2 mlbuild
err_has '.mlbuildignore'
rm src/gen/.mlbuildignore
ok mlbuild
did ''

t each looks at what is left
put mlbuild.ini <<'X'
[feature up]
each = src/*
run = echo "${each:stem}" >>"$RAN"; cp ${each} ${out}
out = up/${each:stem}.up
X
printf '*.tmp\ngen/\n' >.mlbuildignore
ok mlbuild
did 'a'

t with git as well
t_dir
t_git
put src/a.py <<'X'
print(1)
X
put src/b.tmp <<'X'
b
X
put mlbuild.ini <<'X'
[feature dir]
run = echo dir >>"$RAN"; touch ${out}
out = dir.txt
needs = src
X
echo '*.tmp' >.mlbuildignore
t_commit
ok mlbuild
did 'dir'
echo c >src/b.tmp
ok mlbuild
did ''
rm .mlbuildignore
ok mlbuild
did 'dir'

t a file that appears while a command runs, and is left out, is no newcomer
echo '*.tmp' >.mlbuildignore
put mlbuild.ini <<'X'
[feature dir]
run = echo dir >>"$RAN"; echo new >src/new.tmp; touch ${out}
out = dir.txt
needs = src
X
rm -f dir.txt
ok mlbuild
did 'dir'
ok mlbuild
did ''

done_testing
