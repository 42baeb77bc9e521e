# Remotes in Azure Blob Storage, on azurite, which verifies signatures and rights.
. "${0%/*}/lib.sh"
r_need node python3
azurite=$(sh "${0%/*}/azurite.sh" path)
[ -f "$azurite" ] || r_skip "azurite is not installed: sh tests/remotes/azurite.sh"

t_dir
account=teamstore
key=$(printf 'a key that only the test knows' | base64)
AZURITE_ACCOUNTS=$account:$key
export AZURITE_ACCOUNTS
port=$(r_port)
r_start node "$azurite" --blobHost 127.0.0.1 --blobPort "$port" --silent --inMemoryPersistence \
	--disableProductStyleUrl
r_wait_port "$port" || r_skip "azurite does not start: $(tail -3 "$R_LOG")"
endpoint=http://127.0.0.1:$port/$account

admin() {
	python3 "$MLBUILD_SRC/tests/remotes/azure_admin.py" "$endpoint" "$account" "$key" "$@"
}

# ask VERB:NAME[:SIZE] [URL]
ask() {
	r_ask "${2:-azure://$account/con/pre}" "endpoint=$endpoint" "--ask=$1"
}

unset AZURE_STORAGE_ACCOUNT AZURE_STORAGE_CONNECTION_STRING AZURE_STORAGE_SAS_TOKEN
AZURE_STORAGE_KEY=$key
export AZURE_STORAGE_KEY

t "a container that is not there"
for verb in get:a put:a:5 list: stat:a delete:a; do
	code 1 ask $verb
	has "fault place: account '$account' has no container 'con': make it"
done

t "the conformance suite"
ok admin container con
r_conform "azure://$account/con/some/where" "endpoint=$endpoint" --few

t "a connection string"
ok ask put:a:5
ok env -u AZURE_STORAGE_KEY AZURE_STORAGE_CONNECTION_STRING="AccountName=$account;AccountKey=$key;BlobEndpoint=$endpoint/" \
	"$MLBUILD_TESTS/remotes_conform" "azure://$account/con/pre/" --ask=get:a
has "5 "

t "a wrong key"
wrong=$(printf 'another key' | base64)
AZURE_STORAGE_KEY=$wrong
for verb in get:a put:a:5 list:; do
	code 1 ask $verb
	has "fault denied: account '$account' does not accept the account key"
	has "the account key in AZURE_STORAGE_KEY"
	hasnt "$wrong"
done
code 1 ask stat:a
has "fault denied: "
AZURE_STORAGE_KEY=$key
export AZURE_STORAGE_ACCOUNT=someoneelse
code 1 ask get:a
has "AZURE_STORAGE_KEY is of another account, 'someoneelse'"
unset AZURE_STORAGE_ACCOUNT
AZURE_STORAGE_KEY='no base64!'
code 1 ask get:a
has "AZURE_STORAGE_KEY holds no key of a storage account"
hasnt 'no base64!'

t "without credentials"
unset AZURE_STORAGE_KEY
code 1 ask get:a
has "fault denied: "
has "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"

t "a SAS token"
soon=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
TOKEN=$(admin sas con racwdl "$soon")
export TOKEN
r_conform "azure://$account/con/sas" "endpoint=$endpoint" token_env=TOKEN --few --only=absent
AZURE_STORAGE_SAS_TOKEN="?$TOKEN"
export AZURE_STORAGE_SAS_TOKEN
ok ask list:
ok ask delete:a

t "a SAS token that may only read"
AZURE_STORAGE_SAS_TOKEN=$(admin sas con rl "$soon")
sig=${AZURE_STORAGE_SAS_TOKEN##*sig=}
ok ask list:
for verb in put:a:5 delete:a; do
	code 1 ask $verb
	has "fault denied: "
	has "the SAS token in AZURE_STORAGE_SAS_TOKEN"
	hasnt "$sig"
done

t "a SAS token that has expired"
AZURE_STORAGE_SAS_TOKEN=$(admin sas con racwdl 2020-02-03T04:05:06Z)
sig=${AZURE_STORAGE_SAS_TOKEN##*sig=}
for verb in get:a put:a:5 list: stat:a delete:a; do
	code 1 ask $verb
	has "fault denied: the SAS token for container 'con' has expired at 2020-02-03T04:05:06Z"
	hasnt "$sig"
done

t "a SAS token is not sent where it can be read"
code 1 r_ask "azure://$account/con" endpoint=http://storage.example.net --ask=get:a
has "readable on its way to 'storage.example.net'"
hasnt "$sig"

t "URLs that name no container"
for url in azure://$account azure://$account/ azure:///con "azure://$account/Con" \
	"azure://Some_One/con" "azure://$account/con/../x" "azure://$account/con//x" \
	"azure://$account/con?$TOKEN" "azure://me:pw@$account/con"; do
	code 1 ask get:a "$url"
	has "remote 'conform'"
	hasnt "$sig"
	hasnt "pw"
done

done_testing
