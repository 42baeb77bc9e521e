/* Many files at once, on all processors. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "os/clock.h"
#include "os/pool.h"
#include "store/scan.h"
#include "store/scan_walk.h"

#define LARGE                                                                                      \
	(4 * MLB_MIB)     /* files from here on are read first, so that none is left for the end */
#define TELL_NS 100000000 /* between two words about progress */
#define MANY_BYTES (64 * MLB_MIB) /* from which on somebody may wonder what takes so long */
#define MANY_FILES 10000
#define WRITERS 2 /* threads more than processors, where some wait for the disk */

struct reader {
	const struct mlb_reading *todo;
	uint32_t *order;
	const struct mlb_readings *all;
	pthread_mutex_t lock; /* the errors */
	bool tell;            /* of its progress */
	pthread_t owner;      /* who may be told */
	uint64_t told;        /* monotonic ns */
	uint64_t total;       /* bytes */
	atomic_uint_fast64_t files, bytes;
	atomic_bool stop; /* whoever asked for it wants no more */
};

static void
tell(struct reader *r)
{
	const struct mlb_scan_progress p = { atomic_load(&r->files), atomic_load(&r->bytes),
					     r->all->todo.n, r->total };

	r->told = mlb_clock_mono();
	if (!r->all->progress(r->all->progress_ctx, &p))
		atomic_store(&r->stop, true);
}

static void
one_is_done(struct reader *r, uint64_t size)
{
	atomic_fetch_add(&r->files, 1);
	atomic_fetch_add(&r->bytes, size);
	if (r->tell && pthread_equal(pthread_self(), r->owner) &&
	    mlb_clock_mono() - r->told >= TELL_NS)
		tell(r);
}

static int
read_or_store(const struct mlb_reading *t, const struct mlb_place *p, struct mlb_err *err)
{
	int rc = mlb_seen_read(t->seen, p, t->cas, err);

	if (rc < 0 && rc != MLB_EINTERRUPTED && t->cas && t->may_fail) {
		mlb_err_release(err);
		return mlb_seen_read(t->seen, p, NULL, err);
	}
	if (rc == 0 && t->cas)
		t->seen->flags |= MLB_SEEN_STORED;
	return rc;
}

static void
read_it(struct reader *r, size_t i)
{
	const struct mlb_reading *t = &r->todo[r->order[i]];
	const struct mlb_place p = { r->all->root, r->all->root_dir, t->dir, t->path, t->follow,
				     NULL,         r->all->unless };
	struct mlb_err err = MLB_ERR_INIT;

	if (t->cas && (t->seen->flags & MLB_SEEN_KNOWN) && mlb_cas_has(t->cas, &t->seen->digest)) {
		t->seen->flags |= MLB_SEEN_STORED;
		return;
	}
	if (read_or_store(t, &p, &err) == 0) {
		if (mlb_racy(t->seen->ctime, r->all->now))
			t->seen->flags |= MLB_SEEN_RACY;
		return;
	}
	if (err.code == MLB_EINTERRUPTED)
		atomic_store(&r->stop, true);
	pthread_mutex_lock(&r->lock);
	if (t->err->code == MLB_OK)
		*t->err = err;
	else
		mlb_err_release(&err);
	pthread_mutex_unlock(&r->lock);
}

static void
read_one(void *ctx, size_t i)
{
	struct reader *r = ctx;
	uint64_t size = r->todo[r->order[i]].seen->size;

	if (atomic_load(&r->stop))
		return;
	read_it(r, i);
	one_is_done(r, size);
}

struct large {
	uint64_t size;
	uint32_t index;
};

static int
by_size(const void *a, const void *b)
{
	uint64_t x = ((const struct large *)a)->size, y = ((const struct large *)b)->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Large files first, the largest before all; the others stay in the order of their directories. */
static uint32_t *
order_of(const struct mlb_readings *all)
{
	uint32_t *order = mlb_calloc(all->todo.n + 1, sizeof(*order));
	MLB_VEC(struct large) large = MLB_VEC_INIT;
	size_t at;

	for (size_t i = 0; i < all->todo.n; i++) {
		struct large l = { all->todo.v[i].seen->size, (uint32_t)i };

		if (l.size >= LARGE)
			mlb_vec_push(&large, l);
	}
	if (large.n)
		qsort(large.v, large.n, sizeof(*large.v), by_size);
	for (at = 0; at < large.n; at++)
		order[at] = large.v[at].index;
	for (size_t i = 0; i < all->todo.n; i++)
		if (all->todo.v[i].seen->size < LARGE)
			order[at++] = (uint32_t)i;
	mlb_vec_release(&large);
	return order;
}

void
mlb_readings_add(struct mlb_readings *all, struct mlb_walk *w, const char *dir, struct mlb_cas *cas,
		 enum mlb_reach reach, struct mlb_err *err)
{
	uint8_t enough = MLB_SEEN_KNOWN | (reach == MLB_READ_ALL && cas ? MLB_SEEN_STORED : 0);

	for (size_t i = 0; i < w->all.n; i++) {
		struct mlb_seen *seen = &w->all.v[i];
		struct mlb_reading t = { seen, dir, seen->path, false, reach == MLB_READ_NEW,
					 cas,  err };

		if (seen->kind != MLB_T_DIR && (seen->flags & enough) != enough)
			mlb_vec_push(&all->todo, t);
	}
}

/* What a change right after reading could hide from us, in bytes; what is from the future cannot be waited for. */
static uint64_t
racy_bytes(const struct mlb_readings *all)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < all->todo.n; i++) {
		const struct mlb_seen *seen = all->todo.v[i].seen;

		if (mlb_racy(seen->ctime, all->now) && seen->ctime <= all->now)
			sum += seen->size;
	}
	return sum;
}

int
mlb_clock_in(int64_t *out, const char *dir, struct mlb_err *err)
{
	int rc = mlb_fs_clock(out, dir, NULL);

	if (rc < 0)
		rc = mlb_fs_mkdirs(dir, err);
	return rc < 0 ? rc : mlb_fs_clock(out, dir, err);
}

int
mlb_readings_clock(struct mlb_readings *all, const char *dir, struct mlb_err *err)
{
	int rc = mlb_clock_in(&all->now, dir, err);

	if (rc == 0 && racy_bytes(all) > LARGE) {
		const struct timespec wait = { 0, MLB_RACY_NS + MLB_RACY_NS / 2 };

		nanosleep(&wait, NULL);
		rc = mlb_fs_clock(&all->now, dir, err);
	}
	return rc;
}

static bool
writes_much(const struct mlb_readings *all, uint64_t total)
{
	return total >= MANY_BYTES && all->todo.v[0].cas;
}

bool
mlb_readings_run(struct mlb_readings *all, unsigned threads)
{
	struct reader r = { .todo = all->todo.v, .order = order_of(all), .all = all };

	pthread_mutex_init(&r.lock, NULL);
	r.owner = pthread_self();
	for (size_t i = 0; i < all->todo.n; i++)
		r.total += all->todo.v[i].seen->size;
	r.tell = all->progress && (r.total >= MANY_BYTES || all->todo.n >= MANY_FILES);
	if (r.tell)
		tell(&r);
	mlb_parallel(all->todo.n, 4, threads + (writes_much(all, r.total) ? WRITERS : 0), read_one,
		     &r);
	if (r.tell && !atomic_load(&r.stop))
		tell(&r);
	free(r.order);
	pthread_mutex_destroy(&r.lock);
	mlb_vec_release(&all->todo);
	return !atomic_load(&r.stop);
}
