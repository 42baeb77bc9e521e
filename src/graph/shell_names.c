#include "graph/shell_names.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	unsigned traits;
};

#define A MLB_SHELL_AWK
#define B MLB_SHELL_BUILTIN
#define C MLB_SHELL_CODE
#define D MLB_SHELL_DECLARES
#define I MLB_SHELL_INTERPRETER
#define K MLB_SHELL_KEYWORD
#define L MLB_SHELL_LONG
#define P MLB_SHELL_PREFIX
#define S MLB_SHELL_SED
#define V MLB_SHELL_VARIABLE

/* Sorted bytewise. */
static const struct entry names[] = {
	{ "!", B | K },
	{ ".", B },
	{ ":", B },
	{ "R", I },
	{ "Rscript", I },
	{ "[", B | V },
	{ "[[", B },
	{ "alias", B | D },
	{ "ash", I },
	{ "awk", A },
	{ "bash", I },
	{ "bg", B },
	{ "bind", B },
	{ "break", B },
	{ "builtin", B | P },
	{ "bun", I | L },
	{ "busybox", I },
	{ "case", B },
	{ "cd", B },
	{ "chronic", P },
	{ "chrt", P },
	{ "command", B | P },
	{ "continue", B },
	{ "coproc", B | P },
	{ "csh", I },
	{ "dash", I },
	{ "declare", B | D },
	{ "deno", I | L },
	{ "dirs", B },
	{ "disown", B },
	{ "do", B | K },
	{ "doas", I | P },
	{ "done", B },
	{ "duckdb", I },
	{ "echo", B },
	{ "elif", B | K },
	{ "elixir", I },
	{ "else", B | K },
	{ "enable", B },
	{ "env", I | P },
	{ "esac", B },
	{ "eval", B | C },
	{ "exec", B | P },
	{ "exit", B },
	{ "expect", I },
	{ "export", B },
	{ "false", B },
	{ "fc", B },
	{ "fg", B },
	{ "fi", B },
	{ "fish", I },
	{ "flock", I | L },
	{ "for", B },
	{ "function", B },
	{ "gawk", A },
	{ "getopts", B | C },
	{ "gsed", S },
	{ "guile", I },
	{ "hash", B },
	{ "help", B },
	{ "history", B },
	{ "if", B | K },
	{ "in", B },
	{ "ionice", P },
	{ "ipython", I },
	{ "jobs", B },
	{ "julia", I | L },
	{ "kill", B },
	{ "ksh", I },
	{ "let", B | C },
	{ "local", B | D },
	{ "logout", B },
	{ "mapfile", B | C },
	{ "mawk", A },
	{ "mksh", I },
	{ "mpirun", P },
	{ "nawk", A },
	{ "nice", P },
	{ "node", I | L },
	{ "nodejs", I | L },
	{ "nohup", P },
	{ "nu", I },
	{ "numactl", P },
	{ "octave", I | L },
	{ "osascript", I },
	{ "parallel", C },
	{ "php", I | L },
	{ "popd", B },
	{ "printf", B | V },
	{ "psql", I },
	{ "pushd", B },
	{ "pwd", B },
	{ "pwsh", I },
	{ "rbash", I },
	{ "read", B | C },
	{ "readarray", B | C },
	{ "readonly", B | D },
	{ "return", B },
	{ "ruby", I },
	{ "runuser", I | L },
	{ "scala", I },
	{ "script", I | L },
	{ "sed", S },
	{ "select", B },
	{ "set", B },
	{ "setsid", P },
	{ "sg", I },
	{ "sh", I },
	{ "shift", B },
	{ "shopt", B },
	{ "source", B },
	{ "srun", P },
	{ "ssh", C },
	{ "stdbuf", P },
	{ "su", I | L },
	{ "sudo", P },
	{ "suspend", B },
	{ "taskset", P },
	{ "tclsh", I },
	{ "tcsh", I },
	{ "test", B | V },
	{ "then", B | K },
	{ "time", B | K | P },
	{ "timeout", P },
	{ "times", B },
	{ "trap", B | C },
	{ "true", B },
	{ "type", B },
	{ "typeset", B | D },
	{ "ulimit", B },
	{ "umask", B },
	{ "unalias", B },
	{ "unset", B | C },
	{ "until", B | K },
	{ "wait", B },
	{ "watch", C },
	{ "while", B | K },
	{ "xargs", P },
	{ "xonsh", I },
	{ "yash", I },
	{ "zsh", I },
	{ "{", B | K },
	{ "}", B },
};

static int
by_name(const void *key, const void *entry)
{
	const struct entry *e = entry;

	return strcmp(key, e->name);
}

unsigned
mlb_shell_traits(const char *name)
{
	static const char *const interpreters[] = { "lua", "perl", "pypy",
						    "python" }; /* and their versions */
	const struct entry *e =
		bsearch(name, names, MLB_ARRAY_LEN(names), sizeof(names[0]), by_name);

	if (e)
		return e->traits;
	for (size_t i = 0; i < MLB_ARRAY_LEN(interpreters); i++)
		if (strncmp(name, interpreters[i], strlen(interpreters[i])) == 0)
			return MLB_SHELL_INTERPRETER;
	return 0;
}
