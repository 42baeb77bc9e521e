# A rolling window: relative instances, cut short at the ends.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t 30 days over three months
t_dir
put mlbuild.ini <<'X'
[dataset day]
matrix.date = 2024-01-01..2024-03-31
run = echo day >>"$RAN"; echo ${matrix:date} > ${out}
out = day/${matrix:date}.txt
[feature window]
matrix.date = 2024-01-01..2024-03-31
run = echo window-${matrix:date} >>"$RAN"; cat ${day@date=-29..+0} > ${out}
out = window/${matrix:date}.txt
X
ok mlbuild
eq "$(grep -c '^day' "$RAN")" 91
eq "$(grep -c '^window' "$RAN")" 91
: >"$RAN"
eq "$(cat window/2024-01-01.txt)" 2024-01-01
eq "$(wc -l <window/2024-01-15.txt)" 15
eq "$(wc -l <window/2024-03-31.txt)" 30
eq "$(head -n 1 window/2024-03-31.txt)" 2024-03-02
eq "$(tail -n 1 window/2024-03-31.txt)" 2024-03-31
there day/2024-02-29.txt
gone day/2024-02-30.txt

t one more day runs two commands
change mlbuild.ini '2024-03-31' '2024-04-01'
ok mlbuild
did 'day window-2024-04-01'
eq "$(head -n 1 window/2024-04-01.txt)" 2024-03-03

t the graph of one instance
ok mlbuild graph 'window@date=2024-03-31'
has 'day@date=2024-03-02'
hasnt 'day@date=2024-03-01'

t looking ahead, with numbers
t_dir
put mlbuild.ini <<'X'
[dataset n]
matrix.i = 1..5
run = echo ${matrix:i} > ${out}
out = n/${matrix:i}.txt
[feature next]
matrix.i = 1..5
run = cat ${n@i=+1..+2} /dev/null > ${out}
out = next/${matrix:i}.txt
X
ok mlbuild
eq "$(tr '\n' ' ' <next/1.txt)" '2 3 '
eq "$(tr '\n' ' ' <next/4.txt)" '5 '
eq "$(cat next/5.txt)" ''

t a step that reads the one before it
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[model state]
matrix.i = 1..4
run = echo state >>"$RAN"; cat ${state@i=-1..-1} /dev/null > ${out}; echo ${matrix:i} >> ${out}
out = state/${matrix:i}.txt
X
ok mlbuild
eq "$(tr '\n' ' ' <state/4.txt)" '1 2 3 4 '
did 'state state state state'
ok mlbuild
did ''

done_testing
