# reproduce gets back what a commit says, from the commit alone, and leaves everything else as it is.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# raw.csv is not in git; v is what makes one commit differ from the next.
project() {
	: >"$RAN"
	t_git
	mkdir cachedir
	put .gitignore <<-'X'
		raw.csv
		cachedir/
	X
	seq 1 20 >raw.csv
	echo 1 >v
	put mlbuild.ini <<-'INI'
		[cache]
		dir = cachedir
		[dataset raw]
		path = raw.csv
		[feature split]
		run = echo split >>"$RAN"; head -n 5 ${raw} > ${out}
		out = data/split.csv
		[model model]
		run = echo model >>"$RAN"; cat ${split} v > ${out}; printf '{"v": %s}' "$(cat v)" > ${metrics}; echo training
		out = models/m.txt
		metrics = metrics/m.json
		[feature dir]
		run = mkdir -p ${out}/sub; cp ${raw} ${out}/sub/a; echo b > ${out}/b; chmod +x ${out}/b; ln -s b ${out}/l
		out = dir/
		[feature fold]
		matrix.k = 1 2
		run = echo ${matrix:k} > ${out}
		out = fold/${matrix:k}.txt
		[feature up]
		each = in/*
		run = tr a-z A-Z < ${each} > ${out}
		out = up/${each:name}
	INI
	mkdir in
	echo one >in/one.txt
	echo two >in/two.txt
	ok mlbuild
	t_commit one
}

# Everything of the workspace, git's part of it, and what mlbuild remembers, but for the cache; -shm is SQLite's
# lock table, which readers write to.
all_of() {
	find . -path ./cachedir -prune -o -path ./.mlbuild/cache -prune -o -name '*-shm' -prune -o \
		-type f -print -exec cksum {} + | sort
	find . -path ./cachedir -prune -o -path ./.mlbuild/cache -prune -o ! -type f -print | sort
}

same_as_before() {
	all_of >"$T_ROOT/after"
	if cmp -s "$T_ROOT/before" "$T_ROOT/after"; then
		pass
	else
		fail "the workspace was changed: $(diff "$T_ROOT/before" "$T_ROOT/after" | head -5)"
	fi
}

last_run() {
	mlbuild log --json | sed -n 's/.*"run":"\([^"]*\)".*/\1/p' | head -n 1
}

remember() {
	all_of >"$T_ROOT/before"
}

t_dir
project
first=$(cat models/m.txt)
for n in 2 3 4; do
	echo $n >v
	ok mlbuild
	t_commit "$n"
done
: >"$RAN"

t 'HEAD, and three commits back'
remember
ok mlbuild reproduce
out_has 'identical         model'
out_has 'identical         raw'
out_has 'identical         fold@k=2'
out_has 'identical         up'
err_has 'reproduced '
ok mlbuild reproduce HEAD~3 model
out_hasnt split
did ''
same_as_before

t 'the result is left in a directory'
ok mlbuild reproduce HEAD~3 --into ../result
eq "$(cat ../result/models/m.txt)" "$first"
eq "$(cat ../result/metrics/m.json)" '{"v": 1}'
eq "$(tail -n 1 ../result/raw.csv)" 20
eq "$(readlink ../result/dir/l)" b
there ../result/fold/1.txt ../result/up/one.txt
eq "$(cat ../result/logs/model.log)" training
test -x ../result/dir/b || fail 'dir/b is not executable'
did ''
same_as_before
code 2 mlbuild reproduce HEAD~3 --into ../result
err_has 'not an empty directory'
code 2 mlbuild reproduce HEAD~3 --into .mlbuild/x
code 2 mlbuild reproduce HEAD~3 --into v
mkdir ../empty
ok mlbuild reproduce HEAD~3 fold@k=1 --into ../empty
eq "$(find ../empty -type f)" ../empty/fold/1.txt
same_as_before

t 'words that mean nothing'
code 2 mlbuild reproduce nowhere
err_has "'nowhere' is no revision"
code 2 mlbuild reproduce model
err_has "'mlbuild reproduce HEAD model'"
code 2 mlbuild reproduce HEAD modle
err_has "revision 'HEAD'"
err_has "did you mean 'model'"
for bad in metrics.x metrics.x= =1 metrics.x=-1 metrics.x=nan metrics.x=1e metrics.x=1%% :a=1 b:=1; do
	code 2 mlbuild reproduce --tolerance "$bad"
	err_has "--tolerance '$bad'"
done
same_as_before

t 'as JSON'
ok mlbuild reproduce HEAD~1 model --json
out_has '"event":"reproduced","target":"model","kind":"model","result":"identical"'
out_has '"event":"done","commit":"'"$(git rev-parse HEAD~1)"
ok mlbuild reproduce HEAD~1 -q
eq "$(cat "$T_ALL")" ''

t 'the workspace is dirty, its ini broken, or of another world'
echo dirty >v
echo extra >>in/one.txt
echo '[model' >mlbuild.ini
git add in/one.txt
remember
ok mlbuild reproduce HEAD~3 --into ../r2
eq "$(cat ../r2/models/m.txt)" "$first"
same_as_before
printf '[report other]\nrun = true\n' >mlbuild.ini
remember
ok mlbuild reproduce HEAD~3 model
same_as_before
ok mlbuild reproduce HEAD~3 model --rebuild -j 1 --into ../r3
eq "$(cat ../r3/models/m.txt)" "$first"
did 'model split'
same_as_before

t 'from the commit when all else is gone'
git reset -q --hard
rm -rf .mlbuild models metrics data dir fold up raw.csv in v mlbuild.ini mlbuild.lock
ok mlbuild reproduce HEAD~3 --into ../r4
eq "$(cat ../r4/models/m.txt)" "$first"
eq "$(tail -n 1 ../r4/raw.csv)" 20
did ''
gone models mlbuild.ini .mlbuild/state.db .mlbuild/reproduce
git checkout -q .

t 'a source that nobody has'
ok mlbuild checkout raw
object=$(sha256sum <raw.csv | cut -c1-64)
rm -rf raw.csv .mlbuild
ok mlbuild reproduce HEAD~3 model
cp -r cachedir ../cachecopy
rm -rf cachedir
mkdir cachedir
code 1 mlbuild reproduce HEAD~3
out_has 'impossible        raw'
out_has "'raw.csv'"
out_has 'neither in git, nor in the cache, nor in the workspace'
out_has 'impossible        model'
out_has 'not in the cache'
out_has '; --rebuild makes them again'
out_has 'impossible        fold'
code 1 mlbuild reproduce HEAD~3 --rebuild model
out_has "its source 'raw.csv' is neither in git, nor in the cache, nor in the workspace"
out_has 'impossible        model'
did ''
seq 1 20 >raw.csv
eq "$(sha256sum <raw.csv | cut -c1-64)" "$object"
remember
ok mlbuild reproduce HEAD~3 raw
same_as_before
rm -rf cachedir
mv ../cachecopy cachedir

t 'a fresh clone with the cache of another'
top=$PWD
t_dir
git clone -q "$top" clone
cd clone || exit 1
printf '[cache]\ndir = %s/cachedir\n' "$top" >../config.ini
mkdir .mlbuild
cp ../config.ini .mlbuild/config.ini
ok mlbuild reproduce HEAD~3 --into ../r5
eq "$(cat ../r5/models/m.txt)" "$first"
eq "$(git status --porcelain)" ''
gone .mlbuild/reproduce .mlbuild/cache

t 'from a build of what was never committed: its pin, its run, its artifact'
t_dir
project
echo 99 >v
seq 3 30 >raw.csv
echo new >other.csv
echo other.csv >>.gitignore
cat >>mlbuild.ini <<-'INI'
	[dataset other]
	path = other.csv
	[report sum]
	run = cat ${model} ${other} > ${out}
	out = sum.txt
INI
pins() { git for-each-ref --format='%(objectname)' refs/mlbuild/pins; }
pins >../pins
ok mlbuild
run=$(last_run)
pin=$(pins | grep -vxFf ../pins)
dirty=$(cat models/m.txt) sum=$(cat sum.txt)
digest=$(sha256sum <models/m.txt | cut -c1-64)
git checkout -q .
ok mlbuild
: >"$RAN"
rm -rf other.csv raw.csv models metrics data sum.txt
remember
for word in "$run" "$pin"; do
	ok mlbuild reproduce "$word" --into ../got
	eq "$(cat ../got/models/m.txt)" "$dirty"
	eq "$(cat ../got/sum.txt)" "$sum"
	eq "$(cat ../got/other.csv)" new
	rm -rf ../got
done
ok mlbuild reproduce "sha256:$digest" --into ../got
eq "$(cat ../got/models/m.txt)" "$dirty"
gone ../got/sum.txt
rm -rf ../got
did ''
ok mlbuild reproduce "$run" --rebuild
match '^identical +sum$'
match '^identical +model$'
did 'model split'
same_as_before

t 'a run with -p is made again with it'
ok mlbuild checkout
ok mlbuild
printf '\n[params]\nn = 1\n[report p]\nrun = echo ${params:n} > ${out}\nout = p.txt\n' >>mlbuild.ini
t_commit params
ok mlbuild p
t_commit p
ok mlbuild -p n=77 p
run=$(last_run)
ok mlbuild reproduce "$run" p --into ../p77
eq "$(cat ../p77/p.txt)" 77
ok mlbuild reproduce "$run" p --rebuild --into ../p77b
eq "$(cat ../p77b/p.txt)" 77
ok mlbuild reproduce HEAD p --into ../p1
eq "$(cat ../p1/p.txt)" 1

t 'what is no ordinary file: links, line ends, exposed paths, Git LFS, a submodule'
t_dir
t_git
mkdir real sub .venv
echo x >.venv/tool
echo data >real/d
ln -s real/d link
echo outside >../outside
ln -s ../../outside sub/out
printf 'a\r\nb\r\n' >crlf.txt
put .gitattributes <<-'X'
	*.txt text eol=crlf
	*.bin filter=lfs -text
X
printf '.venv\n*.log\n' >.gitignore
put mlbuild.ini <<-'INI'
	[project]
	expose = .venv
	[dataset inside]
	path = link
	[dataset beyond]
	path = sub/out
	[dataset weights]
	path = w.bin
	[model m]
	run = cat ${inside} ${beyond} crlf.txt .venv/tool > ${out}; git status --short; git rev-parse HEAD; echo log > noise.log
	out = m.out
	[model large]
	run = cat ${weights} > ${out}
	out = large.out
INI
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 6\n' \
	"$(echo hello | sha256sum | cut -c1-64)" >w.bin
t_commit pointer
echo hello >w.bin
ok mlbuild
git add mlbuild.lock .gitignore
git commit -qm built
ok mlbuild reproduce HEAD --rebuild --into ../odd
for target in inside beyond weights m large; do
	match "^identical +$target\$"
done
has "$(git rev-parse HEAD)"
eq "$(cat ../odd/large.out)" hello
rm -r .mlbuild/cache w.bin
code 1 mlbuild reproduce HEAD --rebuild
out_has "'w.bin' is kept by Git LFS"
match '^impossible +large$'
mkdir -p ".git/lfs/objects/58/91"
echo hello >".git/lfs/objects/58/91/$(echo hello | sha256sum | cut -c1-64)"
ok mlbuild reproduce HEAD --rebuild large
match '^identical +large$'
git init -q ../other
git -C ../other commit -q --allow-empty -m x
echo 1 >../other/f
git -C ../other add f
git -C ../other commit -qm f
ok git -c protocol.file.allow=always submodule --quiet add ../other mod
printf '[model s]\nrun = cat mod/f > ${out}\nneeds = mod/f\nout = s.out\n' >>mlbuild.ini
git add mlbuild.ini
git commit -qm submodule
code 1 mlbuild reproduce HEAD s --rebuild
out_has 'no result to compare it with'
ok mlbuild -q s
t_commit lock
ok mlbuild reproduce HEAD s --rebuild
match '^identical +s$'
git submodule --quiet deinit -f mod
code 2 mlbuild reproduce HEAD s --rebuild
err_has "of whose submodule 'mod' the files are not here"

t 'in a directory of a larger repository, and a work tree of it'
t_dir
git init -q .
mkdir -p a/b
cd a/b || exit 1
printf '*.secret\n' >../.gitignore
put mlbuild.ini <<-'INI'
	[dataset raw]
	path = raw.secret
	[model m]
	run = cat ${raw} > ${out}; echo log > x.secret
	out = m.txt
INI
echo 1 >raw.secret
ok mlbuild
(cd ../.. && git add -A && git commit -qm one)
ok mlbuild reproduce HEAD m
ok mlbuild reproduce HEAD --rebuild
out_has 'identical         m'
git worktree add -q ../../../wt HEAD
cache=$PWD/.mlbuild/cache
cd ../../../wt/a/b || exit 1
mkdir .mlbuild
printf '[cache]\ndir = %s\n' "$cache" >.mlbuild/config.ini
ok mlbuild reproduce HEAD --rebuild
out_has 'identical         m'

t 'an experiment, also one that a colleague pulled'
t_dir
t_git
put mlbuild.ini <<-'INI'
	[params]
	C = 1
	[model m]
	run = echo ${params:C} > ${out}
	out = m.txt
INI
ok mlbuild
t_commit one
ok mlbuild sweep -p C=2,3 m
for ref in $(git for-each-ref --format='%(refname)' refs/mlbuild/experiments); do
	value=$(git log -1 --format=%B "$ref" | sed -n 's/^Mlbuild-Param: C=//p')
	ok mlbuild reproduce "${ref##*/}" --into ../e
	eq "$(cat ../e/m.txt)" "$value"
	rm -r ../e
	ok mlbuild reproduce "$ref" --rebuild
	match '^identical +m$'
done
ok git clone -q . ../pulled
ok git -C ../pulled fetch -q origin 'refs/mlbuild/experiments/*:refs/mlbuild/experiments/*'
cp -r .mlbuild/cache ../cache
cd ../pulled || exit 1
mkdir .mlbuild
mv ../cache .mlbuild/cache
ok mlbuild reproduce "${ref##*/}" --rebuild --into ../e
eq "$(cat ../e/m.txt)" "$value"

t 'a lock that is older than the commit'
t_dir
t_git
put mlbuild.ini <<-'INI'
	[dataset raw]
	path = raw.csv
	[model m]
	run = cat ${raw} > ${out}
	out = m.txt
INI
echo 1 >raw.csv
ok mlbuild
echo 2 >raw.csv
t_commit 'and not built'
ok mlbuild reproduce HEAD --into ../old
out_has 'git has other bytes of it than mlbuild.lock names'
out_has "the lock's result is of other inputs than the commit has: input raw.csv changed"
eq "$(cat ../old/m.txt)" 1
code 1 mlbuild reproduce HEAD --rebuild
out_has 'made from other inputs: input raw.csv changed'
ok mlbuild
ok mlbuild reproduce HEAD --rebuild --into ../new
eq "$(cat ../new/m.txt)" 2

t 'no commit, no repository'
t_dir
put mlbuild.ini </dev/null
code 2 mlbuild reproduce
err_has 'reproducing needs a git repository'
t_git
code 2 mlbuild reproduce
err_has "'HEAD' is no revision"
git commit -q --allow-empty -m nothing
code 2 mlbuild reproduce
err_has "there is no mlbuild.ini in 'HEAD'"
gone .mlbuild/reproduce

done_testing
