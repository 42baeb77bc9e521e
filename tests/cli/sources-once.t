# A source directory is read once, though it is hashed and stored; later only what changed in it.
. "${0%/*}/lib.sh"
to_be_traced

strace -f -o /dev/null true 2>/dev/null || {
	echo "strace cannot be used here"
	exit 77
}

# How often files of the data were opened by the last command.
opened() {
	grep -c "openat.*$1\", O_RDONLY" trace
}

traced() {
	ok strace -f -e trace=openat -o trace "$MLBUILD" "$@"
}

t_dir
mkdir -p data/a data/b
for i in 0 1 2 3 4 5 6 7 8 9; do
	echo "a $i" >"data/a/$i.txt"
	echo "b $i" >"data/b/$i.txt"
done
sleep 0.1
put mlbuild.ini <<'INI'
[dataset raw]
path = data

[dataset other]
path = elsewhere
INI
mkdir elsewhere
echo 1 >elsewhere/1.dat

t the first time each file is opened once
traced raw
eq "$(opened '[0-9].txt')" 20

t what was not asked for is not stored
hasnt 'elsewhere'
eq "$(opened '1.dat')" 1
ok grep -rqF 'a 7' .mlbuild/cache/v1/packs
code 1 grep -rqxF 1 .mlbuild/cache/v1/packs

t with nothing to do none is
traced raw
eq "$(opened '[0-9].txt')" 0

t of one that changed only that one is
echo 'a seven' >data/a/7.txt
sleep 0.1
traced raw
eq "$(opened '[0-9].txt')" 1
ok grep -rqF 'a seven' .mlbuild/cache/v1/packs

t a source that the cache lost is stored again when it is back
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[dataset large]
path = large.bin
X
echo precious >raw.txt
head -c 300000 /dev/zero >large.bin
ok mlbuild
cp raw.txt large.bin "$T_ROOT"
find .mlbuild/cache/v1/packs .mlbuild/cache/v1/objects -type f -exec rm -f {} +
rm raw.txt large.bin
code 1 mlbuild checkout
cp "$T_ROOT/raw.txt" "$T_ROOT/large.bin" .
ok mlbuild
rm raw.txt large.bin
ok mlbuild checkout
eq "$(cat raw.txt)" precious
eq "$(wc -c <large.bin)" 300000
ok mlbuild fsck
err_has '0 problems, 0 notes'

done_testing
