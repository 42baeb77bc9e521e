# k-fold and grids: one target per combination, fan-in over the rest.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put data.txt <<'X'
data
X
put mlbuild.ini <<'X'
[params]
c = 1
[feature fold]
matrix.fold = 0..4
run = echo fold-${matrix:fold} >>"$RAN"; { cat data.txt; echo ${matrix:fold}; } > ${out}
out = folds/${matrix:fold}.txt
[model fit]
matrix.fold = 0..4
matrix.kernel = rbf linear
run = echo fit-${matrix:fold}-${matrix:kernel} >>"$RAN"; echo "$(tail -n 1 ${fold}) ${matrix:kernel} ${params:c}" > ${out}
out = fit/${matrix:fold}-${matrix:kernel}.txt
[report score]
matrix.kernel = rbf linear
run = echo score-${matrix:kernel} >>"$RAN"; cat ${fit} > ${out}
out = score-${matrix:kernel}.txt
[report all]
run = echo all >>"$RAN"; cat ${score} > ${out}; cat ${fit@fold=0,kernel=rbf} >> ${out}
out = all.txt
X

t one target per combination
ok mlbuild
eq "$(sort "$RAN" | grep -c fit)" 10
eq "$(sort "$RAN" | grep -c fold)" 5
eq "$(sort "$RAN" | wc -l)" 18
: >"$RAN"

t a reference binds what both sides have and fans in over the rest, in order
eq "$(cat score-rbf.txt)" "0 rbf 1
1 rbf 1
2 rbf 1
3 rbf 1
4 rbf 1"
eq "$(head -n 1 all.txt)" '0 rbf 1'
eq "$(sed -n 6p all.txt)" '0 linear 1'
eq "$(tail -n 1 all.txt)" '0 rbf 1'

t nothing runs twice
ok mlbuild
did ''

t one instance, and a glob, on the command line
rm -r fit
ok mlbuild 'fit@fold=2,kernel=rbf'
did ''
there fit/2-rbf.txt
gone fit/2-linear.txt fit/1-rbf.txt
ok mlbuild 'fit@fold=2'
there fit/2-linear.txt
gone fit/1-rbf.txt

t one more fold runs what is new
change mlbuild.ini '0..4' '0..5'
ok mlbuild
eq "$(sort "$RAN" | tr '\n' ' ')" 'all fit-5-linear fit-5-rbf fold-5 score-linear score-rbf '
: >"$RAN"

t one value less runs the fan-ins
change mlbuild.ini '0..5' '0..4'
ok mlbuild
did ''

t a parameter runs what reads it
change mlbuild.ini 'c = 1' 'c = 2'
ok mlbuild
eq "$(grep -c fit "$RAN")" 10
eq "$(grep -c fold "$RAN")" 0
: >"$RAN"

t an out that does not use every key is an error
t_dir
put mlbuild.ini <<'X'
[model fit]
matrix.fold = 0..2
matrix.k = a b
run = echo 1 > ${out}
out = fit/${matrix:fold}.txt
X
code 2 mlbuild
err_has 'mlbuild.ini:'
err_has 'k'

t one instance that fails stops only what reads it
t_dir
put mlbuild.ini <<'X'
[model fit]
matrix.fold = 0..3
run = echo fit-${matrix:fold} >>"$RAN"; test ${matrix:fold} != 2; echo 1 > ${out}
out = fit/${matrix:fold}.txt
[report single]
matrix.fold = 0..3
run = echo single-${matrix:fold} >>"$RAN"; cat ${fit} > ${out}
out = single/${matrix:fold}.txt
[report all]
run = echo all >>"$RAN"; cat ${fit@fold=*} > ${out}
out = all.txt
X
: >"$RAN"
code 1 mlbuild -k
did 'fit-0 fit-1 fit-2 fit-3 single-0 single-1 single-3'
err_has 'fit@fold=2'

t values with signs and points, in their order
t_dir
put mlbuild.ini <<'X'
[model m]
matrix.c = 1e-3 0.5 -2 ten
run = echo ${matrix:c} > ${out}
out = m/${matrix:c}.txt
[report r]
run = cat ${m} > ${out}
out = r.txt
X
ok mlbuild
eq "$(tr '\n' ' ' <r.txt)" '1e-3 0.5 -2 ten '

t a million instances are refused, not tried
t_dir
put mlbuild.ini <<'X'
[model m]
matrix.a = 1..2000000000
run = echo 1 > ${out}
out = m/${matrix:a}.txt
X
code 2 timeout 20 "$MLBUILD"
err_has mlbuild.ini:2

done_testing
