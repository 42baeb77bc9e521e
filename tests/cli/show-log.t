# show an artifact; log the runs.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put mlbuild.ini <<'X'
[params]
x = 5
[dataset a]
run = echo 1 > ${out}
out = a.txt
[model m]
run = echo "words of the log"; cat ${a} > ${out}; echo '{"accuracy": 0.875, "n": {"deep": 3}}' > ${metrics}; echo ${params:x} >> ${out}
out = m.txt
metrics = m.json
X
ok mlbuild

t show
ok mlbuild show m
out_has m.txt
out_has 0.875
out_has model

t its captured output
ok mlbuild show --output m
eq "$(cat "$T_OUT")" 'words of the log'

t the command to run by hand
ok mlbuild show --command m
out_has 'cat a.txt'
out_has 5
cp m.txt before.txt
rm m.txt
ok sh -ec "$(cat "$T_OUT")"
ok cmp m.txt before.txt

t by hand it is what a build does: directory, environment, lists, shell
put by-hand/mlbuild.ini <<'X'
[feature fold]
matrix.k = 1 2
run = mkdir -p fold; echo ${matrix:k} > ${out}
out = fold/${matrix:k}.txt
[model b]
dir = sub
env.WORD = it's $5
env.NONE =
shell = bash -eo pipefail -c
run = words=(a b); echo "$${words[1]} $WORD ($NONE)" > ${out}; cat ${fold@k=*:list} >> ${out}; cat $(cat ${fold@k=*:list}) >> ${out}
out = sub/b.txt
[model s]
run = echo 1 > ${scratch}/x; cat ${scratch}/x > ${out}
out = s.txt
X
mkdir by-hand/sub
ok mlbuild -C by-hand b s
for f in sub/b.txt s.txt; do
	cp "by-hand/$f" "$T_ROOT/before"
	mv "by-hand/$f" "$T_ROOT/moved"
	case $f in sub/*) name=b ;; *) name=s ;; esac
	ok mlbuild -C by-hand show --command $name
	cp "$T_OUT" "$T_ROOT/script"
	ok sh -ec "$(cat "$T_ROOT/script")"
	ok cmp "by-hand/$f" "$T_ROOT/before"
done
eq "$(head -n 1 by-hand/sub/b.txt)" "b it's \$5 ()"

t the action text is readable, and its SHA-256 is the key
ok mlbuild --json show m
python3 - "$T_OUT" >"$T_ROOT/action" <<'X'
import hashlib, json, sys
a = json.loads(open(sys.argv[1]).readline())
print(a["action"], end="")
print("key" if hashlib.sha256(a["action"].encode()).hexdigest() == a["key"] else "another key", file=sys.stderr)
X
sum=$(sha256sum a.txt | cut -d' ' -f1)
eq "$(cat "$T_ROOT/action")" "mlbuild-action 1
command echo \"words of the log\"; cat a.txt > m.txt; echo '{\"accuracy\": 0.875, \"n\": {\"deep\": 3}}' > m.json; echo 5 >> m.txt
dir .
param x 5
input file a.txt $sum
output file m.txt
output metrics m.json"

t a failure shows its log too
change mlbuild.ini 'words of the log"' 'words of the log"; echo of the failure; exit 1'
code 1 mlbuild
ok mlbuild show --output m
out_has 'of the failure'
change mlbuild.ini '; echo of the failure; exit 1' ''
ok mlbuild

t the runs, newest first
ok mlbuild log
n=$(wc -l <"$T_OUT")
[ "$n" -ge 2 ] && pass || fail "$n lines of log"
ok mlbuild log m
ok mlbuild log --json
keep
ok python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) >= 2, rows
' "$KEPT"

t show as JSON
ok mlbuild show --json m
keep
ok python3 -c '
import json, sys
row = json.loads(open(sys.argv[1]).readline())
assert "0.875" in json.dumps(row), row
' "$KEPT"

t an instance, a kind, a mistyped name
ok mlbuild show dataset
out_has a.txt
code 2 mlbuild show mm

t no-op builds leave no run behind
ok mlbuild log
cp "$T_OUT" "$T_ROOT/runs"
ok mlbuild
ok mlbuild log
eq "$(wc -l <"$T_OUT")" "$(wc -l <"$T_ROOT/runs")"

t nor do those that had to look twice
t_dir
chain
ok mlbuild
ok mlbuild
ok mlbuild -p x=1 c
rm mlbuild.lock
ok mlbuild --json
out_has '"run":""'
ok mlbuild log
eq "$(wc -l <"$T_OUT")" 1

done_testing
