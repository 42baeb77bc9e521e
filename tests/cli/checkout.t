# checkout puts into the workspace what the lock names, and loses nothing of the user's.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	: >"$RAN"
	put raw.csv <<-'X'
		1
		2
	X
	put mlbuild.ini <<-'INI'
		[dataset raw]
		path = raw.csv
		[dataset split]
		run = echo split >>"$RAN"; cp ${raw} ${out:train}; head -n 1 ${raw} > ${out:test}
		out.train = data/train.csv
		out.test = data/test.csv
		[feature dir]
		run = echo dir >>"$RAN"; mkdir -p ${out}/sub/empty; cp ${raw} ${out}/a; cp ${raw} ${out}/sub/b; ln -s sub/b ${out}/l; printf '#!/bin/sh\n' >${out}/x; chmod +x ${out}/x
		out = dir/
		[model m]
		matrix.k = 1 2
		run = echo m >>"$RAN"; echo ${matrix:k} > ${out}
		out = m/${matrix:k}.txt
		[feature up]
		each = in/*
		run = echo up >>"$RAN"; cp ${each} ${out}
		out = up/${each:stem}.up
	INI
	mkdir -p in
	echo one >in/one.txt
	echo two >in/two.txt
	ok mlbuild
	: >"$RAN"
}

outputs() {
	find data dir m up raw.csv 2>/dev/null | sort
	find data dir m up raw.csv -type f -exec cksum {} + 2>/dev/null | sort
	find data dir m up -type f -perm -100 2>/dev/null
	readlink dir/l
}

# A file with this text somewhere below .mlbuild/aside.
kept() {
	if grep -rqxF -e "$1" .mlbuild/aside 2>/dev/null; then
		pass
	else
		fail "expected a file with '$1' in .mlbuild/aside"
	fi
}

t_dir
project
all=$(outputs)

t everything is in place
ok mlbuild checkout
err_has 'everything is in place'
did ''

t everything is absent, and nothing runs
rm -r data dir m up raw.csv
ok mlbuild checkout
eq "$(outputs)" "$all"
err_has 'checked out'
did ''
ok mlbuild
did ''
err_has 'up to date'

t some of it
rm -r data dir m up
ok mlbuild checkout split m@k=2
there data/train.csv data/test.csv m/2.txt
gone dir m/1.txt up
ok mlbuild checkout m
there m/1.txt
ok mlbuild checkout up/two.up
there up/two.up
gone up/one.up
ok mlbuild checkout feature
there up/one.up dir/a
eq "$(outputs)" "$all"
rm -r dir
ok mlbuild checkout 'd*'
eq "$(outputs)" "$all"

t words that mean nothing
code 2 mlbuild checkout splt
err_has "did you mean 'split'"
code 2 mlbuild checkout nothing-like-it
code 2 mlbuild checkout --link sideways
cat >>mlbuild.ini <<'INI'
[report later]
run = touch ${out}
out = later.txt
INI
code 2 mlbuild checkout later
err_has 'build it first'

t only what differs is written
rm dir/a
before=$(stat -c '%n %i %y %z' dir/sub/b dir/x data/* m/* up/*)
ok mlbuild checkout --json
out_has '"files":1'
out_has '"event":"progress"'
eq "$(stat -c '%n %i %y %z' dir/sub/b dir/x data/* m/* up/*)" "$before"
eq "$(outputs)" "$all"

t an executable bit and a link are content too
chmod -x dir/x
ln -sf a dir/l
ok mlbuild checkout
eq "$(outputs)" "$all"

t files that no target owns are left alone
echo mine >data/mine.csv
echo mine >m/notes
mkdir -p up/own
ok mlbuild checkout
rm data/train.csv m/1.txt up/one.up
ok mlbuild checkout
eq "$(cat data/mine.csv m/notes)" 'mine
mine'
there up/own
rm -r data/mine.csv m/notes up/own

t what was edited is moved aside
rm -rf .mlbuild/aside
rm -f data/train.csv dir/a
echo 'my train' >data/train.csv
echo 'my a' >dir/a
echo 'my new file' >dir/sub/new
mkdir dir/more
echo 'my other file' >dir/more/o
ok mlbuild checkout
eq "$(outputs)" "$all"
kept 'my train'
kept 'my a'
kept 'my new file'
kept 'my other file'
err_has '.mlbuild/aside'
eq "$(find .mlbuild/aside -type f | wc -l)" 4

t a link that was added is moved aside
rm -rf .mlbuild/aside
ln -s ../sub dir/sub/l2
ok mlbuild checkout
eq "$(outputs)" "$all"
eq "$(readlink .mlbuild/aside/*/dir/sub/l2)" ../sub

t what the cache has needs no keeping
rm -rf .mlbuild/aside
rm -f data/train.csv
cp raw.csv dir/sub/copy
cp data/test.csv data/train.csv
ok mlbuild checkout
eq "$(outputs)" "$all"
gone .mlbuild/aside

t --force keeps nothing
rm -f data/train.csv dir/a
echo 'lost' >data/train.csv
echo 'lost' >dir/a
echo 'lost' >dir/new
ok mlbuild checkout --force
eq "$(outputs)" "$all"
gone .mlbuild/aside

t another sort of thing in the way
rm -r dir data/train.csv
echo 'my file' >dir
mkdir data/train.csv
echo 'my inner file' >data/train.csv/f
ok mlbuild checkout
eq "$(outputs)" "$all"
kept 'my file'
kept 'my inner file'
err_has "'data/train.csv': a directory with what no cache has is kept"
err_has "'dir': a file that no cache has is kept"
rm -rf .mlbuild/aside
rm -r dir
mkdir elsewhere
echo precious >elsewhere/p
ln -s ../elsewhere dir
ln -s ../elsewhere dir2
rm -r dir
ln -s elsewhere dir
ok mlbuild checkout
eq "$(outputs)" "$all"
eq "$(cat elsewhere/p)" precious
rm dir2
echo x >dir/sub/b.not
rm -r dir/sub
echo 'my sub' >dir/sub
ok mlbuild checkout
eq "$(outputs)" "$all"
kept 'my sub'
rm -rf .mlbuild/aside

t a directory in the way is removed with --force
rm data/train.csv
mkdir -p data/train.csv/deep
echo x >data/train.csv/deep/x
ok mlbuild checkout --force
eq "$(outputs)" "$all"
gone .mlbuild/aside

t ways to link
for how in copy hardlink reflink; do
	rm -r data dir m up
	ok mlbuild checkout --link $how
	eq "$(outputs)" "$all"
done

t nothing is left behind
eq "$(find . -name '.mlbuild-*')" ''
eq "$(find .mlbuild/tmp -mindepth 2)" ''

t bytes that are nowhere
rm -rf .mlbuild/cache
rm -r dir data/train.csv
code 1 mlbuild checkout
err_has 'dir'
err_has 'cache does not have'
there data/test.csv raw.csv
ok mlbuild
eq "$(outputs)" "$all"

t the lock of another commit
t_dir
t_git
: >"$RAN"
put mlbuild.ini <<'INI'
[params]
x = 1
[dataset raw]
path = raw/
[feature dir]
run = echo dir >>"$RAN"; for i in 1 2 3 4 5; do echo $i >${out}/$i; done; echo ${params:x} >${out}/x
out = dir/
[model m]
run = echo ${params:x} > ${out}
out = m.txt
INI
mkdir raw
echo first >raw/a
printf 'raw/\n' >.gitignore
ok mlbuild
t_commit one
git tag v1
sed 's/x = 1/x = 2/' mlbuild.ini >new && mv new mlbuild.ini
echo second >raw/a
echo more >raw/b
sed 's/model m/model n/; s/m.txt/n.txt/' mlbuild.ini >new && mv new mlbuild.ini
ok mlbuild
t_commit two
: >"$RAN"
ok mlbuild checkout --rev v1
eq "$(cat dir/x m.txt raw/a)" '1
1
first'
gone raw/b
there n.txt
git diff --quiet || fail 'a file that git tracks was changed'
ok mlbuild checkout
eq "$(cat dir/x n.txt raw/a raw/b)" '2
2
second
more'
ok mlbuild checkout --rev v1 m
code 2 mlbuild checkout --rev v1 n
err_has 'v1'
code 2 mlbuild checkout --rev no-such
err_has 'no-such'
did ''

t with git checkout, as one does
git checkout -q v1
ok mlbuild checkout
eq "$(cat dir/x m.txt raw/a)" '1
1
first'
ok mlbuild
did ''
git checkout -q main
ok mlbuild checkout
eq "$(cat dir/x raw/a raw/b)" '2
second
more'

t an edited source is kept
echo 'my edit' >raw/a
ok mlbuild checkout
eq "$(cat raw/a)" second
kept 'my edit'

t ignored files of a source
t_dir
t_git
put mlbuild.ini <<'INI'
[dataset raw]
path = data/
INI
printf 'data/\n' >.gitignore
mkdir -p data/sub
echo old >data/notes.tmp
echo x >data/sub/x
echo wide >data/wide
ok mlbuild
t_commit one
git tag v1
rm -r data/sub data/wide
echo '*.tmp' >.mlbuildignore
echo sub >>.mlbuildignore
echo 'my notes' >data/notes.tmp
ln -s notes.tmp data/sub
mkdir data/wide
echo 'my work' >data/wide/work.tmp
echo y >data/wide/y
ok mlbuild
t_commit two
echo 'my y' >data/wide/y
ok mlbuild checkout --rev v1
eq "$(cat data/notes.tmp data/sub/x data/wide)" 'old
x
wide'
kept 'my notes'
kept 'my work'
kept 'my y'
eq "$(find .mlbuild/aside -type l)" "$(echo .mlbuild/aside/*/data/sub)"

t ignored files of a source, with --force
rm data/notes.tmp data/wide
rm -r data/sub
echo z >data/notes.tmp
mkdir data/wide
echo 'my work' >data/wide/work.tmp
ln -s notes.tmp data/sub
ok mlbuild checkout --rev v1 --force
eq "$(cat data/notes.tmp data/sub/x data/wide)" 'old
x
wide'

t a source that was a file and is a directory with ignored files
t_dir
t_git
put mlbuild.ini <<'INI'
[dataset raw]
path = data
INI
echo 'data' >.gitignore
echo '*.tmp' >.mlbuildignore
echo file >data
ok mlbuild
t_commit one
rm data
mkdir data
echo x >data/x
echo 'my work' >data/work.tmp
ok mlbuild
t_commit two
ok mlbuild checkout --rev HEAD~1
eq "$(cat data)" file
kept 'my work'

t no source is one file with what the cache has
if setpriv --version >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	t_dir
	put mlbuild.ini <<-'INI'
		[dataset raw]
		path = raw.bin
		[dataset dir]
		path = dd
		[feature copy]
		run = cp ${raw} ${out}
		out = out.bin
	INI
	mkdir dd
	head -c 2000000 /dev/zero >raw.bin
	head -c 2000001 /dev/zero >dd/x
	chmod 711 "$T_ROOT" && chmod -R a+rwX "$T_DIR" || exit 1
	cp "$MLBUILD" "$T_ROOT/program" && chmod 755 "$T_ROOT/program"
	as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$T_ROOT/program" "$@"; }
	ok as_user
	rm -r raw.bin dd out.bin
	ok as_user checkout --link hardlink
	eq "$(stat -c %h raw.bin dd/x out.bin)" '1
1
2'
fi

t a source that git tracks is left to git
t_dir
t_git
put mlbuild.ini <<'INI'
[dataset raw]
path = raw.csv
INI
echo 1 >raw.csv
t_commit one
ok mlbuild
echo 2 >raw.csv
ok mlbuild checkout
eq "$(cat raw.csv)" 2
rm raw.csv
ok mlbuild checkout
gone raw.csv

t no build makes a source again
t_dir
put mlbuild.ini <<'INI'
[dataset raw]
path = raw.csv
[dataset other]
path = other.csv
[feature f]
run = cat ${raw} >${out}
out = f.txt
INI
echo 1 >raw.csv
echo 2 >other.csv
ok mlbuild
rm -r .mlbuild raw.csv
code 1 mlbuild checkout
err_has 'does not have 1 source, and no build makes it'
err_hasnt 'again'
rm f.txt
code 1 mlbuild checkout
err_has 'does not have 2 outputs, of which 1 is a source'

t a source that is a link is left as it is
t_dir
mkdir outside
echo 1 >outside/a
put mlbuild.ini <<'INI'
[dataset raw]
path = raw
INI
ln -s outside raw
ok mlbuild
echo 2 >outside/a
ok mlbuild checkout
err_has "'raw' is a link"
eq "$(cat outside/a)" 2

t a damaged cache takes nothing away
t_dir
put mlbuild.ini <<'INI'
[model m]
run = echo 1 > ${out}
out = m.txt
[feature d]
run = echo 1 > ${out}/a
out = d/
INI
ok mlbuild
rm -r m.txt d
mkdir m.txt
echo p >m.txt/p
echo q >d
for pack in .mlbuild/cache/v1/packs/*; do : >"$pack"; done
code 1 mlbuild checkout --force
eq "$(cat m.txt/p d)" 'p
q'
code 1 mlbuild checkout
eq "$(cat m.txt/p d)" 'p
q'
eq "$(find .mlbuild/tmp -mindepth 2)" ''

t a pipe and a link out of an output
t_dir
put mlbuild.ini <<'INI'
[feature d]
run = echo 1 > ${out}/a
out = d/
[feature e]
run = echo 1 > ${out}/a
out = e/
INI
ok mlbuild
mkfifo d/pipe
echo 'my d' >d/mine
ln -s ../../elsewhere e/l
ok mlbuild checkout
eq "$(find d e | sort)" 'd
d/a
e
e/a'
kept 'my d'
eq "$(readlink .mlbuild/aside/*/e/l)" ../../elsewhere

t files of inputs that the commit does not have leave the collection of each
t_dir
t_git
project
t_commit one
echo three >in/three.txt
rm in/one.txt
ok mlbuild
t_commit two
: >"$RAN"
git checkout -q HEAD~1
ok mlbuild checkout
eq "$(ls up)" "$(printf 'one.up
two.up')"
err_has '1 file removed'
ok mlbuild status
out_has 'everything is up to date'
git checkout -q -
echo mine >up/mine
mkdir up/deep
echo deep >up/deep/mine
echo tracked >up/tracked
git add -f up/tracked
ok mlbuild checkout --json
out_has '"removed":1'
out_has '"kept":2'
eq "$(ls up)" "$(printf 'three.up
tracked
two.up')"
kept mine
kept deep
git rm -qf up/tracked
echo mine >up/mine
rm up/two.up
ok mlbuild checkout up/two.up
there up/mine
ok mlbuild checkout --force
gone up/mine
err_has '1 file removed'
did ''

t bytes that are nowhere, as JSON
t_dir
put mlbuild.ini <<'INI'
[model m]
run = echo 1 > ${out}
out = m.txt
INI
ok mlbuild
rm -r m.txt .mlbuild
code 1 mlbuild checkout --json
out_has '"event":"blocked","target":"m"'

t nothing was ever built
t_dir
put mlbuild.ini <<'INI'
[model m]
run = echo 1 > ${out}
out = m.txt
INI
ok mlbuild checkout
err_has 'everything is in place (0 outputs)'
gone m.txt

t a name in the way of a parent
t_dir
put mlbuild.ini <<'INI'
[model m]
run = echo 1 > ${out}
out = d/m.txt
INI
ok mlbuild
rm -r d
echo file >d
code 1 mlbuild checkout
err_has 'd'
eq "$(cat d)" file

done_testing
