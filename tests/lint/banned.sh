#!/bin/sh
# Functions that have a better one here. What to use instead stands behind each.
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1

find src stages remotes include examples -name '*.[ch]' 2>/dev/null | sort | xargs awk '
	function ban(names, instead,    i, n, a) {
		n = split(names, a, " ")
		for (i = 1; i <= n; i++)
			use[a[i]] = instead
	}
	BEGIN {
		ban("strcpy strcat strncpy strncat stpcpy sprintf vsprintf", "mlb_buf or snprintf")
		ban("strtok strtok_r strsep", "strcspn and strspn")
		ban("atoi atol atoll atof", "mlb_parse_u64, strtol or strtod")
		ban("gets scanf", "mlb_fs_read")
		ban("system popen fork vfork execl execlp execle execv execvp execvpe posix_spawn posix_spawnp", \
			"mlb_spawn (os/spawn.h)")
		ban("alloca", "mlb_alloc")
		ban("tmpnam tempnam mktemp tmpfile", "mlb_fs_tempdir")
		ban("asctime ctime localtime gmtime", "mlb_add_time")
		ban("setjmp longjmp sigsetjmp siglongjmp", "return a code")
		ban("rand srand random srandom drand48", "mlb_machine_random")
		ban("readdir_r chdir fchdir", "paths: the library does not change directory")
		ban("bcopy bzero index rindex", "memcpy, memset, strchr")
	}
	FNR == 1 { comment = 0 }
	{
		line = $0
		# What stands in comments and strings is not code.
		gsub(/\\./, "", line)
		gsub(/"[^"]*"/, "\"\"", line)
		if (comment) {
			if (!sub(/^.*\*\//, "", line))
				next
			comment = 0
		}
		gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, " ", line)
		if (sub(/\/\*.*$/, "", line))
			comment = 1
		sub(/\/\/.*$/, "", line)
		while (match(line, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
			before = RSTART > 1 ? substr(line, RSTART - 1, 1) : ""
			name = substr(line, RSTART, RLENGTH - 1)
			line = substr(line, RSTART + RLENGTH)
			sub(/[ \t]+$/, "", name)
			# a member, like remote->index(...), is no function of the C library
			if (!(name in use) || before == "." || before == ">")
				continue
			# os/spawn.c is the one place that starts processes; the program has -C
			if (FILENAME ~ /^src\/os\/spawn/ && name ~ /^(vfork|chdir)$/)
				continue
			if (FILENAME ~ /^src\/commands\// && name == "chdir")
				continue
			printf "%s:%d: %s is banned: use %s\n", FILENAME, FNR, name, use[name]
			failed = 1
		}
	}
	END { exit failed }' /dev/null
