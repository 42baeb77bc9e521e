/* What exchange_push.c and exchange_fetch.c share: what is meant, and how far it is. */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include "engine/locked.h"
#include "engine/remotes.h"
#include "mlbuild/remotes.h"

struct mlb_exchange_run {
	struct mlb_project *p;
	const struct mlb_exchange *x;
	struct mlb_exchange_report *report;
	uint64_t began; /* monotonic ns */
};

/* Fills the report's beginning; opens cache and remotes. */
int mlb_exchange_begin(struct mlb_exchange_run *r, struct mlb_err *err);
void mlb_exchange_end(struct mlb_exchange_run *r); /* its duration and requests */

/* Call fn for every lock that is meant, with a mark for each of its entries. What fn returns below 0 ends it. */
typedef int mlb_exchange_fn(void *ctx, struct mlb_locked_list *list, const uint8_t *mark,
			    struct mlb_err *err);
int mlb_exchange_locks(struct mlb_exchange_run *r, mlb_exchange_fn *fn, void *ctx,
		       struct mlb_err *err);

/* Is it git's to bring, so that the cache need not have it? */
bool mlb_exchange_is_gits(struct mlb_exchange_run *r, const struct mlb_locked *l);

int mlb_exchange_tick(void *run, const struct mlb_transfer_progress *t); /* a mlb_transfer_tick */
void mlb_exchange_note(struct mlb_exchange_run *r, const char *fmt, ...) MLB_PRINTF(2, 3);
void mlb_exchange_missing(struct mlb_exchange_run *r, const struct mlb_locked *l, const char *why);

/* The error of a remote that cannot be used: which, why, and what to look at. */
int mlb_exchange_unusable(struct mlb_remote_use *u, struct mlb_err *err);

#endif
