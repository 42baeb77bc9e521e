/*
 * mlbuild.lock: which bytes this commit means. The format stands at the top of
 * lockfile.c. Sorted, one block per target, stable byte for byte. A file with
 * git's conflict markers is read: both sides are candidates.
 *
 * Ownership: the lock file owns its blocks; what get returns is borrowed and
 * stays valid until the block is replaced, or all of an opened one is parsed.
 */
#ifndef GRAPH_LOCKFILE_H
#define GRAPH_LOCKFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "base/hash.h"
#include "mlbuild/err.h"

struct mlb_lock_output {
	const char *path;
	uint8_t kind;             /* 'f' 'x' 't' 'm', as in store/result.h */
	struct mlb_digest digest;
	uint64_t size;
};

struct mlb_lock_block {
	const char *kind;         /* "model" */
	const char *name;         /* section name */
	struct mlb_digest key;    /* zero for a source */
	struct mlb_digest table;  /* each, matrix: the table object; then there are no outputs here */
	const char *stamp;        /* frozen: set by update; "" */
	struct mlb_lock_output *output; /* in the order of the file */
	uint32_t n_outputs;
	struct mlb_lock_block *other; /* further candidate from the other side of a conflict, or NULL */
};

struct mlb_lockfile {
	struct mlb_arena arena;
	struct mlb_strmap map;    /* section name -> struct mlb_lock_block *; NULL: removed */
	struct mlb_buf text;      /* opened: where blocks that are not in the map are looked for; empty otherwise */
	bool conflict;            /* markers were found */
};

void mlb_lockfile_init(struct mlb_lockfile *l);
void mlb_lockfile_release(struct mlb_lockfile *l);
/* Into a lock file that is empty. Errors begin with "mlbuild.lock:LINE: "; an empty text is an empty lock. */
int mlb_lockfile_parse(struct mlb_lockfile *l, const char *text, size_t len, struct mlb_err *err);
/*
 * The same for a text that the caller knows to be as mlb_lockfile_format gave it:
 * nothing is parsed, get looks into it and format puts it between what was
 * changed. Takes the text over. false: it does not look like one.
 */
bool mlb_lockfile_open(struct mlb_lockfile *l, struct mlb_buf *text);
/* Parse after all: what was opened, before anything in it was changed; for whoever reads the map. */
int mlb_lockfile_whole(struct mlb_lockfile *l, struct mlb_err *err);
/* Append the whole file: sorted; of several candidates the first. */
void mlb_lockfile_format(struct mlb_buf *out, const struct mlb_lockfile *l);
/* Insert or replace a block, with all its candidates; copied into the arena (other is not). */
void mlb_lockfile_set(struct mlb_lockfile *l, const struct mlb_lock_block *b);
void mlb_lockfile_remove(struct mlb_lockfile *l, const char *name);
struct mlb_lock_block *mlb_lockfile_get(struct mlb_lockfile *l, const char *name);

/*
 * A table object: the rows of an each or matrix target, sorted by instance name
 * or file. The format stands at the top of table.c. What parse returns lives in
 * the arena.
 */
struct mlb_table_row {
	const char *name;         /* instance, or file of each */
	struct mlb_digest key;
	struct mlb_lock_output *output;
	uint32_t n_outputs;
};
void mlb_table_format(struct mlb_buf *out, const struct mlb_table_row *row, size_t n);
int mlb_table_parse(struct mlb_table_row **out, size_t *n, struct mlb_arena *arena, const char *text, size_t len,
		    struct mlb_err *err);

#endif
