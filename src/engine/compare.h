/*
 * Two versions of one output, and where they differ.
 *
 * Ownership: what is found lives in the arena that the caller gave.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "base/arena.h"
#include "engine/tolerance.h"
#include "mlbuild/reproduce.h"
#include "store/cas.h"

/* One version: what it is, and the store that may have its bytes. */
struct mlb_version {
	uint8_t kind; /* enum mlb_okind; 0: there is none */
	struct mlb_digest digest;
	uint64_t size;
	struct mlb_cas *cas;
};

struct mlb_comparing {
	struct mlb_arena *arena;
	const char *target; /* instance, for the tolerances */
	const char *name;   /* of the output, as numbers in it are named: "metrics", "out" */
	const char *path;   /* of the output, relative to the project */
	const struct mlb_tolerances *tolerance;
	const char *tmp; /* a directory for files while they are compared; it exists */
};

/* The most files of a directory, or values of a JSON file, that are told one by one. */
enum { MLB_COMPARE_MOST = 1000 };

/*
 * Bytes that no store has any more are no error: then the digests alone tell.
 * An error is a fault of the disk, or of a tree.
 */
int mlb_compare(struct mlb_compared *out, const struct mlb_comparing *c,
		const struct mlb_version *was, const struct mlb_version *is, struct mlb_err *err);

/* compare_json.c: the values that differ of two texts; false: one is no JSON. *tolerated: all of them are, and there are some. */
bool mlb_compare_json(struct mlb_compared *out, const struct mlb_comparing *c,
		      const struct mlb_buf *was, const struct mlb_buf *is, bool *tolerated);

/* The offset of the first byte that two files do not share; UINT64_MAX: they are equal. */
int mlb_first_difference(uint64_t *out, const char *a, const char *b, struct mlb_err *err);

#endif
