# --only builds the named targets alone, --downstream also what reads them.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t --only takes what it reads as it is
t_dir
chain
ok mlbuild
did 'a b c d'
echo three >>in.txt
change mlbuild.ini 'cat ${b} ${b}' 'cat ${b} ${b} ${b}'
ok mlbuild --only c
did 'c'
eq "$(wc -l <out/c.txt)" 6

t afterwards the whole is built as ever
ok mlbuild
did 'a b c'
eq "$(wc -l <out/c.txt)" 9

t --only of something whose input was never made
t_dir
chain
code 1 mlbuild --only c
err_has 'out/b.txt'
did ''

t --downstream
t_dir
chain
ok mlbuild
did 'a b c d'
echo three >>in.txt
ok mlbuild --downstream a
did 'a b c'

t not what does not read it
change mlbuild.ini 'cp other.txt' 'cp -f other.txt'
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild --downstream b
did 'b c'
ok mlbuild
did 'd'

t no task by --downstream
cat >>mlbuild.ini <<'X'
[task deploy]
run = echo deploy >>"$RAN"; cat ${c}
X
echo four >>in.txt
ok mlbuild --downstream a
did 'a b c'

done_testing
