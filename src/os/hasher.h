/*
 * Hashing what is read: a large file's bytes on a thread of their own, so that
 * reading and writing go on meanwhile.
 *
 *	h = mlb_hasher_new(size);
 *	while ((n = read(fd, mlb_hasher_room(h, &cap), cap)) > 0)
 *		mlb_hasher_add(h, n);
 *	mlb_hasher_end(h, &digest);
 *
 * The room that was filled may be read, but not written, until the next is asked for.
 * Ownership: mlb_hasher_end frees it, and must be called.
 */
#ifndef OS_HASHER_H
#define OS_HASHER_H

#include "base/hash.h"

struct mlb_hasher;

struct mlb_hasher *mlb_hasher_new(uint64_t size); /* about as many bytes are expected */
void *mlb_hasher_room(struct mlb_hasher *h, size_t *cap);
void mlb_hasher_add(struct mlb_hasher *h, size_t n);
void mlb_hasher_end(struct mlb_hasher *h, struct mlb_digest *out); /* NULL: it is not wanted any more */

#endif
