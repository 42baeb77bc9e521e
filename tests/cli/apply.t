# apply makes an experiment the workspace, and loses nothing.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	: >"$RAN"
	put in.txt <<-'FILE'
		data
	FILE
	put mlbuild.ini <<-'INI'
		; a comment
		[params]
		; how strong
		model.C   =   1.0
		seed=7
		long = one
		    two
		; the end

		[feature f]
		run = echo f >>"$RAN"; cat in.txt > ${out}; echo ${params:seed} >> ${out}
		out = out/f.txt

		[model m]
		run = echo m >>"$RAN"; cat ${f} > ${out}; echo ${params:model.C} ${params:long} >> ${out}; echo '{"a": 0.${params:seed}}' > ${metrics}
		out = out/m.txt
		metrics = out/m.json
	INI
}

best() {
	mlbuild experiments --csv --sort metrics.a | sed -n 2p | cut -c1-8
}

t parameters are written where they stand, artifacts put in place, nothing runs
t_dir
t_git
project
t_commit one
ok mlbuild sweep -q -p model.C=0.5,2 -p seed=1,2 -p long=x m
: >"$RAN"
id=$(best)
cp mlbuild.ini "$T_ROOT/was"
ok mlbuild apply "$id"
did ''
err_has 'parameters written in mlbuild.ini'
err_has 'mlbuild.lock'
c=$(git show -s --format=%B "$id" | sed -n 's/^Mlbuild-Param: model.C=//p')
sed "s/^model.C   =   1.0/model.C   =   $c/; s/^seed=7/seed=2/; s/^long = one/long = x/; /^    two/d" "$T_ROOT/was" >"$T_ROOT/want"
eq "$(cat mlbuild.ini)" "$(cat "$T_ROOT/want")"
eq "$(tail -n 1 out/m.txt)" "$c x"
ok mlbuild status --exit-code m
ok mlbuild m
did ''
eq "$(grep -A9 '^\[model m\]' mlbuild.lock | grep key)" "$(git show "$id:mlbuild.lock" | grep -A9 '^\[model m\]' | grep key)"

t again it says that all is as it should be
ok mlbuild apply "$id"
did ''

t what the user changed in mlbuild.ini stays
ok git checkout -q mlbuild.ini
printf '\n; mine\n[report mine]\nrun = echo > ${out}\nout = mine.txt\n' >>mlbuild.ini
ok mlbuild apply "$id"
ok grep -q '^; mine$' mlbuild.ini
ok grep -q '^seed=2$' mlbuild.ini

t a value that was edited and not committed is kept
ok git checkout -q mlbuild.ini
ok mlbuild apply "$id"
hasnt 'as it was is kept'
change mlbuild.ini '^seed=2$' 'seed=99'
cp mlbuild.ini "$T_ROOT/edited"
ok mlbuild apply "$id"
has "'mlbuild.ini' as it was is kept in '.mlbuild/aside/"
found=$(grep -rl '^seed=99$' .mlbuild/aside)
eq "$(cat "$found")" "$(cat "$T_ROOT/edited")"

t what the user put where an output goes is kept
ok git checkout -q mlbuild.ini
echo precious >out/m.txt
ok mlbuild apply "$id"
has aside
eq "$(find .mlbuild/aside -name m.txt -exec cat {} +)" precious

t another input has changed: refused, and nothing written
ok git checkout -q mlbuild.ini
echo new >>in.txt
before=$(cat mlbuild.ini in.txt out/m.txt mlbuild.lock)
code 4 mlbuild apply "$id"
has "'in.txt' is not what the experiment was built from"
eq "$(cat mlbuild.ini in.txt out/m.txt mlbuild.lock)" "$before"

t --params-only leaves the rest to the next build
ok mlbuild apply --params-only "$id"
ok grep -q '^seed=2$' mlbuild.ini
did ''
ok mlbuild m
did 'f m'
ok git checkout -q mlbuild.ini in.txt

t a parameter file is changed where it stands
t_dir
t_git
put params.yaml <<'X'
# learning
train:
  lr: 0.1    # the rate
  layers: [1, 2]
name: "quoted"
X
put mlbuild.ini <<'X'
[params]
file = params.yaml
seed = 1
[model m]
run = echo m >>"$RAN"; cat params.yaml > ${out}; echo '{"a": ${params:seed}}' > ${metrics}
out = m.txt
metrics = m.json
needs = params:train.lr params:name
X
t_commit one
ok mlbuild sweep -q -p train.lr=0.5 -p seed=1,2 -p 'name=two words' m
: >"$RAN"
id=$(best)
ok mlbuild apply "$id"
did ''
err_has 'params.yaml'
eq "$(sed -n 3p params.yaml)" '  lr: 0.5    # the rate'
eq "$(sed -n 1p params.yaml)" '# learning'
ok grep -q '^seed = 2$' mlbuild.ini
eq "$(cat m.txt)" "$(cat params.yaml)"
ok mlbuild m
did ''

t what the ini cannot hold is refused, and nothing written
t_dir
t_git
put mlbuild.ini <<'X'
[params]
x = a
y = b
[model m]
run = printf '%s' ${params:x} > ${out}; echo ${params:y} >> ${out}
out = m.txt
X
t_commit one
ok mlbuild -p y=c -p 'x= led by a blank' m
ok mlbuild experiments --json
before=$(cat mlbuild.ini)
code 2 mlbuild apply "$(sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p' "$T_OUT")"
has "mlbuild.ini:2: 'x' cannot have the value"
eq "$(cat mlbuild.ini)" "$before"
gone m.txt
ok mlbuild -p 'x=two
lines' m
ok mlbuild experiments --json
id=$(grep 'lines' "$T_OUT" | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
has 'two\nlines'
code 2 mlbuild apply "$id"
has 'cannot have the value'
eq "$(cat mlbuild.ini)" "$before"

t a parameter that is gone
ok mlbuild -p y=gone m
ok mlbuild experiments --json
id=$(grep '"y":"gone"' "$T_OUT" | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
change mlbuild.ini '^y = b$' ''
change mlbuild.ini 'params:y' 'params:x'
code 2 mlbuild apply "$id"
has "'y', which the project has no more"

t an included file
t_dir
t_git
put mlbuild.ini <<'X'
[include]
files = parts/*.ini
[model m]
run = echo ${params:x} > ${out}
out = m.txt
X
printf '; here\r\n[params]\r\nx = a\r\n' | put parts/p.ini
t_commit one
ok mlbuild -p x=b m
ok mlbuild experiments --csv
ok mlbuild apply "$(sed -n 2p "$T_OUT" | cut -c1-8)"
err_has 'parts/p.ini'
eq "$(cat parts/p.ini)" "$(printf '; here\r\n[params]\r\nx = b\r\n')"
eq "$(cat m.txt)" b

t a failed one cannot be applied, nor one that nobody knows
change mlbuild.ini 'run = echo' 'run = [ ${params:x} != z ] && echo'
code 1 mlbuild sweep -q -p x=z m
ok mlbuild experiments --failed --json
code 2 mlbuild apply "$(grep '"failed"' "$T_OUT" | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')"
has 'has no artifacts'
code 2 mlbuild apply 0000
has "'0000'"
code 2 mlbuild apply

t a colleague applies what was fetched: from a cache they share, or the parameters alone
t_dir
t_git
project
cat >>mlbuild.ini <<X
[cache]
dir = $T_ROOT/shared
X
t_commit one
ok mlbuild sweep -q -p seed=3,4 m
git clone -q . "$T_ROOT/clone"
cd "$T_ROOT/clone" || exit 1
git fetch -q origin 'refs/mlbuild/experiments/*:refs/mlbuild/experiments/*'
: >"$RAN"
id=$(best)
ok mlbuild apply "$id"
did ''
eq "$(sed -n 2p out/m.txt)" 4
git checkout -q .
sed -i '/^\[cache\]/,$d' mlbuild.ini
rm -rf out .mlbuild mlbuild.lock
before=$(cat mlbuild.ini)
code 2 mlbuild apply "$id"
has -- --params-only
eq "$(cat mlbuild.ini)" "$before"
ok mlbuild apply --params-only "$id"
: >"$RAN"
ok mlbuild m
did 'f m'
eq "$(sed -n 2p out/m.txt)" 4

done_testing
