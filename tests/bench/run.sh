#!/bin/sh
# The tables of speed: builds a release, gets the peers by apt if it may, measures.
#
#	sh tests/bench/run.sh [--rows noop-1000,full-1000 | --rows all] [--reps N] [--help]
#	sh tests/bench/run.sh store [--rows big,70000,1000000] [--reps N] [--help]
#
#	sh tests/bench/run.sh remote [--rows small-s3,csv] [--reps N] [--help]
#
# The first measures graphs of many targets, the second the store on much data, the third
# pushes and pulls against servers on loopback (radosgw is one of the test packages).
# MLBUILD=PATH measures that program instead of building one.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)

what=graphs
case ${1:-} in
store | remote)
	what=$1
	shift
	;;
esac

# want PROGRAM PACKAGE
want() {
	command -v "$1" >/dev/null || wanted="$wanted $2"
}

# Peers that are missing are left out of the table.
get_peers() {
	wanted=
	if [ $what = store ]; then
		want git git
		want restic restic
		want borg borgbackup
	elif [ $what = remote ]; then
		return 0
	else
		want ninja ninja-build
		want make make
		want snakemake snakemake
	fi
	[ -n "$wanted" ] && command -v apt-get >/dev/null || return 0
	if [ "$(id -u)" = 0 ]; then
		as_root='env'
	elif sudo -n true 2>/dev/null; then
		as_root='sudo -n env'
	else
		echo "not measured, because it is not installed:$wanted" >&2
		return 0
	fi
	# Lists of words.
	# shellcheck disable=SC2086
	$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted >&2 ||
		echo "could not install$wanted: measuring without" >&2
}

case " $* " in
*' --help '* | *' -h '*)
	[ $what = graphs ] || exec python3 "$here/$what.py" --help
	exec python3 "$here/bench.py" --help
	;;
esac
get_peers
if [ -z "${MLBUILD:-}" ]; then
	[ -f "$top/build/release/build.ninja" ] ||
		cmake -S "$top" -B "$top/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLB_TESTS=OFF >&2
	cmake --build "$top/build/release" --target mlbuild >&2
	MLBUILD=$top/build/release/mlbuild
fi
[ $what != graphs ] || exec python3 "$here/bench.py" --mlbuild "$MLBUILD" "$@"
probe=$(mktemp)
trap 'rm -f "$probe"' EXIT
${CC:-cc} -O2 -o "$probe" "$here/probe.c" -lcrypto -lpthread
[ $what = store ] || set -- --tests "$top/tests/remotes" "$@"
python3 "$here/$what.py" --mlbuild "$MLBUILD" --probe "$probe" "$@"
