#!/bin/sh
# Installs azurite, Microsoft's server that behaves as Azure Storage, for azure.t: a
# version that is known to work, below build/, which is nobody's but the tests'.
#
#	sh tests/remotes/azurite.sh          installs it where it is not there yet
#	sh tests/remotes/azurite.sh path     prints what to give to node
set -eu
cd "$(dirname "$0")/../.."

version=3.33.0
dir=$PWD/build/azurite-$version
main=$dir/node_modules/azurite/dist/src/blob/main.js
if [ "${1:-}" = path ]; then
	echo "$main"
	exit 0
fi
[ ! -f "$dir/complete" ] || exit 0
command -v npm >/dev/null || {
	echo "azurite.sh: npm is not installed" >&2
	exit 1
}
mkdir -p "$dir"
timeout 150 npm install --prefix "$dir" --no-audit --no-fund --omit=dev --loglevel=error \
	"azurite@$version" >"$dir/log" 2>&1 || {
	echo "azurite.sh: npm cannot install azurite $version:" >&2
	tail -5 "$dir/log" >&2
	exit 1
}
: >"$dir/complete"
