/*
 * What the lock of a snapshot needs of the cache: the sources that it names. Their
 * results are found by the snapshots' own results. It is remembered in state.db, so
 * that nobody has to read the locks of ten thousand snapshots from git.
 *
 * Ownership: the struct owns all of it; what it hands out is borrowed.
 */
#ifndef ENGINE_PIN_NEEDS_H
#define ENGINE_PIN_NEEDS_H

#include "engine/needs.h"

/* What many snapshots need. */
struct mlb_pin_set {
	char hex[MLB_HEX_LEN + 1]; /* names it: SHA-256 of its bytes in state.db */
	struct mlb_roots need;     /* sorted */
	bool kept;                 /* state.db has it */
	bool used;                 /* by a snapshot that was asked for since mlb_pin_needs_begin */
};

/* A snapshot of which it is known. */
struct mlb_pin_known {
	const char *commit;
	struct mlb_pin_set *set;
	bool kept; /* state.db has it */
	bool used; /* it was asked for */
};

struct mlb_pin_needs {
	struct mlb_strmap commit; /* struct mlb_pin_known by id */
	struct mlb_strmap set;    /* struct mlb_pin_set by hex */
	struct mlb_strmap blob;   /* the same by the id of a lock that was read */
	struct mlb_arena arena;
};
#define MLB_PIN_NEEDS_INIT { MLB_STRMAP_INIT, MLB_STRMAP_INIT, MLB_STRMAP_INIT, MLB_ARENA_INIT }

void mlb_pin_needs_release(struct mlb_pin_needs *n);
/* What state.db knows. */
int mlb_pin_needs_load(struct mlb_pin_needs *n, struct mlb_db *db, struct mlb_err *err);
/* Whether it knows this one. */
bool mlb_pin_needs_has(struct mlb_db *db, const char *commit);

void mlb_pin_needs_begin(struct mlb_pin_needs *n); /* nothing was asked for yet */
/*
 * What a snapshot needs, from git where it is not known; *out is NULL where another
 * one since mlb_pin_needs_begin needed the same.
 */
int mlb_pin_needs_of(struct mlb_pin_needs *n, struct mlb_project *p, const char *commit,
		     const struct mlb_roots **out, struct mlb_err *err);

/* In a transaction: write down what is new and, with `only`, forget what was not asked for. */
int mlb_pin_needs_save(struct mlb_pin_needs *n, struct mlb_db *db, bool only, struct mlb_err *err);

#endif
