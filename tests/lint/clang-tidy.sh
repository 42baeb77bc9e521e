#!/bin/sh
# clang-tidy as .clang-tidy has it, if MLBUILD_TIDY asks for it: `quick`, as tests/run.sh
# does, without its path-sensitive analyzer, or `full`, which takes many minutes.
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
case ${MLBUILD_TIDY:-} in
quick) checks='-clang-analyzer-*' ;;
full) checks= ;;
*)
	echo "not asked for: MLBUILD_TIDY=quick or full"
	exit 77
	;;
esac
find src stages remotes -name '*.c' 2>/dev/null | sort |
	xargs -P2 -n12 clang-tidy -p "$build" --quiet --checks="$checks" 2>/dev/null |
	awk '/: (warning|error): / && !seen[$0]++ { print; bad = 1 } END { exit bad }'
