# gc beside builds that never end all at once: what is old goes, what they use stays.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# a cache for the projects a and b; b's build can be held up
CACHE=$T_ROOT/cache
project() {
	mkdir -p "$1" && cd "$1" || exit 1
	put mlbuild.ini <<-X
		[cache]
		dir = $CACHE
		[dataset in]
		path = in.txt
		[feature big]
		run = echo big >>"\$RAN"; { cat \${in}; head -c 300000 /dev/zero | tr '\\\\0' b; } > \${out}
		out = big
		[feature dir]
		run = echo dir >>"\$RAN"; for i in 1 2 3; do echo \$i-\$(cat \${in}) > \${out}/\$i; done
		out = dir/
		[feature slow]
		run = echo slow >>"\$RAN"; touch "$T_ROOT/started"; while [ ! -e "$T_ROOT/go" ]; do sleep 0.05; done; cat \${in} > \${out}
		out = slow
		[feature last]
		run = echo last >>"\$RAN"; { cat \${slow}; head -c 200000 /dev/zero | tr '\\\\0' l; } > \${out}
		out = last
	X
	echo "$2" >in.txt
}

age() {
	find "$CACHE" -type f ! -path '*/leases/*' -exec touch -d '3 days ago' {} +
}

objects() {
	find "$CACHE/v1/objects" -type f | wc -l | tr -d ' '
}

condemned() {
	find "$CACHE/v1/condemned" -path '*/objects/*' -type f 2>/dev/null | wc -l | tr -d ' '
}

# start a build here that does not end before `finish`
begin() {
	rm -f "$T_ROOT/started" "$T_ROOT/go"
	"$MLBUILD" "$@" >"$T_ROOT/build.log" 2>&1 &
	pid=$!
	tries=0
	until [ -e "$T_ROOT/started" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] || { fail "it did not start: $(cat "$T_ROOT/build.log")"; break; }
		sleep 0.02
	done
}

finish() {
	touch "$T_ROOT/go"
	wait "$pid" || fail "the build failed: $(cat "$T_ROOT/build.log")"
}

t what is old goes, though there is always a build
touch "$T_ROOT/go"
project "$T_ROOT/a" 1
ok mlbuild
echo 2 >in.txt
ok mlbuild
eq "$(objects)" 4
project "$T_ROOT/b" 3
begin slow
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
err_has 'set aside 2 objects'
err_has 'removed 0 objects'
err_has "in '$T_ROOT/b'"
eq "$(objects) $(condemned)" '2 2'
ok mlbuild gc --keep-days 0
eq "$(objects) $(condemned)" '2 2'
ok mlbuild fsck
err_has '0 problems'
cd "$T_ROOT/b" || exit 1
finish
echo 4 >in.txt
begin slow
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
err_has 'removed 2 objects'
eq "$(objects) $(condemned)" '2 0'
gone "$CACHE/v1/condemned"
ok mlbuild fsck
err_has '0 problems'
: >"$RAN"
rm -f big slow last
rm -r dir
ok mlbuild
did ''
cd "$T_ROOT/b" || exit 1
finish

t a build finds what was set aside while it ran
cd "$T_ROOT/a" || exit 1
touch "$T_ROOT/go"
echo 5 >in.txt
ok mlbuild
echo 6 >in.txt
ok mlbuild
rm -rf "$T_ROOT/b"
project "$T_ROOT/b" 7
ok mlbuild big
echo 5 >in.txt
: >"$RAN"
begin -f slow
ok true
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
err_has 'set aside'
before=$(condemned)
cd "$T_ROOT/b" || exit 1
finish
: >"$RAN"
age
ok mlbuild big dir last
did ''
ok mlbuild fsck
err_has '0 problems'
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
[ "$(condemned)" -lt "$before" ] || fail 'nothing was moved back'
gone "$CACHE/v1/condemned"
cd "$T_ROOT/b" || exit 1
rm -r big dir last
: >"$RAN"
ok mlbuild checkout
there big dir/1 last
did ''

t what a build saw before, and only its lock names, comes back
cd "$T_ROOT/a" || exit 1
touch "$T_ROOT/go"
echo 8 >in.txt
ok mlbuild
echo 9 >in.txt
ok mlbuild
cd "$T_ROOT/b" || exit 1
echo 8 >in.txt
: >"$RAN"
# big and dir are found at once, slow is made, and the lock is written at the end
begin -f slow big dir
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
cd "$T_ROOT/b" || exit 1
finish
age
cd "$T_ROOT/a" || exit 1
ok mlbuild gc --keep-days 0
ok mlbuild gc --keep-days 0
gone "$CACHE/v1/condemned"
cd "$T_ROOT/b" || exit 1
rm -rf big dir slow
: >"$RAN"
ok mlbuild checkout big dir slow
there big dir/1 slow
ok mlbuild fsck
err_has '0 problems'

t a gc that died left a batch without a list
cd "$T_ROOT/a" || exit 1
mkdir -p "$CACHE/v1/condemned/0123456789abcdef/objects"
for dir in "$CACHE"/v1/objects/*; do
	mv "$dir" "$CACHE/v1/condemned/0123456789abcdef/objects/"
done
ok mlbuild fsck
err_has '0 problems'
rm -f big last
: >"$RAN"
ok mlbuild
did ''
there big last
ok mlbuild gc
gone "$CACHE/v1/condemned"
ok mlbuild fsck
err_has '0 problems'
done_testing
