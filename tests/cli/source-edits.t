# A source that git does not track, edited and built but in no commit: it is the user's, whatever the cache has.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	: >"$RAN"
	put .gitignore <<-'X'
		raw.csv
		raw/
	X
	put mlbuild.ini <<-'X'
		[dataset one]
		path = raw.csv
		[dataset many]
		path = raw
		[model m]
		run = echo m >>"$RAN"; cat ${one} ${many}/a > ${out}
		out = m.txt
	X
	mkdir raw
	echo 1 >raw.csv
	echo 1 >raw/a
	echo 1 >raw/b
	ok mlbuild
}

edit() {
	echo "$1" >raw.csv
	echo "$1" >raw/a
	ok mlbuild
}

aside() {
	cat .mlbuild/aside/*/"$1" 2>/dev/null
}

t what no commit names moves aside, with a note
project
t_git
t_commit first
edit 2
ok mlbuild checkout --rev HEAD
eq "$(cat raw.csv raw/a)" '1
1'
eq "$(aside raw.csv)" 2
eq "$(aside raw/a)" 2
eq "$(find .mlbuild/aside -type f | wc -l | tr -d ' ')" 2
err_has '.mlbuild/aside'

t what some commit names is replaced
rm -rf .mlbuild/aside
edit 3
t_commit third
git branch other
ok mlbuild checkout --rev HEAD~1
eq "$(cat raw.csv raw/a)" '1
1'
gone .mlbuild/aside
ok mlbuild checkout
eq "$(cat raw.csv raw/a)" '3
3'
gone .mlbuild/aside

t also one of another branch
git checkout -q -b more HEAD~1
ok mlbuild checkout
eq "$(cat raw.csv raw/a)" '1
1'
gone .mlbuild/aside

t a pin alone does not keep it
edit 4
ok mlbuild checkout --rev HEAD
eq "$(aside raw.csv)" 4
rm -rf .mlbuild/aside

t with --force it goes
edit 5
ok mlbuild checkout --rev HEAD --force
eq "$(cat raw.csv)" 1
gone .mlbuild/aside

t without git what the lock names stays where it is
project
edit 2
ok mlbuild checkout
err_has 'everything is in place'
eq "$(cat raw.csv raw/a)" '2
2'
done_testing
