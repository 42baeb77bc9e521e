# A directory as a remote: the conformance suite, and what may be wrong with a directory.
. "${0%/*}/lib.sh"

t "the conformance suite"
t_dir
mkdir remote
r_conform "$T_DIR/remote"
eq "$(find remote/.tmp -type f)" ''

t "a file URL"
mkdir 'with space'
ok r_ask "file://$T_DIR/with%20space" --ask=put:packs/a:1000
eq "$(($(wc -c <'with space/packs/a')))" 1000
ok r_ask "file://localhost$T_DIR/with%20space/" --ask=get:packs/a
has "1000 "
code 1 r_ask "file://elsewhere$T_DIR" --ask=get:a
has "host 'elsewhere'"
code 1 r_ask "file://$T_DIR?x" --ask=get:a
has '%3F'

t "a root that is not there is no empty remote"
for ask in get:a stat:a list: list:packs delete:a put:a:5; do
	code 1 r_ask "$T_DIR/unmounted" --ask=$ask
	has "fault place: "
	has "mount it"
done
gone unmounted
: >file
code 1 r_ask "$T_DIR/file" --ask=list:
has "fault place: "

t "what is no file is no name"
mkfifo remote/pipe
ln -s /dev/zero remote/zero
mkdir -p remote/sub
for name in pipe zero sub; do
	code 1 r_ask "$T_DIR/remote" --ask=get:$name
	has "fault absent: "
done
ok r_ask "$T_DIR/remote" --ask=list:
hasnt pipe
hasnt zero
hasnt sub

t "files are read-only, and a group's directory stays one"
mkdir team
chmod 2775 team
(umask 077 && r_ask "$T_DIR/team" --ask=put:packs/a:10) || fail "put"
eq "$(stat -c %a team/packs/a)" 440
eq "$(stat -c %a team/packs)" 2770
eq "$(stat -c %a remote/.tmp)" 755

t "kill -9 in a PUT, and then again"
mkdir killed
for round in 1 2 3; do
	"$MLBUILD_TESTS/remotes_conform" "$T_DIR/killed" --ask=put:it:48M >/dev/null 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null && [ -z "$(find killed -path '*/.tmp/*' -size +$((round * 2000))k 2>/dev/null)" ]; do
		:
	done
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ ! -e killed/it ] || [ "$(stat -c %s killed/it)" = $((48 * 1024 * 1024)) ] ||
		fail "half of it is there"
done
ok r_ask "$T_DIR/killed" --ask=put:it:48M
ok r_ask "$T_DIR/killed" --ask=get:it
has "50331648 "

t "what the dead have left goes after a day"
mkdir -p killed/.tmp
: >killed/.tmp/old
: >killed/.tmp/new
touch -d '2 days ago' killed/.tmp/old
ok r_ask "$T_DIR/killed" --ask=put:small:1
gone killed/.tmp/old
there killed/.tmp/new

t "a directory that may only be read"
mkdir shut
ok r_ask "$T_DIR/shut" --ask=put:packs/a:1000
chmod -R a-w shut
someone=''
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T_ROOT" "$T_DIR"
	chmod -R a+rX shut
	cp "$MLBUILD_TESTS/remotes_conform" program && chmod 755 program
	someone="setpriv --reuid=65534 --regid=65534 --clear-groups $T_DIR/program"
else
	someone="$MLBUILD_TESTS/remotes_conform"
fi
# shellcheck disable=SC2086 # a list of words
for ask in put:packs/b:5 put:packs/a:5 put:new/c:5 delete:packs/a; do
	code 1 $someone "$T_DIR/shut" --ask=$ask
	has "fault denied: cannot"
done
# shellcheck disable=SC2086
ok $someone "$T_DIR/shut" --ask=get:packs/a
has "1000 "

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	t "a file system that is full"
	mkdir mnt
	put inside.sh <<-'X'
		mount -t tmpfs -o size=4m none mnt || exit 99
		ask() { "$MLBUILD_TESTS/remotes_conform" "$PWD/mnt" "--ask=$1"; }
		ask put:small:100000 || exit 98
		ask put:large:8M
		ask put:large:8M
		ask put:other:100000 || exit 97
		ask get:small
		ask get:large
		find mnt/.tmp -type f
		exit 0
	X
	ok sh -c 'exec unshare -m sh inside.sh'
	has "fault full: cannot write"
	has "100000 "
	has "fault absent: "
	hasnt "mnt/.tmp/"
fi

done_testing
