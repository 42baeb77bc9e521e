#!/bin/sh
# Builds mlbuild and runs all its tests on Debian or Ubuntu:
#
#	sh tests/run.sh            everything: TSan, then ASan and UBSan, then the plain build
#	sh tests/run.sh --quick    the plain build only
#
# Stops at the first run that fails. The last lines printed are ctest's summary.
set -eu
cd "$(dirname "$0")/.."

mode=all
for arg; do
	case $arg in
	--quick) mode=quick ;;
	*)
		echo "usage: sh tests/run.sh [--quick]" >&2
		exit 2
		;;
	esac
done

packages='build-essential cmake ninja-build pkg-config libgit2-dev libsqlite3-dev libinih-dev
	libssl-dev libjansson-dev libyaml-dev libzstd-dev libcurl4-openssl-dev libcmocka-dev git
	python3 clang clang-format clang-tidy cppcheck mandoc shellcheck codespell strace procps util-linux
	libclang-rt-14-dev openssh-client openssh-server nginx-light libnginx-mod-http-dav-ext
	openssl rclone radosgw ceph-mon ceph-osd'
# Debian's npm and others that bring nodejs exclude each other.
command -v npm >/dev/null || packages="$packages nodejs npm"

missing=''
if command -v dpkg-query >/dev/null; then
	for package in $packages; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done
else
	echo "this is no Debian: the counterparts of these are expected to be there: $packages"
fi
if [ "$missing" ]; then
	if [ "$(id -u)" = 0 ]; then
		sudo=''
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo='sudo -n'
	else
		echo "packages are missing; install them and run this again:" >&2
		echo "  sudo apt-get install -y --no-install-recommends$missing" >&2
		exit 1
	fi
	$sudo apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

sh tests/remotes/azurite.sh || echo "without azurite there is no test of Azure Storage"

# A problem with the tests of one build must not be hidden by the environment of another.
unset MAKEFLAGS MLBUILD MLBUILD_JOB
MLBUILD_TIDY=${MLBUILD_TIDY:-quick}
export MLBUILD_TIDY

build() {
	cmake --preset "$1" -B "build/test-$1" >/dev/null
	cmake --build "build/test-$1" -j2
}

# What a run of tests is started with.
wrapper=''

# Two at a time: many tests measure time or start processes of their own.
run_tests() {
	dir=build/test-$1
	shift
	echo "== $dir"
	$wrapper ctest --test-dir "$dir" -j2 --output-on-failure "$@"
}

build debug
if [ $mode = all ]; then
	build tsan
	# ThreadSanitizer does not start where the kernel randomises addresses too much.
	if setarch -R true 2>/dev/null; then
		wrapper='setarch -R'
	fi
	TSAN_OPTIONS=halt_on_error=1 run_tests tsan -L tsan
	wrapper=''
	build asan
	# The suites against servers take minutes, and run in the plain build.
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
		LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0 run_tests asan -LE 'lint|remotes'
fi
run_tests debug
