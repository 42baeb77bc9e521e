# shellcheck shell=sh
# Ceph's S3 server (radosgw) for tests: one monitor, one OSD in memory, one gateway, all
# below a directory of the caller's and all children of the caller's shell. It verifies
# signatures, payload hashes and If-None-Match. To be sourced:
#
#	rgw_start DIR     starts it; then $RGW_URL, $RGW_KEY and $RGW_SECRET are set
#	rgw_user NAME     one more user; prints its key and its secret
#	rgw_bucket NAME   makes a bucket of the first user
#	rgw_gateway OPTION...  one more gateway, with these options of radosgw; sets $RGW_URL2
#	rgw_stop          ends all of it; to be called by the caller's trap

rgw_pids=''

# N ports that are free now.
rgw_ports() {
	python3 - "$1" <<-'END'
		import socket, sys
		socks = [socket.socket() for _ in range(int(sys.argv[1]))]
		for s in socks:
		    s.bind(("127.0.0.1", 0))
		print(*[s.getsockname()[1] for s in socks])
	END
}

rgw_conf() {
	cat <<-END
		[global]
		fsid = 6d6c6275-696c-4420-8074-657374730000
		mon host = v1:127.0.0.1:$1
		public addr = 127.0.0.1
		auth cluster required = none
		auth service required = none
		auth client required = none
		ms bind msgr2 = false
		run dir = $rgw_dir
		log file = $rgw_dir/\$name.log
		admin socket =
		pid file =
		crash dir = $rgw_dir/crash
		mon data = $rgw_dir/mon
		mon allow pool size one = true
		mon cluster log file = /dev/null
		mon cluster log to syslog = false
		mon data avail warn = 1
		mon data avail crit = 1
		osd data = $rgw_dir/osd
		osd objectstore = memstore
		memstore device bytes = ${RGW_BYTES:-4294967296}
		osd pool default size = 1
		osd pool default min size = 1
		osd pool default pg num = 4
		osd pool default pg autoscale mode = off
		osd crush chooseleaf type = 0
		rgw data = $rgw_dir/rgw
		rgw frontends = beast endpoint=127.0.0.1:$2
		rgw dns name = localhost
		rgw rados pool pg num min = 4
		rgw enable usage log = false
		rgw enable gc threads = false
		rgw enable lc threads = false
	END
}

rgw_run() {
	name=$1
	shift
	"$@" -c "$rgw_dir/ceph.conf" -f >"$rgw_dir/$name.out" 2>&1 &
	rgw_pids="$! $rgw_pids"
}

# Once more if it did not come up: a busy machine has been seen to lose a daemon.
rgw_start() {
	rgw_begin "$1" && return 0
	rgw_stop
	rm -rf "$1/rgw"
	rgw_begin "$1"
}

rgw_begin() {
	rgw_dir=$1/rgw
	mkdir -p "$rgw_dir/mon" "$rgw_dir/osd" "$rgw_dir/rgw" "$rgw_dir/crash"
	# shellcheck disable=SC2046 # two words
	set -- $(rgw_ports 2)
	rgw_conf "$1" "$2" >"$rgw_dir/ceph.conf"
	RGW_URL=http://127.0.0.1:$2
	CEPH_CONF=$rgw_dir/ceph.conf
	export CEPH_CONF

	monmaptool --create --fsid 6d6c6275-696c-4420-8074-657374730000 \
		--addv a "[v1:127.0.0.1:$1]" "$rgw_dir/monmap" >"$rgw_dir/setup.log" 2>&1 &&
		ceph-mon --mkfs -i a --monmap "$rgw_dir/monmap" -c "$CEPH_CONF" \
			>>"$rgw_dir/setup.log" 2>&1 || return 1
	rgw_run mon ceph-mon -i a
	uuid=6d6c6275-696c-4420-8074-657374730001
	timeout 60 ceph -c "$CEPH_CONF" --connect-timeout 60 osd new $uuid >>"$rgw_dir/setup.log" 2>&1 &&
		ceph-osd -i 0 --mkfs --osd-uuid $uuid -c "$CEPH_CONF" >>"$rgw_dir/setup.log" 2>&1 || return 1
	rgw_run osd ceph-osd -i 0
	# Before the gateway: two that make the first pools at once have been seen to hang.
	# shellcheck disable=SC2046 # two words
	set -- $(rgw_user mlbuild)
	RGW_KEY=${1:-} RGW_SECRET=${2:-}
	[ "$RGW_SECRET" ] || return 1
	rgw_run rgw radosgw --name client.rgw.a
	rgw_answers "$RGW_URL"
}

rgw_gateway() {
	RGW_URL2=http://127.0.0.1:$(rgw_ports 1)
	rgw_run rgw2 radosgw --name client.rgw.b --rgw-frontends="beast endpoint=${RGW_URL2#http://}" "$@"
	rgw_answers "$RGW_URL2"
}

# It answers, at the latest after a minute or two.
rgw_answers() {
	tries=0
	until python3 -c "import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=1)" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.2
	done
}

rgw_user() {
	timeout 60 radosgw-admin -c "$CEPH_CONF" user create --uid="$1" --display-name="$1" 2>>"$rgw_dir/setup.log" |
		python3 -c 'import json, sys; k = json.load(sys.stdin)["keys"][0]; print(k["access_key"], k["secret_key"])'
}

rgw_bucket() {
	AWS_ACCESS_KEY_ID=$RGW_KEY AWS_SECRET_ACCESS_KEY=$RGW_SECRET \
		python3 "$MLBUILD_SRC/tests/remotes/s3req.py" PUT "$RGW_URL/$1"
}

rgw_stop() {
	for pid in $rgw_pids; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rgw_pids=''
}
