# mlbuild key: keys that results are signed with.
. "${0%/*}/lib.sh"

t there are none
t_dir
ok mlbuild key list
eq "$(cat "$T_OUT")" ''
err_has 'mlbuild key new NAME'

t a new one
ok mlbuild key new anna
out_has 'mlbuild-public-key 1 anna '
err_has "$HOME/.config/mlbuild/keys/anna.pub"
eq "$(cat "$T_OUT")" "$(cat "$HOME/.config/mlbuild/keys/anna.pub")"
eq "$(stat -c %a "$HOME/.config/mlbuild/keys/anna.key")" 600
hasnt "$(cut -d' ' -f4 "$HOME/.config/mlbuild/keys/anna.key")"
ok mlbuild key list
out_has 'anna'
out_has 'yours'

t none is replaced
cp "$HOME/.config/mlbuild/keys/anna.key" before
code 2 mlbuild key new anna
err_has 'exists already'
ok cmp before "$HOME/.config/mlbuild/keys/anna.key"

t names and words
code 2 mlbuild key new ../anna
err_has "'../anna' is no name"
code 2 mlbuild key new
code 2 mlbuild key old
code 2 mlbuild key

t the first that the project trusts signs
ok mlbuild key new bert
mkdir keys
cp "$HOME/.config/mlbuild/keys/bert.pub" keys
put mlbuild.ini <<'INI'
[trust]
keys = keys/bert.pub
mode = required
INI
ok mlbuild key list
eq "$(grep -c 'signs what you push' "$T_OUT")" 1
ok mlbuild key list --json
has '"name":"bert"'
eq "$(grep '"signs":true' "$T_OUT" | grep -c '"bert"')" 1
eq "$(grep '"signs":false' "$T_OUT" | grep -c '"anna"')" 1

t a colleague has the public one alone
HOME_WAS=$HOME HOME=$T_ROOT/nobody
export HOME
ok mlbuild key list
out_has bert
out_has trusted
out_hasnt 'signs what you push'

t CI has it in a variable
MLBUILD_SIGNING_KEY=$(cat "$HOME_WAS/.config/mlbuild/keys/bert.key")
export MLBUILD_SIGNING_KEY
ok mlbuild key list
out_has 'signs what you push'
MLBUILD_SIGNING_KEY=nonsense
code 2 mlbuild key list
has 'MLBUILD_SIGNING_KEY'
unset MLBUILD_SIGNING_KEY

t what is no key
echo hello >keys/bert.pub
code 2 mlbuild key list
has "'keys/bert.pub' is no public key"
printf '# nothing\n' >keys/bert.pub
code 2 mlbuild key list
has "'keys/bert.pub' has no key"
rm keys/bert.pub
code 2 mlbuild key list
has 'keys/bert.pub'
HOME=$HOME_WAS
cp "$HOME/.config/mlbuild/keys/bert.key" keys/bert.pub
code 2 mlbuild key list
hasnt "$(cut -d' ' -f4 "$HOME/.config/mlbuild/keys/bert.key")"

t required without keys
put mlbuild.ini <<'INI'
[trust]
mode = required
INI
code 2 mlbuild key list
has "name files of public keys in 'keys'"

done_testing
