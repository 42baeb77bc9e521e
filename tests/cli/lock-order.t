# mlbuild.lock gets its name after all that it names is on the disk, and its own bytes are.
. "${0%/*}/lib.sh"
to_be_traced

strace -f -o /dev/null true 2>/dev/null || {
	echo "strace cannot be used here"
	exit 77
}

# The calls that matter, in the order in which they ended: what they are of.
traced() {
	ok strace -f -y -e trace=fsync,fdatasync,rename -o all "$MLBUILD" "$@"
	awk -v here="$PWD" '
		/<unfinished/ { begun[$1] = $0; next }
		/resumed>/ { $0 = begun[$1] " " $0 }
		!/= 0$/ { next }
		/sync\(/ && /\/packs\// { print "pack" }
		/sync\(/ && /\/actions\// { print "record" }
		/sync\(/ && index($0, "<" here "/.mlbuild-") { print "bytes" }
		/rename\(/ && index($0, "\"" here "/mlbuild.lock\"") { print "name" }' all >order
}

# first TEXT, last TEXT: the number of such a line; 0 where there is none
first() {
	awk -v t="$1" '$0 == t && !n { n = NR } END { print n + 0 }' order
}

last() {
	awk -v t="$1" '$0 == t { n = NR } END { print n + 0 }' order
}

# before A B: both are there, the last A before the first B
before() {
	[ "$(last "$1")" -gt 0 ] && [ "$(last "$1")" -lt "$(first "$2")" ]
}

t_dir
put mlbuild.ini <<'INI'
[dataset raw]
path = raw.txt

[feature upper]
run = tr a-z A-Z < ${raw} > ${out}
out = upper.txt
INI

for content in one two three; do
	t "its name comes last: $content"
	echo "$content" >raw.txt
	traced upper
	ok before pack name
	ok before record name
	ok before bytes name
	eq "$(grep -c name order)" 1
done

t "with nothing to do it is not written"
traced upper
eq "$(grep -c name order)" 0

t "what it was begun for is dropped where the packs cannot be synced"
cp mlbuild.lock was
echo four >raw.txt
code 1 strace -f -e trace=fsync,fdatasync -e inject=fdatasync:error=EIO -o all "$MLBUILD" upper
ok cmp mlbuild.lock was
eq "$(find . -maxdepth 1 -name '.mlbuild-*' | wc -l)" 0
ok mlbuild upper
code 1 cmp mlbuild.lock was

done_testing
