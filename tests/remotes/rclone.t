# Remotes by rclone: a directory, rclone's own WebDAV server, and encryption in front of
# a directory. What is only true of atomic stores is not asked of them (--no-race).
. "${0%/*}/lib.sh"
r_need rclone

t_dir
here=$T_DIR
RCLONE_CONFIG=$here/rclone.conf
# These must not change how our rclone listens and logs.
RCLONE_RC_ADDR=127.0.0.1:1 RCLONE_LOG_FILE=$here/log RCLONE_RC_NO_AUTH=true RCLONE_VERBOSE=2
export RCLONE_CONFIG RCLONE_RC_ADDR RCLONE_LOG_FILE RCLONE_RC_NO_AUTH RCLONE_VERBOSE
mkdir store served
port=$(r_port)
put rclone.conf <<-X
	[store]
	type = alias
	remote = $here/store
	[secret]
	type = crypt
	remote = store:secret
	password = $(env -u RCLONE_VERBOSE -u RCLONE_LOG_FILE rclone obscure 'the password')
	filename_encryption = off
	[server]
	type = webdav
	url = http://127.0.0.1:$port/
	vendor = other
	[nowhere]
	type = alias
	remote = /proc/nowhere
X

t "the conformance suite"
r_conform rclone:store:some/where --few --no-race
eq "$(find store -path '*/.tmp/*')" ''
gone log

t "the same, encrypted"
r_conform rclone:secret: --few --no-race
ok find store/secret -type f
hasnt "No such file"

t "the same, through a server that keeps no times"
r_start env -u RCLONE_RC_ADDR -u RCLONE_RC_NO_AUTH -u RCLONE_LOG_FILE -u RCLONE_VERBOSE \
	rclone serve webdav --addr "127.0.0.1:$port" "$here/served"
r_wait_port "$port" || r_skip "rclone serve webdav does not start"
# Its own server looks at its directories as they were a moment ago: what was put just now
# may be absent for it, so these are for who looks at what fails.
[ "${MLBUILD_REMOTES:-}" != all ] ||
	for checks in "come back" range replaces absent "LIST tells" DELETE; do
		r_conform rclone:server:w --few --no-race "--only=$checks"
	done

if [ "${MLBUILD_REMOTES:-}" = all ]; then
	t "what is of the same size is replaced all the same"
	ok r_ask rclone:server:w --ask=put:packs/a:1000
	ok r_ask rclone:server:w --ask=put:packs/a:1001
	ok r_ask rclone:server:w --ask=get:packs/a
	has "1001 "
fi

t "rclone's own words, and what to do"
for ask in get:a put:a:5 list: stat:a delete:a; do
	code 1 r_ask rclone:absent: --ask=$ask
	has "fault place: "
	has "didn't find section in config file"
	has "rclone config"
done
code 1 r_ask rclone:nowhere:x --ask=put:a:5
has "fault place: "
has "/proc/nowhere"
code 1 r_ask rclone:store --ask=get:a
has "write rclone:NAME:path"
code 1 r_ask rclone:store,x=y: --ask=get:a
has "options belong into rclone's configuration"
code 1 r_ask "rclone:store:a]b" --ask=get:a
has "no ']'"

t "without rclone"
mkdir empty
code 1 env PATH="$here/empty" "$MLBUILD_TESTS/remotes_conform" rclone:store: --ask=get:a
has "rclone, which is not installed: install it"

t "an rclone that is killed is started again, and its password is not in ps"
"$MLBUILD_TESTS/remotes_conform" rclone:store:killed --few --no-race >killed.out 2>&1 &
pid=$!
killed=0
while kill -0 $pid 2>/dev/null; do
	child=$(ps -o pid= -o comm= --ppid $pid | sed -n 's/ *\([0-9]*\) rclone.*/\1/p')
	if [ "$child" ] && [ $killed -lt 3 ] && grep -q "^ok $((killed * 2 + 1)) " killed.out; then
		ps -o args= -p "$child" >>ps.out 2>/dev/null
		kill -KILL "$child" && killed=$((killed + 1))
	fi
	sleep 0.05
done
wait $pid
eq $? 0
[ $killed -gt 0 ] || fail "no rclone was there to be killed"
ok cat ps.out
has "rclone rcd --rc-addr 127.0.0.1:0"
hasnt "pass"
ok cat killed.out
hasnt "not ok"

t "what the dead have left goes after a day"
mkdir -p store/old/.tmp
: >store/old/.tmp/old
: >store/old/.tmp/new
touch -d '2 days ago' store/old/.tmp/old
ok "$MLBUILD_TESTS/remotes_conform" rclone:store:old --few --no-race --only=replaces
gone store/old/.tmp/old
there store/old/.tmp/new

done_testing
