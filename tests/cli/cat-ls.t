# cat and ls TARGET: what artifacts hold, without a checkout.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
t_git
put mlbuild.ini <<'INI'
[params]
x = 1
[dataset split]
run = echo split >>"$RAN"; echo train ${params:x} > ${out:train}; echo test > ${out:test}; echo '{"n": 1}' > ${metrics}
out.train = data/train.csv
out.test = data/test.csv
metrics = m.json
[feature dir]
run = echo dir >>"$RAN"; mkdir -p ${out}/sub/empty; echo ${params:x} >${out}/a; printf 'b' >${out}/sub/b; ln -s sub/b ${out}/l; ln -s ../a ${out}/sub/up; printf '#!/bin/sh\n' >${out}/x; chmod +x ${out}/x; printf '\000\377\n' >"${out}/odd name"
out = dir/
[model m]
matrix.k = 1 2
run = echo m${matrix:k} > ${out}
out = m/${matrix:k}.txt
[model big]
run = head -c 300000 /dev/zero | tr '\0' z > ${out}
out = big.bin
INI
ok mlbuild
: >"$RAN"
t_commit one
git tag v1
sed 's/x = 1/x = 2/' mlbuild.ini >new && mv new mlbuild.ini
ok mlbuild
t_commit two
: >"$RAN"
mkdir kept
mv data dir m big.bin kept

prints() {
	eq "$(mlbuild cat "$@")" "$(cat "$WANT")"
}
WANT=$T_ROOT/want

t cat an output
echo 'train 2' >"$WANT"
for word in split:train data/train.csv split:train/; do
	prints "$word"
done
echo 'test' >"$WANT"
prints split:test
echo '{"n": 1}' >"$WANT"
prints split:metrics
echo m2 >"$WANT"
prints m@k=2
ok mlbuild cat big
eq "$(cksum <"$T_OUT")" "$(cksum <kept/big.bin)"

t cat a file of a directory
echo 2 >"$WANT"
prints dir/a
prints dir/sub/up
printf b >"$WANT"
prints dir/l
ok mlbuild cat 'dir/odd name'
eq "$(od -An -tx1 <"$T_OUT")" ' 00 ff 0a'

t the same of another commit
echo 'train 1' >"$WANT"
prints --rev v1 split:train
echo 1 >"$WANT"
prints --rev v1 dir/a
prints --rev HEAD~1 dir/a
echo 2 >"$WANT"
prints --rev main dir/a

t from below the project, by path
mkdir -p dir
cd dir || exit 1
prints a
prints dir/a
cd .. || exit 1
rmdir dir

t what cannot be printed
code 2 mlbuild cat dir
err_has 'is a directory'
code 2 mlbuild cat dir/sub
err_has 'is a directory'
code 2 mlbuild cat dir/no-such
err_has "no 'no-such'"
code 2 mlbuild cat dir/a/b
code 2 mlbuild cat split
err_has 'data/test.csv'
code 2 mlbuild cat split:tain
err_has 'data/train.csv'
code 2 mlbuild cat dir:sub/b
err_has "none of that is called 'sub': a path in an output is given as TARGET/PATH"
code 2 mlbuild cat big/x
err_has 'no directory'
code 2 mlbuild cat nothing
code 2 mlbuild cat --rev no-such dir/a
code 2 mlbuild cat

t a closed pipe is no error
mlbuild cat big 2>"$T_ERR" | head -c 1 >/dev/null
eq "$(cat "$T_ERR")" ''

t ls of an artifact
ok mlbuild ls dir
out_has 'dir/a'
out_has 'dir/sub/'
out_hasnt 'dir/sub/b'
ok mlbuild ls dir/sub
match '^file +1 +3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d +dir/sub/b$'
match '^tree +0 +[0-9a-f]+ +dir/sub/empty/$'
match '^link +4 +[0-9a-f]+ +dir/sub/up$'
ok mlbuild ls dir/x
match '^exec +10 +[0-9a-f]+ +dir/x$'
ok mlbuild ls -R dir
eq "$(awk '{print $NF}' "$T_OUT")" 'dir/a
dir/l
name
dir/sub/b
dir/sub/empty/
dir/sub/up
dir/x'
ok mlbuild ls split
match '^file +5 +[0-9a-f]+ +data/test.csv$'
match '^metrics +9 +[0-9a-f]+ +m.json$'
ok mlbuild ls split:train
eq "$(wc -l <"$T_OUT")" 1
ok mlbuild ls m
eq "$(wc -l <"$T_OUT")" 2
ok mlbuild ls m@k=1 big
match '^file +300000 +[0-9a-f]+ +big.bin$'
ok mlbuild ls --rev v1 dir/a
match '^file +2 +4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865 +dir/a$'
code 2 mlbuild ls --rev v1
code 2 mlbuild ls dir/nope
code 2 mlbuild ls nothing

t as JSON
ok mlbuild ls --json -R dir
keep
ok python3 -c '
import json, sys
rows = {r["path"]: r for r in map(json.loads, open(sys.argv[1]))}
assert rows["dir/x"]["type"] == "exec" and rows["dir/x"]["size"] == 10, rows
assert rows["dir/a"]["target"] == "dir" and len(rows["dir/a"]["digest"]) == 64
' "$KEPT"

t bare, and with kinds and globs, it lists targets
ok mlbuild ls
match '^model +m \(2\) +m/1[.]txt [.][.][.]$'
out_has 'split'
ok mlbuild ls model
out_has 'big'
out_hasnt 'split'
ok mlbuild ls 'b*'
out_has 'big'
out_hasnt 'dir'

t bytes are verified
gone data/train.csv
object=$(find .mlbuild/cache -type f -size +200k -path '*objects*')
chmod u+w "$object"
printf X | dd of="$object" bs=1 seek=1000 conv=notrunc 2>/dev/null
code 1 mlbuild cat big
eq "$(wc -c <"$T_OUT")" 0
err_has 'damaged'

t a damaged pack is named
pack=$(echo .mlbuild/cache/v1/packs/*.pack)
at=$(grep -abo 'train 2' "$pack" | head -n 1 | cut -d: -f1)
printf X | dd of="$pack" bs=1 seek="$at" conv=notrunc 2>/dev/null
code 1 mlbuild cat split:train
err_has "$pack' is damaged at byte"

t nothing was run or put anywhere
did ''
gone data dir m big.bin
done_testing
