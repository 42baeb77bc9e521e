#!/bin/sh
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v mandoc >/dev/null || {
	echo "mandoc is not installed"
	exit 77
}
set -- man/*.[157]
[ -e "$1" ] || exit 0
mandoc -T lint -W warning "$@"
