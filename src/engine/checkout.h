/* What the files checkout*.c share. Not for others. */
#ifndef ENGINE_CHECKOUT_H
#define ENGINE_CHECKOUT_H

#include <stdatomic.h>

#include "engine/locked.h"
#include "os/pool.h"
#include "store/tree.h"

enum mlb_whose { MLB_OURS = 0, MLB_GITS, MLB_GITS_IN_PART };

/* One output. */
struct mlb_checkout_item {
	struct mlb_task task; /* first */
	struct mlb_checkout_run *c;
	const struct mlb_locked *l;
	size_t at;            /* index of its path in the scan */
	unsigned threads;     /* for a directory */
	uint8_t whose;        /* enum mlb_whose */
	struct mlb_strmap others; /* of MLB_GITS_IN_PART: paths below that are git's */
	bool todo;            /* it is not in place */
	bool touched;         /* something was written, removed or moved */
	bool skipped;         /* it was left as it is, and a note says why */
	atomic_uint_fast64_t kept; /* its files that were moved aside */
	bool kept_dir;             /* that was one directory, in the place of a file */
	struct mlb_err err;
};

struct mlb_checkout_run {
	struct mlb_project *p;
	const struct mlb_checkout *opt;
	struct mlb_checkout_report *report;
	struct mlb_locked_list list;
	struct mlb_checkout_item *item; /* sorted by path */
	const char **path;              /* of each */
	size_t n_items;
	struct mlb_scan scan;           /* of these paths */
	enum mlb_link how;
	char *aside;                    /* absolute */
	struct mlb_tree_seen spare;     /* bytes of sources that may be replaced: commits name them */
	struct mlb_placed count;
	uint64_t total_bytes, began;
	size_t n_todo;
	uint32_t missing_sources; /* of report->missing */
	uint32_t finished;
	atomic_bool stop;
	bool cancelled;
	struct mlb_err err;             /* the first that ended it */
};

/* checkout_sources.c: whose a source is; and, of those that are to be placed, what may be replaced. */
int mlb_checkout_whose(struct mlb_checkout_run *c, const struct mlb_locked *l, enum mlb_whose *out,
		       struct mlb_err *err);
int mlb_checkout_sources(struct mlb_checkout_run *c, struct mlb_err *err);

/* checkout_each.c: what has no place any more in the collections that were asked for. */
int mlb_checkout_collections(struct mlb_checkout_run *c, struct mlb_err *err);

/* checkout.c: say that so many files of this directory were moved aside. */
void mlb_checkout_note_kept(struct mlb_checkout_run *c, const char *path, uint64_t kept);

/* checkout_place.c: put one output in place, on a worker. */
void mlb_checkout_work(struct mlb_task *t);

#endif
