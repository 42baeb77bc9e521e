# One cache for several projects and users.
. "${0%/*}/lib.sh"

SHARED=$T_ROOT/cache
GROUP=54321

# project NAME: in $T_ROOT/NAME, with the shared cache
project() {
	mkdir "$T_ROOT/$1"
	cd "$T_ROOT/$1" || exit 1
	put mlbuild.ini <<-X
		[cache]
		dir = $SHARED

		[feature big]
		run = echo big >> ran; { cat in.txt; head -c 300000 /dev/zero | tr '\0' b; } > \${out}
		needs = in.txt
		out = out/big

		[feature dir]
		run = echo dir >> ran; for i in 1 2 3; do echo file-\$i-\$(cat in.txt) > \${out}/\$i; done
		needs = in.txt
		out = out/dir/
	X
	echo ran >.gitignore
	echo ran >.mlbuildignore
	echo 1 >in.txt
}

age() {
	find "$SHARED" -type f ! -path '*/leases/*' -exec touch -d '2 days ago' {} +
}

# nobody built in any of the projects for long
long_ago() {
	age
	find "$SHARED/v1/roots" -type f -exec touch -d '40 days ago' {} +
}

objects() {
	find "$SHARED/v1/objects" -type f | wc -l | tr -d ' '
}

ran_here() {
	sort ran 2>/dev/null | tr '\n' ' '
	rm -f ran
}

t what one project made, no other makes
project a
ok mlbuild
eq "$(ran_here)" 'big dir '
project b
ok mlbuild
eq "$(ran_here)" ''
ok mlbuild fsck
err_has '0 problems, 0 notes'

t each keeps what the other needs
cd "$T_ROOT/a" || exit 1
echo 2 >in.txt
ok mlbuild
rm -f ran
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 2
cd "$T_ROOT/b" || exit 1
rm -rf out
ok mlbuild
eq "$(ran_here)" ''

t until it says otherwise
echo 2 >in.txt
ok mlbuild
eq "$(ran_here)" ''
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 2
cd "$T_ROOT/b" || exit 1
age
ok mlbuild gc --keep-days 0
eq "$(objects)" 1
ok mlbuild fsck
err_has '0 problems'
cd "$T_ROOT/a" || exit 1
ok mlbuild fsck
err_has '0 problems'
rm -rf out
ok mlbuild
eq "$(ran_here)" ''

t what is not a day old stays in a shared cache
echo 3 >in.txt
ok mlbuild
echo 2 >in.txt
ok mlbuild
rm -f ran
find "$SHARED" -type f ! -path '*/leases/*' -exec touch -d '20 hours ago' {} +
ok mlbuild gc --keep-days 0
eq "$(objects)" 2

t du says what is known of results of others
cd "$T_ROOT/b" || exit 1
ok mlbuild du
out_has '(results of no target known here)'
out_hasnt '(gone) (unknown)'

t what branches and tags of another project need, it says itself
project refs
git init -q .
echo '*' >.git/info/exclude
echo 20 >in.txt
ok mlbuild
git add -f mlbuild.lock in.txt mlbuild.ini
git commit -qm twenty
git tag twenty
git checkout -q -b other
echo 21 >in.txt
ok mlbuild
git commit -qam twenty-one
git checkout -q -b third
echo 22 >in.txt
ok mlbuild
git commit -qam twenty-two
# what the file said before is gone: a checkout says it again
rm "$SHARED"/v1/roots/*
cd "$T_ROOT/a" || exit 1
ok mlbuild checkout
cd "$T_ROOT/b" || exit 1
ok mlbuild checkout
cd "$T_ROOT/refs" || exit 1
ok mlbuild checkout
cd "$T_ROOT/a" || exit 1
age
ok mlbuild gc --keep-days 0
cd "$T_ROOT/refs" || exit 1
for tag in twenty other third; do
	rm -rf out
	git checkout -q -f $tag
	ok mlbuild checkout
	there out/big
	head -n 1 out/big | cut -c 1-2
done
: >ran
git checkout -q -f third
cd "$T_ROOT/a" || exit 1
# a branch that is gone needs nothing once the project has collected
cd "$T_ROOT/refs" || exit 1
git tag -d twenty >/dev/null
git branch -q -D other
age
ok mlbuild gc --keep-days 0
cd "$T_ROOT" || exit 1
rm -rf "$T_ROOT/refs"
rm "$SHARED"/v1/roots/*
cd "$T_ROOT/b" || exit 1
ok mlbuild checkout
cd "$T_ROOT/a" || exit 1
ok mlbuild checkout
age
ok mlbuild gc --keep-days 0

t a project whose disk is away keeps what it needs
cd "$T_ROOT/b" || exit 1
echo 4 >in.txt
ok mlbuild
rm -f ran
cd "$T_ROOT/a" || exit 1
mv "$T_ROOT/b" "$T_ROOT/away"
age
ok mlbuild gc --keep-days 0
out_hasnt 'removed project'
eq "$(objects)" 2

t however long, where a mount point may be
mkdir "$T_ROOT/disk"
project disk/d
echo 5 >in.txt
ok mlbuild
rm -f ran
cd "$T_ROOT/a" || exit 1
mv "$T_ROOT/away" "$T_ROOT/b"
mv "$T_ROOT/disk/d" "$T_ROOT/away"
for left in "$T_ROOT/disk/d" "$T_ROOT/disk" "$T_ROOT"; do
	# a mount point is another directory than what was mounted on it
	mv "$T_ROOT/disk" "$T_ROOT/mounted"
	[ "$left" = "$T_ROOT" ] || mkdir -p "$left"
	long_ago
	ok mlbuild gc --keep-days 0
	out_hasnt 'removed project'
	eq "$(objects)" 3
	[ "$left" = "$T_ROOT" ] || rm -r "$T_ROOT/disk"
	mv "$T_ROOT/mounted" "$T_ROOT/disk"
done
mv "$T_ROOT/away" "$T_ROOT/disk/d"
cd "$T_ROOT/disk/d" || exit 1
rm -rf out
ok mlbuild
eq "$(ran_here)" ''

t a build says that the project is there
cd "$T_ROOT/b" || exit 1
long_ago
ok mlbuild
mv "$T_ROOT/b" "$T_ROOT/away"
cd "$T_ROOT/a" || exit 1
ok mlbuild gc --keep-days 0
out_hasnt 'removed project'
mv "$T_ROOT/away" "$T_ROOT/b"

t a project on a disk of its own, whose mount point goes with it
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	put "$T_ROOT/mounted.sh" <<-'X'
		mount -t tmpfs none "$1" || exit 99
		cp mlbuild.ini in.txt .gitignore .mlbuildignore "$1" && cd "$1" || exit 99
		echo 6 >in.txt
		exec "$MLBUILD"
	X
	mkdir "$T_ROOT/own"
	ok unshare -m sh "$T_ROOT/mounted.sh" "$T_ROOT/own"
	rmdir "$T_ROOT/own"
	n=$(objects)
	long_ago
	ok mlbuild gc --keep-days 0
	out_hasnt 'removed project'
	eq "$(objects)" "$n"
	rm "$(grep -lx "dir $T_ROOT/own" "$SHARED"/v1/roots/*)"
	long_ago
	ok mlbuild gc --keep-days 0
	eq "$(objects)" 3
fi

t a project that is gone needs nothing after a time, though its directory was the only one there
rm -rf "$T_ROOT/disk/d"
age
ok mlbuild gc --keep-days 0
out_hasnt 'removed project'
long_ago
case $(stat -f -c %i "$T_ROOT") in
0)
	ok mlbuild gc --keep-days 0
	out_hasnt 'removed project'
	;;
*)
	ok mlbuild gc --keep-days 0 -n
	eq "$(objects)" 3
	ok mlbuild gc --keep-days 0
	out_has "removed project $SHARED/v1/roots/"
	eq "$(objects)" 2
	;;
esac

t a project that is gone for long needs nothing any more
rm -rf "$T_ROOT/b"
: >"$T_ROOT/disk/other"
long_ago
ok mlbuild gc --keep-days 0
out_has "removed project $SHARED/v1/roots/"
eq "$(objects)" 1

t what a project needs that cannot be read: nothing goes
project c
echo 5 >in.txt
ok mlbuild
for file in "$SHARED"/v1/roots/c-* "$SHARED"/v1/roots/*; do
	grep -q "^dir $T_ROOT/c$" "$file" && break
done
sed 's/^object ./object 0/' "$file" >"$T_ROOT/changed"
cmp -s "$file" "$T_ROOT/changed" && sed 's/^object ./object 1/' "$file" >"$T_ROOT/changed"
cat "$T_ROOT/changed" >"$file"
cd "$T_ROOT/a" || exit 1
echo 6 >in.txt
ok mlbuild
age
t_run_ mlbuild gc --keep-days 0
[ "$T_CODE" != 0 ] || fail 'gc went on'
has "$file"
has 'nothing is removed'
code 1 mlbuild fsck
out_has "problem  $file: "
cd "$T_ROOT/c" || exit 1
ok mlbuild fsck --repair
out_has 'it was written anew'
cd "$T_ROOT/a" || exit 1
ok mlbuild gc --keep-days 0

if [ "$(id -u)" != 0 ] || ! setpriv --reuid=54001 --regid=$GROUP --clear-groups "$MLBUILD" version >/dev/null 2>&1; then
	echo '# no second user to be had'
	done_testing
fi

# as USER COMMAND...: with a umask that gives the group nothing
as() {
	as_=$1
	shift
	# shellcheck disable=SC2016 # it is for the inner shell
	setpriv --reuid="$as_" --regid=$GROUP --clear-groups env HOME="$T_ROOT/home" \
		sh -c 'umask 077; exec "$@"' sh "$@"
}

# give USER DIRECTORY-AND-FILES...: each of them alone
give() {
	give_to_=$1
	shift
	for give_; do
		case $give_ in
		"$T_ROOT"/*) chown "$give_to_:$GROUP" "$give_" ;;
		*) exit 1 ;;
		esac
	done
}

t another user takes what the first one made
chmod 755 "$T_ROOT"
chmod 755 "$T_ROOT/home"
SHARED=$T_ROOT/team
mkdir "$SHARED"
give 0 "$SHARED"
chmod 2775 "$SHARED"
for who in 1 2; do
	project user$who
	give 5400$who "$T_ROOT/user$who" "$T_ROOT/user$who/mlbuild.ini" "$T_ROOT/user$who/.gitignore" "$T_ROOT/user$who/.mlbuildignore" "$T_ROOT/user$who/in.txt"
done
cd "$T_ROOT/user1" || exit 1
ok as 54001 "$MLBUILD"
eq "$(ran_here)" 'big dir '
cd "$T_ROOT/user2" || exit 1
ok as 54002 "$MLBUILD"
eq "$(ran_here)" ''
ok as 54002 "$MLBUILD" fsck
err_has '0 problems, 0 notes'

t all of it belongs to the group
eq "$(find "$SHARED" -type d ! -perm 2770 | wc -l | tr -d ' ')" 1
eq "$(find "$SHARED/v1/objects" -type f ! -perm 0440 | wc -l | tr -d ' ')" 0
eq "$(find "$SHARED/v1/packs" "$SHARED/v1/actions" "$SHARED/v1/roots" -type f ! -perm 0660 | wc -l | tr -d ' ')" 0
eq "$(find "$SHARED" ! -group $GROUP | wc -l | tr -d ' ')" 0

t both write, one pack after the other
for who in 1 2; do
	cd "$T_ROOT/user$who" || exit 1
	echo "of $who" >in.txt
	ok as 5400$who "$MLBUILD"
	eq "$(ran_here)" 'big dir '
done
eq "$(find "$SHARED/v1/packs" -type f | wc -l | tr -d ' ')" 1
cd "$T_ROOT/user1" || exit 1
ok as 54001 "$MLBUILD" fsck
err_has '0 problems, 0 notes'

t what another user wrote is hashed before its first use
cd "$T_ROOT/user1" || exit 1
echo poison >in.txt
ok as 54001 "$MLBUILD"
hex=$(sha256sum <out/big | cut -d' ' -f1)
object=$SHARED/v1/objects/$(echo "$hex" | cut -c1-2)/$(echo "$hex" | cut -c3-)
there "$object"
chmod u+w "$object"
touch -r "$object" "$T_ROOT/when"
printf evil | dd of="$object" conv=notrunc 2>/dev/null
touch -r "$T_ROOT/when" "$object"
chmod 440 "$object"
cd "$T_ROOT/user2" || exit 1
rm -f ran
echo poison >in.txt
ok as 54002 "$MLBUILD"
eq "$(ran_here)" 'big '
eq "$(head -n 1 out/big)" poison

t one collects, and keeps what both need
cd "$T_ROOT/user1" || exit 1
echo 7 >in.txt
ok as 54001 "$MLBUILD"
age
ok as 54001 "$MLBUILD" gc --keep-days 0
rm -rf out ran
ok as 54001 "$MLBUILD"
eq "$(ran_here)" ''
cd "$T_ROOT/user2" || exit 1
rm -rf out
ok as 54002 "$MLBUILD"
eq "$(ran_here)" ''
ok as 54002 "$MLBUILD" fsck
err_has '0 problems'

done_testing
