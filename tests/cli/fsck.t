# fsck reads every byte of the cache, names what is wrong and whom it concerns.
. "${0%/*}/lib.sh"
. "${0%/*}/damage.sh"

project() {
	t_dir
	put mlbuild.ini <<-'X'
		[feature big]
		run = head -c 300000 /dev/zero | tr '\0' b > ${out}
		out = out/big

		[feature dir]
		run = for i in 1 2 3; do echo file-$i > ${out}/$i; done; head -c 200000 /dev/zero | tr '\0' d > ${out}/large
		out = out/dir/

		[feature small]
		run = echo small > ${out}
		out = out/small

		[report sum]
		run = cat ${big} ${small} ${dir}/1 | wc -c > ${out}
		out = out/sum
	X
	ok mlbuild
	CACHE=.mlbuild/cache/v1
}

t a clean store
project
ok mlbuild fsck
err_has '0 problems, 0 notes'
eq "$(cat "$T_OUT")" ''
ok mlbuild fsck --json
eq "$(cat "$T_OUT")" ''

t a project that was never built
t_dir
echo '[dataset d]
path = d' >mlbuild.ini
echo d >d
ok mlbuild fsck
err_has '0 objects'

t a flipped byte in a large object
project
object=$(loose out/big)
there "$object"
flip "$object" 1000
code 1 mlbuild fsck
out_has "problem  $object: its bytes are not those of its name"
out_has 'target big'
code 1 mlbuild fsck --json
out_has '"level":"problem","kind":"object"'
out_has "\"path\":\"$object\",\"object\":\"$(echo "$object" | sed 's,.*objects/,,; s,/,,')\""
out_has '"targets":["big"]'

t a flipped byte in a large file of a directory
project
object=$(loose out/dir/large)
flip "$object" 0
code 1 mlbuild fsck
out_has "$object"
out_has 'target dir'

t a flipped byte in a small object
project
pack=$(echo $CACHE/packs/*.pack)
flip "$pack" "$(place "$pack" file-2)"
code 1 mlbuild fsck
out_has "problem  $pack: the object at byte"
out_has "object $(sha256sum <out/dir/2 | cut -d' ' -f1)"
out_has 'target dir'
err_has '1 problem,'

t in the header of a small object
project
pack=$(echo $CACHE/packs/*.pack)
flip "$pack" $(($(place "$pack" file-2) - 20))
code 1 mlbuild fsck
out_has "$pack"
out_has 'target dir'

t in a tree node
project
pack=$(echo $CACHE/packs/*.pack)
flip "$pack" $(($(place "$pack" large) + 2))
code 1 mlbuild fsck
out_has "$pack: the object at byte"
out_has 'target dir'

t in an action text
project
pack=$(echo $CACHE/packs/*.pack)
flip "$pack" "$(place "$pack" 'command echo small')"
code 1 mlbuild fsck
out_has 'target small'

t in the first bytes of a pack
project
pack=$(echo $CACHE/packs/*.pack)
flip "$pack" 3
code 1 mlbuild fsck
out_has "problem  $pack: its first bytes are damaged"

t in a result record
project
segment=$(echo $CACHE/actions/*.pack)
flip "$segment" $(($(place "$segment" 'output file') + 3))
code 1 mlbuild fsck
out_has "problem  $segment: the record at byte"

t a truncated pack
project
pack=$(echo $CACHE/packs/*.pack)
chmod u+w "$pack"
truncate -s 300 "$pack"
code 1 mlbuild fsck
out_has 'problem'
out_has 'target'

t a pack that is gone
project
rm $CACHE/packs/*.pack
code 1 mlbuild fsck
out_has 'problem'
out_has 'target dir'

t an object that is gone
project
object=$(loose out/big)
rm -f "$object"
code 1 mlbuild fsck
out_has "it is not in the cache, and 'out/big' needs it"
out_has 'target big'
err_has '1 problem,'

t a flipped byte in the database
project
# What its journal still holds is read from there.
python3 -c 'import sqlite3; sqlite3.connect(".mlbuild/state.db").execute("PRAGMA wal_checkpoint(TRUNCATE)")'
flip .mlbuild/state.db 5
code 1 mlbuild fsck
out_has 'problem  .mlbuild/state.db: it was damaged'
ok mlbuild fsck
ok mlbuild
err_hasnt built

t a row that was lost
project
python3 - <<'X'
import sqlite3
db = sqlite3.connect(".mlbuild/state.db")
db.execute("DELETE FROM objects WHERE pack > 0")
db.commit()
X
code 1 mlbuild fsck
out_has 'problem  .mlbuild/state.db: it does not know'

t a lock that is none
project
echo '[[[' >mlbuild.lock
code 1 mlbuild fsck
out_has 'problem  mlbuild.lock: '

t foreign files are named and left alone
project
echo mine >$CACHE/objects/notes.txt
mkdir $CACHE/packs/dir
echo mine >$CACHE/stray
ok mlbuild fsck
out_has "note  $CACHE/objects/notes.txt: nothing of mlbuild has this name"
out_has "note  $CACHE/packs/dir: "
out_has "note  $CACHE/stray: "
there $CACHE/objects/notes.txt $CACHE/packs/dir $CACHE/stray
ok mlbuild fsck -q
eq "$(cat "$T_OUT")" ''

t a large object that is writable
project
object=$(loose out/big)
chmod u+w "$object"
ok mlbuild fsck
out_has "note  $object: it is writable"

t a clone has the lock and not its bytes
project
cp mlbuild.ini mlbuild.lock "$T_ROOT"
t_dir
cp "$T_ROOT/mlbuild.ini" "$T_ROOT/mlbuild.lock" .
ok mlbuild fsck
out_has "note  $(sed -n 's/.*\([0-9a-f]\{64\}\).*out\/big.*/\1/p' mlbuild.lock | head -n 1)"
err_has '0 problems'

t what keeps digests only is not missed
t_dir
put mlbuild.ini <<'X'
[feature f]
run = echo f > ${out}
out = f
store = no
X
ok mlbuild
ok mlbuild fsck
err_has '0 problems, 0 notes'

t every byte of a small store
# Flipped one at a time: whatever is found, nothing is passed over.
project
rm -rf out
find $CACHE -type f -size -100k ! -path '*/tmp/*' >"$T_ROOT/files"
while read -r file; do
	size=$(($(wc -c <"$file")))
	at=7
	while [ "$at" -lt "$size" ]; do
		flip "$file" "$at"
		t_run_ mlbuild fsck
		[ "$T_CODE" = 1 ] || fail "byte $at of $file was passed over"
		flip "$file" "$at"
		at=$((at + 131))
	done
done <"$T_ROOT/files"
ok mlbuild fsck

done_testing
