/*
 * In which quotes does a character of a shell text stand? A lexer that is fed
 * one character after the other and is right for sh and bash, or says that it
 * does not know: where the two differ, where text is interpreted twice (eval,
 * `sh -c`), in here-documents, comments, back-ticks and arithmetic the answer is
 * MLB_CTX_UNKNOWN. Inside $(…) quotes start anew, as they do for the shell; a
 * `case` in there, whose patterns have a ')' of their own, ends all knowledge.
 *
 * Ownership: plain values; the text is borrowed while it is fed.
 */
#ifndef GRAPH_SHELL_LEX_H
#define GRAPH_SHELL_LEX_H

#include "graph/refs.h"

#define MLB_SHLEX_DEPTH 24
#define MLB_SHLEX_CMDS 8
#define MLB_SHLEX_HERE 4
#define MLB_SHLEX_WORD 256

struct mlb_shlex_here {
	char delim[MLB_SHLEX_WORD]; /* the line that ends it */
	bool tabs;                  /* <<-: leading tabs do not count */
};

/* What is known of one command: the outermost, and one more for each $(…) around what is read. */
struct mlb_shlex_cmd {
	char word[MLB_SHLEX_WORD]; /* the present word, without its quotes, cut */
	unsigned word_len;
	bool start;       /* a word may start here: '#' begins a comment */
	bool maybe_start; /* the same, if the reference before is empty */
	bool in_word;
	bool expanded;    /* this word has an expansion or a reference: it is not what it reads */
	bool quoted;      /* this word has quotes: it is not empty for the shell */
	bool bracket;     /* this word has a '[': it may be a subscript, which is interpreted */
	bool redirect;    /* this word names a file to read or write */
	bool text;        /* or, after <<<, is what the command reads */
	bool named;       /* the command's name is read */
	bool prefix;      /* this command starts another: exec, xargs */
	bool runs;        /* it is a $(…) whose output names a command */
	bool interpreter; /* this command names sh, python, …, or something unknown */
	bool script;      /* and what it is to run is given: options that follow are not its own */
	bool long_too;    /* the same for node, php: -p, -r and --eval give programs too */
	bool variable;    /* this command is test, printf: -v names a variable */
	bool in_test;     /* inside [[ … ]], which does arithmetic on its words */
	bool code;        /* this word is the program after -c */
	bool option_value; /* unless it belongs to the option before, as in sh -c -o errexit */
	unsigned program; /* this command is awk, sed (its trait): the first word that is no option is a program */
	bool value;       /* unless it belongs to the option before, as in awk -v k=1 */
	bool all_code;    /* all words are interpreted again: eval */
};

struct mlb_shlex {
	struct mlb_shlex_cmd cmd[MLB_SHLEX_CMDS];
	unsigned n_cmd;          /* cmd[n_cmd] is the present one */
	uint8_t state[MLB_SHLEX_DEPTH];
	unsigned depth;          /* state[depth] is the present one */
	struct mlb_shlex_here here[MLB_SHLEX_HERE];
	unsigned n_here;         /* announced and not yet ended */
	const char *line;        /* start of the present line of a here-document */
	unsigned parens;         /* open ones inside $((…)) */
	char prev;               /* the character before, '\0' at the start */
	unsigned ignore_lt;      /* '<' that belong to '<<' or '<<<' already seen */
	bool lost;               /* nothing is known any more */
	bool skip;               /* a backslash stands before the next character */
	bool dollar;             /* an unquoted '$' stands before it */
	bool closing;            /* the next ')' ends $((…)) */
	bool in_here;            /* these lines are a here-document's */
	bool here_end;           /* the present line ends the here-document */
};

void mlb_shlex_init(struct mlb_shlex *lx);
void mlb_shlex_feed(struct mlb_shlex *lx, const char *p); /* *p, and what follows to look ahead; p[0] is not NUL */
void mlb_shlex_brace(struct mlb_shlex *lx);               /* the shell's own ${ stands here */
void mlb_shlex_ref(struct mlb_shlex *lx);                 /* a reference stands here */

enum mlb_ref_ctx mlb_shlex_ctx(const struct mlb_shlex *lx);

/* Would a value that begins with '-' be an option of an interpreter here, and so perhaps a program: -cCODE? */
bool mlb_shlex_option(const struct mlb_shlex *lx);

/* shell_cmd.c: the words of the present command, and whether one of its words is interpreted again. */
void mlb_shlex_word_add(struct mlb_shlex *lx, char c);
void mlb_shlex_word_end(struct mlb_shlex *lx);
void mlb_shlex_command_end(struct mlb_shlex *lx);
void mlb_shlex_enter(struct mlb_shlex *lx, bool in_word); /* a $(…) or subshell; in_word: a word goes on behind it */
void mlb_shlex_leave(struct mlb_shlex *lx);
bool mlb_shlex_interpreted(const struct mlb_shlex_cmd *c);

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
