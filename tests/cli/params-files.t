# Parameters from YAML and JSON.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put params.yaml <<'X'
# a comment
seed: 7
model:
  C: 1e-3          # stays as written
  layers: [64, 32]
  opt: {name: adam, lr: 0.10}
text: "a b"
X
put more.json <<'X'
{"json": {"deep": {"er": 12.50}}, "flag": true, "list": ["x", "y z"]}
X
put mlbuild.ini <<'X'
[params]
file = params.yaml more.json
ini = here
[dataset seed]
run = echo seed >>"$RAN"; echo ${params:seed} ${params:ini} > ${out}
out = seed.txt
[model c]
run = echo c >>"$RAN"; echo ${params:model.C} ${params:json.deep.er} ${params:flag} ${params:text} > ${out}
out = c.txt
[model lists]
run = echo lists >>"$RAN"; for i in ${params:model.layers} ${params:list}; do echo "[$i]"; done > ${out}
out = lists.txt
[model needs]
run = echo needs >>"$RAN"; grep lr params.yaml > ${out}
out = needs.txt
needs = params:model.opt.*
X

t values as written
# params.yaml is a word of needs' command: then it is an input as a whole, which is allowed.
ok mlbuild
: >"$RAN"
eq "$(cat c.txt)" '1e-3 12.50 true a b'
eq "$(tr '\n' ' ' <lists.txt)" '[64] [32] [x] [y z] '
eq "$(cat seed.txt)" '7 here'

t a change runs what reads that value
change params.yaml 'C: 1e-3' 'C: 1e-4'
ok mlbuild
eq "$(sort "$RAN" | grep -v needs)" c
: >"$RAN"
change more.json '"x"' '"z"'
ok mlbuild
did 'lists'

t a comment and another order run nothing
change params.yaml '# a comment' '# another comment'
ok mlbuild
eq "$(grep -v needs "$RAN")" ''
: >"$RAN"

t a script that reads the file itself, not named in the command
t_dir
put params.yaml <<'X'
train:
  lr: 0.1
other: 1
X
put train.sh <<'X'
echo train >>"$RAN"
grep lr "params.yaml" >"$1"
X
put mlbuild.ini <<'X'
[params]
file = params.yaml
[model m]
run = sh train.sh ${out}
out = m.txt
needs = params:train.*
X
ok mlbuild
did 'train'
change params.yaml 'other: 1' 'other: 2'
ok mlbuild
did ''
change params.yaml 'lr: 0.1' 'lr: 0.2'
ok mlbuild
did 'train'
echo '  new: 1' >p && sed '/lr/r p' params.yaml >q && mv q params.yaml && rm p
ok mlbuild
did 'train'

t params shows them
ok mlbuild params
has train.lr
has 0.2

t a pattern without a match, a file that is absent, one that is broken
change mlbuild.ini 'params:train' 'params:trian'
code 2 mlbuild
err_has trian
change mlbuild.ini 'params:trian' 'params:train'
mv params.yaml gone.yaml
code 2 mlbuild
err_has params.yaml
printf 'a: [1, 2\n' >params.yaml
code 2 mlbuild
err_has params.yaml
printf '{"a": 1,}' >params.yaml
code 2 mlbuild
err_has "no parameter 'train.*'"

t a parameter in two places
mv gone.yaml params.yaml
change mlbuild.ini '^file = params.yaml' 'other = 2\nfile = params.yaml'
sed -n 1,4p mlbuild.ini >"$T_ROOT/x"
code 2 mlbuild
err_has other
err_has params.yaml

done_testing
