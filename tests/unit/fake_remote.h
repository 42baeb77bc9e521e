/*
 * A remote in memory that does what a test's script says: for sessions. What it is
 * told before anything is submitted is its test's; what it counts may be read when
 * nothing goes on.
 */
#ifndef TESTS_FAKE_REMOTE_H
#define TESTS_FAKE_REMOTE_H

#include <pthread.h>
#include <time.h>

#include "base/vec.h"
#include "mlbuild/sys/session.h"
#include "remotes/fault.h"
#include "remotes/session_int.h"

enum fake_what {
	FAKE_OK,
	FAKE_FAULT,  /* ends with `fault` before anything was done */
	FAKE_CUT,    /* GET: TRANSIENT after n bytes; PUT: after all was done */
	FAKE_SHORT,  /* GET: ends well after n bytes */
	FAKE_MORE,   /* GET: sends n bytes too many */
	FAKE_STALL,  /* GET: nothing comes any more after n bytes */
	FAKE_DEATH   /* wait fails */
};

struct fake_step {
	enum fake_what what;
	enum mlb_remote_fault fault;
	uint64_t n;
	uint32_t retry_after;
};

struct fake {
	/* The test's. */
	const struct fake_step *steps; /* for operations in the order they are begun; then FAKE_OK */
	size_t n_steps;
	const char *data; /* of every name */
	size_t size;
	int64_t mtime;
	bool absent;      /* there is no name, but after a PUT */
	bool gate;        /* nothing ends before fake_open_gate */

	/* What came. */
	size_t begun;
	unsigned most_going;
	struct mlb_strvec names;
	MLB_VEC(uint64_t) offsets;

	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool woken;
	struct mlb_remote_op *going;
	unsigned n_going;
};

struct fake_remote {
	struct mlb_remote base;
	struct fake *fake;
};

static inline int
fake_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct fake_remote *r = mlb_calloc(1, sizeof(*r));
	union {
		const void *in;
		struct fake *out;
	} ctx = { .in = c->ctx };

	(void)err;
	r->fake = ctx.out;
	*out = &r->base;
	return 0;
}

static inline struct fake *
fake_of(struct mlb_remote *r)
{
	return ((struct fake_remote *)r)->fake;
}

static inline void
fake_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	static const struct fake_step ok = { .what = FAKE_OK };
	struct fake *f = fake_of(r);
	const struct fake_step *step = f->begun < f->n_steps ? &f->steps[f->begun] : &ok;
	struct mlb_remote_op **at = &f->going;

	mlb_remote_begin(op);
	f->begun++;
	mlb_strvec_push(&f->names, op->name ? op->name : "");
	mlb_vec_push(&f->offsets, op->offset);
	op->backend = mlb_alloc(sizeof(*step));
	*(struct fake_step *)op->backend = *step;
	while (*at)
		at = &(*at)->next;
	*at = op;
	f->n_going++;
	f->most_going = MLB_MAX(f->most_going, f->n_going);
}

static inline void
fake_end(struct fake *f, struct mlb_remote_op *op)
{
	struct mlb_remote_op **at = &f->going;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	f->n_going--;
	free(op->backend);
	op->done(op);
}

/* Gives bytes in pieces of at most 7. */
static inline void
fake_get(struct fake *f, struct mlb_remote_op *op, const struct fake_step *step)
{
	uint64_t from = MLB_MIN(op->offset, f->size), n = MLB_MIN(op->len, f->size - from);
	bool some = step->what != FAKE_OK && step->what != FAKE_MORE;

	op->total = f->size;
	op->mtime = f->mtime;
	n = some ? MLB_MIN(step->n, n) : n;
	if (step->what == FAKE_MORE)
		n += step->n;
	while (op->moved < n && !op->rc) {
		uint64_t piece = MLB_MIN(f->size > 1000 ? 300000 : 7, n - op->moved);
		int rc = op->sink(op, f->data + from + op->moved, piece, &op->err);

		if (rc)
			mlb_remote_fail_caller(op, rc);
		else
			op->moved += piece;
	}
}

static inline void
fake_put(struct fake *f, struct mlb_remote_op *op)
{
	op->moved = op->size;
	if (op->if_absent && !f->absent) {
		mlb_remote_fail(op, MLB_FAULT_EXISTS, "it is there");
		return;
	}
	f->absent = false;
	f->data = op->data;
	f->size = op->size;
}

static inline void
fake_list(struct mlb_remote_op *op)
{
	static const char *const names[] = { "a", "..", "b/c", "b" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names) && !op->rc; i++) {
		const struct mlb_remote_entry e = { .name = names[i], .size = i };
		int rc = op->entry(op, &e, &op->err);

		if (rc)
			mlb_remote_fail_caller(op, rc);
	}
}

static inline void
fake_serve(struct fake *f, struct mlb_remote_op *op, const struct fake_step *step)
{
	if (step->what == FAKE_FAULT) {
		op->retry_after = step->retry_after;
		mlb_remote_fail(op, step->fault, "the script says so");
		return;
	}
	if (f->absent && (op->verb == MLB_REMOTE_GET || op->verb == MLB_REMOTE_STAT))
		mlb_remote_fail(op, MLB_FAULT_ABSENT, "there is no '%s'", op->name);
	else if (op->verb == MLB_REMOTE_GET)
		fake_get(f, op, step);
	else if (op->verb == MLB_REMOTE_PUT)
		fake_put(f, op);
	else if (op->verb == MLB_REMOTE_LIST)
		fake_list(op);
	else if (op->verb == MLB_REMOTE_STAT)
		op->total = f->size;
	if (step->what == FAKE_CUT)
		mlb_remote_fail(op, MLB_FAULT_TRANSIENT, "it was cut");
}

/* The first that can end, or NULL. */
static inline struct mlb_remote_op *
fake_next(struct fake *f)
{
	struct mlb_remote_op *op = f->gate ? NULL : f->going;

	while (op && ((struct fake_step *)op->backend)->what == FAKE_STALL &&
	       ((struct fake_step *)op->backend)->n == 0)
		op = op->next;
	return op;
}

static inline void
fake_pause(struct fake *f, int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	while (!f->woken && !fake_next(f))
		if (ms < 0)
			pthread_cond_wait(&f->cond, &f->mutex);
		else if (pthread_cond_timedwait(&f->cond, &f->mutex, &at) != 0)
			break;
	f->woken = false;
}

static inline int
fake_wait(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	struct fake *f = fake_of(r);
	struct mlb_remote_op *op;
	bool dead = false;

	pthread_mutex_lock(&f->mutex);
	fake_pause(f, timeout);
	op = fake_next(f);
	pthread_mutex_unlock(&f->mutex);
	for (; op && !dead; op = fake_next(f)) {
		struct fake_step *step = op->backend;

		dead = step->what == FAKE_DEATH;
		if (!dead)
			fake_serve(f, op, step);
		if (step->what == FAKE_STALL)
			step->n = 0;
		else if (!dead)
			fake_end(f, op);
	}
	if (!dead)
		return 0;
	while (f->going) {
		mlb_remote_fail(f->going, MLB_FAULT_OTHER, "it died");
		fake_end(f, f->going);
	}
	return mlb_err_set(err, MLB_EREMOTE, "the remote died");
}

static inline void
fake_wake(struct mlb_remote *r)
{
	struct fake *f = fake_of(r);

	pthread_mutex_lock(&f->mutex);
	f->woken = true;
	pthread_cond_broadcast(&f->cond);
	pthread_mutex_unlock(&f->mutex);
}

static inline void
fake_open_gate(struct fake *f)
{
	pthread_mutex_lock(&f->mutex);
	f->gate = false;
	pthread_cond_broadcast(&f->cond);
	pthread_mutex_unlock(&f->mutex);
}

static inline void
fake_cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	mlb_remote_fail(op, MLB_FAULT_CANCELLED, "cancelled");
	fake_end(fake_of(r), op);
}

static inline void
fake_close(struct mlb_remote *r)
{
	free(r);
}

static const char *const fake_none[] = { NULL };

static const struct mlb_remote_backend fake_backend = {
	.abi = MLB_REMOTE_ABI,
	.name = "fake",
	.summary = "a test's",
	.schemes = fake_none,
	.keys = fake_none,
	.most = 16,
	.open = fake_open,
	.start = fake_start,
	.wait = fake_wait,
	.wake = fake_wake,
	.cancel = fake_cancel,
	.close = fake_close,
};

static inline void
fake_init(struct fake *f, const struct fake_step *steps, size_t n_steps)
{
	*f = (struct fake){ .steps = steps, .n_steps = n_steps };
	f->data = "0123456789abcdefghij";
	f->size = 20;
	f->mtime = 1000;
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->cond, NULL);
}

static inline void
fake_release(struct fake *f)
{
	assert_null(f->going);
	mlb_strvec_release(&f->names);
	mlb_vec_release(&f->offsets);
	pthread_cond_destroy(&f->cond);
	pthread_mutex_destroy(&f->mutex);
}

/* A session that does not wait long. */
static inline struct mlb_session *
fake_session_of(struct fake *f, const struct mlb_remote_backend *backend)
{
	struct mlb_remote_config c = { .name = "fake", .url = "fake:", .ctx = f };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s = NULL;

	assert_ok(mlb_session_open_backend(&s, backend, &c, &err));
	mlb_session_hurry(s, 1, 20);
	return s;
}

static inline struct mlb_session *
fake_session(struct fake *f)
{
	return fake_session_of(f, &fake_backend);
}

static inline int
into_buf(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)err;
	mlb_buf_add(op->ctx, data, len);
	return 0;
}

#endif
