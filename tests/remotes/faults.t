# Transfers through a proxy that cuts, resets, stalls, slows and refuses (proxy.py): what
# comes is right, or a clear error.
. "${0%/*}/lib.sh"

nginx=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null)
module=$(ls /usr/lib/nginx/modules/ngx_http_dav_ext_module.so 2>/dev/null)
[ "$nginx" ] && [ "$module" ] || r_skip "nginx with its module dav-ext is not installed"
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY NETRC
here=$(cd "${0%/*}" && pwd)

t_dir
mkdir -p www/dav conf
user=''
[ "$(id -u)" != 0 ] || user='user root root;'
server=$(r_port)
put conf/nginx.conf <<X
load_module $module;
$user
daemon off;
worker_processes 1;
pid $T_DIR/conf/pid;
error_log $T_DIR/conf/error.log warn;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path $T_DIR/conf/body;
	proxy_temp_path $T_DIR/conf/t1; fastcgi_temp_path $T_DIR/conf/t2;
	uwsgi_temp_path $T_DIR/conf/t3; scgi_temp_path $T_DIR/conf/t4;
	client_max_body_size 0;
	root $T_DIR/www;
	server {
		listen 127.0.0.1:$server;
		location /dav/ { dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; }
	}
}
X
r_start "$nginx" -e "$T_DIR/conf/error.log" -c "$T_DIR/conf/nginx.conf"
r_wait_port "$server" || {
	cat "$R_LOG"
	fail "nginx does not start"
	done_testing
}

# disturbed RULE...: the suite's transfers by way of these rules
disturbed() {
	t "disturbed: $*"
	: >port
	r_start sh -c 'exec python3 "$@" >port' sh "$here/proxy.py" "127.0.0.1:$server" "$@"
	if r_wait_for port; then
		r_conform "http://127.0.0.1:$(cat port)/dav" --faults "--direct=http://127.0.0.1:$server/dav"
		grep -q '^proxy: ' "$R_LOG" || fail "the proxy has disturbed nothing"
	else
		fail "no proxy: $(cat "$R_LOG")"
	fi
	r_stop "$R_PID"
}

disturbed 'every=3 cut-after=900'
disturbed 'method=GET every=2 cut-after=400000'
disturbed 'every=4 reset'
disturbed 'every=5 lost'
disturbed 'every=3 method=PUT cut-request=10000'
disturbed 'every=3 status=500'
disturbed 'every=6 status=429' 'request=9 status=503 retry-after=1'
disturbed 'request=5 stall-after=10' 'request=60 stall-after=300'
disturbed 'every=3 method=GET slow=10000000'
disturbed 'every=7 reset' 'every=5 cut-after=100' 'every=11 status=503' 'every=13 lost'

t "a server that only refuses is given up with a clear error"
: >port
r_start sh -c 'exec python3 "$@" >port' sh "$here/proxy.py" "127.0.0.1:$server" 'every=1 status=503'
r_wait_for port || fail "no proxy"
for ask in get:a stat:a list:a delete:a put:a:5000; do
	code 1 r_ask "http://127.0.0.1:$(cat port)/dav" --ask=$ask
	has "fault busy: after 5 tries: "
	has 503
done

t "a server that is gone"
r_stop "$R_PID"
code 1 r_ask "http://127.0.0.1:$(cat port)/dav" --ask=get:a
has "after 5 tries: "

done_testing
