#!/bin/sh
# clang-tidy as .clang-tidy has it, without its path-sensitive analyzer, which takes many
# minutes: MLBUILD_TIDY=full brings that too.
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v clang-tidy >/dev/null || {
	echo "clang-tidy is not installed"
	exit 77
}
build=${MLBUILD_BUILD:-build/debug}
[ -f "$build/compile_commands.json" ] || {
	echo "$build has no compile_commands.json"
	exit 77
}
checks='-clang-analyzer-*'
[ "${MLBUILD_TIDY:-}" != full ] || checks=
find src stages remotes -name '*.c' 2>/dev/null | sort |
	xargs -P2 -n12 clang-tidy -p "$build" --quiet --checks="$checks" 2>/dev/null |
	awk '/: (warning|error): / && !seen[$0]++ { print; bad = 1 } END { exit bad }'
