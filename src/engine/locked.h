/*
 * What a lock file names: every output of every target, with its digest.  It is
 * mlbuild.lock of the workspace, or that of a commit.  No output on disk is looked
 * at, and mlbuild.ini is read only for where the cache is.
 *
 * Ownership: the list owns all it holds.
 */
#ifndef ENGINE_LOCKED_H
#define ENGINE_LOCKED_H

#include "engine/project.h"

struct mlb_locked {
	const char *kind;  /* of the target: "model" */
	const char *base;  /* the target */
	const char *name;  /* the instance; of `each` and without a matrix the target */
	const char *path;  /* relative to the project; NULL: the rows of a table, which could not be read */
	struct mlb_digest digest; /* of the output; of the table where path is NULL */
	uint64_t size;
	uint8_t okind;     /* enum mlb_okind */
	bool source;
	bool each;         /* one file of a collection: what else is in its directory is not of it */
};

MLB_VEC_NAMED(mlb_locked_vec, struct mlb_locked);

struct mlb_locked_list {
	struct mlb_lockfile file;
	struct mlb_arena arena;
	struct mlb_locked_vec all; /* in the order of the file: by target, then by instance */
	MLB_VEC(const struct mlb_lock_block *) disputed; /* conflict markers say two things of these; not in all */
	const char *rev;           /* borrowed; NULL: the workspace */
};

/* Opens the cache, where tables rest. rev is anything git understands, or NULL. Release it in any case. */
int mlb_locked_read(struct mlb_locked_list *out, struct mlb_project *p, const char *rev, struct mlb_err *err);
void mlb_locked_release(struct mlb_locked_list *l);

/*
 * Mark the entries that a word means: a target, an instance, a kind, a glob over
 * names, or the path of an output. MLB_ENOTFOUND if it means none.
 */
int mlb_locked_mark(const struct mlb_locked_list *l, struct mlb_project *p, const char *word, uint8_t *mark,
		    struct mlb_err *err);

/* MLB_EINVALID if a word may mean a target (NULL: if there is any) of which conflict markers say two things; else 0. */
int mlb_locked_dispute(const struct mlb_locked_list *l, const char *word, struct mlb_err *err);

/* "mlbuild.lock", or "mlbuild.lock of REV", for messages. From the arena. */
const char *mlb_locked_where(struct mlb_locked_list *l);

#endif
