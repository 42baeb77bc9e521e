# Remotes in buckets, on Ceph's gateway, which verifies signatures and payload hashes.
# Servers that are odd, and where credentials come from, are in tests/unit/test_s3.c and
# tests/unit/test_aws_chain.c.
. "${0%/*}/lib.sh"
. "${0%/*}/rgw.sh"

end() {
	ended_with=$?
	rgw_stop
	(exit "$ended_with")
	r_end_
}
trap end EXIT

r_need python3 radosgw radosgw-admin ceph ceph-mon ceph-osd monmaptool

unset AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 \
	AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
AWS_EC2_METADATA_DISABLED=true
AWS_CONFIG_FILE=$T_ROOT/config
AWS_SHARED_CREDENTIALS_FILE=$T_ROOT/credentials
export AWS_EC2_METADATA_DISABLED AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE

t "a server"
if ! rgw_start "$T_ROOT"; then
	tail -n 5 "$T_ROOT"/rgw/*.out "$T_ROOT/rgw/setup.log" >&2
	fail "radosgw did not start"
	exit 1
fi
ok rgw_bucket team
AWS_ACCESS_KEY_ID=$RGW_KEY
AWS_SECRET_ACCESS_KEY=$RGW_SECRET
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

# URL [--ask=...]: an operation by path style
ask() {
	url=$1
	shift
	r_ask "$url" "endpoint=$RGW_URL" "$@"
}

t "the conformance suite"
t_dir
r_conform s3://team/cache "endpoint=$RGW_URL"

t "a whole bucket, and a prefix with odd letters"
for url in s3://team 's3://team/pre fix/a+b~c/(d)'; do
	ok ask "$url" --ask=put:packs/one:1000
	ok ask "$url" --ask=put:packs/two:0
	ok ask "$url" --ask=get:packs/one
	has "1000 "
	ok ask "$url" --ask=list:packs
	has one
	has two
	ok ask "$url" --ask=delete:packs/one
	code 1 ask "$url" --ask=stat:packs/one
	has "fault absent: "
done

t "the bucket in the host"
ok r_ask s3://team/cache "endpoint=http://localhost:${RGW_URL##*:}" style=virtual --ask=put:virtual:70000
ok ask s3://team/cache --ask=get:virtual
has "70000 "
ok r_ask s3://team/cache "endpoint=http://localhost:${RGW_URL##*:}" style=virtual --ask=list:

t "another client sees the same"
ok ask s3://team/seen --ask=put:a/b:5000
ok python3 "$MLBUILD_SRC/tests/remotes/s3req.py" GET "$RGW_URL/team/seen/a/b"
eq "$(($(wc -c <"$T_OUT")))" 5000
ok python3 "$MLBUILD_SRC/tests/remotes/s3req.py" PUT "$RGW_URL/team/seen/a/c" "$0"
ok ask s3://team/seen --ask=get:a/c
has "$(($(wc -c <"$0"))) "

t "a key from a profile"
put "$T_ROOT/credentials" <<END
[team]
aws_access_key_id = $RGW_KEY
aws_secret_access_key = $RGW_SECRET
END
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	code 1 ask s3://team/cache --ask=list:
	has "fault denied: no credentials were found; looked at: AWS_ACCESS_KEY_ID (not set)"
	ok ask s3://team/cache profile=team --ask=list:
	AWS_PROFILE=team ok ask s3://team/cache --ask=list:
	code 1 ask s3://team/cache profile=other --ask=list:
	has "profile 'other' is neither in '$T_ROOT/credentials' nor in"
	exit "$T_FAILED"
) || fail "see above"

# NAME=VALUE FAULT WORDS: this in the environment makes all fail so, and shows no secret
denied() {
	for what in get:a stat:a list:x delete:a put:a:5; do
		code 1 env "$1" "$MLBUILD_TESTS/remotes_conform" s3://team/cache "endpoint=$RGW_URL" --ask=$what
		has "fault $2: "
		has "$3"
		hasnt "$RGW_SECRET"
		hasnt "Signature="
	done
}

t "a key that is not known"
denied AWS_ACCESS_KEY_ID=NOBODY denied "does not know the key from AWS_ACCESS_KEY_ID"

t "a secret that is wrong"
denied AWS_SECRET_ACCESS_KEY=wrong denied "copy both again"

t "no such bucket"
for what in get:a stat:a list:x delete:a put:a:5; do
	code 1 ask s3://nowhere/cache --ask=$what
	has "fault place: "
	has "there is no bucket 'nowhere' at '${RGW_URL#http://}'"
done

t "a key without rights"
# shellcheck disable=SC2046 # two words
set -- $(rgw_user guest)
for what in get:a:s3:GetObject list:x:s3:ListBucket put:a:5:s3:PutObject; do
	right=s3:${what##*:}
	code 1 env AWS_ACCESS_KEY_ID="$1" AWS_SECRET_ACCESS_KEY="$2" "$MLBUILD_TESTS/remotes_conform" \
		s3://team/cache "endpoint=$RGW_URL" "--ask=${what%:s3:*}"
	has "fault denied: "
	has "let it have $right"
done

t "a token of another server"
# The first gateway takes no tokens for anything; this one verifies them.
ok rgw_gateway --rgw-s3-auth-use-sts=true --rgw-sts-key=sixteen-letters.
RGW_URL=$RGW_URL2
ok ask s3://team/cache --ask=put:b:5
denied AWS_SESSION_TOKEN=c29tZXRoaW5n denied "the key from AWS_ACCESS_KEY_ID is not accepted"

done_testing
