/* What results.c and results_sync.c share. Not for others. */
#ifndef STORE_RESULTS_PRIV_H
#define STORE_RESULTS_PRIV_H

#include <pthread.h>

#include "store/packs.h"
#include "store/pending.h"
#include "store/result.h"

/* The row of a record that could not be read. */
struct mlb_bad_row {
	struct mlb_digest key;
	int64_t seq;
};

/* The text of a record that no segment has yet. */
struct mlb_fresh {
	char *text;
	size_t len;
};

struct mlb_results {
	struct mlb_db *db;
	pthread_mutex_t lock;      /* of everything below */
	pthread_mutex_t sync_lock; /* one sync at a time; taken before lock */
	struct mlb_packs packs;
	struct mlb_pending pending;
	MLB_VEC(struct mlb_bad_row) bad;
	/*
	 * What is added rests in memory until it is synced: in a segment, whoever comes
	 * after our death would take it for durable, and the objects it names may not be.
	 * A pending entry without a pack has its index here, plus n_gone, as offset.
	 */
	MLB_VEC(struct mlb_fresh) fresh;
	uint64_t n_gone; /* that were in front of fresh */
	size_t n_marked; /* of fresh: to be synced next */
	bool marked;     /* what the next sync is to make durable was chosen */
	bool lost;       /* a failed sync dropped what belongs to the next one */
};

/* Read and parse one record; MLB_ECORRUPT, MLB_ENOTFOUND. Under the lock: records are small. */
int mlb_results_read(struct mlb_results *r, struct mlb_packfile *f, uint64_t offset, struct mlb_result *out,
		     struct mlb_arena *arena, struct mlb_err *err);

/* The first n of them are in a segment, or dropped. */
void mlb_results_forget_fresh(struct mlb_results *r, size_t n);

#endif
