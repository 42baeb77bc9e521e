#!/bin/sh
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v cppcheck >/dev/null || {
	echo "cppcheck is not installed"
	exit 77
}
set --
for dir in src stages remotes; do
	[ -d "$dir" ] && set -- "$@" "$dir"
done
# Left to the compilers and clang-tidy: style, and three checks that take the address of a
# variable for its use, or a loop's condition for a doubt about the pointer before it.
cppcheck --std=c11 --language=c --platform=unix64 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 --quiet --max-configs=2 -j2 \
	-D_GNU_SOURCE -D__GNUC__=12 -D__BYTE_ORDER__=1234 -D__ORDER_BIG_ENDIAN__=4321 \
	-DMLB_VERSION='"0"' --suppress=missingInclude --suppress=missingIncludeSystem \
	--suppress=unknownMacro --suppress=uninitvar --suppress=nullPointerRedundantCheck \
	--suppress=nullPointerArithmeticRedundantCheck --template='{file}:{line}: {severity}: {message} [{id}]' \
	-I include -I src "$@"
