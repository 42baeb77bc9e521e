# A sweep builds all combinations of parameters, and what they share once.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# data (dear, the same for all) -> prep (reads seed) -> model (reads C and seed)
grid() {
	: >"$RAN"
	put in.txt <<-'FILE'
		one
	FILE
	put mlbuild.ini <<-'INI'
		[params]
		seed = 7
		model.C = 1
		name = plain

		[dataset data]
		run = echo data >>"$RAN"; cat in.txt > ${out}
		out = out/data.txt

		[feature prep]
		run = echo prep >>"$RAN"; cat ${data} > ${out}; echo seed ${params:seed} >> ${out}
		out = out/prep.txt

		[model model]
		run =
		    echo model >>"$RAN"
		    cat ${prep} > ${out}; echo C ${params:model.C} ${params:name} >> ${out}
		    printf '{"accuracy": 0.%s, "loss": %s}\n' ${params:seed} ${params:model.C} > ${metrics}
		out = out/model.txt
		metrics = out/model.json
	INI
}

everything() {
	find . -path ./.mlbuild -prune -o -path ./.git -prune -o -type f -exec cksum {} + | sort
}

t all combinations are built, and what they share once
t_dir
t_git
grid
t_commit one
before=$(everything)
ok mlbuild sweep -p model.C=0.1,1 -p seed=1..3 model
did 'data model model model model model model prep prep prep'
eq "$(wc -l <"$T_OUT")" 7
err_has '6 of 6 combinations'
err_has 'mlbuild apply'
eq "$(everything)" "$before"
eq "$(git status --porcelain)" ''

t the best is in the first row
eq "$(sed -n 2p "$T_OUT" | tr -s ' ' | cut -d' ' -f2-)" '0.1 3 0.3 0.1'

t again there is nothing to do
ok mlbuild sweep -p model.C=0.1,1 -p seed=1..3 model
did ''
eq "$(git for-each-ref refs/mlbuild/experiments | wc -l)" 6

t with one more value only what is new is built
ok mlbuild sweep -p model.C=0.1,1 -p seed=1..4 model
did 'model model prep'

t what a sweep made a build finds, and the other way round
ok mlbuild
did 'model prep'
change mlbuild.ini 'seed = 7' 'seed = 2'
ok mlbuild model
did ''
change mlbuild.ini 'seed = 2' 'seed = 7'
ok mlbuild sweep -p seed=7,8 model
did 'model prep'

t twelve combinations that share one dear stage run it once, also side by side
t_dir
grid
rm -f "$RAN.go"
change mlbuild.ini 'cat in.txt' 'while [ ! -s "$RAN.go" ]; do sleep 0.02; done; cat in.txt'
"$MLBUILD" sweep -j4 -p "model.C=1,2,3,4" -p seed=1..3 >"$T_ROOT/sweep" 2>&1 &
pid=$!
wait_for "$RAN"
echo go >"$RAN.go"
wait "$pid"
eq $? 0
eq "$(sort "$RAN" | uniq -c | tr -s ' ' | tr '\n' ';')" ' 1 data; 12 model; 3 prep;'

t one that fails is tried once, and stops nobody who does not need it
t_dir
t_git
grid
change mlbuild.ini 'echo prep >>"$RAN";' 'echo prep >>"$RAN"; [ ${params:seed} != 2 ];'
t_commit one
code 1 mlbuild sweep -p model.C=1,2,3 -p seed=1..3 model
did 'data model model model model model model prep prep prep'
err_has '3 failed'
eq "$(grep -c 'failed  *prep' "$T_ERR")" 3
ok mlbuild experiments --failed --json
eq "$(grep -c '"status":"failed"' "$T_OUT")" 3
has 'prep: exit code 1'
ok mlbuild experiments
eq "$(wc -l <"$T_OUT")" 7
err_has '3 failed'

t after it was mended only the failed ones are built, and they are failures no more
change mlbuild.ini '\[ ${params:seed} != 2 \];' ''
: >"$RAN"
ok mlbuild sweep -p model.C=1,2,3 -p seed=2 model
did 'model model model prep'
ok mlbuild experiments --failed
hasnt failed

t values that make no sense fail alone
t_dir
t_git
put a.txt <<'X'
a
X
put mlbuild.ini <<'X'
[params]
from = a.txt
[model m]
run = cat ${params:from} >${out}
needs = ${params:from}
out = m.txt
X
t_commit one
code 1 mlbuild sweep -p from=a.txt,b.txt m
err_has "'b.txt'"
err_has '1 of 2 combinations, 1 failed'
ok mlbuild experiments --failed --json
match '"status":"failed","reason":"mlbuild.ini.*"params":\{"from":"b.txt"\}'
put b.txt <<'X'
b
X
ok mlbuild sweep -p from=a.txt,b.txt m
ok mlbuild experiments --failed --json
hasnt failed

t a check that says no is neither a failure nor done
t_dir
t_git
grid
cat >>mlbuild.ini <<'X'

[check good]
guards = model
run = grep -q 'seed [12]' ${prep}

[report end]
run = cat ${model} > ${out}
out = out/end.txt
X
change mlbuild.ini 'guards = model' 'guards = prep'
t_commit one
code 3 mlbuild sweep -p seed=1..4 end
err_has 'checks said no to 2'
ok mlbuild experiments --failed --json
eq "$(grep -c '"status":"no"' "$T_OUT")" 2

t values: quotes keep a comma, ranges keep their zeros, strings are strings
t_dir
grid
ok mlbuild sweep -p 'name="a,b",c d,01..03,../x' model
did 'data model model model model model model prep'
ok mlbuild experiments --json
has '"name":"a,b"'
has '"name":"c d"'
has '"name":"02"'
has '"name":"../x"'
ok mlbuild sweep -p name=2024-02-28..2024-03-01 model
ok mlbuild experiments --json
has '"name":"2024-02-29"'

t base values come from a file
put base.yaml <<'X'
name: based
X
: >"$RAN"
ok mlbuild sweep -p @base.yaml -p seed=1,2 --json model
ok mlbuild experiments --json
has '"name":"based","seed":"1"'

t what cannot be is one clear error
code 2 mlbuild sweep -p seed=1 -p seed=2 model
has "-p seed is given twice"
code 2 mlbuild sweep -p seed=1,1 model
has "'1' is given twice"
code 2 mlbuild sweep -p sed=1,2 model
has "'seed'"
code 2 mlbuild sweep -p model=1,2 model
has 'a group of parameters'
code 2 mlbuild sweep -p seed=0.1..0.5 model
has "'0.1..0.5'"
code 2 mlbuild sweep -p 'seed="1' model
has 'quote'
code 2 mlbuild sweep -p seed=1,,2 model
has 'missing beside a comma'
code 2 mlbuild sweep model
has 'a sweep needs values'
code 2 mlbuild sweep -p seed modle
has 'neither'
code 2 mlbuild sweep -p seed=1 modle
has "'modle'"
code 2 mlbuild sweep -p seed=1..1000 -p model.C=1..1000 model
has '1000000 combinations'
put params.yaml <<'X'
layers: [1, 2]
X
change mlbuild.ini 'name = plain' 'name = plain\nfile = params.yaml'
code 2 mlbuild sweep -p layers=1,2 model
has 'it is a list or map'

t a script that opens the parameter file itself sees each combination
t_dir
t_git
put params.yaml <<'X'
# learning
train: {lr: 0.1, name: "x"}    # the rate
X
put lib.sh <<'X'
grep train params.yaml >"$1"
X
put mlbuild.ini <<'X'
[params]
file = params.yaml
[model m]
run = sh lib.sh ${out}
out = m.txt
needs = params:train.*
X
t_commit one
ok mlbuild sweep -j1 -p train.lr=0.1,0.2,0.3 -p train.name=x,y m
for id in $(git for-each-ref --format='%(objectname)' refs/mlbuild/experiments); do
	lr=$(git show -s --format=%B "$id" | sed -n 's/^Mlbuild-Param: train.lr=//p')
	name=$(git show -s --format=%B "$id" | sed -n 's/^Mlbuild-Param: train.name=//p')
	eq "$(mlbuild cat --rev "$id" m)" "train: {lr: $lr, name: \"$name\"}    # the rate"
done
eq "$(git status --porcelain)" ''

t --random draws some of them, always the same ones for a seed
t_dir
grid
ok mlbuild sweep --random 5 --seed 3 -p model.C=1..100 -p seed=1..100 model
err_has '5 of 5 combinations'
cp "$T_OUT" "$T_ROOT/first"
: >"$RAN"
ok mlbuild sweep --random 5 --seed 3 -p model.C=1..100 -p seed=1..100 model
did ''
eq "$(cat "$T_OUT")" "$(cat "$T_ROOT/first")"
ok mlbuild sweep --random 5 --seed 4 -p model.C=1..100 -p seed=1..100 model
[ "$(cat "$T_OUT")" = "$(cat "$T_ROOT/first")" ] && fail "another seed drew the same ones"
ok mlbuild sweep --random 50 -p seed=1..3 model
err_has '3 of 3 combinations'

t a fingerprint is taken once
t_dir
grid
change mlbuild.ini 'out = out/model.txt' 'out = out/model.txt\nfingerprint = echo fingerprint >>"$RAN"; echo 1'
ok mlbuild sweep -q -p seed=1..5 model
eq "$(grep -c fingerprint "$RAN")" 1

t --jobs holds for all of them together
t_dir
grid
put step.sh <<'X'
mkdir "$HOME/busy" || echo "two at once" >>"$HOME/clash"
echo "$1" >"$2"
rmdir "$HOME/busy"
X
put mlbuild.ini <<'X'
[params]
n = 1
[model m]
run = sh step.sh ${params:n} ${out}
out = m.txt
X
ok mlbuild sweep -j1 -p n=1..8 m
gone "$HOME/clash"
rm -rf "$HOME/busy"

t so do pools
change mlbuild.ini 'out = m.txt' 'out = m.txt\npool.one = 1\n[pool one]\nslots = 1'
change step.sh 'echo "$1"' 'sleep 0.05; echo "$1"'
ok mlbuild sweep -j4 -p n=11..16 m
gone "$HOME/clash"

t json tells what becomes of each
ok mlbuild sweep --json -p n=21,22 m
eq "$(grep -c '"event":"combination"' "$T_OUT")" 2
has '"combination":"n=21"'
has '"event":"done"'

t a source that changes while it runs does not mix with what it was
t_dir
t_git
put in.txt <<'X'
old
X
put mlbuild.ini <<'X'
[params]
n = 1
[model m]
run =
    echo m >>"$RAN"
    if [ ${params:n} = 1 ]; then while [ ! -s "$RAN.go" ]; do sleep 0.02; done; fi
    cat in.txt > ${out}; echo ${params:n} >> ${out}
out = m.txt
X
t_commit one
: >"$RAN"
rm -f "$RAN.go"
"$MLBUILD" sweep -j1 -p n=1..3 m >"$T_ROOT/sweep" 2>&1 &
pid=$!
wait_for "$RAN"
echo new >in.txt
echo go >"$RAN.go"
wait "$pid"
eq $? 0
for id in $(git for-each-ref --format='%(objectname)' refs/mlbuild/experiments); do
	eq "$(git show "$id:in.txt")" old
done
git checkout -q in.txt
: >"$RAN"
ok mlbuild sweep -p n=1..3 m
did ''

done_testing
