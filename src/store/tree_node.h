/*
 * One tree node as bytes and as a struct; the format stands at the top of
 * tree.c.  For the files tree*.c and their fuzz target only.
 *
 * Ownership: what is parsed lives in the arena that was given.
 */
#ifndef STORE_TREE_NODE_H
#define STORE_TREE_NODE_H

#include "store/tree.h"

#define MLB_NODE_MAX (64 * MLB_MIB) /* bytes of one node: 500,000 entries of one leaf, which only malice makes */

enum mlb_node_type {
	MLB_NODE_DIR = 'd',    /* a whole directory */
	MLB_NODE_SPLIT = 's',  /* a directory in parts */
	MLB_NODE_BRANCH = 'b', /* a part of one, in parts itself */
	MLB_NODE_LEAF = 'l'    /* a part of one, with entries */
};

/* A part of a split directory. */
struct mlb_node_part {
	uint64_t count;           /* entries in it; 0: size and digest are zero */
	uint64_t size;            /* bytes of its files */
	struct mlb_digest digest; /* of its node */
};

struct mlb_node {
	uint8_t type;                       /* enum mlb_node_type */
	uint64_t count;                     /* entries in it or its parts */
	uint64_t size;                      /* bytes of the files */
	const struct mlb_tree_entry *entry; /* of a directory or leaf: count of them, sorted */
	const struct mlb_node_part *part;   /* of the others */
	size_t n_parts;
};

/* Refuses (MLB_ECORRUPT) whatever mlb_node_write would not have written. */
int mlb_node_parse(struct mlb_node *out, struct mlb_arena *arena, const void *data, size_t len,
		   struct mlb_err *err);

/* Appends the node's bytes; check out with mlb_buf_check. */
void mlb_node_write(struct mlb_buf *out, const struct mlb_node *node);

/* How a directory of so many entries is split: bits of the name's hash in all, and those of the first level. */
unsigned mlb_node_bits(uint64_t count); /* above MLB_NODE_MAX_BITS: too many */
unsigned mlb_node_first_bits(unsigned bits);
uint64_t mlb_node_hash(const char *name, size_t len);

#define MLB_NODE_FAN 6 /* bits of every level but the first */
#define MLB_NODE_MAX_BITS 22

/* As mlb_tree_each, with every directory before what is in it, its path ending in '/'. */
int mlb_tree_each_dir(struct mlb_cas *cas, const struct mlb_digest *tree,
		      int (*fn)(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err),
		      void *ctx, struct mlb_err *err);

#endif
