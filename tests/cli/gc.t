# gc removes from the cache what nothing needs, and nothing else.
. "${0%/*}/lib.sh"

CACHE=.mlbuild/cache/v1

# what has come of age goes by nobody's word alone
age() {
	find "$T_DIR/$CACHE" -type f ! -path '*/leases/*' -exec touch -d '2 days ago' {} +
}

# version N: another result of each target
version() {
	echo "$1" >in.txt
}

project() {
	t_dir
	[ -z "$1" ] || git init -q .
	put mlbuild.ini <<-'X'
		[feature big]
		run = echo big >> ran; { cat in.txt; head -c 300000 /dev/zero | tr '\0' b; } > ${out}
		needs = in.txt
		out = out/big

		[feature dir]
		run = echo dir >> ran; for i in 1 2 3; do echo file-$i-$(cat in.txt) > ${out}/$i; done
		needs = in.txt
		out = out/dir/

		[report sum]
		run = echo sum >> ran; echo said-$((1 + 1)); cat ${big} ${dir}/1 | wc -c > ${out}
		out = out/sum
	X
	echo ran >.gitignore
	echo ran >.mlbuildignore
	version 1
	ok mlbuild
	rm ran
}

objects() {
	find $CACHE/objects -type f | wc -l | tr -d ' '
}

# the next build runs exactly these, and all is well
runs() {
	rm -rf out
	ok mlbuild
	eq "$(sort ran 2>/dev/null | tr '\n' ' ')" "$1"
	rm -f ran
	ok mlbuild fsck
	err_has '0 problems'
}

t what is young stays
project
version 2
ok mlbuild
rm ran
ok mlbuild gc --keep-days 0
err_has 'removed 0 objects'
eq "$(objects)" 2
version 1
runs ''

t results of the last days stay
project
version 2
ok mlbuild
rm ran
age
ok mlbuild gc
err_has 'removed 0 objects'
version 1
runs ''

t what nothing names goes
project
version 2
ok mlbuild
rm ran
age
ok mlbuild gc --keep-days 0
out_has 'removed result big (out/big), 293.0 KiB'
out_has 'removed result dir (out/dir)'
out_has "removed object $CACHE/objects/"
eq "$(objects)" 1
ok mlbuild fsck
err_has '0 problems, 0 notes'
runs ''
version 1
runs 'big dir sum '

t nothing is left to do
ok mlbuild gc --keep-days 0
age
ok mlbuild gc --keep-days 0
ok mlbuild gc --keep-days 0
err_has 'removed 0 objects (0 B) and 0 results'

t a dry run lists, and removes nothing
project
version 2
ok mlbuild
rm ran
age
ok mlbuild gc -n --keep-days 0
out_has 'would remove result big (out/big), 293.0 KiB'
out_has "would remove object $CACHE/objects/"
err_has 'would remove'
ok mlbuild gc -n --keep-days 0 --json
out_has '{"what":"result","path":"out/big","name":"big","bytes":300'
eq "$(objects)" 2
version 1
runs ''

t what branches, tags and pins name stays
project git
t_commit one
git branch one
version 2
ok mlbuild
t_commit two
git tag two
version 3
ok mlbuild
t_commit three
version 4
ok mlbuild
rm ran
git checkout -q -- in.txt mlbuild.lock
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 3
runs ''
git checkout -q one
runs ''
git checkout -q two
runs ''
git checkout -q main
version 4
runs 'big dir sum '
git checkout -q -- .
t that are gone
git branch -qD one
git tag -d two >/dev/null
git reset -q --hard main
age
ok mlbuild gc --keep-days 0
version 1
runs 'big dir sum '

t pins stay as long as a result names them
project git
t_commit one
version 2
ok mlbuild
rm ran
eq "$(git for-each-ref refs/mlbuild/pins | wc -l | tr -d ' ')" 2
age
ok mlbuild gc --keep-days 0
eq "$(git for-each-ref refs/mlbuild/pins | wc -l | tr -d ' ')" 2
git checkout -q -- .
ok mlbuild
rm -f ran
age
ok mlbuild gc --keep-days 0
out_has 'removed pin refs/mlbuild/pins/'
eq "$(git for-each-ref refs/mlbuild/pins | wc -l | tr -d ' ')" 1
ok mlbuild fsck
err_has '0 problems'

t a pin keeps the data that a result was made from, and that git does not have
t_dir
git init -q .
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt

[feature f]
run = wc -c < ${raw} > ${out}
out = f.txt
X
echo raw.txt >.gitignore
head -c 200000 /dev/zero | tr '\0' 1 >raw.txt
ok mlbuild
t_commit one
head -c 200001 /dev/zero | tr '\0' 2 >raw.txt
ok mlbuild # with a pin, which has the lock of before
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 2

t what a pin needs was written down when it was made: nobody reads its lock again
tree=$(git for-each-ref --format='%(tree)' refs/mlbuild/pins)
rm -f ".git/objects/$(echo "$tree" | cut -c1-2)/$(echo "$tree" | cut -c3-)"
code 128 git cat-file -p "$tree"
for _ in 1 2; do
	ok mlbuild gc --keep-days 0
	eq "$(objects)" 2
done

t git that cannot be read: nothing goes
project
mkdir .git
echo 'no repository' >.git/HEAD
version 2
t_run_ mlbuild
age
t_run_ mlbuild gc --keep-days 0
[ "$T_CODE" != 0 ] || fail 'gc went on without git'
has 'nothing is removed'
eq "$(objects)" 2

t the least recently used go where the cache is to stay small
project
for v in 2 3 4; do
	version $v
	ok mlbuild
done
version 2
rm -rf out
ok mlbuild # of use once more
rm ran
version 4
ok mlbuild
age
ok mlbuild gc --size 700K
eq "$(objects)" 2
runs ''
version 2
runs ''
version 1
runs 'big dir sum '
code 2 mlbuild gc --size much
has "'--size' needs a size"

t one that is larger than the limit drives no other out
t_dir
put mlbuild.ini <<-'X'
	[feature big]
	run = { cat in.txt; head -c "$(cat size.txt)" /dev/zero | tr '\0' b; } > ${out}
	needs = in.txt size.txt
	out = out/big
	[report copy]
	run = cat ${big} > ${out}
	out = out/copy
X
version 1
echo 300000 >size.txt
ok mlbuild
version 2
ok mlbuild
echo 900000 >size.txt
ok mlbuild
echo 200000 >size.txt
ok mlbuild
age
eq "$(objects)" 4
# what is named, and of the others the two that were of use last and fit; bytes of two results count once
ok mlbuild gc --size 850K
eq "$(objects)" 3
eq "$(find $CACHE/objects -size +600k | wc -l | tr -d ' ')" 0
age
ok mlbuild gc --size 650K
eq "$(objects)" 2
echo 300000 >size.txt
ok mlbuild
err_has 'restored'
# what is named stays, whatever the limit
age
ok mlbuild gc --size 1K
eq "$(objects)" 1
ok mlbuild fsck
err_has '0 problems'

t the size of the configuration
project
for v in 2 3 4; do
	version $v
	ok mlbuild
done
rm ran
printf '[cache]\nsize = 400K\n' >>mlbuild.ini
ok mlbuild
err_hasnt 'nothing acts'
age
ok mlbuild gc
eq "$(objects)" 1
runs ''

t a pack that is mostly dead is rewritten
t_dir
put mlbuild.ini <<'X'
[feature many]
run = n=$(cat n.txt); for i in $(seq $n); do head -c 2000 /dev/zero | tr '\0' x > ${out}/$i; echo $i-$n >> ${out}/$i; done
needs = n.txt
out = out/
X
echo 100 >n.txt
ok mlbuild
cp -r out was
echo 300 >n.txt
ok mlbuild
echo 100 >n.txt
ok mlbuild
before=$(du -sk $CACHE/packs | cut -f1)
age
ok mlbuild gc --keep-days 0
out_has "rewrote pack $CACHE/packs/"
after=$(du -sk $CACHE/packs | cut -f1)
[ "$after" -lt $((before / 2)) ] || fail "packs had $before KiB and have $after"
ok mlbuild fsck
err_has '0 problems, 0 notes'
rm -rf out
ok mlbuild
ok diff -r out was

t a result of which there are two records is not told as removed
project
version 2
ok mlbuild
rm ran
segment=$(echo $CACHE/actions/*.pack)
for other in 0 zzzz; do # before it, and after it
	cp "$segment" $CACHE/actions/open-$other.pack
done
eq "$(find $CACHE/actions -type f | wc -l | tr -d ' ')" 3
age
ok mlbuild gc -n --keep-days 0
eq "$(grep -c 'would remove result' "$T_OUT")" 3
err_has ' and 3 results'
ok mlbuild gc --keep-days 0
eq "$(grep -c 'removed result' "$T_OUT")" 3
err_has ' and 3 results'
runs ''

t tables and what their rows name
t_dir
put mlbuild.ini <<'X'
[feature fit]
matrix.k = 1 2 3
run = echo fit ${matrix:k} > ${out}
out = fit/${matrix:k}

[feature aug]
each = img/*.txt
run = tr a b < ${each} > ${out}
out = aug/${each:stem}.txt
X
mkdir img
echo a1 >img/1.txt
echo a2 >img/2.txt
ok mlbuild
age
ok mlbuild gc --keep-days 0
rm -rf fit aug
ok mlbuild
has restored
hasnt running
ok mlbuild fsck
err_has '0 problems'

t logs, temporaries, quarantine and foreign files
project
mkdir -p $CACHE/quarantine
echo old >$CACHE/quarantine/old
echo left >$CACHE/tmp/0123456789abcdef
mkdir -p $CACHE/remotes/0123/parts
echo part >$CACHE/remotes/0123/parts/old
echo mine >$CACHE/mine
age
echo part >$CACHE/remotes/0123/parts/young
ok mlbuild gc --keep-days 0
gone $CACHE/tmp/0123456789abcdef $CACHE/remotes/0123/parts/old
there $CACHE/quarantine/old $CACHE/mine $CACHE/remotes/0123/parts/young
ok mlbuild show --output sum
out_has said-2

t without state.db
project
version 2
ok mlbuild
rm ran .mlbuild/state.db*
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 1
runs ''

t damage: nothing goes
project
version 2
ok mlbuild
segment=$(echo $CACHE/actions/*.pack)
python3 - "$segment" <<'X'
import hashlib, sys
head = b"mlbpack\n\x63\0\0\0"
with open(sys.argv[1], "r+b") as f:
    f.write(head + hashlib.sha256(head).digest()[:4])
X
age
t_run_ mlbuild gc --keep-days 0
[ "$T_CODE" != 0 ] || fail 'gc went on'
has 'written by a later mlbuild'
eq "$(objects)" 2

t a directory that cannot be read: nothing goes
project
version 2
ok mlbuild
rm ran
pack=$(echo $CACHE/packs/*.pack)
# the first byte of the last of the tree nodes, which is that of the lock
python3 - "$pack" <<'X'
import sys
data = open(sys.argv[1], "rb").read()
at = data.rindex(b"mlbt\1d")
with open(sys.argv[1], "r+b") as f:
    f.seek(at + 20)
    f.write(bytes([data[at + 20] ^ 1]))
X
age
t_run_ mlbuild gc --keep-days 0
ok mlbuild fsck --repair
ok mlbuild gc --keep-days 0
runs ''

t beside a running build
project
version 2
ok mlbuild
cat >>mlbuild.ini <<'X'
[feature slow]
run = touch ../started; while [ ! -e ../go ]; do sleep 0.05; done; echo slow > ${out}
out = out/slow
X
rm -f ../started ../go ran
age
mlbuild slow >"$T_ROOT/slow" 2>&1 &
pid=$!
while [ ! -e ../started ]; do sleep 0.05; done
ok mlbuild gc --keep-days 0
err_has 'uses the cache'
err_has 'set aside 1 object '
eq "$(objects)" 1
eq "$(find $CACHE/condemned -path '*/objects/*' -type f | wc -l | tr -d ' ')" 1
touch ../go
wait $pid || fail 'the build failed'
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 1
done_testing
