# An OpenSSH server of a test's own, on loopback, for the user who runs it. Sourced, with
# the directory of all that it needs in $sshd:
#
#	sshd_start [SUBSYSTEM]    internal-sftp, or the command of an sftp-server
#	sshd_stop
#
# $sshd_port is where it listens then, and "$sshd/conf" is a configuration for ssh, which knows it as the host `server`, by
# its key and the user's, and nobody else.

sshd_keys() {
	mkdir -p "${sshd:?}" && chmod 700 "$sshd"
	for key in host user other; do
		ssh-keygen -q -t ed25519 -N '' -f "$sshd/$key"
	done
	cp "$sshd/user.pub" "$sshd/authorized"
}

# PORT
sshd_config() {
	cat >"$sshd/sshd_config" <<-EOF
		Port $1
		ListenAddress 127.0.0.1
		HostKey $sshd/host
		PidFile $sshd/pid
		AuthorizedKeysFile $sshd/authorized
		UsePAM no
		StrictModes no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin prohibit-password
		MaxStartups 100
		Subsystem sftp $sshd_subsystem
	EOF
	cat >"$sshd/conf" <<-EOF
		Host server
			HostName 127.0.0.1
			Port $1
		Host *
			IdentityFile $sshd/user
			IdentitiesOnly yes
			IdentityAgent none
			UserKnownHostsFile $sshd/known
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			PreferredAuthentications publickey
	EOF
	echo "[127.0.0.1]:$1 $(cat "$sshd/host.pub")" >"$sshd/known"
}

# 0 when somebody can log in; a port that somebody else took meanwhile is no failure yet.
sshd_try() {
	sshd_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	sshd_config "$sshd_port"
	rm -f "$sshd/pid"
	"$sshd_program" -f "$sshd/sshd_config" -E "$sshd/log" || return 1
	i=0
	until ssh -F "$sshd/conf" server true 2>"$sshd/try"; do
		i=$((i + 1))
		if [ $i -gt 100 ]; then
			sshd_stop
			return 1
		fi
		sleep 0.1
	done
}

sshd_start() {
	sshd_program=$(command -v sshd || echo /usr/sbin/sshd)
	sshd_subsystem=${1:-internal-sftp}
	[ -x "$sshd_program" ] || {
		echo "# openssh-server is not installed"
		exit 77
	}
	[ -f "$sshd/host" ] || sshd_keys
	# sshd insists on this directory, which the package's own start makes.
	[ "$(id -u)" != 0 ] || [ -d /run/sshd ] || mkdir -m 755 /run/sshd
	for attempt in 1 2 3 4 5; do
		sshd_try && return
	done
	echo "# sshd did not start in $attempt attempts:"
	cat "$sshd/try" "$sshd/log"
	exit 1
}

# Who is logged in now, as process ids.
sshd_sessions() {
	pgrep -P "$(cat "$sshd/pid")"
}

sshd_stop() {
	[ -f "$sshd/pid" ] || return 0
	for pid in $(cat "$sshd/pid") $(sshd_sessions); do
		kill "$pid" 2>/dev/null
	done
	rm -f "$sshd/pid"
}
