# Sentences of mlbuild.ini(5) that no other test shows.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a command keeps its lines, blank ones too, other values are joined
t_dir
cat >mlbuild.ini <<'X'
[params]
odd = a:b = c ; d # e $X %(y)s
long = one
  two

    three
[dataset a]
run =
    cat > ${out} <<E
      two

    one
    E
    printf '%s\n' ${params:odd} ${params:long} >> ${out}
out = a.txt
desc = first
  second
X
ok mlbuild
eq "$(cat a.txt)" '  two

one
a:b = c ; d # e $X %(y)s
one two three'
ok mlbuild ls -v
has 'first second'

t a word that is a command and a target is the command, with a note
t_dir
put mlbuild.ini <<'X'
[dataset status]
run = echo 1 > ${out}
out = s.txt
X
ok mlbuild status
has 'not built yet'
err_has 'mlbuild build status'
ok mlbuild build status
there s.txt

t references expand relative to dir, paths in the ini never
t_dir
put mlbuild.ini <<'X'
[include]
files = sub/more.ini
[dataset a]
run = echo 1 > ${out}
out = data/a.txt
X
put sub/more.ini <<'X'
[feature b]
dir = sub/deep
run = cat ${a} > ${out}; echo ${a} ${out} ${metrics} >> ${out}; echo '{"x":1}' > ${metrics}; pwd >> ${out}
out = out/b.txt
metrics = out/b.json
X
mkdir -p sub/deep
ok mlbuild
eq "$(sed -n 2p out/b.txt)" '../../data/a.txt ../../out/b.txt ../../out/b.json'
eq "$(sed -n 3p out/b.txt)" "$T_DIR/sub/deep"

t 'out, path, metrics and dir take one word, in quotes if it has spaces'
t_dir
put mlbuild.ini <<'X'
[dataset s]
path = "in put.txt"
[dataset a]
run = cat ${s} > ${out}; echo '{}' > ${metrics}
out = 'a b.txt'
metrics = "m m.json"
dir = "d d"
X
mkdir 'd d'
echo 1 >'in put.txt'
ok mlbuild
there 'a b.txt' 'm m.json'
for key in out path metrics dir; do
	printf '[dataset a]\nrun = true\nout = o\n[dataset b]\n%s = a b.txt\n' "$key" >mlbuild.ini
	code 2 mlbuild
	err_has 'one word'
done

t an output that is a directory begins empty and expands without the slash
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = n=$(ls -A ${out} | wc -l); echo $n > ${out}/n; echo ${out} > ${out}/p
out = deep/er/x/
X
put deep/er/x/old <<'X'
old
X
ok mlbuild
eq "$(($(cat deep/er/x/n)))" 0
eq "$(cat deep/er/x/p)" deep/er/x
gone deep/er/x/old
there .mlbuild/aside/*/deep/er/x/old

t a path in a command means the target that makes it
t_dir
put mlbuild.ini <<'X'
[dataset s]
path = in.txt
[dataset a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = o/a.txt
[feature b]
run = echo b >>"$RAN"; cat o/a.txt > ${out}; : --config=conf.yaml
out = b.txt
X
echo 1 >in.txt
echo 1 >conf.yaml
ok mlbuild b
did 'a b'
echo 2 >conf.yaml
ok mlbuild
did 'b'
echo 2 >in.txt
ok mlbuild
did 'a b'

t a file that git ignores is no input, nor is what comes behind a redirection
t_dir
t_git
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cat ign.txt seen.txt > ${out}; echo x > log.txt
out = a.txt
X
printf 'ign.txt\nlog.txt\n' >.gitignore
echo 1 >ign.txt
echo 1 >seen.txt
echo 1 >log.txt
ok mlbuild
did 'a'
echo 2 >ign.txt
echo 2 >log.txt
ok mlbuild
did ''
echo 2 >seen.txt
ok mlbuild
did 'a'

t what comes behind '<' is an input wherever it stands
t_dir
put mlbuild.ini <<'X'
[defaults]
shell = bash -eo pipefail -c
[dataset a]
run = echo a >>"$RAN"; <1.txt sort > ${out}
out = a.txt
[dataset b]
run = echo b >>"$RAN"; (cat; echo) < '2 2.txt' > ${out}
out = b.txt
[dataset c]
run =
  echo c >>"$RAN"
  x="$(<3.txt)"
  { echo "$x"; cat; } <4.txt > ${out}
out = c.txt
X
echo 1 | tee 1.txt '2 2.txt' 3.txt >4.txt
ok mlbuild
did 'a b c'
echo 2 >1.txt
ok mlbuild
did 'a'
echo 2 >'2 2.txt'
ok mlbuild
did 'b'
echo 2 >3.txt
ok mlbuild
did 'c'
echo 2 >4.txt
ok mlbuild
did 'c'

t "words of the shell's own syntax mean no file"
t_dir
put mlbuild.ini <<'X'
[dataset in]
path = in
[dataset split]
path = split
[dataset a]
run =
  echo a >>"$RAN"
  for split in 1 2; do
    case $split in split) exit 1 ;; esac
  done > ${out}
out = a.txt
X
put in/1 </dev/null
put split </dev/null
ok mlbuild
did 'a'
ok mlbuild ls a --json
ok mlbuild why a
out_hasnt split
out_hasnt "'in'"
echo 2 | tee in/2 >./split
ok mlbuild
did ''

t a directory in needs is the files that git would keep
t_dir
t_git
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
needs = conf/
X
put conf/c <<'X'
1
X
echo conf/ignored >.gitignore
ok mlbuild
did 'a'
touch conf/ignored
ok mlbuild
did ''
echo 1 >conf/new
ok mlbuild
did 'a'

t of the keys that say how it runs only dir, env and shell count
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
X
ok mlbuild
did 'a'
printf '%s\n' 'cpus = 1' 'mem = 1M' 'timeout = 5m' 'retries = 2' 'retry_delay = 1s' 'desc = x' \
	'owner = y' 'tags = z' 'store = yes' 'deterministic = no' 'dir = .' >>mlbuild.ini
ok mlbuild
did ''
echo 'env.K = 1' >>mlbuild.ini
ok mlbuild
did 'a'
echo 'shell = sh -c' >>mlbuild.ini
ok mlbuild
did 'a'
mkdir sub
change mlbuild.ini 'dir = .' 'dir = sub'
ok mlbuild
did 'a'
printf '[cache]\nsalt = one\n' >>mlbuild.ini
ok mlbuild
did 'a'
ok mlbuild
did ''

t 'store = no keeps the digest only'
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
store = no
X
ok mlbuild
did 'a'
ok mlbuild
did ''
rm a.txt
ok mlbuild
did 'a'

t of a source that is absent it is said why its bytes cannot be had
t_dir
put mlbuild.ini <<'X'
[dataset big]
path = big/
store = no
[dataset kept]
path = kept.txt
[model m]
run = echo m >>"$RAN"; cat ${big}/x ${kept} > ${out}
out = m.txt
X
put big/x </dev/null
echo 1 >kept.txt
ok mlbuild
did 'm'
rm -r big
ok mlbuild m
did ''
code 1 mlbuild
err_has "its path 'big' is absent, and with 'store = no' its bytes are not kept: put there again"
err_hasnt 'object'
ok mlbuild status
match "blocked +big +its path 'big' is absent"
put big/x </dev/null
ok mlbuild
rm kept.txt
ok mlbuild
eq "$(cat kept.txt)" 1
rm -r kept.txt .mlbuild/cache
code 1 mlbuild kept
err_has "its path 'kept.txt' is absent, and the cache does not have its bytes"

t what a bare mlbuild builds
t_dir
put mlbuild.ini <<'X'
[project]
default = b 'churn.*'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
[dataset b]
run = echo b >>"$RAN"; echo 1 > ${out}
out = b.txt
[model churn.train]
run = echo c >>"$RAN"; echo 1 > ${out}
out = c.txt
[task t]
run = echo t >>"$RAN"
X
ok mlbuild
did 'b c'
ok mlbuild dataset
did 'a'
ok mlbuild t
ok mlbuild t
did 't t'
change mlbuild.ini 'default = .*' ''
ok mlbuild -f a b churn.train
did 'a b c'

t config.ini sets all but targets and parameters
put .mlbuild/config.ini <<'X'
[dataset z]
path = q
[params]
z = 1
X
code 2 mlbuild
err_has '.mlbuild/config.ini:1: [dataset z] is a target: it belongs into mlbuild.ini'
err_has '.mlbuild/config.ini:3: [params] belongs into mlbuild.ini'
put .mlbuild/config.ini <<'X'
[project]
jobs = 1
[cache]
dir = other
X
put "$HOME/.config/mlbuild/config.ini" <<'X'
[cache]
dir = ignored
X
ok mlbuild
there other
gone ignored
rm .mlbuild/config.ini "$HOME/.config/mlbuild/config.ini"

t what the project exposes is in private roots
t_dir
put mlbuild.ini <<'X'
[project]
expose = .venv
[params]
k = 1
[dataset a]
run = cat .venv/x > ${out}; echo ${params:k} >> ${out}
out = a.txt
X
put .venv/x <<'X'
v
X
ok mlbuild -p k=2 --into d
eq "$(cat d/a.txt)" 'v
2'

t several paths, files and links among them, and what is in them is in no key
put mlbuild.ini <<'X'
[project]
expose = .venv deep/er/lib one.txt linked
[params]
k = 1
[dataset a]
run = cat .venv/x deep/er/lib/y one.txt linked/z > ${out}; test ! -e deep/other; echo ${params:k} >> ${out}
out = a.txt
X
put deep/er/lib/y <<'X'
y
X
put deep/other <<'X'
not exposed
X
put outside/z <<'X'
z
X
echo one >one.txt
ln -s outside linked
t_git
printf '.venv\ndeep\none.txt\nlinked\noutside\n' >.gitignore
ok mlbuild -p k=3 --into e a
eq "$(tr '\n' ' ' <e/a.txt)" 'v y one z 3 '
echo changed >deep/er/lib/y
ok mlbuild -p k=3 --into e2 a
eq "$(tr '\n' ' ' <e2/a.txt)" 'v y one z 3 '
eq "$(cat deep/er/lib/y)" changed
change mlbuild.ini 'expose = .*' 'expose = ..'
code 2 mlbuild -p k=4 a
err_has expose

t ranges of numbers and days
t_dir
put mlbuild.ini <<'X'
[dataset a]
matrix.d = 2024-02-27..2024-03-02
run = echo > ${out}
out = a/${matrix:d}
[dataset b]
matrix.d = x 08..11
run = echo > ${out}
out = b/${matrix:d}
X
ok mlbuild
eq "$(ls a | tr '\n' ' ')" '2024-02-27 2024-02-28 2024-02-29 2024-03-01 2024-03-02 '
eq "$(ls b | tr '\n' ' ')" '08 09 10 11 x '
change mlbuild.ini '08..11' '11..08'
code 2 mlbuild
err_has 'runs backwards'

t 'a task has no outputs, and nothing needs one'
t_dir
put mlbuild.ini <<'X'
[task t]
run = echo hi
[dataset a]
run = cat ${t} > ${out}
out = a
needs = t
X
code 2 mlbuild
err_has "the task 't' has no outputs"
err_has "'t' is a task, which runs only when it is named"
echo 'out = x' >>mlbuild.ini
change mlbuild.ini 'run = echo hi' 'run = echo hi\nout = x'
code 2 mlbuild
err_has "'out' has no meaning in [task t]"

t values of YAML parameters as they are written
t_dir
put p.yaml <<'X'
a: 1e-3
b: true
d: "q: x"
e: [1, "two words", 3.0]
f: {x: 1, y: [a, b]}
g: 0x10
X
put mlbuild.ini <<'X'
[params]
file = p.yaml
[dataset a]
run = for i in ${params:a} ${params:b} ${params:d} ${params:e} ${params:f} ${params:g}; do echo "<$i>"; done > ${out}
out = a.txt
X
ok mlbuild
eq "$(tr '\n' ' ' <a.txt)" '<1e-3> <true> <q: x> <1> <two words> <3.0> <{"x":1,"y":["a","b"]}> <0x10> '

done_testing
