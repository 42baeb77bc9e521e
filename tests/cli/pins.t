# mlbuild pins: which commits artifacts were built from; and what keeps them.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

# A field of the Nth pin, from 1.
field() {
	mlbuild --json pins $3 | python3 -c '
import json, sys
print(json.dumps([json.loads(line) for line in sys.stdin][int(sys.argv[1]) - 1][sys.argv[2]]))' "$1" "$2"
}

count() {
	mlbuild --json pins | grep -c .
}

t without anything built there are none
t_dir
t_git
chain
t_commit 'the first'
untouched mlbuild pins
eq "$(cat "$T_OUT")" ''

t a commit
ok mlbuild
head=$(git rev-parse HEAD)
untouched mlbuild pins
out_has "$(git rev-parse HEAD | cut -c1-12)"
out_has 'commit  a b c d'
out_has 'the first'
eq "$(field 1 commit)" "\"$head\""
eq "$(field 1 kind)" '"commit"'
eq "$(field 1 targets)" '["a", "b", "c", "d"]'
eq "$(field 1 params)" '{}'
eq "$(field 1 results)" 4
t_commit lock

t a snapshot
echo three >>in.txt
ok mlbuild
pin=$(pin_of c)
untouched mlbuild pins
out_has "$(echo "$pin" | cut -c1-12)"
eq "$(field 1 commit)" "\"$pin\""
eq "$(field 1 kind)" '"snapshot"'
eq "$(field 1 parent)" "\"$(git rev-parse HEAD)\""
eq "$(field 1 targets)" '["a", "b", "c"]'
eq "$(count)" 2
ok mlbuild pins -v
out_has '3 results'

t of a target
untouched mlbuild pins d
out_hasnt snapshot
out_has "$(echo "$head" | cut -c1-12)"
ok mlbuild pins --limit 1 c
eq "$(wc -l <"$T_OUT")" 1
code 2 mlbuild pins nothing
has "no target 'nothing'"

t what -p set
git checkout -q .
ok mlbuild -p x=9 c
eq "$(field 1 params)" '{"x": "9"}'
ok mlbuild pins c
out_has x=9

t gc drops pins that nothing names, and keeps those of results
before=$(git for-each-ref refs/mlbuild/pins | wc -l)
lost=$(git commit-tree -m lost -p HEAD 'HEAD^{tree}')
git update-ref refs/mlbuild/pins/"$lost" "$lost"
ok mlbuild gc -n
has "$lost"
ok mlbuild gc
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" "$before"
eq "$(git for-each-ref "refs/mlbuild/pins/$lost")" ''
git gc -q --prune=now
ok git cat-file -e "$pin"
ok mlbuild gc --keep-days 0
git gc -q --prune=now

t experiments stay
git update-ref refs/mlbuild/experiments/"$head" "$head"
before=$(git for-each-ref refs/mlbuild/experiments)
ok mlbuild gc
eq "$(git for-each-ref refs/mlbuild/experiments)" "$before"

t another work tree has pins of its own
echo four >>in.txt
ok mlbuild
pin=$(pin_of c)
git worktree add -q ../pins-tree
cd ../pins-tree || exit 1
ok mlbuild
ok mlbuild gc
eq "$(git for-each-ref refs/mlbuild/pins | grep -c "$pin")" 1
cd "$T_DIR" || exit 1
rm -rf ../pins-tree
git worktree prune

t a clone that shares the cache names commits that it does not have
t_dir
t_git
chain
printf '[cache]\ndir = %s/shared\n' "$T_ROOT" >>mlbuild.ini
ok mlbuild
t_commit
echo three >>in.txt
ok mlbuild
git clone -q "file://$PWD" ../pins-clone
cd ../pins-clone || exit 1
ok mlbuild pins
out_has missing
eq "$(field 1 kind)" '"missing"'
out_has 'a b c'

t outside of git there are none
t_dir
chain
ok mlbuild
code 2 mlbuild pins
has 'there are no pins'
has 'is in no git repository'

t ten thousand
t_dir
t_git
chain
t_commit
ok mlbuild
python3 - >"$T_ROOT/stream" <<'PY'
for i in range(10000):
    text = "%d\n" % i
    print("commit refs/made\nmark :%d\ncommitter T <t@example.org> %d +0000" % (i + 1, 1700000000 + i))
    print("data 17\nmlbuild snapshot\n\nfrom refs/heads/main^0\nM 100644 inline in.txt\ndata %d\n%s" % (len(text), text))
print("done")
PY
git fast-import --quiet --force --done --export-marks="$T_ROOT/marks" <"$T_ROOT/stream"
git update-ref -d refs/made
mkdir -p .git/refs/mlbuild/pins
python3 - "$T_ROOT/marks" <<'PY'
import sys
for line in open(sys.argv[1]):
    name = line.split()[1]
    open(".git/refs/mlbuild/pins/" + name, "w").write(name + "\n")
PY
eq "$(find .git/refs/mlbuild -type f | wc -l)" 10000
echo three >>in.txt
untouched mlbuild
eq "$(find .git/refs/mlbuild -type f | wc -l)" 0
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" 10001
git gc -q --prune=now
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" 10001
eq "$(git fsck --no-dangling 2>&1 | grep -v notice:)" ''
eq "$(count)" 10002
ok mlbuild pins
eq "$(wc -l <"$T_OUT")" 20
for command in status 'why c' 'show c' log 'ls c' checkout; do
	untouched mlbuild $command
done
ok mlbuild gc -q
eq "$(git for-each-ref refs/mlbuild/pins | wc -l)" 1
eq "$(git for-each-ref refs/heads | wc -l)" 1

done_testing
