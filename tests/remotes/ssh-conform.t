# The conformance suite over ssh, on OpenSSH's own server, and transfers over connections
# that are disturbed (proxy.py).
. "${0%/*}/lib.sh"
. "${0%/*}/sshd.sh"

sshd=$T_ROOT/sshd sshd_port=''
MLBUILD_SSH="ssh -F $sshd/conf"
export MLBUILD_SSH
trap 'sshd_stop; r_end_' EXIT
here=$(cd "${0%/*}" && pwd)

t_dir
mkdir abs
sshd_start

t "the conformance suite"
r_conform "ssh://server$T_DIR/abs"

# disturbed RULE...: the suite's transfers over connections of which these rules say more
disturbed() {
	t "disturbed: $*"
	: >port
	r_start sh -c 'exec python3 "$@" >port' sh "$here/proxy.py" "127.0.0.1:$sshd_port" --tcp "$@"
	if r_wait_for port; then
		port=$(cat port)
		echo "[127.0.0.1]:$port $(cat "$sshd/host.pub")" >>"$sshd/known"
		r_conform "ssh://server:$port$T_DIR/abs" --faults "--direct=ssh://server$T_DIR/abs"
		grep -q '^proxy: ' "$R_LOG" || fail "the proxy has disturbed nothing"
	else
		fail "no proxy: $(cat "$R_LOG")"
	fi
	r_stop "$R_PID"
}

disturbed 'every=1 cut-after=3000000'
disturbed 'request=1-2 reset' 'request=3 cut-after=1000' 'request=4 cut-after=700000'
disturbed 'request=1-3 flip=200000'

done_testing
