/*
 * The event loop's waiting: processes, output, workers, retries, timeouts and
 * cancellation. It never polls: every wait is one epoll_wait.
 */
#include "engine/away.h"
#include "engine/builder.h"
#include "engine/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/variant.h"
#include "os/clock.h"
#include "os/machine.h"

enum { MAX_EVENTS = 64 };

static int
watch(struct mlb_machinery *m, int fd, void *tag, struct mlb_err *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = tag };

	if (fd >= 0 && epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &ev))
		return mlb_err_errno(err, errno, "cannot watch a descriptor");
	return 0;
}

static int
open_resources(struct mlb_machinery *m, const struct mlb_builder *first, struct mlb_err *err)
{
	double cpus = mlb_machine_cpus();

	/* -j is a promise of that many commands at once: processors must not undo it. */
	if (m->base->opt->jobs && (double)m->base->opt->jobs > cpus)
		cpus = m->base->opt->jobs;
	return mlb_resources_new(&m->resources, first->g, m->jobs, cpus, mlb_machine_memory(),
				 mlb_machine_gpus(), err);
}

static int
watch_all(struct mlb_machinery *m, struct mlb_project *p, struct mlb_err *err)
{
	int rc = watch(m, mlb_pool_fd(m->pool), &m->pool, err);

	if (rc == 0)
		rc = watch(m, p->cancel_fd, &m->cancelled, err);
	return rc ? rc : watch(m, p->suspension->wake_fd, &m->skipped, err);
}

int
mlb_machinery_begin(struct mlb_machinery *m, struct mlb_builder *first, struct mlb_err *err)
{
	struct mlb_project *p = m->base->p;
	int rc;

	if (m->ready)
		return 0;
	mlb_project_hear(p, false);
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll < 0)
		return mlb_err_errno(err, errno, "cannot make an epoll descriptor");
	m->since = mlb_spawn_ticks();
	m->skipped = atomic_load(&p->suspension->total_ns);
	rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = mlb_spawn_subreaper(err);
	if (rc == 0)
		rc = mlb_pool_new(&m->pool, p->threads, err);
	if (rc == 0)
		rc = open_resources(m, first, err);
	if (rc == 0)
		rc = mlb_jobserver_open(&m->jobserver, getenv("MAKEFLAGS"), p->state_dir, m->jobs,
					err);
	if (rc == 0)
		rc = mlb_record_new(m, err);
	if (rc == 0)
		rc = watch_all(m, p, err);
	if (rc == 0 && !m->shared) /* a sweep has one for all */
		rc = mlb_find_pin(first, err);
	if (rc == 0 && mlb_is_variant(first->p))
		rc = mlb_variant_roots(first, err);
	m->ready = rc == 0;
	return rc;
}

/* Workers hold works of the builders: they come to their end first. */
void
mlb_machinery_drain(struct mlb_machinery *m)
{
	mlb_away_free(m);
	mlb_sender_free(m);
	if (!m->pool)
		return;
	mlb_pool_drain(m->pool);
	mlb_pool_free(m->pool);
	m->pool = NULL;
}

void
mlb_machinery_release(struct mlb_machinery *m)
{
	mlb_machinery_drain(m);
	mlb_record_free(m);
	mlb_root_stock_free(m->roots);
	mlb_jobserver_close(m->jobserver);
	mlb_resources_free(m->resources);
	mlb_journal_close(m->journal);
	mlb_flights_release(&m->flights);
	if (m->epoll >= 0)
		close(m->epoll);
	mlb_vec_release(&m->builder);
	*m = (struct mlb_machinery)MLB_MACHINERY_INIT;
}

void
mlb_machinery_leave(struct mlb_machinery *m, struct mlb_builder *b)
{
	for (size_t i = 0; i < m->builder.n; i++)
		if (m->builder.v[i] == b) {
			memmove(&m->builder.v[i], &m->builder.v[i + 1],
				(m->builder.n - i - 1) * sizeof(*m->builder.v));
			m->builder.n--;
			break;
		}
	if (m->reserved_by == b)
		m->reserved_by = NULL;
	mlb_flight_leave(&m->flights, b);
}

int
mlb_machinery_watch(struct mlb_machinery *m, struct mlb_work *w, struct mlb_err *err)
{
	/* The low bit of the tag tells output from end: works are aligned. */
	int rc = watch(m, mlb_job_pidfd(w->job), w, err);

	if (rc == 0)
		rc = watch(m, mlb_job_output_fd(w->job), (char *)w + 1, err);
	return rc;
}

int
mlb_machinery_watch_away(struct mlb_machinery *m, int fd, struct mlb_err *err)
{
	return watch(m, fd, &m->away, err);
}

/* All of the machine's tokens are taken by others: look again when one is given back. */
void
mlb_machinery_await_token(struct mlb_machinery *m)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = &m->jobserver };
	int fd = mlb_jobserver_fd(m->jobserver);

	if (fd >= 0 && epoll_ctl(m->epoll, EPOLL_CTL_MOD, fd, &ev) && errno == ENOENT)
		epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* ---------------------------------------------------------- waiting */

/* The time that all were suspended is nobody's. */
void
mlb_machinery_skip_suspended(struct mlb_machinery *m)
{
	uint64_t total = atomic_load(&m->base->p->suspension->total_ns), ns = total - m->skipped;

	if (ns == 0)
		return;
	m->skipped = total;
	for (size_t k = 0; k < m->builder.n; k++)
		for (size_t i = 0; i < m->builder.v[k]->running.n; i++)
			if (m->builder.v[k]->running.v[i]->job)
				mlb_job_skip(m->builder.v[k]->running.v[i]->job, ns);
}

/* Monotonic ns at which something of a builder is due by the clock; 0: nothing is. */
static uint64_t
due_of(const struct mlb_builder *b, bool suspended)
{
	uint64_t due = 0;

	for (size_t i = 0; i < b->delayed.n; i++)
		if (!due || b->delayed.v[i]->retry_at < due)
			due = b->delayed.v[i]->retry_at;
	for (size_t i = 0; i < b->running.n; i++) {
		const struct mlb_work *w = b->running.v[i];
		uint64_t d = w->job && !w->leader_ended ? mlb_job_deadline(w->job) : 0;

		if (d && !suspended && (!due || d < due))
			due = d;
	}
	return due;
}

/* Milliseconds until something is due; -1: nothing is. */
static int
next_wait(const struct mlb_machinery *m, uint64_t now)
{
	bool suspended = atomic_load(&m->base->p->suspension->since) != 0;
	uint64_t due = mlb_record_due(m), patience = mlb_away_due(m);

	if (patience && (!due || patience < due))
		due = patience;
	for (size_t i = 0; i < m->builder.n; i++) {
		uint64_t d = due_of(m->builder.v[i], suspended);

		if (d && (!due || d < due))
			due = d;
	}
	if (!due)
		return -1;
	return due <= now ? 0 : (int)MLB_MIN((due - now) / 1000000 + 1, 3600 * 1000ULL);
}

static void
cancel_all(struct mlb_machinery *m)
{
	uint64_t count;

	if (read(m->base->p->cancel_fd, &count, sizeof(count)) < 0)
		return;
	m->cancelled = true;
	mlb_project_hear(m->base->p, true);
	mlb_away_cancel(m);
	for (size_t k = 0; k < m->builder.n; k++)
		mlb_builder_stop(m->builder.v[k]);
}

/* What a worker did not go on with is not told before that it was cancelled is known. */
static void
dispatch(struct mlb_machinery *m)
{
	cancel_all(m);
	mlb_pool_dispatch(m->pool);
}

static void
went_on(struct mlb_machinery *m)
{
	uint64_t count;

	while (read(m->base->p->suspension->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void
handle(struct mlb_machinery *m, void *tag)
{
	uintptr_t bits = (uintptr_t)tag;

	if (tag == &m->pool)
		dispatch(m);
	else if (tag == &m->cancelled)
		cancel_all(m);
	else if (tag == &m->jobserver)
		return; /* the next turn tries again */
	else if (tag == &m->skipped)
		went_on(m);
	else if (tag == &m->away)
		mlb_away_hear(m);
	else if (bits & 1)
		mlb_work_output((struct mlb_work *)(void *)((char *)tag - 1));
	else
		mlb_work_ended(tag);
}

/* What one builder's end means for another one puts that one's nodes on its stack. */
void
mlb_machinery_settle(struct mlb_machinery *m)
{
	bool any = true;

	while (any) {
		any = false;
		for (size_t i = 0; i < m->builder.n; i++) {
			struct mlb_builder *b = m->builder.v[i];

			any |= b->todo.n && b->fatal.code == MLB_OK;
			mlb_settle_all(b);
		}
	}
}

int
mlb_machinery_wait(struct mlb_machinery *m, struct mlb_err *err)
{
	struct epoll_event ev[MAX_EVENTS];
	int n = epoll_wait(m->epoll, ev, MAX_EVENTS, next_wait(m, mlb_clock_mono()));

	if (n < 0 && errno != EINTR)
		return mlb_err_errno(err, errno, "cannot wait for events");
	mlb_machinery_skip_suspended(m);
	/* Output first: a work may be freed by its end. */
	for (int i = 0; i < n; i++)
		if ((uintptr_t)ev[i].data.ptr & 1)
			handle(m, ev[i].data.ptr);
	for (int i = 0; i < n; i++)
		if (!((uintptr_t)ev[i].data.ptr & 1))
			handle(m, ev[i].data.ptr);
	mlb_machinery_settle(m);
	return 0;
}
