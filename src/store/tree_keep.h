/* What is in the way of a tree leaves it without being lost. For tree_checkout.c. */
#ifndef STORE_TREE_KEEP_H
#define STORE_TREE_KEEP_H

#include <pthread.h>

#include "store/scan_walk.h"
#include "store/tree.h"

struct mlb_keep {
	const struct mlb_placing *p;
	const char *to;
	int root;             /* descriptor of `to`; borrowed */
	int fd;               /* of the directory for what is kept, -1: not made yet */
	pthread_mutex_t lock; /* fd */
};

void mlb_keep_init(struct mlb_keep *k, const struct mlb_placing *p, const char *to, int root);
void mlb_keep_release(struct mlb_keep *k);

/*
 * Before `path`, which is `name` in the directory dir, is replaced or removed: bytes
 * that no cache has are the user's, and are moved to the same path in the directory
 * for what is kept. That holds for what was not seen too (have is NULL): names that
 * are ignored, and what is there since. *left: nothing is there any more.
 */
int mlb_keep_unknown(struct mlb_keep *k, int dir, const char *name, const char *path,
		     const struct mlb_seen *have, bool *left, struct mlb_err *err);

#endif
