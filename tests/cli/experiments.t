# Experiments: listed, sorted, named, removed; pushed and fetched with git.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	: >"$RAN"
	put mlbuild.ini <<-'INI'
		[params]
		C = 1
		seed = 7
		note = none

		[model m]
		run =
		    echo m >>"$RAN"
		    echo ${params:C} ${params:seed} > ${out}
		    printf '{"acc": 0.%s, "val": {"loss": %s}, "curve": [1, 2]}\n' ${params:C} ${params:seed} > ${metrics}
		out = out/m.txt
		metrics = out/m.json
	INI
}

# The ids in the first column, less the head.
ids() {
	tail -n +2 "$T_OUT" | cut -d' ' -f1
}

t without any it says how to make some
t_dir
t_git
project
t_commit one
ok mlbuild experiments
err_has 'no experiments yet'
out_hasnt id

t a table of parameters and metrics, sorted
ok mlbuild sweep -q -p C=1,5,3 -p seed=1,2 m
ok mlbuild experiments --sort metrics.acc --top 2
eq "$(head -n 1 "$T_OUT" | tr -s ' ')" 'id C seed acc val.loss'
eq "$(tail -n +2 "$T_OUT" | tr -s ' ' | cut -d' ' -f2,4 | sort -u)" '5 0.5'
ok mlbuild experiments --sort acc --reverse --top 1
eq "$(sed -n 2p "$T_OUT" | tr -s ' ' | cut -d' ' -f2)" 1
ok mlbuild experiments --sort metrics.val.loss --top 3
eq "$(tail -n +2 "$T_OUT" | tr -s ' ' | cut -d' ' -f5 | sort -u)" 1
ok mlbuild experiments --sort params.C --top 2
eq "$(tail -n +2 "$T_OUT" | tr -s ' ' | cut -d' ' -f2 | sort -u)" 1
code 2 mlbuild experiments --sort metrics.ac
has "did you mean 'metrics.acc'"

t csv and json
ok mlbuild experiments --csv --sort metrics.acc
eq "$(head -n 1 "$T_OUT")" 'id,name,status,params.C,params.seed,metrics.acc,metrics.val.loss'
eq "$(wc -l <"$T_OUT")" 7
ok mlbuild experiments --json
eq "$(wc -l <"$T_OUT")" 6
match '"params":\{"C":"5","seed":"1"\},"metrics":\{"m":\{"acc":0.5'

t csv has all digits, and quotes what needs it
change mlbuild.ini '"acc": 0.%s' '"acc": 0.12345678901%s'
ok mlbuild -p C=4 -p 'note=1,"2"' m
ok mlbuild experiments --csv
match '^[0-9a-f]{40},,done,4,,"1,""2""",0.123456789014,7$'
ok mlbuild experiments --remove "$(grep '"1,""2"""' "$T_OUT" | cut -c1-8)"
change mlbuild.ini '0.12345678901%s' '0.%s'

t it needs neither state.db nor the cache
mv .mlbuild "$T_ROOT/away"
ok mlbuild experiments
eq "$(wc -l <"$T_OUT")" 7
rm -rf .mlbuild
mv "$T_ROOT/away" .mlbuild

t a build with -p is one too
ok mlbuild -p C=9 m
ok mlbuild experiments --sort acc --top 1
eq "$(sed -n 2p "$T_OUT" | tr -s ' ' | cut -d' ' -f2,4)" '9 0.9'
id=$(ids)
eq "$(git show --format=%B -s "$id" | grep -c '^Mlbuild-Param: C=9$')" 1
eq "$(git show "$id:mlbuild.lock" | grep -c '^\[model m\]')" 1

t names, and the beginnings of ids
ok mlbuild experiments --rename "$id" best
ok mlbuild experiments best
eq "$(ids)" "$id"
has best
ok git rev-parse -q --verify refs/mlbuild/experiments/best
ok mlbuild experiments "$(echo "$id" | cut -c1-4)"
code 2 mlbuild experiments --rename "$id" 'no such/name'
has 'cannot be a name'
ok mlbuild experiments
other=$(ids | grep -v "$id" | head -n 1)
code 2 mlbuild experiments --rename "$other" best
has "called 'best'"
ok mlbuild experiments --rename best ''
code 2 mlbuild experiments best
code 2 mlbuild experiments --rename "$id"
code 2 mlbuild experiments zzzz
has "'zzzz'"

t a name survives the same build again
ok mlbuild experiments --rename "$id" best
: >"$RAN"
ok mlbuild -p C=9 m
did ''
ok mlbuild experiments
eq "$(grep -c best "$T_OUT")" 1
eq "$(wc -l <"$T_OUT")" 8

t removed ones are gone
ok mlbuild experiments --remove best
ok mlbuild experiments
eq "$(wc -l <"$T_OUT")" 7
ok mlbuild experiments --top 2 --sort id
first=$(ids | head -n 1) second=$(ids | tail -n 1)
ok mlbuild experiments --remove "$first" "$second"
ok mlbuild experiments
eq "$(wc -l <"$T_OUT")" 5
code 2 mlbuild experiments --remove
code 2 mlbuild experiments --remove zzzz

t git pushes them, and a colleague fetches, sees and names them
origin=$T_ROOT/origin.git
git init -q --bare "$origin"
git remote add origin "$origin"
git push -q origin HEAD:refs/heads/main 'refs/mlbuild/experiments/*'
ok mlbuild experiments --sort id
ids >"$T_ROOT/mine"
git clone -q "$origin" "$T_ROOT/colleague"
cd "$T_ROOT/colleague" || exit 1
ok mlbuild experiments
err_has 'no experiments yet'
git fetch -q origin 'refs/mlbuild/experiments/*:refs/mlbuild/experiments/*'
ok mlbuild experiments --sort id
ids >"$T_ROOT/theirs"
eq "$(cat "$T_ROOT/theirs")" "$(cat "$T_ROOT/mine")"
ok mlbuild experiments --json
has '"author":"Test"'

t what they build for themselves is the same experiment, or another one
: >"$RAN"
ok mlbuild sweep -q -p C=2 -p seed=2 m
did m
ok mlbuild experiments --json
eq "$(wc -l <"$T_OUT")" 5

t a colleague reproduces one, whatever is in its parameters
ok mlbuild -p 'note="two
lines"' m
ok mlbuild experiments --json
id=$(grep 'two.nlines' "$T_OUT" | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
ok mlbuild reproduce "$id"
has identical
ok mlbuild experiments --remove "$id"

t git keeps them
git gc -q --prune=now
ok mlbuild experiments --json
eq "$(wc -l <"$T_OUT")" 5
cd "$T_DIR" || exit 1

t gc keeps their artifacts
ok mlbuild gc --keep-days 0
: >"$RAN"
ok mlbuild sweep -q -p C=1,5,3 -p seed=1,2 m
did ''

t nothing of git but the references changes
t_dir
t_git
project
t_commit one
echo dirty >>mlbuild.ini
git add mlbuild.ini
echo '; dirtier' >>mlbuild.ini
sed -i 's/^dirty$/; dirty/' mlbuild.ini
before=$(git status --porcelain; git rev-parse HEAD; git ls-files -s; cat mlbuild.ini)
ok mlbuild sweep -q -p C=1,2 m
eq "$(git status --porcelain; git rev-parse HEAD; git ls-files -s; cat mlbuild.ini)" "$before"
eq "$(git show "$(git for-each-ref --format='%(objectname)' refs/mlbuild/experiments | head -n 1):mlbuild.ini")" "$(cat mlbuild.ini)"

t side by side with others they have the parameters that they were made with
t_dir
t_git
project
t_commit one
ok mlbuild sweep -q -p C=3 -p seed=9 m
ok mlbuild experiments
id=$(ids)
ok mlbuild params "$id" HEAD
line 'C     3         1'
line 'note  none      none'
line 'seed  9         7'
ok mlbuild diff HEAD "$id"
has 'C     1 → 3'
has 'seed  7 → 9'
ok mlbuild apply "$id"
ok mlbuild diff "$id"
hasnt '→'
ok mlbuild -p C=5 m
run=$("$MLBUILD" log --json --limit 1 m | sed -n 's/.*"run":"\([^"]*\)".*/\1/p')
ok mlbuild params "$run"
has 'C     5'

t a parameter and a metric of one name are told apart
t_dir
t_git
put mlbuild.ini <<'X'
[params]
C = 1
[model m]
run = echo ${params:C} > ${out}; echo '{"C": ${params:C}, "acc": 0.${params:C}}' > ${metrics}
out = m.txt
metrics = m.json
X
t_commit one
ok mlbuild sweep -p C=1,2 m
out_has 'params.C  metrics.C  acc'
ok mlbuild experiments
out_has 'params.C  metrics.C  acc'

t show of an experiment
id=$(mlbuild --json experiments --sort acc | sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p')
for word in "$id" "$(echo "$id" | cut -c1-8)"; do
	ok mlbuild show "$word"
	out_has 'm  model'
	out_has "locked by   $id"
	out_has 'params      C 2'
done
ok mlbuild experiments --rename "$id" best
ok mlbuild show best
out_has "locked by   $id"

t without git they rest in .mlbuild, and all but sharing works
t_dir
project
ok mlbuild sweep -q -p C=1,2 m
ok mlbuild experiments --sort acc --top 1
id=$(ids)
eq "$(sed -n 2p "$T_OUT" | tr -s ' ' | cut -d' ' -f2)" 2
ok mlbuild experiments --rename "$id" best
ok mlbuild experiments best
ok mlbuild experiments --json
has '"shared":false'
ok mlbuild gc --keep-days 0
rm -rf .mlbuild/state.db*
: >"$RAN"
ok mlbuild apply best
did ''
eq "$(cat out/m.txt)" '2 7'
ok mlbuild experiments --remove best
ok mlbuild experiments
eq "$(wc -l <"$T_OUT")" 2

t two projects of one repository have their own
t_dir
t_git
mkdir a b
(cd a && project && sed -i 's/acc/aaa/' mlbuild.ini)
(cd b && project)
t_commit one
(cd a && mlbuild sweep -q -p C=1,2 m >"$T_ROOT/x" 2>&1) || fail "sweep in a"
(cd b && mlbuild sweep -q -p C=1,2,3 m >"$T_ROOT/x" 2>&1) || fail "sweep in b"
ok mlbuild -C a experiments
eq "$(wc -l <"$T_OUT")" 3
has aaa
ok mlbuild -C b experiments
eq "$(wc -l <"$T_OUT")" 4

done_testing
