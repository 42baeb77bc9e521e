# Pins, and sources that git has not: they are named by the lock in the pin, and stored.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"
. "${0%/*}/pin.sh"

t a large source that git tracks: what git does not have of it is stored
t_dir
t_git
head -c 1500000 /dev/zero >raw.bin
put mlbuild.ini <<-'INI'
	[dataset raw]
	path = raw.bin
	[feature a]
	run = cksum ${raw} >${out}
	out = out/a
INI
t_commit
stored() {
	digest=$(sha256sum <"$1" | cut -c1-64)
	find .mlbuild/cache/v1/objects -name "${digest#??}" | wc -l
}
ok mlbuild
eq "$(stored raw.bin)" 0
eq "$(pin_of a)" "$(git rev-parse HEAD)"
echo more >>raw.bin
untouched mlbuild
eq "$(stored raw.bin)" 1
eq "$(git ls-tree --name-only "$(pin_of a)" raw.bin)" ''
echo staged >>raw.bin
git add raw.bin
untouched mlbuild
eq "$(stored raw.bin)" 0
eq "$(git rev-parse "$(pin_of a):raw.bin")" "$(git rev-parse :raw.bin)"
touch raw.bin
untouched mlbuild -f a
eq "$(stored raw.bin)" 0

t a source that git ignores: the lock of the pin names it as it was
t_dir
t_git
printf 'one\n' >raw.csv
mkdir images
printf 'one\n' >images/1
printf 'raw.csv\nimages\n' >.gitignore
put mlbuild.ini <<-'INI'
	[dataset raw]
	path = raw.csv
	[dataset images]
	path = images
	[feature a]
	run = cat ${raw} ${images}/* >${out}
	out = out/a
	[feature b]
	run = echo b >${out}
	out = out/b
INI
t_commit
head=$(git rev-parse HEAD)
named() {
	git show "$(pin_of a):mlbuild.lock" | grep -c "$(sha256sum <raw.csv | cut -c1-64)"
}
untouched mlbuild
[ "$(pin_of a)" != "$head" ] && pass || fail 'HEAD does not say what raw is'
eq "$(named)" 1
t_commit lock
head=$(git rev-parse HEAD)
untouched mlbuild -f a
eq "$(pin_of a)" "$head"
printf 'two\n' >>raw.csv
untouched mlbuild a
eq "$(git rev-parse "$(pin_of a)^")" "$head"
eq "$(named)" 1
eq "$(git diff-tree -r --name-only "$head" "$(pin_of a)")" mlbuild.lock
pin=$(pin_of a)
untouched mlbuild -f a
untouched mlbuild -f b
eq "$(pin_of b)" "$head"
printf 'two\n' >images/2
untouched mlbuild a
[ "$(pin_of a)" != "$pin" ] && pass || fail 'the pin is that of other images'

done_testing
