/*
 * What each project that uses a cache needs of it: cache/v1/roots/PROJECT.  The
 * format stands at the top of roots.c.
 *
 * 1. A build adds what its lock names, and takes nothing away.
 * 2. Only a project's own gc, which sees its branches and tags, shortens its file.
 *
 * Ownership: the struct owns all of it.
 */
#ifndef STORE_ROOTS_H
#define STORE_ROOTS_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

enum mlb_root_kind {
	MLB_ROOT_ANY = 'a',    /* whatever it may be, with all that it names if it names anything */
	MLB_ROOT_KEY = 'k',    /* an action: its text, and its latest result with all that belongs to it */
	MLB_ROOT_OBJECT = 'o', /* bytes */
	MLB_ROOT_TABLE = 'b',  /* a table object, and all that its rows name */
	MLB_ROOT_TREE = 't'    /* a directory, and all that is in it */
};

struct mlb_need {
	struct mlb_digest digest;
	uint8_t kind; /* enum mlb_root_kind */
};

struct mlb_roots {
	char *host; /* of the machine that wrote it; NULL: "" */
	char *dir;  /* absolute path of the project there; NULL: "" */
	uint64_t on; /* mlb_fs_whereabouts of dir; 0: not known */
	MLB_VEC(struct mlb_need) root; /* sorted and unique after parse and mlb_roots_sort */
};

void mlb_roots_release(struct mlb_roots *r);
void mlb_roots_add(struct mlb_roots *r, enum mlb_root_kind kind, const struct mlb_digest *digest);
void mlb_roots_sort(struct mlb_roots *r);
/* Are all roots of `less` in `more`? Both sorted. */
bool mlb_roots_within(const struct mlb_roots *less, const struct mlb_roots *more);

void mlb_roots_format(struct mlb_buf *out, const struct mlb_roots *r); /* sorted before */
int mlb_roots_parse(struct mlb_roots *out, const char *text, size_t len, struct mlb_err *err);

#endif
