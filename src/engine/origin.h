/*
 * Where bytes came from, by their digest or its beginning: which commits' locks
 * name it, and else which results do. Looked for are, in this order, outputs in
 * locks, outputs in results and their keys, files in directories that are outputs, and what
 * actions read.
 *
 * Ownership: the origin owns all it holds.
 */
#ifndef ENGINE_ORIGIN_H
#define ENGINE_ORIGIN_H

#include "engine/project.h"

#define MLB_DIGEST_WORD_MIN 4 /* digits behind "sha256:" */
#define MLB_BARE_WORD_MIN 8   /* digits without it */

enum mlb_origin_as {
	MLB_ORIGIN_NONE = 0, /* nobody knows it */
	MLB_ORIGIN_OUTPUT,
	MLB_ORIGIN_KEY,      /* it is the key of an action */
	MLB_ORIGIN_MEMBER,   /* a file in a directory that is an output */
	MLB_ORIGIN_INPUT     /* an action reads it, and nothing that is known made it */
};

/* A commit whose lock names it, and no parent's does. */
struct mlb_origin_commit {
	const char *id, *author, *subject;
	int64_t time; /* ns since 1970 */
};

struct mlb_origin {
	enum mlb_origin_as as;
	struct mlb_digest digest;
	const char *target;    /* instance; "" where only a result is known, which names none */
	const char *kind;      /* of the target; "" unknown */
	const char *path;      /* of the output or input */
	const char *sub;       /* MEMBER: path below it; "" */
	uint8_t okind;         /* enum mlb_okind; 0 unknown */
	uint64_t size;         /* of the output; 0 unknown */
	struct mlb_digest key; /* of the action that made it, or reads it; zero: a source */
	const char *commit;    /* the newest whose lock names it; "" none does */
	uint32_t n_holding;    /* commits whose locks do, as far as was looked */
	MLB_VEC(struct mlb_origin_commit) added; /* newest first */
	const char *pin, *run; /* of the result; "" unknown */
	struct mlb_arena arena;
	struct mlb_strvec others; /* in hex: what else begins with these digits, up to a few */
};

/* The digits of "sha256:…", or of a word of nothing but enough of them; NULL: it is no digest. */
const char *mlb_digest_word(const char *word);

/*
 * digits: 1 to 64 of them, lower case. One commit is enough: do not look for those that
 * added it. Release it in any case. Where nothing is found `as` says so.
 */
int mlb_origin_find(struct mlb_origin *out, struct mlb_project *p, const char *digits, bool one,
		    struct mlb_err *err);
/* The newest commit whose lock names it, of the `most` newest; "" if none of them does. */
int mlb_origin_locked(char out[MLB_OID_HEX + 1], struct mlb_project *p, const struct mlb_digest *d, unsigned most,
		      struct mlb_err *err);

void mlb_origin_release(struct mlb_origin *o);

/* MLB_EINVALID if several digests begin so, MLB_ENOTFOUND if none that is known does. */
int mlb_origin_check(const struct mlb_origin *o, const char *word, struct mlb_err *err);

#endif
