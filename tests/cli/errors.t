# What is wrong with an mlbuild.ini is said with file, line and both parties.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# ini: mlbuild.ini from standard input, in a new directory.
ini() {
	t_dir
	put mlbuild.ini
}

t a cycle, by its whole path
ini <<'X'
[dataset a]
run = cat ${c} > ${out}
out = a.txt
[dataset b]
run = cat ${a} > ${out}
out = b.txt
[dataset c]
run = cat ${b} > ${out}
out = c.txt
X
code 2 mlbuild
err_has cycle
match "a.*b.*c|b.*c.*a|c.*a.*b|a.*c.*b"
gone a.txt b.txt c.txt

t a target that reads itself
ini <<'X'
[dataset a]
run = cat ${a} > ${out}
out = a.txt
X
code 2 mlbuild
err_has a
err_has mlbuild.ini:

t a cycle through a check that guards
ini <<'X'
[dataset a]
run = echo 1 > ${out}
out = a.txt
[model b]
run = cat ${a} > ${out}
out = b.txt
[check c]
guards = a
run = test -s ${b}
X
code 0 mlbuild
code 0 mlbuild

t two targets with one output
ini <<'X'
[dataset one]
run = echo 1 > ${out}
out = a.txt
[dataset two]
run = echo 2 > ${out}
out = a.txt
X
code 2 mlbuild
err_has one
err_has two
err_has a.txt

t the same output in other words
ini <<'X'
[dataset one]
run = echo 1 > ${out}
out = d/a.txt
[dataset two]
run = echo 2 > ${out}
out = ./d//a.txt
X
code 2 mlbuild
err_has one
err_has two

t overlapping outputs: a and a/b
ini <<'X'
[dataset one]
run = echo 1 > ${out}/x
out = a/
[dataset two]
run = echo 2 > ${out}
out = a/b
X
code 2 mlbuild
err_has one
err_has two

t an output outside the project
ini <<'X'
[dataset one]
run = echo 1 > ${out}
out = ../a.txt
X
code 2 mlbuild
err_has one
err_has ../a.txt
ini <<'X'
[dataset one]
run = echo 1 > ${out}
out = /tmp/a.txt
X
code 2 mlbuild
err_has one
err_has /tmp/a.txt

t an output that is the project itself, .git or .mlbuild
for path in . ./ .mlbuild/x .git/x mlbuild.ini; do
	t_dir
	printf '[dataset one]\nrun = echo 1 > ${out}\nout = %s\n' "$path" >mlbuild.ini
	code 2 mlbuild
	err_has one
done

t an output that is also a source
ini <<'X'
[dataset src]
path = a.txt
[dataset made]
run = echo 1 > ${out}
out = a.txt
X
echo 1 >a.txt
code 2 mlbuild
err_has src
err_has made

t an output inside a source directory
ini <<'X'
[dataset src]
path = data/
[dataset made]
run = echo 1 > ${out}
out = data/made.txt
X
put data/x <<'X'
1
X
code 2 mlbuild
err_has src
err_has made

t an output inside a directory that is an input
ini <<'X'
[dataset made]
run = echo 1 > ${out}
out = data/made.txt
[model m]
run = ls data > ${out}
out = m.txt
needs = data
X
put data/x <<'X'
1
X
code 2 mlbuild
err_has data
err_has made

t a missing input
ini <<'X'
[dataset src]
path = nowhere.csv
[model m]
run = cat ${src} > ${out}
out = m.txt
X
code 1 mlbuild
err_has nowhere.csv
err_has src
gone m.txt

t a missing file in needs
ini <<'X'
[model m]
run = echo 1 > ${out}
out = m.txt
needs = lib/nothing.py
X
code 2 mlbuild
err_has lib/nothing.py
err_has mlbuild.ini:

t an unknown section, key, reference, name: the nearest valid word
ini <<'X'
[modle m]
run = echo 1 > ${out}
out = m.txt
X
code 2 mlbuild
err_has mlbuild.ini:1
err_has modle
err_has "model"
ini <<'X'
[model m]
run = echo 1 > ${out}
out = m.txt
timout = 1h
X
code 2 mlbuild
err_has mlbuild.ini:4
err_has timout
err_has "timeout"
ini <<'X'
[dataset features]
run = echo 1 > ${out}
out = f.txt
[model m]
run = cat ${feature} > ${out}
out = m.txt
X
code 2 mlbuild
err_has mlbuild.ini:5
err_has "features"
ini <<'X'
[params]
rate = 1
[model m]
run = echo ${params:rte} > ${out}
out = m.txt
X
code 2 mlbuild
err_has mlbuild.ini:4
err_has "rate"
ini <<'X'
[dataset s]
run = echo 1 > ${out:train}; echo 2 > ${out:test}
out.train = a.txt
out.test = b.txt
[model m]
run = cat ${s:tain} > ${out}
out = m.txt
X
code 2 mlbuild
err_has mlbuild.ini:6
err_has "train"

t the only out of a target that has two
ini <<'X'
[dataset s]
run = echo 1 > ${out:train}; echo 2 > ${out:test}
out.train = a.txt
out.test = b.txt
[model m]
run = cat ${s} > ${out}
out = m.txt
X
code 2 mlbuild
err_has train
err_has test

t a key given twice, a name given twice
ini <<'X'
[model m]
run = echo 1 > ${out}
out = m.txt
out = n.txt
X
code 2 mlbuild
err_has mlbuild.ini:4
err_has out
ini <<'X'
[model m]
run = echo 1 > ${out}
out = m.txt
[dataset m]
run = echo 1 > ${out}
out = n.txt
X
code 2 mlbuild
err_has mlbuild.ini:4
err_has "m"

t all errors at once
ini <<'X'
[modle m]
run = echo 1
[dataset d]
rum = echo 1
[dataset e]
out = e.txt
run = echo ${nothing} > ${out}
X
code 2 mlbuild
err_has mlbuild.ini:1
err_has mlbuild.ini:4
err_has rum

t '${VAR:-x} is the shell, and says how to write it'
ini <<'X'
[dataset d]
run = echo ${HOME:-x} > ${out}
out = d.txt
X
code 2 mlbuild
err_has '$${'

t an option that stands alone on a continuation line
ini <<'X'
[dataset d]
run = cat x
      --verbose
out = d.txt
X
code 2 mlbuild
err_has "\\"

t names: too long, wrong letters, reserved
for name in "a b" 'a/b' 'ä' params each scratch "$(printf '%049d' 0)"; do
	t_dir
	printf '[dataset %s]\nrun = echo 1 > ${out}\nout = d.txt\n' "$name" >mlbuild.ini
	code 2 mlbuild
	err_has mlbuild.ini:1
done
t_dir
printf '[dataset %s]\nrun = echo 1 > ${out}\nout = d.txt\n' "$(printf '%048d' 0)" >mlbuild.ini
ok mlbuild

t a target with neither run nor path, and with both
ini <<'X'
[dataset d]
desc = nothing
X
code 2 mlbuild
err_has mlbuild.ini:1
ini <<'X'
[dataset d]
path = x
run = echo 1
X
code 2 mlbuild

t a stage that does not exist
ini <<'X'
[dataset d]
use = no-such-stage
out = d.txt
X
code 2 mlbuild
err_has no-such-stage

t values that are no numbers, sizes, durations, booleans
for line in 'cpus = many' 'mem = 3 elephants' 'timeout = soon' 'retries = -1' 'frozen = perhaps' 'gpus = 1.5'; do
	t_dir
	printf '[dataset d]\nrun = echo 1 > ${out}\nout = d.txt\n%s\n' "$line" >mlbuild.ini
	code 2 mlbuild
	err_has mlbuild.ini:4
done

t an each without a template
ini <<'X'
[dataset d]
each = *.txt
run = cp ${each} ${out}
out = one.txt
X
echo 1 >1.txt
echo 2 >2.txt
code 2 mlbuild
err_has mlbuild.ini:

t text before the first section, and a line that is nothing
ini <<'X'
x = 1
[dataset d]
path = a
X
code 2 mlbuild
err_has mlbuild.ini:1
ini <<'X'
[params]
just some words
X
code 2 mlbuild
err_has mlbuild.ini:2

t no mlbuild.ini here or above
t_dir
code 2 mlbuild
err_has mlbuild.ini
err_has init

t a mistyped word gets the nearest, words of other tools get ours
t_dir
chain
ok mlbuild c
code 2 mlbuild statsu
err_has status
for pair in run:mlbuild repro:mlbuild all:mlbuild "dag:mlbuild graph"; do
	code 2 mlbuild "${pair%%:*}"
	err_has "${pair#*:}"
done

t an unknown option
code 2 mlbuild --no-such-option
err_has no-such-option

t a file name that is no UTF-8 in the ini is an error, not a crash
t_dir
printf '[dataset d]\nrun = echo 1 > ${out}\nout = a\377b.txt\n' >mlbuild.ini
code 2 mlbuild
err_has mlbuild.ini:3
err_has UTF-8

t all errors of all files at once, and none that only follows from another
ini <<'X'
[include]
files = more.ini
[params]
lr = 1
[dataset raw]
path = raw.csv
[datasett oops]
run = echo > ${out}
out = oops.txt
[feature f]
rnu = cat ${oops} > ${out}
out = f.txt
[model m]
run = cat ${f} ${oops} ${params:rate} ${raww} > ${out}
out = m.txt
needs = f.txt
eachh = x
[model n]
run = cat ${m:model} ${matrix:k} ${f} > ${out}
out n.txt
[model o]
run = cat ${n} ${out:x} > ${out}
out = o.txt
[model p]
run = cat ${nono} ${nono} ${nono} > ${out}
out = p.txt
X
put more.ini <<'X'
[model q]
run = cat ${ro} > ${out}
out = q.txt
[model r]
run = cat ${q} > ${out}
out = ../r.txt
X
code 2 mlbuild
err_has "mlbuild.ini:7: unknown section [datasett oops]: did you mean 'dataset'?"
err_has "mlbuild.ini:11: unknown key 'rnu' in [feature f]: did you mean 'run'?"
err_has "mlbuild.ini:14: in 'm': there is no parameter 'rate'"
err_has "mlbuild.ini:14: in 'm': \${raww}: there is no target 'raww'; nearest: raw"
err_has "mlbuild.ini:17: unknown key 'eachh' in [model m]: did you mean 'each'?"
err_has "mlbuild.ini:20: 'out n.txt' is not 'key = value'"
err_has "mlbuild.ini:22: \${out:x}: 'o' has no output 'x'"
err_has "mlbuild.ini:25: in 'p': \${nono}: there is no target 'nono'"
err_has "more.ini:2: in 'q': \${ro}: there is no target 'ro'"
err_has "more.ini:6: 'out' of 'r' is '../r.txt', which lies outside the project"
eq "$(wc -l <"$T_ERR")" 10

t 'what a lost file or section might have held is not missed'
ini <<'X'
[include]
files = gone.ini
[params]
file = bad.yaml
[model m]
run = cat ${else} ${params:x} > ${out}; ${env:}
out = m.txt
needs = other.txt
X
put bad.yaml <<'X'
a: [1
X
code 2 mlbuild
err_has "mlbuild.ini:2: there is no file 'gone.ini'"
err_has bad.yaml:
err_has "mlbuild.ini:6: in 'm': '\${env:}' is not a reference"
eq "$(wc -l <"$T_ERR")" 3
ini <<'X'
[model m
run = true
out = m.txt
[model n]
run = cat ${m} ${params:x} > ${out}
out = n.txt
X
code 2 mlbuild
err_has "mlbuild.ini:1: a section header without its ']'"
err_has "mlbuild.ini:5: in 'n': there is no parameter 'x'"
eq "$(wc -l <"$T_ERR")" 2

t the nearest of values and paths too
ini <<'X'
[params]
file = p.yaml
[dataset d]
path = data.csv
[dataset d2]
path = src/pats/x.csv
[feature fit]
matrix.fold = 1..99
run = cat data.csv > ${out}
out = f/${matrix:fold}.txt
[feature by]
matrix.kind = linear boosted
run = cat data.csv > ${out}
out = by/${matrix:kind}.txt
X
put p.yaml <<'X'
nest:
  a: [1, 2]
  b: 3
X
put src/parts/x.csv <<'X'
1
X
echo 1 >data.csv
ln -s nowhere link.txt
code 2 mlbuild fit@fold=100 by@kind=linnear fit@flod=1 d@fold=1 f/1.tx ft@fold=1
err_has "'fit' has no fold=100; nearest: 10"
err_has "'by' has no kind=linnear; nearest: linear"
err_has "'fit' has no matrix key 'flod'; it has fold"
err_has "'d' has no matrix key 'fold': it has none"
err_has "did you mean 'f/1.txt'?"
err_has "did you mean 'fit@fold=1'?"
code 2 mlbuild fit@fold=
err_has "'fit' has no fold=; it has 1 2 3 4 5 ... 99"
code 2 mlbuild fit@ fit@fold fit@fold=1,fold=2
err_has "there is no 'fit@': write 'fit' for all instances, or 'fit@KEY=VALUE'"
err_has "give 'fold' a value, as in 'fold=1'"
err_has "there is no 'fit@fold=1,fold=2': it gives 'fold' twice"
ok mlbuild status
has "its path 'src/pats/x.csv' is missing: put it there, or correct 'path' (did you mean 'src/parts/x.csv'?)"
cat >>mlbuild.ini <<'X'
[model m]
run = cat ${fit@fold=x} ${by@kind=boost} ${by@knd=x} > ${out}
out = m.txt
needs = dta.csv link.txt scr/parts/x.csv
X
code 2 mlbuild
err_has "in 'm': \${fit@fold=x}: 'fit' has no fold=x; it has 1 2 3 4 5 ... 99"
err_has "in 'm': \${by@kind=boost}: 'by' has no kind=boost; nearest: boosted"
err_has "in 'm': \${by@knd=x}: 'by' has no matrix key 'knd'; it has kind"
err_has "'dta.csv' in needs is neither a file nor an output of a target; nearest: data.csv"
err_has "'link.txt' in needs is a symbolic link to 'nowhere', which is not there"
err_has "'scr/parts/x.csv' in needs is neither a file nor an output of a target; nearest: src/parts/x.csv"

t what is no file in an output is named from the project, and no time is glued to a sentence
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = mkfifo ${out}/p
out = d/a/
[dataset b]
run = ln -s /etc ${out}/p
out = d/b/
[dataset c]
run = mkdir ${out}
out = c
X
code 1 mlbuild -k
err_has "d/a: 'p' is a socket, pipe or device"
err_has "d/b: 'p': the link to '/etc' is absolute"
err_hasnt "$PWD/d"
err_has "write 'out = c/' for a directory"
err_hasnt 'directory after'

t a pool that is not there is said once
t_dir
put mlbuild.ini <<'X'
[task t]
run = true
pool.x = 1
X
code 2 mlbuild
eq "$(grep -c 'pool x' "$T_ERR")" 1

t a comment behind a value
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo > ${out}
out = a ; the output
X
code 2 mlbuild
err_has 'a comment has a line of its own, from the first column on'

t what is wrong with -p is said of its words
ini <<'X'
[params]
file = p.yaml
[dataset d]
run = echo ${params:nest.a} > ${out}
out = d.txt
X
put p.yaml <<'X'
nest:
  a: [1, 2]
  b: 3
X
for words in 'nest.a=' 'nest=' 'nest.a=[1' 'nest.c=1' 'nest.b.c=1' 'nest.a={x: 1}'; do
	code 2 mlbuild -n -p "$words"
	err_has "-p '$words': "
	err_hasnt -p:
done
code 2 mlbuild -n -p nest.a=
err_has "'nest.a' is a list: write '[1, 2]', one value, or '[]'"
code 2 mlbuild -n -p nest.c=1
err_has "did you mean 'nest.a'?"

t 'a cache below ~ needs a home, and no directory is called ~'
ini <<'X'
[cache]
dir = ~/c
[dataset d]
run = echo 1 > ${out}
out = d.txt
X
home=$HOME
unset HOME
code 2 mlbuild
err_has "mlbuild.ini:2: dir in [cache] is '~/c', but HOME is not set to a path"
gone '~' d.txt
HOME=$T_DIR/one
export HOME
ok mlbuild
there one/c
HOME=$T_DIR/two
rm d.txt
ok mlbuild
there two/c d.txt
unset HOME
code 2 mlbuild status
err_has HOME
HOME=$home
export HOME

t what other tools would write gets our form
ini <<'X'
[params]
lr = 1
[dataset raw]
path = raw.csv
[model m]
run = echo ${params.lr} ${param:lr} ${raw.csv} ${output} ${marix:k} ${HOME} > ${out}
out = y
needs = params.lr
X
echo 1 >raw.csv
code 2 mlbuild
err_has '${params.lr}: there is no target '"'params.lr'; did you mean \${params:lr}?"
err_has '${param:lr}: there is no target '"'param'; did you mean \${params:lr}?"
err_has '${raw.csv}: there is no target '"'raw.csv'; did you mean \${raw:csv}?"
err_has '${output}: there is no target '"'output'; did you mean \${out}?"
err_has '${marix:k}: there is no target '"'marix'; did you mean \${matrix:k}?"
err_has "the shell's own variable is \$HOME or \$\${HOME}"
err_has "'params.lr' in needs is neither a file nor an output of a target; nearest: params:lr"

done_testing
