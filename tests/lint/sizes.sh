#!/bin/sh
# No source file above 700 lines: it has more than one job by then. (Aim at 250.)
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1

find src stages remotes include examples tests -name '*.[ch]' 2>/dev/null | sort | xargs awk '
	FNR == 1 { files[++n] = FILENAME }
	{ lines[FILENAME] = FNR }
	END {
		for (i = 1; i <= n; i++) {
			if (lines[files[i]] > 700) {
				print files[i] ": " lines[files[i]] " lines; split it (at most 700)"
				failed = 1
			}
		}
		exit failed
	}' /dev/null
