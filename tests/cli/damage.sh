# shellcheck shell=sh
# Damage to a cache, and where to do it; $CACHE is .mlbuild/cache/v1.
#
# flip FILE OFFSET   another byte there (negative: from the end)
# loose FILE         prints the path of the large object of a file's content
# place FILE TEXT    prints the offset of a text in a file

flip() {
	flip_at_=$2
	[ "$flip_at_" -ge 0 ] || flip_at_=$(($(wc -c <"$1") + flip_at_))
	flip_byte_=$(od -An -tu1 -j "$flip_at_" -N 1 "$1" | tr -d ' ')
	chmod u+w "$1"
	# shellcheck disable=SC2059 # an octal escape is meant
	printf "\\$(printf %o $((flip_byte_ ^ 1)))" | dd of="$1" bs=1 seek="$flip_at_" conv=notrunc 2>/dev/null
	chmod u-w "$1"
}

loose() {
	loose_hex_=$(sha256sum <"$1" | cut -d' ' -f1)
	loose_rest_=${loose_hex_#??}
	echo "$CACHE/objects/${loose_hex_%"$loose_rest_"}/$loose_rest_"
}

place() {
	grep -abo "$2" "$1" | head -n 1 | cut -d: -f1
}
