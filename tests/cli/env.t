# The environment: env.VAR sets and counts, needs = env:VAR counts, the rest passes.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo "$MODE/$SEEN/$REST" > ${out}
out = a.txt
env.MODE = fast
needs = env:SEEN
X

t set, seen, passed on
SEEN=1 REST=2
export SEEN REST
ok mlbuild
did 'a'
eq "$(cat a.txt)" fast/1/2

t the rest is in no key
REST=3
ok mlbuild
did ''

t what is needed is
SEEN=2
ok mlbuild
did 'a'
eq "$(cat a.txt)" fast/2/3
SEEN=1
ok mlbuild
did ''

t unset differs from empty
SEEN=
ok mlbuild
did 'a'
unset SEEN
ok mlbuild
did 'a'
SEEN=''
export SEEN
ok mlbuild
did ''

t env.VAR counts
change mlbuild.ini 'MODE = fast' 'MODE = slow'
ok mlbuild
did 'a'
eq "$(cut -d/ -f1 a.txt)" slow

t '${env:VAR} counts by its value'
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo ${env:WHO} > ${out}
out = a.txt
X
WHO=me
export WHO
ok mlbuild
did 'a'
WHO=you
ok mlbuild
did 'a'
eq "$(cat a.txt)" you
WHO=me
ok mlbuild
did ''
unset WHO
t_run_ mlbuild
[ "$T_CODE" != 0 ] && pass || fail 'exit code 0'
err_has WHO

t stdin is /dev/null
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = cat > ${out}; echo end >> ${out}
out = a.txt
X
echo something | timeout 20 "$MLBUILD" >"$T_ROOT/log" 2>&1
eq "$(cat a.txt)" end

done_testing
