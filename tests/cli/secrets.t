# A secret is in no key, log, error or --json; the command has it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

TOKEN=s3cr3t-t0ken-value
export TOKEN

nowhere() {
	if grep -rqF -e "$TOKEN" .mlbuild mlbuild.lock mlbuild.ini "$T_OUT" "$T_ERR"; then
		fail "the secret is in: $(grep -rlF -e "$TOKEN" .mlbuild mlbuild.lock mlbuild.ini "$T_OUT" "$T_ERR")"
	else
		pass
	fi
}

t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo "the token is $TOKEN"; printf '%s' "$TOKEN" | wc -c > ${out}
out = a.txt
secret = TOKEN
X

t the command has it, the log has not
ok mlbuild -v
did 'a'
eq "$(($(cat a.txt)))" 18
nowhere
ok mlbuild show --output a
out_has 'the token is'
nowhere
ok mlbuild --json show a
nowhere

t another value runs nothing
TOKEN=another-value
ok mlbuild
did ''

t a failure does not show it
TOKEN=s3cr3t-t0ken-value
change mlbuild.ini 'echo a >>' 'echo "$TOKEN" >\&2; echo a >>'
change mlbuild.ini 'wc -c > ${out}' 'wc -c > ${out}; exit 3'
code 1 mlbuild
nowhere
err_has 'the token is'
code 1 mlbuild --json
nowhere
ok mlbuild log
nowhere

t nor when it is written in pieces
change mlbuild.ini 'echo "the token is $TOKEN"' 'printf "the token is s3cr3t"; sleep 0.1; printf "%s\\n" "-t0ken-value"'
code 1 mlbuild
if grep -rqF -e "$TOKEN" .mlbuild/logs "$T_OUT" "$T_ERR" 2>/dev/null; then fail 'a secret in pieces'; else pass; fi

t a secret that is not set: what must run cannot, what is known needs none
unset TOKEN
change mlbuild.ini '; exit 3' ''
code 1 mlbuild
err_has "the secret 'TOKEN' is not set"
TOKEN=''
export TOKEN
ok mlbuild
unset TOKEN
rm a.txt
ok mlbuild
there a.txt

done_testing
