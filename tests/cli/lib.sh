# shellcheck shell=sh
# Helpers of the black-box tests. A test is a plain sh script that is run as
# `MLBUILD=/path/of/mlbuild sh tests/cli/NAME.t` and begins with
#
#	. "${0%/*}/lib.sh"
#
# t NAME          announces a case; what follows belongs to it
# t_dir           makes a new empty directory and enters it; removed at the end
# t_git           makes the current directory a git repository
# t_commit TEXT   commits everything in it
# t_commit_later  the same, a day after the one before, so that "newest first" is sure (T_DAY=0 begins again)
# put FILE        writes standard input to FILE, making its directories
# ok CMD...       expects exit code 0
# code N CMD...   expects exit code N
# has TEXT        expects TEXT (a fixed string) in what the last command printed
# hasnt TEXT      expects that it is not there
# out_has, err_has, out_hasnt, err_hasnt: the same in stdout or stderr alone
# eq A B          expects two equal strings
# ran FILE N      expects a counter file of N lines (0: it may be absent)
# there FILE...   expects that each exists
# gone FILE...    expects that none exists
# pass, fail TEXT when a test decides for itself
# done_testing    prints the totals; exit 1 if anything failed or nothing was tested. Must come last.
#
# `mlbuild` is a function that starts $MLBUILD. The last command's output is in
# $T_OUT and $T_ERR, both together in $T_ALL, its exit code in $T_CODE.

: "${MLBUILD:?must be the path of the program to test}"
case $MLBUILD in
/*) ;;
*) MLBUILD=$PWD/$MLBUILD ;;
esac
[ -x "$MLBUILD" ] || {
	echo "$MLBUILD: no such program" >&2
	exit 1
}
export MLBUILD

T_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/mlbuild-test.XXXXXX") || exit 1
T_OUT=$T_ROOT/.out T_ERR=$T_ROOT/.err T_ALL=$T_ROOT/.all
T_CASE=${0##*/} T_CMD='' T_CODE=0 T_PASSED=0 T_FAILED=0 T_DIRS=0 T_SAID=1 T_DONE=0
: >"$T_OUT"
: >"$T_ERR"
: >"$T_ALL"

# Nothing of the person who runs the tests may show: no configuration, no colours.
mkdir "$T_ROOT/home"
HOME=$T_ROOT/home TZ=UTC0 LC_ALL=C.UTF-8
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$HOME/.gitconfig
GIT_CEILING_DIRECTORIES=$T_ROOT
export HOME TZ LC_ALL GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_CEILING_DIRECTORIES
unset XDG_CONFIG_HOME XDG_CACHE_HOME MAKEFLAGS NO_COLOR MLBUILD_JOB COLUMNS
cat >"$HOME/.gitconfig" <<-'CONFIG'
	[user]
		name = Test
		email = test@example.org
	[init]
		defaultBranch = main
	[commit]
		gpgsign = false
CONFIG

t_end_() {
	t_code_=$?
	trap - EXIT
	cd / || exit 1
	chmod -R u+rwX "$T_ROOT" 2>/dev/null
	rm -rf "$T_ROOT"
	if [ "$T_DONE" = 0 ]; then
		echo "not ok - $T_CASE: the test ended before done_testing"
		exit 1
	fi
	exit "$t_code_"
}
trap t_end_ EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

mlbuild() {
	"$MLBUILD" "$@"
}

t() {
	T_CASE=$*
	echo "# $T_CASE"
}

t_dir() {
	T_DIRS=$((T_DIRS + 1))
	T_DIR=$T_ROOT/dir$T_DIRS
	mkdir "$T_DIR" && cd "$T_DIR" || exit 1
}

t_git() {
	git init -q . || exit 1
}

t_commit() {
	git add -A && git commit -qm "${1:-commit}" || exit 1
}

t_commit_later() {
	T_DAY=$((${T_DAY:-0} + 1))
	GIT_AUTHOR_DATE="2026-01-0$T_DAY 12:00:00 +0000" GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	t_commit "$1"
}

put() {
	case $1 in
	*/*) mkdir -p "${1%/*}" || exit 1 ;;
	esac
	cat >"$1" || exit 1
}

pass() {
	T_PASSED=$((T_PASSED + 1))
}

# Say what went wrong; the output of the command is shown once per command.
fail() {
	T_FAILED=$((T_FAILED + 1))
	echo "not ok - $T_CASE: $*"
	if [ "$T_SAID" = 0 ]; then
		T_SAID=1
		echo "  command: $T_CMD"
		echo "  exit code: $T_CODE"
		sed 's/^/  stdout: /' "$T_OUT"
		sed 's/^/  stderr: /' "$T_ERR"
	fi
}

t_run_() {
	T_CMD=$* T_SAID=0
	"$@" >"$T_OUT" 2>"$T_ERR"
	T_CODE=$?
	cat "$T_OUT" "$T_ERR" >"$T_ALL"
}

ok() {
	code 0 "$@"
}

code() {
	t_want_=$1
	shift
	t_run_ "$@"
	if [ "$T_CODE" = "$t_want_" ]; then
		pass
	else
		fail "expected exit code $t_want_, got $T_CODE"
	fi
}

t_has_() {
	if grep -qF -e "$2" "$1"; then
		pass
	else
		fail "expected to see: $2"
	fi
}

t_hasnt_() {
	if grep -qF -e "$2" "$1"; then
		fail "expected not to see: $2"
	else
		pass
	fi
}

has() { t_has_ "$T_ALL" "$1"; }
hasnt() { t_hasnt_ "$T_ALL" "$1"; }
out_has() { t_has_ "$T_OUT" "$1"; }
out_hasnt() { t_hasnt_ "$T_OUT" "$1"; }
err_has() { t_has_ "$T_ERR" "$1"; }
err_hasnt() { t_hasnt_ "$T_ERR" "$1"; }

eq() {
	if [ "$1" = "$2" ]; then
		pass
	else
		fail "expected '$2', got '$1'"
	fi
}

ran() {
	t_lines_=0
	[ ! -e "$1" ] || t_lines_=$(($(wc -l <"$1")))
	if [ "$t_lines_" = "$2" ]; then
		pass
	else
		fail "expected $1 to have $2 lines, it has $t_lines_"
	fi
}

there() {
	for t_file_; do
		if [ -e "$t_file_" ] || [ -L "$t_file_" ]; then
			pass
		else
			fail "expected $t_file_ to exist"
		fi
	done
}

gone() {
	for t_file_; do
		if [ -e "$t_file_" ] || [ -L "$t_file_" ]; then
			fail "expected $t_file_ to be absent"
		else
			pass
		fi
	done
}

done_testing() {
	T_DONE=1
	echo "$T_PASSED passed, $T_FAILED failed"
	[ "$T_FAILED" = 0 ] && [ "$T_PASSED" != 0 ] || exit 1
	exit 0
}

# Before a program is run under strace: LeakSanitizer, where it is built in, cannot work there.
to_be_traced() {
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
}
