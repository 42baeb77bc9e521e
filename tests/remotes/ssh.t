# Remotes over ssh, on OpenSSH's own server. Servers that are odd, or lie, are in
# tests/unit/test_ssh.c.
. "${0%/*}/lib.sh"
. "${0%/*}/sshd.sh"

sshd=$T_ROOT/sshd sshd_port=''
MLBUILD_SSH="ssh -F $sshd/conf"
export MLBUILD_SSH

end() {
	ended_with=$?
	sshd_stop
	(exit "$ended_with")
	r_end_
}
trap end EXIT

ops() {
	"$MLBUILD_TESTS/remotes_ops" "$@"
}

# FILE CMD...: succeeds, and prints what is in FILE
brings() {
	wanted=$1
	shift
	ok "$@"
	cp "$T_OUT" brought
	ok cmp "$wanted" brought
}

# Exit codes of ops: 10 and the fault.
absent=11 exists=12 transient=13 denied=15 trust=17 place=19 other=20

t_dir
here=$T_DIR
mkdir "$here/home" "$here/home/rel" "$here/abs"
sshd_start "internal-sftp -d $here/home"
abs=ssh://server$here/abs

t the conformance suite
mkdir conform
r_conform "ssh://server$here/conform"
eq "$(ls conform/.tmp)" ''

t round trip
head -c 3000000 /dev/urandom >big
echo small >small
: >empty
for f in big small empty; do
	ok ops "$abs" put "dir/sub/$f" $f
	brings $f ops "$abs" get "dir/sub/$f"
done
tail -c +100001 big | head -c 70000 >middle
brings middle ops "$abs" get dir/sub/big 100000 70000
ok ops "$abs" list dir/sub
eq "$(sort "$T_OUT")" "big 3000000
empty 0
small 6"
ok ops "$abs" list dir/none
eq "$(cat "$T_OUT")" ''
ok ops "$abs" stat dir/sub/small
eq "$(cat "$T_OUT")" "6 $(stat -c %Y "$here/abs/dir/sub/small")"
ok ops "$abs" put dir/sub/small big
ok cmp big "$here/abs/dir/sub/small"
ok ops "$abs" delete dir/sub/small dir/sub/none dir/sub/empty dir/sub
gone "$here/abs/dir/sub/small" "$here/abs/dir/sub/empty"
code $absent ops "$abs" get dir/sub/small
code $absent ops "$abs" stat dir/sub/small
code $absent ops "$abs" get dir/sub
eq "$(ls "$here/abs/.tmp")" ''

t if absent
ok ops "$abs" add once small
code $exists ops "$abs" add once big
err_has "has 'once' already"
ok cmp small "$here/abs/once"
ok ops "$abs" race raced 16
eq "$(cat "$T_OUT")" 1
eq "$(ls "$here/abs/.tmp")" ''

t many at once
ok ops "$abs" many put m 300 1000 64
ok ops "$abs" many get m 300 1000 64
ok ops "$abs" list m
eq "$(wc -l <"$T_OUT")" 300
ok ops "$abs" many delete m 300 0 64
eq "$(ls "$here/abs/m")" ''

t relative to the home, user and port in the url
ok ops server:rel put x small
there "$here/home/rel/x"
ok ops 'ssh://server/~/rel' get x
brings small ops 'server:~' get rel/x
brings small ops "ssh://$(id -un)@127.0.0.1:$sshd_port/~/rel" get x

t blanks and other letters
mkdir "$here/abs/ein Ört'chen"
ok ops "server:$here/abs/ein Ört'chen" put x small
brings small ops "ssh://server$here/abs/ein%20%C3%96rt%27chen" get x

t the directory must be there
code $place ops "${abs}x" put x small
err_has "mkdir -p $here/absx"
gone "$here/absx"
code $place ops "$abs/once" list ''

t the key of the section comes before the environment
MLBUILD_SSH='false' ok ops -o "ssh=ssh -F $sshd/conf" "$abs" list ''

t a key that the server does not know
sed "s#$sshd/user#$sshd/other#" "$sshd/conf" >conf-other
MLBUILD_SSH='ssh -F conf-other' code $denied ops "$abs" list ''
err_has 'Permission denied (publickey)'
err_has "'ssh -F conf-other server' must be able to log in"

t a server that is not known, or not the one that is
sed "s#^\([[:space:]]*UserKnownHostsFile\).*#\1 $here/known#" "$sshd/conf" >conf-known
: >known
MLBUILD_SSH='ssh -F conf-known' code $trust ops "$abs" list ''
err_has 'host key is known'
echo "[127.0.0.1]:$sshd_port $(cat "$sshd/other.pub")" >known
MLBUILD_SSH='ssh -F conf-known' code $trust ops "$abs" put x small
err_has 'HAS CHANGED'
gone "$here/abs/x"

t no such host
code $place ops ssh://no-such-host.invalid/x list ''
err_has 'no-such-host.invalid'

t a shared connection
{
	cat "$sshd/conf"
	printf '\tControlMaster auto\n\tControlPath %s\n\tControlPersist 60\n' "$sshd/master"
} >conf-shared
MLBUILD_SSH='ssh -F conf-shared' ok ops "$abs" get once
there "$sshd/master"
MLBUILD_SSH='ssh -F conf-shared' brings small ops "$abs" get once
ok ssh -F conf-shared -O exit server

t cut in the middle
head -c 64000000 /dev/urandom >"$here/abs/long"
mkfifo pipe
ops "$abs" resume long >pipe 2>err &
ops_pid=$!
{
	# Who writes cannot be done: neither pipes nor windows hold what is left.
	head -c 1000000
	for pid in $(sshd_sessions); do
		kill -9 "$pid"
	done
	cat
} <pipe >got
wait $ops_pid
eq $? 0
ok grep -q '^cut after' err
ok grep -q 'the connection to .server. was lost' err
ok cmp "$here/abs/long" got

t host is down
sshd_stop
code $transient ops "$abs" list ''
err_has 'Connection refused'

t a server that only reads
sshd_start 'internal-sftp -R'
ok ops "$abs" get once
code $denied ops "$abs" put other small
err_has 'permission denied'
code $denied ops "$abs" delete once
there "$here/abs/once"
sshd_stop

t a program as server, which may not link, nor replace
program=/usr/lib/openssh/sftp-server
[ -x $program ] || program=$(command -v sftp-server || echo /usr/libexec/openssh/sftp-server)
sshd_start "$program -P hardlink,posix-rename,fsync,statvfs,limits"
ok ops "$abs" put odd/x small
ok ops "$abs" put odd/x big
ok cmp big "$here/abs/odd/x"
code $exists ops "$abs" add odd/x small
ok ops "$abs" race odd/raced 16
eq "$(cat "$T_OUT")" 1
eq "$(ls "$here/abs/.tmp")" ''
sshd_stop

t no SFTP there
sshd_start /no/such/server
code $other ops "$abs" list ''
done_testing
