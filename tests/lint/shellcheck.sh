#!/bin/sh
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v shellcheck >/dev/null || {
	echo "shellcheck is not installed"
	exit 77
}
# SC1091: files that are sourced are checked by themselves. SC1010: "do" and "then" are
# words of tests' names. SC2030, SC2031, SC2317: tests change variables in subshells and
# call functions in traps on purpose. SC2089, SC2090: quotes that are meant literally.
{
	find tests examples .ci man stages -name '*.sh' 2>/dev/null
	find tests -name '*.t'
	[ -f .ci/run ] && echo .ci/run
} | sort | xargs shellcheck --severity=warning --exclude=SC1010,SC1091,SC2030,SC2031,SC2089,SC2090,SC2317 --shell=bash -f gcc
