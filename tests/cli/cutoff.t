# Early cutoff: what gives the same bytes makes nothing after it run.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t an input that changes nothing further
t_dir
chain
ok mlbuild
did 'a b c d'
echo '# a comment that a removes' >>in.txt
ok mlbuild
did 'a'
ok mlbuild
did ''

t a command that changes and gives the same
change mlbuild.ini 'grep -v' 'grep -v -e'
ok mlbuild
did 'a'

t half way down
change mlbuild.ini 'sed "s' 'sed -e "s'
ok mlbuild
did 'b'

t a diamond: one side changes, the other gives the same
t_dir
printf '1 2\n' >in.txt
put mlbuild.ini <<'X'
[feature left]
run = echo left >>"$RAN"; cut -d' ' -f1 in.txt > ${out}
out = left.txt
[feature right]
run = echo right >>"$RAN"; cut -d' ' -f2 in.txt > ${out}
out = right.txt
[feature after-left]
run = echo after-left >>"$RAN"; cat ${left} > ${out}
out = after-left.txt
[model both]
run = echo both >>"$RAN"; cat ${after-left} ${right} > ${out}
out = both.txt
X
ok mlbuild
did 'after-left both left right'
printf '1 3\n' >in.txt
ok mlbuild
did 'both left right'
eq "$(cat both.txt)" "$(printf '1\n3')"

t the executable bit is content
t_dir
printf 'x\n' >tool.txt
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cp tool.txt ${out}
out = a.txt
X
ok mlbuild
did 'a'
chmod +x tool.txt
ok mlbuild
did 'a'

t -n tells what will run from what may run
t_dir
chain
ok mlbuild
did 'a b c d'
echo more >>in.txt
ok mlbuild -n
out_has 'will run'
out_has 'may run'
did ''

done_testing
