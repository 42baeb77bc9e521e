#!/bin/sh
# From a fresh Debian 12 to a trained model: installs what is missing, compiles
# mlbuild into build/release, and runs `mlbuild model` here.
#
#	sh examples/digits/run.sh
set -eu

packages='build-essential cmake ninja-build pkg-config libgit2-dev libsqlite3-dev
	libinih-dev libssl-dev libjansson-dev libyaml-dev libzstd-dev libcurl4-openssl-dev
	git python3-sklearn'

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
build=$top/build/release

# python3 shall be Debian's, which has the scikit-learn that apt installs.
PATH=/usr/bin:$PATH
export PATH

say() {
	printf '%s\n' "$*" >&2
}

missing_packages() {
	for package in $packages; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' ||
			printf ' %s' "$package"
	done
}

install_packages() {
	command -v dpkg-query >/dev/null || {
		say "no dpkg here: install the counterparts of: $packages"
		return 0
	}
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" = 0 ]; then
		as_root='env'
	elif sudo -n true 2>/dev/null; then
		as_root='sudo -n env'
	else
		say "packages are missing: install them, then run this again:"
		say "  sudo apt-get install -y$missing"
		exit 1
	fi
	say "installing$missing"
	# $missing and $as_root are lists of words.
	# shellcheck disable=SC2086
	$as_root DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
	# shellcheck disable=SC2086
	$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
}

compile() {
	say "compiling mlbuild into $build"
	[ -f "$build/build.ninja" ] ||
		cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLB_TESTS=OFF >&2
	cmake --build "$build" --target mlbuild >&2
}

install_packages
compile
cd "$here"
"$build/mlbuild" model
say "next: change a number in $here/mlbuild.ini, or try one without: cd $here && $build/mlbuild -p model.C=0.01 model"
