/*
 * In which quotes does a character of a shell text stand? A lexer that is fed
 * one character after the other and is right for sh and bash, or says that it
 * does not know: where the two differ, where text is interpreted twice (eval,
 * `sh -c`), in here-documents, comments and command substitutions the answer is
 * MLB_CTX_UNKNOWN.
 *
 * Ownership: plain values; the text is borrowed while it is fed.
 */
#ifndef GRAPH_SHELL_LEX_H
#define GRAPH_SHELL_LEX_H

#include "graph/refs.h"

#define MLB_SHLEX_DEPTH 24
#define MLB_SHLEX_HERE 4
#define MLB_SHLEX_WORD 32

struct mlb_shlex_here {
	char delim[MLB_SHLEX_WORD]; /* the line that ends it */
	bool tabs;                  /* <<-: leading tabs do not count */
};

struct mlb_shlex {
	uint8_t state[MLB_SHLEX_DEPTH];
	unsigned depth;                /* state[depth] is the present one */
	struct mlb_shlex_here here[MLB_SHLEX_HERE];
	unsigned n_here;               /* announced and not yet ended */
	const char *line;              /* start of the present line of a here-document */
	char word[MLB_SHLEX_WORD];     /* the present word, cut */
	unsigned word_len;
	char prev;                     /* the character before, '\0' at the start */
	unsigned ignore_lt;            /* '<' that belong to '<<' or '<<<' already seen */
	bool lost;                     /* nothing is known any more */
	bool skip;                     /* a backslash stands before the next character */
	bool dollar;                   /* an unquoted '$' stands before it */
	bool start;                    /* a word may start here: '#' begins a comment */
	bool maybe_start;              /* the same, if the reference before is empty */
	bool in_here;                  /* these lines are a here-document's */
	bool here_end;                 /* the present line ends the here-document */
	bool in_word;
	bool redirect;                 /* this word names a file to read or write */
	bool interpreter;              /* this command names sh, python, … */
	bool variable;                 /* this command is test, printf: -v names a variable */
	bool in_test;                  /* inside [[ … ]], which does arithmetic on its words */
	bool bracket;                  /* this word has a '[': it may be a subscript, which is interpreted */
	bool code;                     /* this word is the program after -c */
	bool all_code;                 /* all words are interpreted again: eval */
};

void mlb_shlex_init(struct mlb_shlex *lx);
void mlb_shlex_feed(struct mlb_shlex *lx, const char *p); /* *p, and what follows to look ahead; p[0] is not NUL */
void mlb_shlex_brace(struct mlb_shlex *lx);               /* the shell's own ${ stands here */
void mlb_shlex_ref(struct mlb_shlex *lx);                 /* a reference stands here */

enum mlb_ref_ctx mlb_shlex_ctx(const struct mlb_shlex *lx);

/* shell_here.c: behind "<<"; and a character of the document: true where the last one announced ends. */
void mlb_shlex_here_begin(struct mlb_shlex *lx, const char *p);
bool mlb_shlex_here_feed(struct mlb_shlex *lx, const char *p);

/* In a here-document: the line that would end it, if the present line could become it; NULL otherwise. */
const char *mlb_shlex_here_end(const struct mlb_shlex *lx);

/*
 * Append the text without the joined lines (a backslash and a line feed) that the
 * shell itself takes out, where that is certain: how a command is broken into
 * lines does not matter then.
 */
void mlb_shell_join(struct mlb_buf *out, const char *text);

#endif
