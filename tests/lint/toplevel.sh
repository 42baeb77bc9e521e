#!/bin/sh
# The first thing people see of the project: nothing gathers there unnoticed.
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1

# What git ignores (build/) is nobody's business; without git all of it counts.
if git rev-parse --git-dir >/dev/null 2>&1; then
	list=$(git ls-files --cached --others --exclude-standard | cut -d/ -f1 | sort -u)
else
	list=$(for entry in *; do [ "$entry" = build ] || echo "$entry"; done)
fi

rc=0
for entry in $list; do
	case $entry in
	.*) ;;
	src | include | stages | remotes | examples | tests | man) ;;
	CMakeLists.txt | CMakePresets.json | mlbuild.ini.example | README.md | LICENSE) ;;
	*)
		echo "$entry: does not belong at the top level"
		rc=1
		;;
	esac
done
exit $rc
