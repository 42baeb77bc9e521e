# Metrics may be JSON, YAML or CSV: at the end of a build, in show, metrics and diff.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
t_git
put mlbuild.ini <<'X'
[params]
k = 1
[model j]
run = echo x > ${out}; printf '{\n  "a": 0.1,\n  "b": {"c": %s}\n}\n' ${params:k} > ${metrics}
out = j.bin
metrics = j.json
[model y]
run = echo x > ${out}; printf 'a: 1e-3\nb:\n  c: %s # why\nlist: [1, 2]\nword: "12"\n' ${params:k} > ${metrics}
out = y.bin
metrics = y.yaml
[model c]
run = echo x > ${out}; printf 'epoch,loss,note\n1,0.5,"a, b"\n2,0.25,\n%s,0.125,"say ""x"""\n' ${params:k} > ${metrics}
out = c.bin
metrics = c.csv
[model n]
run = echo x > ${out}; printf 'metric\tvalue\nacc\t0.75\nk\t%s\n' ${params:k} > ${metrics}
out = n.bin
metrics = n.tsv
X

t a build ends with all of them
ok mlbuild
match '^j +a 0.1 +b.c 1'
match '^y +a 0.001 +b.c 1'
match '^c +epoch 1 +loss 0.125'
match '^n +acc 0.75 +k 1'

t show and metrics
ok mlbuild show y
match 'a 0.001 +b.c 1'
ok mlbuild show --json c
keep
ok python3 -c '
import json, sys
row = json.loads(open(sys.argv[1]).read())
assert row["metrics"] == {"epoch": 1, "loss": 0.125, "note": "say \"x\""}, row["metrics"]' "$KEPT"
ok mlbuild show --json j
keep
ok python3 -c '
import json, sys
row = json.loads(open(sys.argv[1]).read())
assert row["metrics"] == {"a": 0.1, "b": {"c": 1}}, row["metrics"]' "$KEPT"
eq "$(wc -l <"$KEPT")" 1
ok mlbuild metrics --json
keep
ok python3 -c '
import json, sys
m = json.loads(open(sys.argv[1]).read())["metrics"]
assert m["y"] == {"a": 0.001, "b.c": 1, "list": [1, 2], "word": "12"}, m["y"]
assert m["n"] == {"acc": 0.75, "k": 1}, m["n"]' "$KEPT"
t_commit one

t differences
change mlbuild.ini 'k = 1' 'k = 3'
ok mlbuild
ok mlbuild diff
match 'metric +b.c +1 .+ 3 +\+2 \(\+200%\)'
match 'metric +epoch +1 .+ 3'
match 'metric +k +1 .+ 3'
ok mlbuild log --json --limit 2
out_has '"metrics":{"a":0.1,"b":{"c":3}}'

t what calls itself YAML has to be YAML, or the target fails
change mlbuild.ini 'a: 1e-3' 'a: [1'
code 1 mlbuild y
has 'its metrics are wrong'
has y.yaml

done_testing
