/*
 * Tree objects: a directory as canonical nodes, one per directory; the format
 * and the splitting of huge directories are described at the top of tree.c.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/digest_set.h"
#include "base/strmap.h"
#include "store/cas.h"

#define MLB_TREE_NAME_MAX 1023
#define MLB_TREE_LINK_MAX 4095
#define MLB_TREE_SIZE_MAX ((uint64_t)INT64_MAX)
#define MLB_TREE_PATH_MAX ((size_t)1024 * 1024) /* bytes of a path within a tree */

enum mlb_tkind { MLB_T_FILE = 'f', MLB_T_EXEC = 'x', MLB_T_DIR = 'd', MLB_T_LINK = 'l' };

struct mlb_tree_entry {
	const char *name;         /* one component; borrowed */
	uint8_t kind;             /* enum mlb_tkind */
	uint64_t size;            /* a directory: sum of its files; a link: length of its text */
	struct mlb_digest digest; /* of content, node, or link text */
};

/*
 * The digest of a directory with these entries (sorted bytewise, unique names).
 * With a store its nodes (and leaves, if it is huge) are put there; cas may be NULL.
 */
int mlb_tree_node(struct mlb_digest *out, uint64_t *size, const struct mlb_tree_entry *entries, size_t n,
		  struct mlb_cas *cas, struct mlb_err *err);

/* Refuses a name that must not be in a tree: "", ".", "..", with '/', .git or .mlbuild in any case. */
int mlb_tree_check_name(const char *name, size_t len, struct mlb_err *err);
/* Refuses a link text that is absolute or leaves the tree; depth: directories above the link within it. */
int mlb_tree_check_link(const char *text, size_t len, unsigned depth, struct mlb_err *err);

/* mlb_cas_sure of a tree: of its nodes, and of all that is in them. */
bool mlb_tree_sure(struct mlb_cas *cas, const struct mlb_digest *tree);

/*
 * All files, links and empty directories below a tree, in bytewise order of
 * path. fn gets the path below the root; what it returns below 0 ends the walk.
 */
int mlb_tree_each(struct mlb_cas *cas, const struct mlb_digest *tree,
		  int (*fn)(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err),
		  void *ctx, struct mlb_err *err);

/* What was gone through, so that subtrees which trees have in common are once. All zero: nothing. */
struct mlb_tree_seen {
	struct mlb_digest_set node;   /* as directories */
	struct mlb_digest_set object; /* anything */
};
void mlb_tree_seen_release(struct mlb_tree_seen *s);

/* All objects that a tree consists of (nodes, contents, link texts) and that were not seen: each once. */
int mlb_tree_objects(struct mlb_cas *cas, const struct mlb_digest *tree, struct mlb_tree_seen *seen,
		     int (*fn)(void *ctx, const struct mlb_digest *object, struct mlb_err *err), void *ctx,
		     struct mlb_err *err);

/* The entries of one directory node; names live in the arena. Hostile input is refused (fuzzed). */
int mlb_tree_read(struct mlb_tree_entry **out, size_t *n, struct mlb_arena *arena, struct mlb_cas *cas,
		  const struct mlb_digest *node, struct mlb_err *err);

/*
 * The same of a node's bytes, without any store; parts of a split directory are
 * entries of kind MLB_T_DIR whose name is "".
 */
int mlb_tree_below(const void *data, size_t len,
		   int (*fn)(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err), void *ctx,
		   struct mlb_err *err);

/*
 * The entry at a path below a tree; its name lives in the arena. A link on the way is MLB_ENOTFOUND, as is
 * what is not there.
 */
int mlb_tree_find(struct mlb_tree_entry *out, struct mlb_arena *arena, struct mlb_cas *cas,
		  const struct mlb_digest *tree, const char *path, struct mlb_err *err);

/* What was done; several may share one, also from several threads. */
struct mlb_placed {
	atomic_uint_fast64_t files;   /* written */
	atomic_uint_fast64_t bytes;   /* of them */
	atomic_uint_fast64_t removed; /* files */
	atomic_uint_fast64_t kept;    /* files moved aside */
	struct mlb_placed *all;       /* counts this too; may be NULL */
};

void mlb_placed_add(struct mlb_placed *p, uint64_t files, uint64_t bytes, uint64_t removed, uint64_t kept);


/* How things are put into the workspace. */
struct mlb_placing {
	struct mlb_cas *cas;
	enum mlb_link how;
	unsigned threads;
	bool scanned;             /* what the scan knows of the directory is of just now: it need not be walked again */
	bool fresh;               /* the directory was just made, and nobody else knows of it */
	const char *aside;        /* absolute directory that gets files that no cache has, by their paths; NULL: they go */
	bool force;               /* whatever is in the way goes, directories too */
	/*
	 * Paths below that are somebody else's: they are neither written nor removed,
	 * and neither is what the tree does not name. NULL: the directory is ours alone.
	 */
	const struct mlb_strmap *others;
	/* The bytes that may be replaced or removed; NULL: all that the store has. */
	const struct mlb_digest_set *spare;
	struct mlb_placed *count; /* may be NULL */
	const atomic_bool *stop;  /* end early, with MLB_EINTERRUPTED; may be NULL */
};

/* May these bytes, which a scan found, be replaced or removed? They are right in the store, and not the user's alone. */
bool mlb_placing_may_lose(const struct mlb_placing *p, const struct mlb_digest *digest);

/* Make the directory `to` hold exactly this tree; only what differs is written or removed. */
int mlb_tree_checkout(struct mlb_cas *cas, const struct mlb_digest *tree, const char *to, enum mlb_link how,
		      struct mlb_err *err);

/* Store a directory from disk without any cache: every file is read, hashed and put. cas may be NULL. */
int mlb_tree_store(struct mlb_digest *out, uint64_t *size, const char *dir, struct mlb_cas *cas,
		   struct mlb_err *err);

#endif
