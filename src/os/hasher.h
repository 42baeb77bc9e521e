/*
 * Hashing what is read, and handing it on: a large file's bytes by threads of their
 * own, so that reading, hashing and writing go on side by side.
 *
 *	h = mlb_hasher_new(size, fn, ctx);
 *	while ((n = read(fd, mlb_hasher_room(h, &cap), cap)) > 0)
 *		mlb_hasher_add(h, n);
 *	error = mlb_hasher_end(h, &digest);
 *
 * A room that was filled is left alone from then on.
 * Ownership: mlb_hasher_end frees it, and must be called.
 */
#ifndef OS_HASHER_H
#define OS_HASHER_H

#include "base/hash.h"

struct mlb_hasher;

/* Gets all parts in order, perhaps on another thread; what it returns but 0, an errno, ends it. */
typedef int (*mlb_hasher_fn)(void *ctx, const void *data, size_t len);

/* About as many bytes are expected. fn may be NULL. */
struct mlb_hasher *mlb_hasher_new(uint64_t size, mlb_hasher_fn fn, void *ctx);
/* At a multiple of MLB_IO_UNIT, and of such a length; NULL: fn failed, and there is no use in more. */
void *mlb_hasher_room(struct mlb_hasher *h, size_t *cap);
void mlb_hasher_add(struct mlb_hasher *h, size_t n);
int mlb_hasher_end(struct mlb_hasher *h,
		   struct mlb_digest *out); /* what fn gave; out NULL: it is not wanted any more */

#endif
