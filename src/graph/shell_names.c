#include "graph/shell_names.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	unsigned traits;
};

#define B MLB_SHELL_BUILTIN
#define C MLB_SHELL_CODE
#define D MLB_SHELL_DECLARES
#define I MLB_SHELL_INTERPRETER
#define K MLB_SHELL_KEYWORD
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
	{ "alias", B | C },
	{ "ash", I },
	{ "bash", I },
	{ "bg", B },
	{ "bind", B },
	{ "break", B },
	{ "builtin", B },
	{ "case", B },
	{ "cd", B },
	{ "command", B },
	{ "continue", B },
	{ "coproc", B },
	{ "dash", I },
	{ "declare", B | D },
	{ "dirs", B },
	{ "disown", B },
	{ "do", B | K },
	{ "doas", I },
	{ "done", B },
	{ "echo", B },
	{ "elif", B | K },
	{ "else", B | K },
	{ "enable", B },
	{ "esac", B },
	{ "eval", B | C },
	{ "exec", B },
	{ "exit", B },
	{ "export", B },
	{ "false", B },
	{ "fc", B },
	{ "fg", B },
	{ "fi", B },
	{ "fish", I },
	{ "flock", I },
	{ "for", B },
	{ "function", B },
	{ "getopts", B | C },
	{ "hash", B },
	{ "help", B },
	{ "history", B },
	{ "if", B | K },
	{ "in", B },
	{ "jobs", B },
	{ "julia", I },
	{ "kill", B },
	{ "ksh", I },
	{ "let", B | C },
	{ "local", B | D },
	{ "logout", B },
	{ "mapfile", B | C },
	{ "node", I },
	{ "parallel", C },
	{ "php", I },
	{ "popd", B },
	{ "printf", B | V },
	{ "pushd", B },
	{ "pwd", B },
	{ "read", B | C },
	{ "readarray", B | C },
	{ "readonly", B | D },
	{ "return", B },
	{ "ruby", I },
	{ "runuser", I },
	{ "script", I },
	{ "select", B },
	{ "set", B },
	{ "sg", I },
	{ "sh", I },
	{ "shift", B },
	{ "shopt", B },
	{ "source", B },
	{ "ssh", C },
	{ "su", I },
	{ "suspend", B },
	{ "test", B | V },
	{ "then", B | K },
	{ "time", B | K },
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
