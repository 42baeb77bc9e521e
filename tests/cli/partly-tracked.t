# A source of which git tracks a part: that part is git's, the rest is what the lock names.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	t_git
	: >"$RAN"
	put .gitignore <<-'X'
		*.bin
	X
	put mlbuild.ini <<-'X'
		[dataset raw]
		path = data
		[model m]
		run = echo m >>"$RAN"; cat ${raw}/README ${raw}/a.bin > ${out}
		out = m.txt
	X
	mkdir -p data/sub data/tracked
	echo readme >data/README
	echo tracked >data/tracked/t.txt
	echo a >data/a.bin
	echo b >data/sub/b.bin
	ln -s a.bin data/sub.bin
	ok mlbuild
	t_commit first
	: >"$RAN"
}

t what git does not track comes back, and what it tracks is left to it
project
rm -r data/a.bin data/sub data/sub.bin
echo mine >>data/README
rm -r data/tracked
ok mlbuild checkout
eq "$(cat data/a.bin data/sub/b.bin)" 'a
b'
eq "$(readlink data/sub.bin)" a.bin
eq "$(cat data/README)" 'readme
mine'
gone data/tracked .mlbuild/aside
err_has 'checked out'
git checkout -q data
ok mlbuild
did ''
err_has 'up to date'

t a second one finds all in place, also where git has something to say
echo mine >>data/README
rm data/tracked/t.txt
ok mlbuild checkout
err_has 'everything is in place'
eq "$(tail -n 1 data/README)" mine
gone data/tracked/t.txt
git checkout -q data

t what is missing is told where no cache has it
rm data/a.bin
cp -R . "$T_DIR.copy"
cd "$T_DIR.copy" || exit 1
rm -rf .mlbuild
code 1 mlbuild checkout raw
err_has 'data'
err_hasnt 'in place'
cd "$T_DIR" || exit 1
rm -r "$T_DIR.copy"
ok mlbuild checkout raw
there data/a.bin

t what was edited moves aside, what nobody named stays
echo 'my a' >data/a.bin
echo new >data/new.bin
echo new >data/new.txt
ok mlbuild checkout
eq "$(cat data/a.bin)" a
eq "$(cat data/new.bin data/new.txt)" 'new
new'
eq "$(cat .mlbuild/aside/*/data/a.bin)" 'my a'
err_has '.mlbuild/aside'
rm data/new.bin data/new.txt

t another commit
echo a2 >data/a.bin
echo readme2 >data/README
ok mlbuild
t_commit second
rm -rf .mlbuild/aside
ok mlbuild checkout --rev HEAD~1 raw
eq "$(cat data/a.bin data/README)" 'a
readme2'
gone .mlbuild/aside
ok mlbuild checkout
eq "$(cat data/a.bin)" a2

t the whole directory is gone
rm -rf data m.txt
code 1 mlbuild
err_has 'git checkout -- data'
err_has 'mlbuild checkout'
git checkout -q -- data
ok mlbuild checkout
ok mlbuild
did m
err_hasnt 'missing'
there data/a.bin m.txt

t all of it is tracked
project
git add -f data
git commit -qm all
rm data/a.bin
ok mlbuild checkout
gone data/a.bin
err_has 'everything is in place'
echo mine >data/untracked
ok mlbuild checkout
there data/untracked

t a file where git has a directory is not what git has
t_dir
t_git
put mlbuild.ini <<'X'
[dataset raw]
path = data
X
mkdir data
echo t >data/t
t_commit first
rm -r data
echo 'now a file' >data
ok mlbuild
ok mlbuild cat raw
out_has 'now a file'
done_testing
