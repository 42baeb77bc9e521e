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

t 'an unset ${env:VAR} is an error before anything runs, of who needs it alone'
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo a > ${out}
out = a.txt

[model b]
run = echo b >>"$RAN"
      cat ${a} > ${out}; echo ${env:WHO} '${env:WHO}' "$(echo ${env:WHERE})"
out = b.txt

[dataset c]
run = echo c >>"$RAN"; echo c > ${out}
out = c.txt

[task t]
run = echo t ${env:WHO}
X
unset WHO WHERE
for how in 'build b' '-n b' '-k' 'c t'; do
	code 2 mlbuild $how
	did ''
	err_has "'WHO' is not set"
done
code 2 mlbuild b
err_has "mlbuild.ini:6: in 'b': \${env:WHO}: 'WHO' is not set in the environment"
err_has "mlbuild.ini:6: in 'b': \${env:WHERE}: 'WHERE' is not set"
eq "$(grep -c "'WHO' is not set" "$T_ERR")" 1
ok mlbuild status
match 'blocked +b .*WHO'
ok mlbuild why b
has "'WHO' is not set"
ok mlbuild c
did 'c'
ok mlbuild ls
WHO=me WHERE=here
export WHO WHERE
ok mlbuild
did 'a b'
unset WHO WHERE
code 2 mlbuild b
WHO=me WHERE=here
export WHO WHERE
ok mlbuild b
did ''
unset WHO WHERE

t 'in a path it is an error at once'
put mlbuild.ini <<'X'
[dataset a]
run = echo a > ${out}
out = ${env:WHERE}/a.txt
X
code 2 mlbuild status
err_has "mlbuild.ini:3: in 'a': \${env:WHERE} is not set in the environment"

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
