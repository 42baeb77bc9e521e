# status says for each stale target why in one line, why explains one.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain

t before the first build everything is stale
ok mlbuild status
for x in a b c d; do out_has "$x"; done
code 4 mlbuild status --exit-code

t up to date
ok mlbuild
did 'a b c d'
ok mlbuild status
eq "$(wc -l <"$T_ALL")" 1
ok mlbuild status --exit-code

t an input
echo three >>in.txt
ok mlbuild status
out_has in.txt
eq "$(grep -cE '\ba\b.*in.txt' "$T_OUT")" 1
code 4 mlbuild status --exit-code
ok mlbuild why a
has in.txt

t a parameter
printf 'one\ntwo\n' >in.txt
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild status
eq "$(grep -cE '\bb\b' "$T_OUT" | awk '{ print ($1 > 0) }')" 1
ok mlbuild why b
out_has x
out_has 1
out_has 2

t a command
change mlbuild.ini 'x = 2' 'x = 1'
change mlbuild.ini 'cp other.txt' 'cp -f other.txt'
ok mlbuild status
out_has command
ok mlbuild why d
out_has command
out_has '-f'

t an output that is gone
ok mlbuild
: >"$RAN"
rm out/d.txt
ok mlbuild status
out_has d
ok mlbuild why d
out_has out/d.txt

t what is up to date is said to be
ok mlbuild why c
has 'up to date'

t status of one target
ok mlbuild status c
hasnt out/d.txt
did ''

t by the path of an output, and a mistyped name
ok mlbuild why out/c.txt
code 2 mlbuild why cc
code 2 mlbuild status featrue
err_has feature

t many instances of one target are one line, a few are one each
t_dir
put mlbuild.ini <<'X'
[params]
k = 1
[model many]
matrix.n = 1..12
run = echo ${matrix:n} ${params:k} > ${out}
out = many/${matrix:n}.txt
[model few]
matrix.n = 1..3
run = echo ${params:k} > ${out}
out = few/${matrix:n}.txt
[report all]
run = cat ${many} ${few} > ${out}
out = all.txt
X
ok mlbuild status
out_has 'many@*   12 instances: not built yet'
out_hasnt 'many@n=1 '
out_has 'few@n=2 '
out_has '16 stale'
ok mlbuild status -v
out_has 'many@n=12 '
out_hasnt 'many@*'
ok mlbuild
rm many/7.txt many/8.txt
ok mlbuild status
out_has 'many@n=7 '
sed 's/k = 1/k = 2/' mlbuild.ini >mlbuild.ini.new
mv mlbuild.ini.new mlbuild.ini
ok mlbuild -n
out_has 'will run  many@*   12 instances'
ok mlbuild status --json many
eq "$(wc -l <"$T_OUT")" 12

t neither needs to write
chmod a-w . 2>/dev/null
ok mlbuild status
chmod u+w .

done_testing
