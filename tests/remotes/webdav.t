# WebDAV: nginx with its module dav-ext, and rclone's own server, on loopback.
. "${0%/*}/lib.sh"

nginx=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null)
module=$(ls /usr/lib/nginx/modules/ngx_http_dav_ext_module.so 2>/dev/null)
[ "$nginx" ] && [ "$module" ] || r_skip "nginx with its module dav-ext is not installed"
r_need openssl
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR NETRC

absent=11 exists=12 transient=13 busy=14 denied=15 trust=17 full=18 place=19 other=20

# ask URL KEY=VALUE... -- COMMAND...: of remotes_ops, whose exit codes stand above.
ask() {
	url=$1 front=1
	shift
	for word; do
		shift
		if [ $front = 0 ]; then
			set -- "$@" "$word"
		elif [ "$word" = -- ]; then
			front=0
			set -- "$@" "$url"
		else
			set -- "$@" -o "$word"
		fi
	done
	"$MLBUILD_TESTS/remotes_ops" "$@"
}

# ------------------------------------------------------------ certificates

pki=$T_ROOT/pki
mkdir "$pki"
certificate() { # NAME CA SUBJECT EXTENSION
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
		-keyout "$pki/$1.key" -out "$pki/$1.csr" 2>/dev/null &&
		printf '%s\n' "$4" >"$pki/ext" &&
		openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" \
			-CAcreateserial -days 2 -extfile "$pki/ext" -out "$pki/$1.pem" 2>/dev/null
}
for ca in ca other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$ca of a test" -keyout "$pki/$ca.key" -out "$pki/$ca.pem" 2>/dev/null || exit 1
done
certificate server ca localhost 'subjectAltName=DNS:localhost' || exit 1
certificate client ca client 'extendedKeyUsage=clientAuth' || exit 1
certificate stranger other stranger 'extendedKeyUsage=clientAuth' || exit 1
openssl ec -in "$pki/client.key" -aes128 -passout pass:word -out "$pki/locked.key" 2>/dev/null || exit 1

# ------------------------------------------------------------ nginx

www=$T_ROOT/www
conf=$T_ROOT/nginx
mkdir -p "$conf" "$www"/dav "$www"/auth "$www"/bearer "$www"/plain "$www"/ro "$www"/small \
	"$www"/norange "$www/with space"
echo "just a page" >"$www/plain/page"
echo "0123456789" >"$www/norange/digits"
echo "read me" >"$www/ro/note"
printf 'ci:%s\n' "$(openssl passwd -apr1 'right word')" >"$conf/users"

configure() { # HTTP HTTPS CLIENT
	dav='dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS;'
	user=''
	[ "$(id -u)" != 0 ] || user='user root root;'
	cat >"$conf/nginx.conf" <<-CONF
		load_module $module;
		$user
		daemon off;
		worker_processes 1; # between two, MOVE looks and then renames: both may win
		pid $conf/pid;
		error_log $conf/error.log warn;
		events { worker_connections 512; }
		http {
			access_log $conf/access.log;
			client_body_temp_path $conf/body;
			proxy_temp_path $conf/t1; fastcgi_temp_path $conf/t2;
			uwsgi_temp_path $conf/t3; scgi_temp_path $conf/t4;
			client_max_body_size 0;
			root $www;
			map \$http_authorization \$token_is_good { default 0; "Bearer the-token" 1; }
			server {
				listen 127.0.0.1:$1;
				location /dav/ { $dav }
				location "/with space/" { $dav }
				location /auth/ { $dav auth_basic cache; auth_basic_user_file $conf/users; }
				location /bearer/ { $dav if (\$token_is_good = 0) { return 401; } }
				location /ro/ { $dav limit_except GET PROPFIND { deny all; } }
				location /small/ { $dav client_max_body_size 1k; }
				location /norange/ { $dav max_ranges 0; }
				location /busy/ { add_header Retry-After 7 always; return 503; }
				location /full/ { return 507; }
				location /moved/ { return 302 http://127.0.0.1:$1/dav\$request_uri; }
				location /plain/ { }
			}
			server {
				listen 127.0.0.1:$2 ssl;
				ssl_certificate $pki/server.pem; ssl_certificate_key $pki/server.key;
				location /dav/ { $dav }
				location /down/ { return 302 http://127.0.0.1:$1/dav/; }
			}
			server {
				listen 127.0.0.1:$3 ssl;
				ssl_certificate $pki/server.pem; ssl_certificate_key $pki/server.key;
				ssl_client_certificate $pki/ca.pem; ssl_verify_client on;
				location /dav/ { $dav }
			}
		}
	CONF
}

# Another process may take a port in between.
for try in 1 2 3; do
	set -- "$(r_port)" "$(r_port)" "$(r_port)"
	plain=http://127.0.0.1:$1 tls=https://localhost:$2 mutual=https://localhost:$3 port=$1
	configure "$@"
	r_start "$nginx" -c "$conf/nginx.conf" -p "$conf"
	r_wait_port "$3" && break
	cat "$R_LOG"
	[ $try != 3 ] || exit 1
done

head -c 300000 /dev/urandom >"$T_ROOT/body"
printf 'a few bytes' >"$T_ROOT/few"
: >"$T_ROOT/none"

t_dir

# ------------------------------------------------------------ round trips

round_trips() { # URL KEY=VALUE...
	ok ask "$@" -- list ''
	ok ask "$@" -- put packs/aa/one "$T_ROOT/body"
	ok ask "$@" -- get packs/aa/one
	eq "$(cksum <"$T_OUT")" "$(cksum <"$T_ROOT/body")"
	ok ask "$@" -- put packs/aa/one "$T_ROOT/few"
	ok ask "$@" -- get packs/aa/one
	eq "$(cat "$T_OUT")" 'a few bytes'
	ok ask "$@" -- get packs/aa/one 2 3
	eq "$(cat "$T_OUT")" 'few'
	ok ask "$@" -- get packs/aa/one 6
	eq "$(cat "$T_OUT")" 'bytes'
	ok ask "$@" -- get packs/aa/one 11
	eq "$(cat "$T_OUT")" ''
	ok ask "$@" -- put none "$T_ROOT/none"
	ok ask "$@" -- get none
	eq "$(cat "$T_OUT")" ''
	ok ask "$@" -- get none 0 5
	eq "$(cat "$T_OUT")" ''
	ok ask "$@" -- stat packs/aa/one
	eq "$(cut -d' ' -f1 "$T_OUT")" 11
	[ "$(cut -d' ' -f2 "$T_OUT")" -gt 1700000000 ] && pass || fail "no time"
	ok ask "$@" -- add packs/aa/two "$T_ROOT/few"
	code $exists ask "$@" -- add packs/aa/two "$T_ROOT/body"
	ok ask "$@" -- get packs/aa/two
	eq "$(cat "$T_OUT")" 'a few bytes'
	ok ask "$@" -- list packs/aa
	eq "$(sort "$T_OUT" | tr '\n' ' ')" 'one 11 two 11 '
	ok ask "$@" -- list ''
	eq "$(cat "$T_OUT")" 'none 0'
	ok ask "$@" -- list packs/none
	eq "$(cat "$T_OUT")" ''
	ok ask "$@" -- list mlbuild-tmp
	eq "$(cat "$T_OUT")" ''
	code $absent ask "$@" -- get packs/absent
	ok ask "$@" -- delete packs/aa/one packs/aa/two packs/absent none
	ok ask "$@" -- list packs/aa
	eq "$(cat "$T_OUT")" ''
}

t the conformance suite
r_conform "$plain/dav"

t bytes go there and come back
round_trips "$plain/dav"
code $absent ask "$plain/dav" -- stat packs # a directory is no name

t the url may have a slash at its end, and blanks
round_trips "$plain/with%20space/"

t https with a certificate of a CA that is named
round_trips "$tls/dav" "ca=$pki/ca.pem"

t SSL_CERT_FILE names it as well
SSL_CERT_FILE=$pki/ca.pem ok ask "$tls/dav" -- list ''

t a client certificate
ok ask "$mutual/dav" "ca=$pki/ca.pem" "cert=$pki/client.pem" "key=$pki/client.key" -- list ''

t basic and bearer authentication
PW='right word' round_trips "$plain/auth" user=ci password_env=PW
TOKEN=the-token round_trips "$plain/bearer" token_env=TOKEN
ok ask "http://ci:right%20word@127.0.0.1:$port/auth" -- list ''
echo 'machine 127.0.0.1 login ci password "right word"' >"$HOME/.netrc"
ok ask "$plain/auth" -- list ''
ok ask "$plain/auth" user=ci -- list ''
code $denied ask "$plain/auth" user=another -- list ''
rm "$HOME/.netrc"

# ------------------------------------------------------------ what may be wrong

t certificates that are not trusted
code $trust ask "$tls/dav" -- list ''
err_has 'name its CA'
code $trust ask "$tls/dav" "ca=$pki/other.pem" -- put a "$T_ROOT/few"
code $trust ask "https://127.0.0.1:${tls##*:}/dav" "ca=$pki/ca.pem" -- list ''
err_has 'another host'
code 2 ask "$tls/dav" "ca=$T_ROOT/none.pem" -- list ''
err_has 'ca of [remote test]'

t client certificates that are missing, unknown or locked
code $denied ask "$mutual/dav" "ca=$pki/ca.pem" -- list ''
err_has 'cert and key'
code $denied ask "$mutual/dav" "ca=$pki/ca.pem" "cert=$pki/stranger.pem" "key=$pki/stranger.key" -- list ''
code $denied ask "$mutual/dav" "ca=$pki/ca.pem" "cert=$pki/client.pem" "key=$pki/locked.key" -- list '' </dev/null
err_has 'passphrase'

t credentials that are wrong, or not there
PW='wrong word' code $denied ask "$plain/auth" user=ci password_env=PW -- put a "$T_ROOT/body"
err_has 'environment variable PW'
hasnt 'wrong word'
code $denied ask "$plain/auth" user=ci password_env=UNSET -- list ''
err_has 'UNSET, which is not set'
code $denied ask "$plain/auth" -- list ''
err_has 'no credentials are known'
TOKEN=other-token code $denied ask "$plain/bearer" token_env=TOKEN -- list ''
hasnt 'other-token'
code $denied ask "http://ci:wrong-word@127.0.0.1:$port/auth" -- list ''
hasnt 'wrong-word'
TOKEN='a
Host: elsewhere' code 2 ask "$plain/bearer" token_env=TOKEN -- list ''
err_has 'holds no token'

t a server that may only be read
ok ask "$plain/ro" -- get note
eq "$(cat "$T_OUT")" 'read me'
code $denied ask "$plain/ro" -- put a "$T_ROOT/few"
code $denied ask "$plain/ro" -- delete note
there "$www/ro/note"

t bodies that are too large for it
code $other ask "$plain/small" -- put a "$T_ROOT/body"
err_has '413'
err_has 'raise the limit'
ok ask "$plain/small" -- put a "$T_ROOT/few"

t a server that is full or busy
code $full ask "$plain/full" -- put a "$T_ROOT/few"
code $busy ask "$plain/busy" -- get a

t ranges that the server does not know
ok ask "$plain/norange" -- get digits 3 4
eq "$(cat "$T_OUT")" 3456
ok ask "$plain/norange" -- get digits 8
eq "$(cat "$T_OUT")" 89

t redirects
ok ask "$plain/dav" -- put packs/x "$T_ROOT/few"
mkdir -p "$www/dav/moved"
cp "$T_ROOT/few" "$www/dav/moved/x"
ok ask "$plain/moved" -- get x
eq "$(cat "$T_OUT")" 'a few bytes'
PW=x code $other ask "$plain/moved" user=ci password_env=PW -- get x
err_has 'sends on to'
code $other ask "$tls/down" "ca=$pki/ca.pem" -- get x

t what is no WebDAV, or not there
code $other ask "$plain/plain" -- list ''
err_has 'is the url right'
code $other ask "$plain/plain" -- put a "$T_ROOT/few"
err_has 'is the url right'
code $place ask "$plain/dav/not/there" -- list ''
code $place ask "$plain/dav/not/there" -- list packs
code $place ask "$plain/dav/not/there" -- put a "$T_ROOT/few"
gone "$www/dav/not"
code $transient ask "http://127.0.0.1:$(r_port)/dav" -- list ''
err_has 'does the server run'
code $other ask "https://127.0.0.1:$port/dav" -- list ''
err_has 'no TLS is spoken there'
code 2 ask "$plain/dav?x=y" -- list ''
err_has 'no query'

t what died writers left is removed after a day
touch "$www/dav/mlbuild-tmp/young"
touch -d '2 days ago' "$www/dav/mlbuild-tmp/old"
# Beside the first PUT of a process, which does not wait for that.
i=0
while [ -e "$www/dav/mlbuild-tmp/old" ] && [ $((i += 1)) -lt 50 ]; do
	ok ask "$plain/dav" -- put a "$T_ROOT/body"
done
gone "$www/dav/mlbuild-tmp/old"
there "$www/dav/mlbuild-tmp/young"

# ------------------------------------------------------------ rclone

# It shows what is on its way, and takes a body that was cut for a whole one.
if command -v rclone >/dev/null; then
	mkdir "$T_ROOT/rclone"
	set -- "$(r_port)"
	r_start rclone serve webdav --config "$T_ROOT/rclone.conf" --addr "127.0.0.1:$1" \
		--user ci --pass word "$T_ROOT/rclone"
	r_wait_port "$1" || cat "$R_LOG"
	t the WebDAV of rclone
	PW=word round_trips "http://127.0.0.1:$1" user=ci password_env=PW
	eq "$(ls "$T_ROOT/rclone/mlbuild-tmp")" ''
	PW=other code $denied ask "http://127.0.0.1:$1" user=ci password_env=PW -- list ''
	# It looks at its directories as they were a moment ago: not all of this holds each time.
	[ "${MLBUILD_REMOTES:-}" != all ] ||
		PW=word r_conform "http://127.0.0.1:$1" user=ci password_env=PW
fi

done_testing
