/*
 * References: ${…} in values, and the quoting of what replaces them.
 *
 * A value is cut into literal text and references; each reference knows in
 * which shell context it stands. The grammar and the table of forms are those
 * of mlbuild.ini(5), "References".
 */
#ifndef GRAPH_REFS_H
#define GRAPH_REFS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

enum mlb_ref_form {
	MLB_REF_TARGET = 0, /* ${NAME}, ${NAME:OUT}, ${NAME@k=v,…:OUT}, ${NAME:list}, ${NAME:metrics} */
	MLB_REF_OUT,        /* ${out}, ${out:OUT} */
	MLB_REF_METRICS,    /* ${metrics} */
	MLB_REF_PARAM,      /* ${params:KEY} */
	MLB_REF_ENV,        /* ${env:VAR} */
	MLB_REF_MATRIX,     /* ${matrix:KEY} */
	MLB_REF_EACH,       /* ${each}, ${each:stem}, ${each:name}, ${each:dir}, ${each:path} */
	MLB_REF_SCRATCH     /* ${scratch} */
};

/* Where a reference stands in the shell text. */
enum mlb_ref_ctx { MLB_CTX_BARE = 0, MLB_CTX_DOUBLE, MLB_CTX_SINGLE, MLB_CTX_UNKNOWN /* here-document, back-ticks, … */ };

struct mlb_ref_bind {
	const char *key;
	const char *value;  /* "0", "*", or "-29..+0" as written */
	bool all;           /* * */
	bool relative;      /* from..to in from and to */
	long from, to;
};

struct mlb_ref {
	uint8_t form;       /* enum mlb_ref_form */
	uint8_t ctx;        /* enum mlb_ref_ctx */
	const char *name;   /* target, parameter, variable or matrix key; "" otherwise */
	const char *out;    /* OUT, "list", "metrics", "stem"…; "" without */
	struct mlb_ref_bind *bind;
	uint32_t n_binds;
	bool option;        /* a value that begins with '-' would be an option of an interpreter */
	const char *text;   /* as written, for messages */
	const char *eof;    /* in a here-document: its last line, if this line could become it; NULL otherwise */
};

struct mlb_piece {
	const char *text;     /* literal text, NULL if this is a reference */
	size_t len;
	struct mlb_ref *ref;  /* NULL if literal */
};
MLB_VEC_NAMED(mlb_pieces, struct mlb_piece);

/*
 * Cut a value; strings live in the arena. shell: track quoting (run, fingerprint); otherwise every ctx is BARE.
 * $${ becomes a literal ${. ${VAR:-x} and the like are errors that say so. Errors have no file and line: the caller wraps.
 */
int mlb_refs_parse(struct mlb_pieces *out, struct mlb_arena *arena, const char *value, bool shell,
		   struct mlb_err *err);

/*
 * The same grammar for a word of `needs` or guards that names a target: NAME, NAME:OUT, NAME@k=v. False: it has
 * not this form (a path, a glob); then nothing is said.
 */
bool mlb_ref_target(struct mlb_ref *out, struct mlb_arena *arena, const char *word);

/* Append words for where they stand: bare: quoted words separated by blanks; in "…": escaped, joined by a blank; … */
/* Only characters that mean nothing to any shell. */
bool mlb_refs_plain(const char *s);
int mlb_refs_quote(struct mlb_buf *out, enum mlb_ref_ctx ctx, const char *const *words, size_t n,
		   struct mlb_err *err);

/*
 * The plain words of a shell text that may name files: unquoted value of each
 * word, the part after '=' too, and the module paths of `-m a.b`; not those
 * after '>', assignments' left sides, options, or words with expansions or globs.
 */
int mlb_shell_words(struct mlb_strvec *out, const char *text, struct mlb_err *err);

/* The words after '>' that are plain: the files that a shell text writes. */
void mlb_shell_targets(struct mlb_strvec *out, const char *text);

/* Can this text be started without a shell? Then argv gets its words. */
bool mlb_shell_simple(struct mlb_strvec *argv, const char *text);

#endif
