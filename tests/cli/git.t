# Git: pins, .gitignore, and nothing else is touched.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

t where the inputs equal HEAD the pin is HEAD
t_dir
t_git
chain
t_commit
head=$(git rev-parse HEAD)
ok mlbuild
did 'a b c d'
eq "$(pin_of c)" "$head"
eq "$(git for-each-ref refs/mlbuild | wc -l)" 0

t where they do not it is a snapshot, with parent HEAD
t_commit lock
head=$(git rev-parse HEAD)
echo three >>in.txt
index=$(git ls-files -s | cksum)
ok mlbuild
did 'a b c'
pin=$(pin_of c)
[ "$pin" != "$head" ] && pass || fail 'the pin is HEAD'
eq "$(git rev-parse "$pin^")" "$head"
eq "$(git show "$pin:in.txt")" "$(cat in.txt)"
eq "$(git show "$pin:other.txt")" "$(cat other.txt)"
ok git cat-file -e "$pin:mlbuild.ini"
eq "$(git for-each-ref 'refs/mlbuild/pins/*' | grep -c "$pin")" 1

t index, work tree and branches are not touched
eq "$(git ls-files -s | cksum)" "$index"
eq "$(git rev-parse HEAD)" "$head"
eq "$(git status --short | sort)" ' M in.txt
 M mlbuild.lock'

t equal inputs give the same pin
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" 1
# The lock, which the build above has changed, is in the tree of a pin.
ok mlbuild -f c
pin=$(pin_of c)
ok mlbuild -f c
eq "$(pin_of c)" "$pin"

t a build makes one snapshot, whatever the number of its targets
echo four >>in.txt
: >"$RAN"
before=$(git for-each-ref refs/mlbuild/pins | wc -l)
ok mlbuild
did 'a b c'
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" $((before + 1))
eq "$(pin_of a)" "$(pin_of c)"
eq "$(git for-each-ref refs/mlbuild/pins | grep -c "$(pin_of c)")" 1

t ignored files are not in a pin
git checkout -q .
printf 'secret.txt\n' >>.gitignore
echo hidden >secret.txt
change mlbuild.ini 'cp other.txt' 'cat secret.txt >/dev/null; cp other.txt'
ok mlbuild
pin=$(pin_of d)
code 128 git cat-file -e "$pin:secret.txt"

t files that git does not know yet are in it, if they are inputs
echo 1 >new.txt
echo 2 >unrelated.txt
change mlbuild.ini 'cat secret.txt' 'cat new.txt'
ok mlbuild
pin=$(pin_of d)
eq "$(git show "$pin:new.txt")" 1
code 128 git cat-file -e "$pin:unrelated.txt"

t 'outputs are ignored in one marked block; what git tracks is left alone'
t_dir
t_git
chain
printf '*.bak\n' >.gitignore
t_commit
ok mlbuild
eq "$(head -n 1 .gitignore)" '*.bak'
eq "$(git status --short --untracked-files=all)" ' M .gitignore
?? mlbuild.lock'
cp .gitignore "$T_ROOT/gi"
ok mlbuild
ok cmp .gitignore "$T_ROOT/gi"
printf '*.swp\n' >>.gitignore
sed '/report d/,$d' mlbuild.ini >new.ini && mv new.ini mlbuild.ini
echo three >>in.txt
ok mlbuild
eq "$(tail -n 1 .gitignore)" '*.swp'
eq "$(grep -c d.txt .gitignore)" 0

t a block that is lost is put back
ok mlbuild
: >"$RAN"
cp .gitignore "$T_ROOT/gi"
printf '*.bak\n' >.gitignore
ok mlbuild
did ''
has .gitignore
eq "$(head -n 1 .gitignore)" '*.bak'
eq "$(grep -c 'out/' .gitignore)" 3
rm .gitignore
ok mlbuild
did ''
eq "$(grep -c 'out/' .gitignore)" 3
cp .gitignore "$T_ROOT/gi"
rm .gitignore
ok mlbuild b
did ''
ok cmp .gitignore "$T_ROOT/gi"
ok mlbuild
hasnt .gitignore

t but not with --locked
rm .gitignore
ok mlbuild --locked
gone .gitignore
ok mlbuild
ok cmp .gitignore "$T_ROOT/gi"

t a project in a subdirectory of the repository
t_dir
t_git
mkdir -p sub/project
echo top >top.txt
cd sub/project || exit 1
: >"$RAN"
chain
cd "$T_DIR" || exit 1
t_commit
cd sub/project || exit 1
ok mlbuild
did 'a b c d'
eq "$(pin_of c)" "$(git rev-parse HEAD)"
echo x >>in.txt
ok mlbuild
pin=$(pin_of c)
eq "$(git show "$pin:sub/project/in.txt")" "$(cat in.txt)"
eq "$(git show "$pin:top.txt")" top

t a worktree
git worktree add -q "$T_ROOT/wt" HEAD
cd "$T_ROOT/wt/sub/project" || exit 1
: >"$RAN"
ok mlbuild
did 'a b c d'
eq "$(pin_of c)" "$(git rev-parse HEAD)"

t a repository without a commit
t_dir
t_git
chain
ok mlbuild
did 'a b c d'
ok mlbuild
did ''

t a pin that cannot be written is a note, and no reason to fail
t_commit all
echo five >>in.txt
rm -rf .git/refs/mlbuild
echo 'not a directory' >.git/refs/mlbuild
ok mlbuild
did 'a b c'
err_has 'no pin: '
err_has 'refs/mlbuild/pins'
eq "$(pin_of c)" ''
rm .git/refs/mlbuild
ok mlbuild -f c
err_hasnt 'no pin: '
eq "$(git show "$(pin_of c):in.txt")" "$(cat in.txt)"

t nor is a HEAD that cannot be read
cp .git/refs/heads/main "$T_ROOT/main"
echo 0123456789012345678901234567890123456789 >.git/refs/heads/main
: >"$RAN"
echo six >>in.txt
ok mlbuild
did 'a b c'
err_has 'no pin: '
eq "$(pin_of c)" ''
cp "$T_ROOT/main" .git/refs/heads/main
ok mlbuild
did ''

t a source that git tracks and that is absent is an error
t_commit
rm in.txt
code 1 mlbuild
err_has in.txt

done_testing
