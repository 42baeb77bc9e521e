/*
 * What gc takes out of a cache while other processes use it: it goes in two steps,
 * so that a cache that is never idle is collected all the same.
 *
 *   cache/v1/condemned/BATCH/PATH   a file that was cache/v1/PATH: an object, a pack or a segment
 *   cache/v1/condemned/BATCH/list   written last: "mlbuild-condemned 1", then lines
 *                                   "lease HEX", "pin REFERENCE", and "end"
 *
 * 1. gc closes the gate (store/lease.h): no lease begins. It moves what nothing
 *    needs to a new batch, raises the generation, and then names in the batch's
 *    list every lease that is held.
 * 2. A process that believes something to be here saw it before it was moved, and
 *    its lease is named; or it looks now, and misses it. Whoever misses a file
 *    moves it back (mlb_condemned_return), with the gate held open: so none is
 *    found in a batch and relied on by a process whose lease is not named.
 * 3. A batch is over when no lease that its list names is held any more. What its
 *    processes wrote is to be seen then: a later gc, with the gate closed, marks
 *    all that is needed, moves back what of it is in a batch, and only then
 *    removes batches that are over.
 * 4. A batch without a whole list is of a gc that died. It is never over; the next
 *    gc raises the generation and names the leases that are held then.
 *
 * So what is removed is needed by nobody, and nobody relies on it.
 *
 * Ownership: structs own what they hold.
 */
#ifndef STORE_CONDEMNED_H
#define STORE_CONDEMNED_H

#include "base/vec.h"
#include "store/lease.h"

#define MLB_CONDEMNED "condemned"

struct mlb_condemned {
	char *name;              /* of the batch */
	bool listed;             /* its list is whole */
	struct mlb_strvec lease; /* sorted */
	struct mlb_strvec pin;   /* references that nothing named */
};
MLB_VEC_NAMED(mlb_condemned_batches, struct mlb_condemned);
void mlb_condemned_release(struct mlb_condemned_batches *b);

/* All batches; with the gate closed, or as good as it gets. */
int mlb_condemned_read(struct mlb_condemned_batches *out, const char *cache_dir,
		       struct mlb_err *err);
bool mlb_condemned_over(const struct mlb_condemned *b, const struct mlb_leases *held);

/* For whoever misses cache_dir/path: true if it is there again, or has been all the time. Safe on any thread. */
bool mlb_condemned_return(const char *cache_dir, const char *path);
bool mlb_condemned_has(const char *cache_dir, const char *path);

/* With the gate closed. A new batch; *name is owned by the caller. */
int mlb_condemn_begin(char **name, const char *cache_dir, struct mlb_err *err);
int mlb_condemn_move(const char *cache_dir, const char *name, const char *path,
		     struct mlb_err *err);
/* Write the list of a batch, after the generation was raised. */
int mlb_condemn_end(const char *cache_dir, const char *name, const struct mlb_leases *held,
		    const struct mlb_strvec *pins, struct mlb_err *err);
/* Move condemned/BATCH/PATH, which is `from` below the cache, back to PATH. */
int mlb_condemned_put_back(const char *cache_dir, const char *from, struct mlb_err *err);
int mlb_condemned_remove(const char *cache_dir, const char *name, struct mlb_err *err);
/* Remove the directory itself if it is empty, so that nobody looks into it. */
void mlb_condemned_tidy(const char *cache_dir);

/* "condemned/BATCH/PATH" -> PATH; anything else as it is. Borrowed. */
const char *mlb_condemned_home(const char *path);

#endif
