# shellcheck shell=sh
# Of pins: needs lib.sh and did.sh.
#
# pin_of TARGET       the commit of a target's result
# untouched CMD...    expects that the command leaves index, HEAD, branches, tags and work tree
#                     as they are, byte for byte; but for mlbuild.lock, .gitignore and what is in out/

pin_of() {
	mlbuild --json show "$1" | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["commit"])'
}

pin_state_() {
	pin_dir_=$(git rev-parse --absolute-git-dir)
	[ ! -e "$pin_dir_/index" ] || cksum <"$pin_dir_/index"
	cat "$pin_dir_/HEAD"
	git for-each-ref | grep -v refs/mlbuild/
	find "$(git rev-parse --show-toplevel)" -name .git -prune -o -name .mlbuild -prune -o -name out -prune -o \
		-type f ! -name mlbuild.lock ! -name .gitignore -exec cksum {} + | sort
}

untouched() {
	pin_before_=$(pin_state_)
	ok "$@"
	eq "$(pin_state_)" "$pin_before_"
}
