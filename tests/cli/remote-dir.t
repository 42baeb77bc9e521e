# A cache that a team shares, as a directory: what one has built nobody builds again.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

REMOTE=$T_ROOT/team

# clone: the project of $ORIGIN, as a colleague gets it, becomes the current directory
clone() {
	t_dir
	git clone -q "$ORIGIN" . || exit 1
}

project() {
	t_dir
	ORIGIN=$T_DIR
	t_git
	chain
	cat >>mlbuild.ini <<INI

[dataset words]
run = mkdir -p \${out}/deep; for i in 1 2 3 4; do echo "\$i" > \${out}/deep/\$i.txt; done; echo words >>"\$RAN"
out = out/words/

[feature upper]
each = \${words}/**/*.txt
run  = tr 0-9 a-j < \${each} > \${out}; echo upper >>"\$RAN"
out  = out/upper/\${each:stem}.txt

[feature fit]
matrix.k = 1..3
run = echo fit >>"\$RAN"; echo \${matrix:k} > \${out}
out = out/fit/\${matrix:k}.txt

[check few]
guards = c
run = echo few >>"\$RAN"; test "\$(wc -l < \${b})" -lt 10

[remote team]
url = $REMOTE
INI
}

ALL='a b c d few fit fit fit upper upper upper upper words'

t nothing was pushed yet
project
ok mlbuild
did "$ALL"
t_commit 'the lock'

t push
mkdir "$REMOTE"
ok mlbuild push
err_has "to team ($REMOTE)"
there "$REMOTE/mlbuild-remote.json"
ok mlbuild push
err_has 'everything is there already'

t a colleague builds nothing
clone
ok mlbuild
did ''
err_has 'fetched'
ok cmp out/c.txt "$ORIGIN/out/c.txt"
ok cmp out/words/deep/3.txt "$ORIGIN/out/words/deep/3.txt"
ok cmp out/upper/2.txt "$ORIGIN/out/upper/2.txt"
ok cmp out/fit/3.txt "$ORIGIN/out/fit/3.txt"
ok git diff --exit-code
ok mlbuild
did ''

t not even without the lock: keys lead to results
clone
git rm -q mlbuild.lock
ok mlbuild
did ''
ok cmp out/c.txt "$ORIGIN/out/c.txt"
ok cmp mlbuild.lock "$ORIGIN/mlbuild.lock"

t only what was asked for is put in place
clone
ok mlbuild b
did ''
there out/b.txt
gone out/a.txt out/c.txt

t what is missing of the inputs is fetched for what has to run
clone
ok mlbuild -p x=1 b
sed -i 's/cat ${b} ${b}/cat ${b}/' mlbuild.ini
ok mlbuild c
did 'c'
eq "$(cat out/c.txt)" "$(cat "$ORIGIN/out/b.txt")"

t a parameter changes: two stages, and the next colleague gets those
clone
sed -i 's/^x = 1/x = 2/' mlbuild.ini
ok mlbuild
did 'b c few'
t_commit two
ok mlbuild push
ORIGIN=$T_DIR
clone
ok mlbuild
did ''
ok cmp out/c.txt "$ORIGIN/out/c.txt"

t pull brings that target, and fetch leaves the workspace alone
clone
ok mlbuild pull b
there out/b.txt
gone out/a.txt out/c.txt out/words
did ''
ok mlbuild fetch
gone out/c.txt
mv "$REMOTE" "$REMOTE.away"
ok mlbuild checkout
there out/c.txt out/upper/4.txt out/fit/2.txt
mv "$REMOTE.away" "$REMOTE"
ok mlbuild pull
err_has 'everything is here already'

t pull with its inputs
clone
ok mlbuild pull --with-inputs c
there out/a.txt out/b.txt out/c.txt
gone out/d.txt

t another commit
clone
ok mlbuild pull --rev HEAD~1 b
eq "$(head -n 1 out/b.txt)" one-1

t offline
clone
ok mlbuild --offline
did "$ALL"

t a remote that is not there costs a note
clone
mv "$REMOTE" "$REMOTE.away"
ok mlbuild
did "$ALL"
err_has "going on without the remote 'team'"
code 5 mlbuild push
err_has "remote 'team': there is no directory '$REMOTE'"
code 5 mlbuild pull
code 5 mlbuild remote check
has "'$REMOTE'"
mv "$REMOTE.away" "$REMOTE"

t rights
clone
printf '[remote team]\nwrite = no\n' >.mlbuild.ini.part
mkdir -p .mlbuild
mv .mlbuild.ini.part .mlbuild/config.ini
code 2 mlbuild push
err_has 'write = no'
ok mlbuild remote list
out_has read
out_hasnt write
printf '[remote team]\nread = no\n' >.mlbuild/config.ini
code 2 mlbuild fetch
err_has 'read = no'
ok mlbuild
did "$ALL"

t names and words
code 2 mlbuild push -r taem
has "there is no remote 'taem'"
code 2 mlbuild remote add team "$REMOTE"
has "there is a remote 'team' already"
code 2 mlbuild remote add other ftp://example.org/x
has 'rclone:'
code 2 mlbuild remote
code 2 mlbuild remote nonsense
ok mlbuild remote add second "$T_ROOT/second" --local
has '.mlbuild/config.ini'
ok mlbuild remote list
out_has "$T_ROOT/second"
ok mlbuild remote list --json
has '"backend":"dir"'

t a place that is somebody else\'s
clone
mkdir "$T_ROOT/photos"
echo cat >"$T_ROOT/photos/cat.jpg"
ok mlbuild remote add photos "$T_ROOT/photos" --local
ok mlbuild pull
code 2 mlbuild push -r photos
eq "$(ls "$T_ROOT/photos")" cat.jpg

t check
ok mlbuild remote check team
out_has 'write'
out_has 'read'
eq "$(find "$REMOTE/leases" -type f 2>/dev/null | wc -l)" 0

t what is damaged there is a miss, is told, and is sent again
for pack in "$REMOTE"/packs/*; do
	chmod u+w "$pack"
	python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
for at in range(16, len(data)):
    data[at] ^= 1
open(sys.argv[1], "wb").write(data)' "$pack"
done
clone
ok mlbuild
did "$(echo "$ALL" | sed 's/ few//')"
ok cmp out/c.txt "$ORIGIN/out/c.txt"
ok mlbuild push
clone
ok mlbuild
did ''

t a cache that has a tree only in part is completed
clone
ok mlbuild fetch
file=$(sha256sum <"$ORIGIN/out/words/deep/3.txt" | cut -d' ' -f1)
for pack in .mlbuild/cache/v1/packs/*; do
	chmod u+w "$pack"
	python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.find(bytes.fromhex(sys.argv[2]))
if at >= 0:
    data[at + 36] ^= 1
open(sys.argv[1], "wb").write(data)' "$pack" "$file"
done
ok mlbuild words
did ''
ok cmp out/words/deep/3.txt "$ORIGIN/out/words/deep/3.txt"

t what a build makes is sent
clone
mkdir .mlbuild
printf '[remote team]\npush = yes\n' >.mlbuild/config.ini
sed -i 's/^x = 2/x = 5/' mlbuild.ini
echo 5 >in.txt
ok mlbuild
err_has 'pushed'
: >"$RAN"
t_commit five
ORIGIN=$T_DIR
clone
ok mlbuild
did ''
eq "$(cat out/b.txt)" 5-5

t only what is signed counts where that is required
HOME_WAS=$HOME
ok mlbuild key new anna
mkdir keys
cp "$HOME/.config/mlbuild/keys/anna.pub" keys/
printf '[trust]\nkeys = keys/anna.pub\nmode = required\n' >>mlbuild.ini
t_commit trust
ORIGIN=$T_DIR
clone
HOME=$T_ROOT/nobody
export HOME
git rm -q mlbuild.lock
ok mlbuild b
did 'a b'
code 2 mlbuild push
has 'mode = required'
HOME=$HOME_WAS
cd "$ORIGIN" || exit 1
echo 6 >in.txt
ok mlbuild
: >"$RAN"
t_commit six
ok mlbuild push
clone
git rm -q mlbuild.lock
HOME=$T_ROOT/nobody
ok mlbuild b
did ''
HOME=$HOME_WAS

t reproduce takes from a remote what the cache lacks
clone
ok mlbuild reproduce HEAD b
out_has identical

t what it takes, whether it is right, and what may go
clone
ok mlbuild remote du team
out_has 'clone'
ok mlbuild remote du team --json
has '"packs":'
ok mlbuild remote gc team
ok mlbuild remote gc -n team --json
has '"removed":0'
code 2 mlbuild remote gc nobody
code 2 mlbuild remote gc
clone
ok mlbuild b
did ''
mkdir "$T_ROOT/fresh"
printf '[remote fresh]\nurl = %s\n' "$T_ROOT/fresh" >>.mlbuild/config.ini
ok mlbuild pull
ok mlbuild push -r fresh
ok mlbuild remote verify fresh
err_has 'all right'
for pack in "$T_ROOT/fresh"/packs/*; do
	chmod u+w "$pack"
	printf XXXX | dd of="$pack" bs=1 seek=100 conv=notrunc 2>/dev/null
done
code 1 mlbuild remote verify fresh --json
has '"event":"done"'
ok mlbuild push -r fresh
rm -r .mlbuild/cache
ok mlbuild --offline -n b
ok mlbuild fetch -r fresh b

t without a remote
t_dir
put mlbuild.ini <<'INI'
[task hello]
run = echo hello
INI
code 2 mlbuild push
has "'mlbuild remote add NAME URL'"
ok mlbuild remote list
has "'mlbuild remote add NAME URL'"
ok mlbuild remote add team "$REMOTE"
ok mlbuild remote list
out_has "$REMOTE"

done_testing
