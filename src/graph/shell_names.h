/* What the names of commands mean to the shell, and to who reads its text. */
#ifndef GRAPH_SHELL_NAMES_H
#define GRAPH_SHELL_NAMES_H

#include "base/compat.h"

enum mlb_shell_trait {
	MLB_SHELL_INTERPRETER = 1, /* the word after its -c or -e is a program */
	MLB_SHELL_CODE = 2,        /* all its words are interpreted once more: eval */
	MLB_SHELL_VARIABLE = 4,    /* the word after -v is a variable's name, whose subscript is interpreted */
	MLB_SHELL_DECLARES = 8,    /* it can make a variable whose every later value is interpreted */
	MLB_SHELL_KEYWORD = 16,    /* a command follows: if, then, ! */
	MLB_SHELL_BUILTIN = 32,    /* a builtin or reserved word: no program of that name is meant */
	MLB_SHELL_LONG = 64,       /* an interpreter that takes a program with -p, -r or --eval too */
	MLB_SHELL_PREFIX = 128,    /* its words are another command: exec, xargs */
	MLB_SHELL_AWK = 256,       /* its first word that is no option is a program */
	MLB_SHELL_SED = 512        /* the same, with the options of sed */
};

/* The traits of a command's name, without its directory. */
unsigned mlb_shell_traits(const char *name);

#endif
