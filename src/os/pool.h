/*
 * A pool of threads for work that reads, hashes, copies and syncs files.
 * Tasks are taken in order; a finished task is handed back through
 * mlb_pool_finished on the thread that owns the pool, which can wait for
 * mlb_pool_fd to become readable.  Tasks must not touch the pool.
 */
#ifndef OS_POOL_H
#define OS_POOL_H

#include <pthread.h>

#include "base/compat.h"
#include "mlbuild/err.h"

struct mlb_pool;

struct mlb_task {
	void (*work)(struct mlb_task *); /* on a worker */
	void (*done)(struct mlb_task *); /* on the owner, from mlb_pool_dispatch; may be NULL */
	struct mlb_task *next;           /* the pool's */
};

int mlb_pool_new(struct mlb_pool **out, unsigned threads, struct mlb_err *err);
void mlb_pool_free(struct mlb_pool *p);             /* finishes what was queued, without done() */
void mlb_pool_add(struct mlb_pool *p, struct mlb_task *t); /* t stays the caller's, untouched until done */
int mlb_pool_fd(const struct mlb_pool *p);          /* eventfd, readable when something is finished */
unsigned mlb_pool_dispatch(struct mlb_pool *p);     /* calls done() of what is finished; how many */
void mlb_pool_drain(struct mlb_pool *p);            /* waits for all that was added, dispatching */

/* pthread_create of a thread that no signal is delivered to: 0 or an errno. */
int mlb_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg);

/* Call fn(ctx, i) for every i below n on up to `threads` threads, in chunks; returns when all are done. */
void mlb_parallel(size_t n, size_t chunk, unsigned threads, void (*fn)(void *ctx, size_t i), void *ctx);

#endif
