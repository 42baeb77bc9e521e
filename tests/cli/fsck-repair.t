# fsck --repair: what is right is kept, what can be had is stored again, the rest is built again.
. "${0%/*}/lib.sh"
. "${0%/*}/damage.sh"

project() {
	t_dir
	put mlbuild.ini <<-'X'
		[feature big]
		run = echo big >> ran; head -c 300000 /dev/zero | tr '\0' b > ${out}
		out = out/big

		[feature dir]
		run = echo dir >> ran; for i in 1 2 3; do echo file-$i > ${out}/$i; done; head -c 200000 /dev/zero | tr '\0' d > ${out}/large
		out = out/dir/

		[feature small]
		run = echo small >> ran; echo small > ${out}
		out = out/small

		[report sum]
		run = echo sum >> ran; echo said-$((1 + 1)); cat ${big} ${small} ${dir}/1 | wc -c > ${out}
		out = out/sum
	X
	echo ran >.gitignore
	echo ran >.mlbuildignore
	ok mlbuild
	rm ran
	CACHE=.mlbuild/cache/v1
	PACK=$(echo $CACHE/packs/*.pack)
	SEGMENT=$(echo $CACHE/actions/*.pack)
	cp -r out "$T_DIR.was"
}

# all is well, and the next build makes exactly these targets again
well() {
	ok mlbuild fsck
	err_has '0 problems, 0 notes'
	ok mlbuild
	eq "$(sort ran 2>/dev/null | tr '\n' ' ')" "$1"
	ok diff -r out "$T_DIR.was"
	ok mlbuild fsck
	err_has '0 problems, 0 notes'
}

t nothing to repair
project
ok mlbuild fsck --repair
err_has '0 problems, 0 notes, 0 repaired'
gone $CACHE/quarantine

t a large object that the workspace has
project
object=$(loose out/big)
flip "$object" 5
ok mlbuild fsck --repair
out_has "problem  $object"
out_has "moved to quarantine/; it was stored again from 'out/big'"
err_has '1 problem, 0 notes, 1 repaired'
there "$CACHE/quarantine/$(sha256sum <out/big | cut -d' ' -f1)" "$object"
rm out/big
well ''

t a large object that nobody has
project
flip "$(loose out/big)" 5
rm out/big
code 1 mlbuild fsck --repair
out_has 'it cannot be had again: the next build makes it'
out_has 'target big'
err_has '1 problem, 0 notes, 0 repaired'
ok mlbuild fsck
out_has "note  " # the lock still names it
rm -f out/big
ok mlbuild
eq "$(cat ran)" big
ok diff -r out "$T_DIR.was"
ok mlbuild fsck
err_has '0 problems, 0 notes'

t a small file of a directory that the workspace has
project
flip "$PACK" "$(place "$PACK" file-2)"
ok mlbuild fsck --repair --json
out_has '"repaired":true'
there "$CACHE/quarantine/${PACK##*/}"
gone "$PACK"
rm -rf out
well ''

t a file of a directory that is not as it was otherwise
project
flip "$PACK" "$(place "$PACK" file-2)"
chmod u+w out/dir/3
echo mine >out/dir/3
ok mlbuild fsck --repair
out_has "it was stored again from 'out/dir/2'"
rm -rf out
well ''

t a small file that nobody has
project
flip "$PACK" "$(place "$PACK" file-2)"
rm -rf out
code 1 mlbuild fsck --repair
out_has 'target dir'
ok mlbuild fsck
ok mlbuild
eq "$(cat ran)" dir
ok diff -r out "$T_DIR.was"

t a source that nobody has
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
X
echo precious >raw.txt
ok mlbuild
PACK=$(echo .mlbuild/cache/v1/packs/*.pack)
flip "$PACK" "$(place "$PACK" precious)"
cp raw.txt ../raw.txt
rm raw.txt
# The last blob of an open pack, too: it ends in something unfinished, but that was finished once.
code 1 mlbuild fsck
out_has 'target raw'
code 1 mlbuild fsck --repair
out_has 'no build makes a source'
out_hasnt 'the next build makes it'
# Then nothing says any more that it was there: as in a clone, whose cache has no source yet.
ok mlbuild fsck
out_has 'neither in the cache nor in the workspace'
cp ../raw.txt .
ok mlbuild fsck
err_has '0 problems, 0 notes'

t the last blob of an open pack, a source that the workspace has
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
X
echo precious >raw.txt
ok mlbuild
PACK=$(echo .mlbuild/cache/v1/packs/*.pack)
flip "$PACK" "$(place "$PACK" precious)"
ok mlbuild fsck --repair
rm raw.txt
ok mlbuild checkout
eq "$(cat raw.txt)" precious
ok mlbuild fsck
err_has '0 problems, 0 notes'

t a tree node
project
flip "$PACK" $(($(place "$PACK" large) + 2))
ok mlbuild fsck --repair
out_has "it was stored again from 'out/dir'"
rm -rf out
well ''

t an action text
project
flip "$PACK" "$(place "$PACK" 'command echo small')"
ok mlbuild fsck --repair
out_has "it was stored again from 'mlbuild.ini'"
well ''
ok mlbuild show --action small
out_has 'command echo small'

t a log is missed by nobody but its reader
project
flip "$PACK" "$(place "$PACK" said-2)"
code 1 mlbuild fsck --repair
out_has 'target sum'
well ''

t a result record
project
flip "$SEGMENT" $(($(place "$SEGMENT" 'output file') + 3))
code 1 mlbuild fsck --repair
rm -rf out
ok mlbuild fsck
ok mlbuild # the lock knows the result
gone ran
ok diff -r out "$T_DIR.was"

t the header of a pack
project
flip "$PACK" 3
ok mlbuild fsck --repair
rm -rf out
well ''

t a truncated pack, with all its bytes in the workspace
project
chmod u+w "$PACK"
truncate -s 300 "$PACK"
t_run_ mlbuild fsck --repair
rm -rf "$T_DIR.x"
ok mlbuild fsck
ok mlbuild
ok diff -r out "$T_DIR.was"
ok mlbuild fsck
err_has '0 problems, 0 notes'

t an object that is gone
project
rm -f "$(loose out/big)"
ok mlbuild fsck --repair
out_has "it was stored again from 'out/big'"
rm -rf out
well ''

t what git has
project
git init -q .
printf '%s\n' .mlbuild ran >.gitignore
git add -f out/big
git commit -qm out
flip "$(loose out/big)" 5
rm out/big
ok mlbuild fsck --repair
out_has "it was stored again from 'HEAD:out/big'"

t a row that was lost
project
python3 - <<'X'
import sqlite3
db = sqlite3.connect(".mlbuild/state.db")
db.execute("DELETE FROM objects WHERE pack > 0")
db.commit()
X
ok mlbuild fsck --repair
out_has 'it is made again from the packs'
rm -rf out
well ''

t a node is damaged in one pack, and right in another
project
cp "$PACK" $CACHE/packs/open-0123456789abcdef.pack
flip "$PACK" "$(place "$PACK" large)"
code 1 mlbuild fsck
out_hasnt 'it is none'
ok mlbuild fsck --repair
out_hasnt 'it is none'
rm -rf out
well ''

t an index of the database
project
python3 - <<'X'
import sqlite3
db = sqlite3.connect(".mlbuild/state.db")
db.execute("PRAGMA writable_schema = 1")
page, = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'objects_loose'").fetchone()
size, = db.execute("PRAGMA page_size").fetchone()
db.close()
import os
wal = ".mlbuild/state.db-wal"
with open(".mlbuild/state.db", "r+b") as f:
    f.seek((page - 1) * size + size - 3)
    b = f.read(1)
    f.seek(-1, 1)
    f.write(bytes([b[0] ^ 1]))
X
code 1 mlbuild fsck
out_has 'problem  .mlbuild/state.db: it is damaged: '
ok mlbuild fsck --repair
there .mlbuild/state.db.broken
rm -rf out
well ''

t a large object that is writable, and foreign files
project
object=$(loose out/big)
chmod u+w "$object"
echo mine >$CACHE/packs/notes
ok mlbuild fsck --repair
out_has 'it is read-only now'
eq "$(stat -c %a "$object")" 444
there $CACHE/packs/notes

t flips all over, and cuts: repaired, built, and right
project
n=0
while [ $n -lt 12 ]; do
	n=$((n + 1))
	for file in $CACHE/packs/*.pack $CACHE/actions/*.pack; do
		[ -e "$file" ] || continue
		size=$(($(wc -c <"$file")))
		flip "$file" $((n * 7919 % size))
	done
	[ $((n % 3)) != 0 ] || rm -rf out
	t_run_ mlbuild fsck --repair
	ok mlbuild fsck
	ok mlbuild
	ok diff -r out "$T_DIR.was"
	ok mlbuild fsck
	err_has '0 problems, 0 notes'
done

done_testing
