# doctor says what is wrong, and how to mend it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a good project
t_dir
t_git
chain
t_commit
ok mlbuild
ok mlbuild doctor
out_has 'mlbuild.ini'
out_has '4 targets'
match 'git.*(HEAD|main|work tree|repository)'

t no project
t_dir
ok mlbuild doctor
out_has "'mlbuild init' begins one"

t a broken project
t_dir
printf '[modle x]\n' >mlbuild.ini
code 1 mlbuild doctor
out_has 'mlbuild.ini:1'
out_has "did you mean 'model'"

t what would stop a build
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw.csv
[model m]
run = cat ${raw} > ${out}
out = m.txt
shell = no-such-shell -c
[model big]
run = echo 1 > ${out}
out = big.txt
gpus = 3
mem = 900000G
X
CUDA_VISIBLE_DEVICES=0
export CUDA_VISIBLE_DEVICES
code 1 mlbuild doctor
out_has "'raw.csv' is missing"
out_has "'no-such-shell'"
out_has "'big' wants 3 graphics processors, there are 1"
match "'big' wants .* of memory"
echo 1 >raw.csv
change mlbuild.ini no-such-shell bash
change mlbuild.ini 'gpus = 3' 'gpus = 1'
change mlbuild.ini 900000G 1M
ok mlbuild doctor
out_hasnt wants
echo junk >mlbuild.lock
code 1 mlbuild doctor
match 'problem.*mlbuild.lock'

t a directory that is not there
code 2 mlbuild doctor nodir
err_has nodir
code 2 mlbuild doctor raw.csv
err_has raw.csv

done_testing
