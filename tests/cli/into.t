# --into DIR: artifacts of a variant go there; nothing of a user's is lost, and
# the workspace is no such place.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

everything() {
	find . -path ./.mlbuild -prune -o -path ./.git -prune -o -type f -exec cksum {} + | sort
}

# A file with this text somewhere below .mlbuild/aside, or DIR.
kept_as() {
	if grep -rqxF -e "$1" .mlbuild/aside 2>/dev/null; then
		pass
	else
		fail "expected a file with '$1' in .mlbuild/aside"
	fi
}

t the workspace itself is refused, by any name, before anything runs
t_dir
chain
ok mlbuild
did 'a b c d'
before=$(everything)
ln -s "$PWD" ../w
for dir in . ./ "$PWD" ../w out/..; do
	code 2 mlbuild -p x=5 --into "$dir" c
	has 'is the workspace'
	eq "$(everything)" "$before"
done
did ''
code 2 mlbuild -p x=5 -n --into . c
has 'is the workspace'
code 2 mlbuild -p x=5 --into .mlbuild/cache c
has '.mlbuild'
code 2 mlbuild -p x=5 --into '' c
did ''
rm ../w

t inside an output or a source, or where needs looks for files, is refused
t_dir
mkdir raw conf
echo r >raw/r.txt
echo c >conf/c.yaml
put mlbuild.ini <<'X'
[params]
x = 1
[dataset raw]
path = raw
[feature f]
run = cp raw/r.txt ${out}/r; echo ${params:x} >${out}/x
out = data/f/
[model m]
run = cat conf/* ${f}/x >${out}
needs = conf
out = m.txt
X
ok mlbuild
before=$(everything)
for dir in raw raw/new data/f data/f/new conf conf/new m.txt; do
	code 2 mlbuild -p x=2 --into "$dir" m
	has "'--into $dir' would change"
	has "'${dir%/new}'"
	eq "$(everything)" "$before"
done
mkdir ../o && ln -s "$PWD/data" ../o/data
code 2 mlbuild -p x=2 --into ../o f
has "'data/f'"
eq "$(everything)" "$before"
rm -r ../o
echo file >../o
code 2 mlbuild -p x=2 --into ../o/x f
has "--into ../o/x: "
has 'is below a file'
eq "$(cat ../o)" file
rm ../o

t a file that mlbuild does not know is moved aside, not overwritten
t_dir
chain
mkdir -p ../r1/out ../r2
echo mine >../r1/out/c.txt
ok mlbuild -p x=5 --into ../r1 c
eq "$(head -n 1 ../r1/out/c.txt)" one-5
has 'is kept as'
kept_as mine
rm -rf .mlbuild/aside

t what the cache has is replaced without ado
ok mlbuild -p x=6 --into ../r1 c
eq "$(head -n 1 ../r1/out/c.txt)" one-6
hasnt 'is kept as'
gone .mlbuild/aside

t a link in the place of an artifact is moved, and what it points to stays
echo target >../r2/target
mkdir ../r2/out
ln -s ../target ../r2/out/c.txt
ok mlbuild -p x=6 --into ../r2 c
eq "$(cat ../r2/target)" target
eq "$(head -n 1 ../r2/out/c.txt)" one-6
[ ! -L ../r2/out/c.txt ] && pass || fail 'the link is still there'
rm -r ../r1 ../r2

t foreign files inside the directory of an artifact are kept
t_dir
put mlbuild.ini <<'X'
[params]
x = 1
[feature f]
run = echo ${params:x} >${out}/a
out = f/
[feature g]
run = echo ${params:x} >${out}
out = g
X
ok mlbuild -p x=2 --into ../d1 f
echo note >../d1/f/notes.txt
ok mlbuild -p x=3 --into ../d1 f
eq "$(cat ../d1/f/a)" 3
kept_as note
gone ../d1/f/notes.txt
rm -rf .mlbuild/aside
mkdir ../d1/g ../d1/f/.git
echo deep >../d1/g/deep
echo git >../d1/f/.git/x
ok mlbuild -p x=4 --into ../d1 g f
eq "$(cat ../d1/g)" 4
eq "$(cat ../d1/f/a)" 4
kept_as deep
kept_as git
rm -r ../d1

t the same again leaves the artifacts alone
ok mlbuild -p x=4 --into ../d2 g f
before=$(stat -c '%i %Y' ../d2/g ../d2/f/a)
ok mlbuild -p x=4 --into ../d2 g f
eq "$(stat -c '%i %Y' ../d2/g ../d2/f/a)" "$before"
rm -r ../d2

done_testing
