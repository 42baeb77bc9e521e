#!/bin/sh
# The layout is clang-format's: clang-format -i FILE puts it right.
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v clang-format >/dev/null || {
	echo "clang-format is not installed"
	exit 77
}
# Headers are laid out by hand: their comments are tables.
find src stages remotes examples tests -name '*.c' 2>/dev/null | sort |
	xargs clang-format --dry-run -Werror --style=file 2>&1 |
	awk -F: '
	/: error:/ {
		if (!($1 in first)) {
			first[$1] = $2
			order[++n] = $1
		}
		count[$1]++
	}
	END {
		for (i = 1; i <= n; i++)
			print order[i] ":" first[order[i]] ": not as clang-format has it (" \
				count[order[i]] " places): clang-format -i " order[i]
		exit n > 0
	}'
