/*
 * From what is named to everything that is needed for it, in an inventory.  A
 * tree leads to its nodes, its files' contents and its links' texts.
 *
 * Ownership: all borrow the inventory, which must not change meanwhile.
 */
#ifndef STORE_REACH_H
#define STORE_REACH_H

#include "store/inventory.h"

MLB_VEC_NAMED(mlb_reach_digests, struct mlb_digest);

/*
 * Called for an object and, where it is a tree and the answer is true, for all
 * that is below.  copy is the index of its first copy, SIZE_MAX if it is not there.
 */
typedef bool mlb_reach_fn(void *ctx, const struct mlb_digest *digest, size_t copy, bool is_tree);

/* no_tree (may be NULL) receives objects that should be tree nodes and are not. */
void mlb_reach_walk(const struct mlb_inventory *inv, const struct mlb_digest *digest, bool is_tree,
		    mlb_reach_fn *fn, void *ctx, struct mlb_reach_digests *no_tree);

/* A mark that was made, so that it can be taken back. */
struct mlb_reach_mark {
	size_t copy;
	uint8_t was;
};

/* All that was reached so far. */
struct mlb_reach {
	const struct mlb_inventory *inv;
	uint8_t *mark;                    /* per object of the inventory, at its first copy: MLB_REACHED_… */
	struct mlb_reach_digests missing; /* what is needed and not there, perhaps more than once */
	struct mlb_reach_digests no_tree;
	bool journal; /* note in `fresh` what is marked */
	MLB_VEC(struct mlb_reach_mark) fresh;
};
enum { MLB_REACHED = 1, MLB_REACHED_TREE = 2 /* and what is below it */ };

void mlb_reach_init(struct mlb_reach *r, const struct mlb_inventory *inv);
void mlb_reach_release(struct mlb_reach *r);
void mlb_reach_add(struct mlb_reach *r, const struct mlb_digest *digest, bool is_tree);
bool mlb_reach_has(const struct mlb_reach *r, const struct mlb_digest *digest);

#endif
