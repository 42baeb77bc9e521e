#include "os/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

/* A queue of tasks; last is only valid while first is not NULL. */
struct queue {
	struct mlb_task *first, *last;
};

struct mlb_pool {
	pthread_mutex_t mutex; /* guards all below but thread and fd */
	pthread_cond_t work;   /* something was added, or the end has come */
	pthread_cond_t idle;   /* a task was finished */
	struct queue todo;     /* not taken yet */
	struct queue finished; /* to be dispatched */
	size_t pending;        /* added and not yet dispatched */
	bool stop;
	int fd;
	unsigned n_threads;
	pthread_t *thread;
};

static void
put(struct queue *q, struct mlb_task *t)
{
	t->next = NULL;
	if (q->first)
		q->last->next = t;
	else
		q->first = t;
	q->last = t;
}

static struct mlb_task *
take(struct queue *q)
{
	struct mlb_task *t = q->first;

	if (t)
		q->first = t->next;
	return t;
}

static void
signal_fd(int fd)
{
	uint64_t one = 1;

	/* It cannot fail: the count would have to reach 2^64. */
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *
worker(void *arg)
{
	struct mlb_pool *p = arg;
	struct mlb_task *t;

	pthread_mutex_lock(&p->mutex);
	for (;;) {
		while (!p->todo.first && !p->stop)
			pthread_cond_wait(&p->work, &p->mutex);
		t = take(&p->todo);
		if (!t)
			break;
		pthread_mutex_unlock(&p->mutex);
		t->work(t);
		pthread_mutex_lock(&p->mutex);
		/* Once per batch: the owner takes all that is finished. */
		if (!p->finished.first)
			signal_fd(p->fd);
		put(&p->finished, t);
		pthread_cond_signal(&p->idle);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Threads of ours take no signals: those belong to the thread that owns the project. */
int
mlb_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return e;
}

int
mlb_pool_new(struct mlb_pool **out, unsigned threads, struct mlb_err *err)
{
	struct mlb_pool *p = mlb_calloc(1, sizeof(*p));
	int rc = MLB_OK;

	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->idle, NULL);
	threads = MLB_MAX(threads, 1);
	p->thread = mlb_calloc(threads, sizeof(*p->thread));
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd < 0)
		rc = mlb_err_errno(err, errno, "cannot make an event descriptor");
	while (!rc && p->n_threads < threads) {
		int e = mlb_thread_start(&p->thread[p->n_threads], worker, p);

		/* Fewer threads than asked for do the same work. */
		if (e && p->n_threads)
			break;
		if (e)
			rc = mlb_err_errno(err, e, "cannot start a thread");
		else
			p->n_threads++;
	}
	if (rc) {
		mlb_pool_free(p);
		return rc;
	}
	*out = p;
	return MLB_OK;
}

void
mlb_pool_free(struct mlb_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->mutex);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->thread[i], NULL);
	if (p->fd >= 0)
		close(p->fd);
	pthread_cond_destroy(&p->idle);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->mutex);
	free(p->thread);
	free(p);
}

void
mlb_pool_add(struct mlb_pool *p, struct mlb_task *t)
{
	pthread_mutex_lock(&p->mutex);
	p->pending++;
	put(&p->todo, t);
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->mutex);
}

int
mlb_pool_fd(const struct mlb_pool *p)
{
	return p->fd;
}

unsigned
mlb_pool_dispatch(struct mlb_pool *p)
{
	struct mlb_task *t, *next;
	unsigned n = 0;
	uint64_t count;

	pthread_mutex_lock(&p->mutex);
	t = p->finished.first;
	p->finished.first = NULL;
	if (t && read(p->fd, &count, sizeof(count)) < 0)
		count = 0; /* read before; nothing depends on the count */
	pthread_mutex_unlock(&p->mutex);
	for (; t; t = next, n++) {
		next = t->next; /* done() may free the task or add it again */
		if (t->done)
			t->done(t);
	}
	pthread_mutex_lock(&p->mutex);
	p->pending -= n;
	pthread_mutex_unlock(&p->mutex);
	return n;
}

void
mlb_pool_drain(struct mlb_pool *p)
{
	for (;;) {
		size_t pending;

		pthread_mutex_lock(&p->mutex);
		while (p->pending && !p->finished.first)
			pthread_cond_wait(&p->idle, &p->mutex);
		pending = p->pending;
		pthread_mutex_unlock(&p->mutex);
		if (!pending)
			return;
		mlb_pool_dispatch(p);
	}
}

struct parallel {
	size_t n, chunk;
	atomic_size_t next;
	void (*fn)(void *ctx, size_t i);
	void *ctx;
};

static void *
parallel_worker(void *arg)
{
	struct parallel *p = arg;

	for (;;) {
		size_t from = atomic_fetch_add(&p->next, p->chunk);

		if (from >= p->n)
			return NULL;
		for (size_t i = from; i < p->n && i < from + p->chunk; i++)
			p->fn(p->ctx, i);
	}
}

void
mlb_parallel(size_t n, size_t chunk, unsigned threads, void (*fn)(void *ctx, size_t i), void *ctx)
{
	struct parallel p = { .n = n, .chunk = MLB_MAX(chunk, 1), .fn = fn, .ctx = ctx };
	size_t chunks = n / p.chunk + (n % p.chunk != 0);
	pthread_t *thread = NULL;
	unsigned started = 0;

	threads = (unsigned)MLB_MIN(threads, chunks);
	if (threads > 1)
		thread = mlb_calloc(threads - 1, sizeof(*thread));
	/* The caller is one of them. */
	while (started + 1 < threads && mlb_thread_start(&thread[started], parallel_worker, &p) == 0)
		started++;
	parallel_worker(&p);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	free(thread);
}
