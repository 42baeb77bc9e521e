# Repositories that libgit2 cannot read, or reads otherwise than git: builds work in all of them.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

# The project, and a directory that a sparse work tree leaves out.
project() {
	t_dir
	git init -q "$@" . || exit 1
	chain
	mkdir -p kept left/deep
	echo kept >kept/file
	echo left >left/deep/file
	mlbuild -q
	: >"$RAN"
	t_commit
}

t a sparse work tree: what is skipped is not deleted in a pin
for kind in --no-sparse-index --sparse-index; do
	project
	git sparse-checkout set --cone $kind kept
	gone left
	untouched mlbuild -f c
	eq "$(pin_of c)" "$(git rev-parse HEAD)"
	: >"$RAN"
	echo three >>in.txt
	untouched mlbuild
	did 'a b c'
	pin=$(pin_of c)
	eq "$(git diff-tree -r --name-status HEAD "$pin" | grep -v lock)" 'M	in.txt'
	eq "$(git show "$pin:left/deep/file")" left
done

t a source that is skipped is told apart from a deleted one
printf '[dataset left]\npath = left/deep/file\n[report e]\nrun = cp ${left} ${out}\nout = out/e.txt\n' >>mlbuild.ini
code 1 mlbuild e
has 'sparse checkout'
git sparse-checkout add left
ok mlbuild e
rm left/deep/file
code 1 mlbuild e
has 'git checkout -- left/deep/file'

t a directory that is an input, with files that are skipped
project
printf '[report e]\nneeds = left\nrun = ls ${left} >${out}\nout = out/e.txt\n[dataset left]\npath = left\n' >>mlbuild.ini
echo 2 >left/other
t_commit
git sparse-checkout set --no-cone '/*' '!/left/other'
gone left/other
untouched mlbuild e
eq "$(pin_of e)" "$(git rev-parse HEAD)"
echo changed >left/deep/file
untouched mlbuild e
eq "$(git diff-tree -r --name-status HEAD "$(pin_of e)" -- left)" 'M	left/deep/file'

t a split index
project
git update-index --split-index
untouched mlbuild -f c
eq "$(pin_of c)" "$(git rev-parse HEAD)"
echo three >>in.txt
untouched mlbuild
eq "$(git diff-tree -r --name-status HEAD "$(pin_of c)" | grep -v lock)" 'M	in.txt'
git add in.txt
untouched mlbuild -f c
eq "$(git diff-tree -r --name-status HEAD "$(pin_of c)" | grep -v lock)" 'M	in.txt'

t what is set for one work tree alone is heeded
project
git config extensions.worktreeConfig true
git worktree add -q ../limits-tree
cd ../limits-tree || exit 1
git config --worktree core.autocrlf true
git config --worktree core.excludesFile "$T_ROOT/excludes"
echo '*.aside' >"$T_ROOT/excludes"
sed 's/$/\r/' in.txt >x && mv x in.txt
untouched mlbuild
eq "$(pin_of c)" "$(git rev-parse HEAD)"

t a partial clone fetches what it is asked for
project
cp mlbuild.lock "$T_ROOT/first.lock"
echo three >>in.txt
ok mlbuild
t_commit two
git config uploadpack.allowFilter true
git config uploadpack.allowAnySHA1InWant true
git clone -q --filter=blob:none "file://$PWD" ../partial
cd ../partial || exit 1
lock=$(git rev-parse HEAD~1:mlbuild.lock)
eq "$(GIT_NO_LAZY_FETCH=1 git rev-list --objects --missing=print --all | grep -c "?$lock")" 1
untouched mlbuild ls --rev HEAD~1 a
out_has out/a.txt
eq "$(git show HEAD~1:mlbuild.lock | cksum)" "$(cksum <"$T_ROOT/first.lock")"
git clone -q --filter=blob:none "file://$PWD/../dir$T_DIRS" ../offline
cd ../offline || exit 1
git remote set-url origin "$PWD/nowhere"
code 1 mlbuild ls --rev HEAD~1 a
has "git does not have the blob '$lock'"
ok mlbuild

t a filter that is a program: what is clean for git is clean
project
git config filter.rot.clean 'tr a-z b-za'
git config filter.rot.smudge 'tr b-za a-z'
echo '*.txt filter=rot' >.gitattributes
git add --renormalize . && t_commit filter
touch -d '2001-01-01' in.txt
untouched mlbuild -f c
eq "$(pin_of c)" "$(git rev-parse HEAD)"
echo three >>in.txt
untouched mlbuild
eq "$(git show "$(pin_of c):in.txt" | tail -1)" uisff
eq "$(git cat-file --filters "$(pin_of c):in.txt" | tail -1)" three

t pointers of Git LFS, whose program is not there, are files as any
project
echo '*.txt filter=lfs' >.gitattributes
t_commit lfs
untouched mlbuild -f c
eq "$(pin_of c)" "$(git rev-parse HEAD)"

t SHA-256: builds work, and one note says that there are no pins
project --object-format=sha256
eq "$(git ls-files out | wc -l)" 0
ok grep -q '^/out/a.txt' .gitignore
echo three >>in.txt
untouched mlbuild
did 'a b c'
hasnt 'no pin'
rm -rf .mlbuild
untouched mlbuild -f c
has 'no pins: the git repository of'
has 'names its objects by SHA-256'
ok mlbuild doctor
has 'builds work as outside of git'
code 2 mlbuild pins
has 'there are no pins: the git repository of'
code 2 mlbuild ls --rev HEAD a
has "'--rev' needs a git repository"
code 2 mlbuild init --hooks
has 'there is no git that would run hooks'
untouched mlbuild
hasnt 'no pin'

t SHA-256: gc asks git what branches, tags and work trees need
t_dir
git init -q --object-format=sha256 . 2>/dev/null
mkdir below
cd below || exit 1
put mlbuild.ini <<'X'
[feature f]
run = cat in.txt > ${out}; head -c 200000 /dev/zero >> ${out}
needs = in.txt
out = f.txt
X
for v in main side tag tree lost; do
	git checkout -q -b $v 2>/dev/null
	echo $v >in.txt
	ok mlbuild -q
	[ $v = lost ] || t_commit $v
done
git tag -a -m t v1 tag
git branch -q -D tag
git checkout -q -f main
git worktree add -q --detach ../other tree 2>/dev/null
git branch -q -D tree lost
objects() { find .mlbuild/cache/v1/objects -type f | wc -l; }
eq "$(objects)" 5
find .mlbuild/cache -type f ! -path '*/leases/*' -exec touch -d '2 days ago' {} +
ok mlbuild gc --keep-days 0
eq "$(objects)" 4
for rev in side v1 tree; do
	[ $rev = tree ] && rev=$(git -C ../other rev-parse HEAD)
	git checkout -q -f --detach "$rev"
	rm -f f.txt
	ok mlbuild checkout
	eq "$(head -n 1 f.txt | tr -d '\0')" "$(cat in.txt)"
done
mv ../.git/objects ../.git/away
mkdir ../.git/objects
code 1 mlbuild gc --keep-days 0
has 'names its objects by SHA-256'
has 'nothing is removed'
eq "$(objects)" 4

if [ "$(id -u)" = 0 ]; then
	t 'a repository of another user: as git has it, safe.directory and * too'
	project
	chown 4711 . .git
	unset SUDO_UID
	code 2 mlbuild
	has "safe.directory '$PWD'"
	git config --global safe.directory '*'
	untouched mlbuild
	echo three >>in.txt
	untouched mlbuild
	eq "$(git rev-parse "$(pin_of c)^")" "$(git rev-parse HEAD)"
	chown 0 . .git
	git config --global --unset-all safe.directory
fi

done_testing
