#!/bin/sh
# Who may include whom (src/ARCHITECTURE.md, "Floors"), and that sqlite3.h, git2.h,
# ini.h and zstd.h are each included by one file, curl's headers by one folder.
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1

find src stages remotes include -name '*.[ch]' 2>/dev/null | sort |
	xargs grep -Hn '^[[:space:]]*#[[:space:]]*include' /dev/null |
	awk '
	function bad(text) {
		print where ": " text
		failed = 1
	}
	function lone(header) {
		if (index(users[header], " " file " "))
			return
		users[header] = users[header] " " file " "
		if (++n_users[header] == 2)
			bad("<" header "> is included by more than one file:" users[header])
	}
	BEGIN {
		n = split("base os store graph engine commands", name, " ")
		for (i = 1; i <= n; i++)
			rank[name[i]] = i
	}
	{
		split($0, part, ":")
		file = part[1]
		where = part[1] ":" part[2]
		if (!match($0, /[<"][^>"]*[>"]/))
			next
		quote = substr($0, RSTART, 1)
		header = substr($0, RSTART + 1, RLENGTH - 2)

		if (header == "sqlite3.h" || header == "ini.h" || header == "zstd.h")
			lone(header)
		if (header ~ /^git2(\.h|\/)/)
			lone("git2.h")
		if (header ~ /^curl\// && file !~ /^remotes\//)
			bad("<" header "> belongs to remotes/ alone")
		if (quote == "<")
			next

		public = header ~ /^mlbuild(\.h$|\/)/
		split(header, h, "/")
		split(file, f, "/")
		if (f[1] == "include") {
			if (!public)
				bad("a public header includes \"" header "\", which is not installed")
		} else if (public) {
			next
		} else if (f[1] == "src") {
			from = f[2]
			to = header ~ /\// ? h[1] : ""
			if (!(to in rank))
				bad("write \"" from "/" header "\", or use < > for a header that is not ours")
			else if (from == "commands" && to != "commands" && to != "base")
				bad("commands/ sees public headers and base only, not \"" header "\"")
			else if (rank[to] > rank[from])
				bad("floor " from " includes \"" header "\" of the higher floor " to)
		} else if (header ~ /\// && h[1] != "base" && h[1] != "os" && h[1] != f[1]) {
			bad(f[1] "/ sees include/mlbuild, base and os only, not \"" header "\"")
		}
	}
	END { exit failed }'
