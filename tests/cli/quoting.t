# Nothing in a parameter or a path can run a command.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t metacharacters in bare, double-quoted and single-quoted places
i=0
while IFS= read -r value; do
	i=$((i + 1))
	t_dir
	printf '[params]\nx = %s\n' "$value" >mlbuild.ini
	cat >>mlbuild.ini <<'X'
[dataset a]
run = printf '%s\n' ${params:x} "${params:x}" '${params:x}' pre${params:x}post "a ${params:x} b" > ${out}
out = a.txt
X
	ok mlbuild
	eq "$(sed -n 1p a.txt)" "$value"
	eq "$(sed -n 2p a.txt)" "$value"
	eq "$(sed -n 3p a.txt)" "$value"
	eq "$(sed -n 4p a.txt)" "pre${value}post"
	eq "$(sed -n 5p a.txt)" "a $value b"
	gone pwned "$T_ROOT/pwned"
done <<'X'
$(touch pwned)
`touch pwned`
; touch pwned
| touch pwned
& touch pwned
&& touch pwned
> pwned
'; touch pwned; '
"; touch pwned; "
'"'"'; touch pwned; '"'"'
\'; touch pwned; \'
\$(touch pwned)
$((1+1))
$HOME
*
~
{a,b}
a\
!!
a\nb
#x
-n
X

t with bash too
t_dir
put mlbuild.ini <<'X'
[defaults]
shell = bash -eo pipefail -c
[params]
x = $(touch pwned) 'a' "b" `touch pwned` \
y = {a,b} ~ * <(touch pwned)
[dataset a]
run = printf '%s\n' ${params:x} "${params:x}" '${params:x}' ${params:y} "${params:y}" '${params:y}' > ${out}
out = a.txt
X
ok mlbuild
gone pwned
eq "$(sort -u a.txt | wc -l)" 2

t where quoting cannot be told, anything but plain characters is an error
for where in 'cat <<END\n      ${params:x}\n      END' 'echo `echo ${params:x}`'; do
	t_dir
	printf '[params]\nx = a b; touch pwned\n[dataset a]\nrun = '"$where"' > ${out}\nout = a.txt\n' >mlbuild.ini
	code 2 mlbuild
	err_has params:x
	gone pwned
done
t_dir
put mlbuild.ini <<'X'
[params]
x = plain-1.0
[dataset a]
run = cat > ${out} <<END
      x is ${params:x}
      END
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" 'x is plain-1.0'

t inside a substitution of commands quotes start anew
t_dir
put mlbuild.ini <<'X'
[params]
x = a "b" $c; touch pwned '
[dataset a]
run = v="$(printf '%s' ${params:x})"; printf '%s\n' "$v" "$(echo "$(printf '%s' "${params:x}")")" > ${out}
out = a.txt
X
ok mlbuild
gone pwned
eq "$(sed -n 1p a.txt)" 'a "b" $c; touch pwned '"'"
eq "$(sed -n 2p a.txt)" 'a "b" $c; touch pwned '"'"

t whatever the command, no value runs anything
for shell in 'sh -ec' 'bash -eo pipefail -c'; do
	while IFS= read -r run; do
		t_dir
		while IFS= read -r value; do
			printf '[defaults]\nshell = %s\n[params]\np = %s\n[dataset a]\nrun = %s\nout = a.txt\n' \
				"$shell" "$value" "$run" >mlbuild.ini
			t_run_ mlbuild build a
			case $T_CODE in
			0 | 1 | 2) pass ;;
			*) fail "exit code $T_CODE for $run with $value" ;;
			esac
			[ ! -e pwned ] || {
				fail "$shell: $run ran $value"
				rm pwned
			}
		done <<'X'
; touch pwned
"; touch pwned; "
'; touch pwned; '
$(touch pwned)
`touch pwned`
); touch pwned; (
touch pwned
X
	done <<'X'
y=a; echo "x$(case $y in a) echo ${params:p};; esac)" > ${out}
y=a; echo "x$(case $y in (a) echo "${params:p}";; esac)" > ${out}
echo "$(echo '${params:p}' "$(echo ${params:p})")" > ${out}
echo $(echo a | cat - ; (echo ${params:p})) "${params:p}" > ${out}
echo "$(echo `echo ${params:p}`)" > ${out}
echo $((1 + $(echo ${params:p} | wc -l))) > ${out}
eval "echo $(echo ${params:p})" > ${out}
sh -c "echo ${params:p}" > ${out}
sh -c -e ${params:p} > ${out}
sh >|${out} -c ${params:p}
SH=sh; $SH -c ${params:p} > ${out}
python3 -c'print("""${params:p}""")' > ${out}
env -S ${params:p} > ${out}
env -i --split-string ${params:p} > ${out}
env --split-string=${params:p} > ${out}
$SHELL <<<${params:p} > ${out}
awk 'BEGIN { print "${params:p}" }' > ${out}
echo a | sed 's/a/${params:p}/' > ${out}
X
done

t an environment variable
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = printf '%s\n' ${env:EVIL} "${env:EVIL}" '${env:EVIL}' > ${out}
out = a.txt
X
EVIL='$(touch pwned)'"'"'; touch pwned'
export EVIL
ok mlbuild
gone pwned
eq "$(sort -u a.txt)" "$EVIL"

t a list is one word each
t_dir
cat >params.yaml <<'X'
list: ["a b", "$(touch pwned)", "it's"]
X
put mlbuild.ini <<'X'
[params]
file = params.yaml
[dataset a]
run = for i in ${params:list}; do printf '%s\n' "$i"; done > ${out}
out = a.txt
X
ok mlbuild
gone pwned
eq "$(wc -l <a.txt)" 3
eq "$(sed -n 2p a.txt)" '$(touch pwned)'

t numbers stay as written
t_dir
put mlbuild.ini <<'X'
[params]
lr = 1e-3
big = 0100
yes = yes
[dataset a]
run = echo ${params:lr} ${params:big} ${params:yes} > ${out}
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" '1e-3 0100 yes'

t a parameter in the prefix of the shell stays one word
while IFS= read -r value; do
	t_dir
	printf '[params]\np = %s\n[dataset a]\nshell = bash -o ${params:p} -c\nrun = echo 1 > ${out}\nout = a.txt\n' \
		"$value" >mlbuild.ini
	t_run_ mlbuild
	[ "$T_CODE" = 1 ] || [ "$T_CODE" = 2 ] && pass || fail "exit code $T_CODE"
	gone pwned
	change mlbuild.ini 'bash -o ..params:p. -c' 'env ${params:p} bash -c'
	t_run_ mlbuild
	gone pwned
done <<'X'
pipefail -c 'touch pwned'
A=1' touch pwned #
A=1" touch pwned #
A=1 touch pwned
X
printf '[params]\np = pipefail\n[dataset a]\nshell = bash -o ${params:p} -ec\nrun = false | echo 1 > ${out}\nout = a.txt\n' >mlbuild.ini
code 1 mlbuild
change mlbuild.ini false true
ok mlbuild
there a.txt

t a parameter is no option that holds a program
for run in 'python3 ${params:p} a.py' 'env ${params:p} true' 'perl "${params:p}"' "env A=1 python3 '\${params:p}'"; do
	for value in '-cimport os; os.mkdir("pwned")' '-Smkdir pwned' '-emkdir("pwned")'; do
		t_dir
		echo >a.py
		printf '[params]\np = %s\n[dataset a]\nrun = %s; echo 1 > ${out}\nout = a.txt\n' "$value" "$run" >mlbuild.ini
		code 2 mlbuild
		err_has 'an option of an interpreter'
		gone pwned
	done
done
printf '[params]\np = -x y\nq = -O\n[dataset a]\nrun = python3 ${params:q} a.py ${params:p}; echo 1 > ${out}\nout = a.txt\n' >mlbuild.ini
ok mlbuild

done_testing
