# adopt: take the outputs that are there as the result of the present key.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a step whose state was lost
t_dir
chain
ok mlbuild
did 'a b c d'
rm -rf .mlbuild mlbuild.lock
ok mlbuild adopt a
did ''
ok mlbuild adopt b
ok mlbuild
did 'c d'

t after a cosmetic change of a script
t_dir
: >"$RAN"
put train.sh <<'X'
echo train >>"$RAN"
echo 1 >"$1"
X
put mlbuild.ini <<'X'
[model m]
run = sh train.sh ${out}
out = m.txt
[report r]
run = echo r >>"$RAN"; cat ${m} > ${out}
out = r.txt
X
ok mlbuild
did 'r train'
echo '# cosmetic' >>train.sh
ok mlbuild status
has train.sh
ok mlbuild adopt m
ok mlbuild
did ''

t what is adopted is in the cache
rm m.txt
ok mlbuild
did ''
eq "$(cat m.txt)" 1

t outputs that are not there cannot be adopted
echo '# more' >>train.sh
rm m.txt
t_run_ mlbuild adopt m
[ "$T_CODE" != 0 ] && pass || fail 'exit code 0'
err_has m.txt

t nor can a source
cat >>mlbuild.ini <<'X'
[dataset s]
path = train.sh
X
t_run_ mlbuild adopt s
[ "$T_CODE" != 0 ] && pass || fail 'exit code 0'

done_testing
