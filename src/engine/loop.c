/*
 * The event loop: starts what is ready while resources last, and waits for processes, output, workers, retries, timeouts
 * and cancellation. It never polls: every wait is one epoll_wait.
 */
#include "engine/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/each.h"
#include "engine/heap.h"
#include "engine/inputs.h"
#include "engine/variant.h"
#include "os/clock.h"
#include "os/machine.h"

enum { MAX_EVENTS = 64 };

void
mlb_fatal(struct mlb_builder *b, struct mlb_err *err)
{
	if (b->fatal.code == MLB_OK)
		b->fatal = *err;
	else
		mlb_err_release(err);
	*err = (struct mlb_err)MLB_ERR_INIT;
	b->stopping = true;
}

static int
watch(struct mlb_builder *b, int fd, void *tag, struct mlb_err *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = tag };

	if (fd >= 0 && epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &ev))
		return mlb_err_errno(err, errno, "cannot watch a descriptor");
	return 0;
}

static int
open_resources(struct mlb_builder *b, struct mlb_err *err)
{
	double cpus = mlb_machine_cpus();

	/* -j is a promise of that many commands at once: processors must not undo it. */
	if (b->opt->jobs && (double)b->opt->jobs > cpus)
		cpus = b->opt->jobs;
	return mlb_resources_new(&b->resources, b->g, b->jobs, cpus, mlb_machine_memory(),
				 mlb_machine_gpus(), err);
}

int
mlb_builder_machinery(struct mlb_builder *b, struct mlb_err *err)
{
	int rc;

	if (b->ready_to_run)
		return 0;
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (b->epoll < 0)
		return mlb_err_errno(err, errno, "cannot make an epoll descriptor");
	b->since = mlb_spawn_ticks();
	b->reserved = MLB_NONE;
	b->skipped = atomic_load(&b->p->suspension.total_ns);
	b->ready = mlb_calloc(b->g->n_execs + 1, sizeof(*b->ready));
	rc = mlb_project_cache(b->p, err);
	if (rc == 0)
		rc = mlb_spawn_subreaper(err);
	if (rc == 0)
		rc = mlb_pool_new(&b->pool, b->p->threads, err);
	if (rc == 0)
		rc = open_resources(b, err);
	if (rc == 0)
		rc = mlb_jobserver_open(&b->jobserver, getenv("MAKEFLAGS"), b->p->state_dir,
					b->jobs, err);
	if (rc == 0)
		rc = mlb_record_new(b, err);
	if (rc == 0)
		rc = watch(b, mlb_pool_fd(b->pool), &b->pool, err);
	if (rc == 0)
		rc = watch(b, b->p->cancel_fd, &b->p, err);
	if (rc == 0)
		rc = watch(b, b->p->suspension.wake_fd, &b->skipped, err);
	if (rc == 0)
		rc = mlb_find_pin(b, err);
	if (rc == 0 && mlb_is_variant(b->p))
		rc = mlb_variant_roots(b, err);
	b->ready_to_run = rc == 0;
	return rc;
}

void
mlb_node_ready(struct mlb_builder *b, struct mlb_work *w)
{
	w->seq = b->seq++;
	mlb_heap_push(&b->ready[b->g->node[w->node].exec], w);
	b->n_ready++;
}

static int
watch_job(struct mlb_builder *b, struct mlb_work *w, struct mlb_err *err)
{
	/* The low bit of the tag tells output from end: works are aligned. */
	int rc = watch(b, mlb_job_pidfd(w->job), w, err);

	if (rc == 0)
		rc = watch(b, mlb_job_output_fd(w->job), (char *)w + 1, err);
	return rc;
}

static void
start(struct mlb_builder *b, struct mlb_work *w)
{
	struct mlb_err err = MLB_ERR_INIT;
	uint32_t n = w->node;
	int rc = mlb_work_start(w, &err);

	if (rc == 0) {
		b->n_commands++;
		if (b->plan->node[n].phase == MLB_PH_READY)
			b->plan->node[n].phase = MLB_PH_RUNNING;
		mlb_vec_push(&b->running, w);
		rc = watch_job(b, w, &err);
		if (rc)
			mlb_fatal(b, &err);
		return;
	}
	mlb_work_give_back(w);
	if (rc == MLB_ESTALE) {
		bool each = w->item != NULL;

		mlb_err_release(&err);
		mlb_work_free(w);
		if (each)
			mlb_each_again(b, n);
		else
			mlb_node_again(b, n);
	} else if (rc == MLB_EFAILED) {
		mlb_err_release(&err); /* told already */
		mlb_work_free(w);
	} else {
		mlb_work_free(w);
		mlb_fatal(b, &err);
	}
}

/* All of the machine's tokens are taken by others: look again when one is given back. */
static void
await_token(struct mlb_builder *b)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = &b->jobserver };
	int fd = mlb_jobserver_fd(b->jobserver);

	if (fd >= 0 && epoll_ctl(b->epoll, EPOLL_CTL_MOD, fd, &ev) && errno == ENOENT)
		epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* Who wants more than the machine has gets all there is: never in silence, and once for all that want the same. */
static void
tell_short(struct mlb_builder *b, uint32_t node)
{
	uint32_t c = b->g->node[node].exec;
	const struct mlb_g_exec *exec = &b->g->exec[c];
	const char *name = mlb_g_str(b->g, b->g->node[node].name);
	unsigned gpus;
	uint64_t mem;

	if (!b->told_short)
		b->told_short = mlb_calloc(b->g->n_execs, sizeof(*b->told_short));
	if (b->told_short[c])
		return;
	b->told_short[c] = true;
	gpus = mlb_machine_gpus();
	mem = mlb_machine_memory();
	if (exec->gpus > gpus)
		mlb_note(b, "'%s' wants %u graphics processors and gets %u: there are no more",
			 name, exec->gpus, gpus);
	if (exec->mem > mem) {
		struct mlb_buf want = MLB_BUF_INIT(MLB_KIB), has = MLB_BUF_INIT(MLB_KIB);

		mlb_add_size(&want, exec->mem);
		mlb_add_size(&has, mem);
		mlb_note(b, "'%s' wants %s of memory: this machine has %s", name,
			 mlb_buf_str(&want), mlb_buf_str(&has));
		mlb_buf_release(&has);
		mlb_buf_release(&want);
	}
}

static bool
take(struct mlb_builder *b, struct mlb_work *w, int token)
{
	uint32_t c = b->g->node[w->node].exec;
	const struct mlb_g_exec *reserved = b->reserved == MLB_NONE ? NULL
								    : &b->g->exec[b->reserved];

	if (!mlb_resources_take(b->resources, &w->grant, &b->g->exec[c], reserved))
		return false;
	tell_short(b, w->node);
	if (b->reserved == c)
		b->reserved = MLB_NONE;
	w->grant.token = token;
	return true;
}

/* The class with the dearest work among those that were not refused just now; MLB_NONE if there is none. */
static uint32_t
best_class(const struct mlb_builder *b, const uint8_t *refused)
{
	uint32_t best = MLB_NONE;

	for (uint32_t c = 0; c < b->g->n_execs; c++)
		if (b->ready[c].n && !refused[c] &&
		    (best == MLB_NONE || mlb_heap_before(b->ready[c].v[0], b->ready[best].v[0])))
			best = c;
	return best;
}

/* The dearest that can be had of what was not refused just now; MLB_NONE if none can. */
static uint32_t
grant_one(struct mlb_builder *b, uint8_t *refused, int token)
{
	bool choosing = b->reserved == MLB_NONE;
	uint64_t oldest = UINT64_MAX;
	uint32_t c;

	while ((c = best_class(b, refused)) != MLB_NONE) {
		struct mlb_work *w = b->ready[c].v[0];

		if (take(b, w, token))
			break;
		refused[c] = 1;
		/* Once chosen it stays: else what is dearer would always come first in the next pass. */
		if (choosing && w->seq < oldest) {
			oldest = w->seq;
			b->reserved = c;
		}
	}
	return c;
}

static bool
may_start(const struct mlb_builder *b)
{
	return b->n_ready && b->n_commands < b->jobs && !b->stopping && !b->cancelled &&
	       !atomic_load(&b->p->suspension.since);
}

/* Start what can be started, dearest first; what does not fit waits, the oldest of it with a reservation. */
static void
start_ready(struct mlb_builder *b)
{
	uint8_t *refused;
	int token;

	if (!may_start(b))
		return;
	refused = mlb_calloc(b->g->n_execs + 1, 1);
	while (may_start(b)) {
		struct mlb_work *w;
		uint32_t c;

		if (!mlb_jobserver_take(b->jobserver, &token)) {
			await_token(b);
			break;
		}
		c = grant_one(b, refused, token);
		if (c == MLB_NONE) {
			mlb_jobserver_give(b->jobserver, token);
			break;
		}
		w = b->ready[c].v[0];
		mlb_heap_pop(&b->ready[c]);
		b->n_ready--;
		start(b, w);
		mlb_settle_all(b);
	}
	free(refused);
}

static void
take_delayed(struct mlb_builder *b, uint64_t now)
{
	for (size_t i = 0; i < b->delayed.n;) {
		struct mlb_work *w = b->delayed.v[i];

		if (w->retry_at > now) {
			i++;
			continue;
		}
		b->delayed.v[i] = b->delayed.v[--b->delayed.n];
		mlb_node_ready(b, w);
	}
}

/* The time that all were suspended is nobody's. */
static void
skip_suspended(struct mlb_builder *b)
{
	uint64_t total = atomic_load(&b->p->suspension.total_ns), ns = total - b->skipped;

	if (ns == 0)
		return;
	b->skipped = total;
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i]->job)
			mlb_job_skip(b->running.v[i]->job, ns);
}

static void
stop_timed_out(struct mlb_builder *b, uint64_t now)
{
	if (atomic_load(&b->p->suspension.since))
		return;
	for (size_t i = 0; i < b->running.n; i++) {
		struct mlb_work *w = b->running.v[i];
		uint64_t deadline = w->job && !w->leader_ended ? mlb_job_deadline(w->job) : 0;

		if (deadline && deadline <= now)
			mlb_work_stop(w, true);
	}
}

/* Milliseconds until something is due by the clock; -1: nothing is. */
static int
next_wait(const struct mlb_builder *b, uint64_t now)
{
	uint64_t due = mlb_record_due(b);
	bool suspended = atomic_load(&b->p->suspension.since) != 0;

	for (size_t i = 0; i < b->delayed.n; i++)
		if (!due || b->delayed.v[i]->retry_at < due)
			due = b->delayed.v[i]->retry_at;
	for (size_t i = 0; i < b->running.n; i++) {
		const struct mlb_work *w = b->running.v[i];
		uint64_t d = w->job && !w->leader_ended ? mlb_job_deadline(w->job) : 0;

		if (d && !suspended && (!due || d < due))
			due = d;
	}
	if (!due)
		return -1;
	return due <= now ? 0 : (int)MLB_MIN((due - now) / 1000000 + 1, 3600 * 1000ULL);
}

static void
cancel_all(struct mlb_builder *b)
{
	uint64_t count;

	if (read(b->p->cancel_fd, &count, sizeof(count)) < 0)
		return;
	b->cancelled = true;
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i]->job && !b->running.v[i]->leader_ended)
			mlb_work_stop(b->running.v[i], false);
}

static void
went_on(struct mlb_builder *b)
{
	uint64_t count;

	while (read(b->p->suspension.wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void
handle(struct mlb_builder *b, void *tag)
{
	uintptr_t bits = (uintptr_t)tag;

	if (tag == &b->pool)
		mlb_pool_dispatch(b->pool);
	else if (tag == &b->p)
		cancel_all(b);
	else if (tag == &b->jobserver)
		return; /* start_ready tries again */
	else if (tag == &b->skipped)
		went_on(b);
	else if (bits & 1)
		mlb_work_output((struct mlb_work *)(void *)((char *)tag - 1));
	else
		mlb_work_ended(tag);
}

static int
wait_for_events(struct mlb_builder *b, struct mlb_err *err)
{
	struct epoll_event ev[MAX_EVENTS];
	int n = epoll_wait(b->epoll, ev, MAX_EVENTS, next_wait(b, mlb_clock_mono()));

	if (n < 0 && errno != EINTR)
		return mlb_err_errno(err, errno, "cannot wait for events");
	skip_suspended(b);
	/* Output first: a work may be freed by its end. */
	for (int i = 0; i < n; i++)
		if ((uintptr_t)ev[i].data.ptr & 1)
			handle(b, ev[i].data.ptr);
	for (int i = 0; i < n; i++)
		if (!((uintptr_t)ev[i].data.ptr & 1))
			handle(b, ev[i].data.ptr);
	return 0;
}

static bool
busy(const struct mlb_builder *b)
{
	bool stopped = b->stopping || b->cancelled;

	if (b->running.n || b->n_tasks || mlb_record_busy(b))
		return true;
	return !stopped && (b->n_ready || b->delayed.n);
}

int
mlb_loop(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = 0;

	/* In reverse, because todo is a stack and nodes are in topological order. */
	for (uint32_t i = b->g->n_nodes; i-- > 0;)
		if (b->plan->node[i].wanted && !b->plan->node[i].resting &&
		    b->plan->node[i].waits == 0)
			mlb_todo(b, i);
	mlb_settle_all(b);
	while (rc == 0 && b->ready_to_run) {
		uint64_t now;

		skip_suspended(b);
		now = mlb_clock_mono();
		take_delayed(b, now);
		start_ready(b);
		stop_timed_out(b, now);
		mlb_record_tick(b);
		if (!busy(b) && b->unproved.n) {
			mlb_prove(b);
			mlb_settle_all(b);
			continue;
		}
		if (!busy(b))
			break;
		rc = wait_for_events(b, err);
		mlb_settle_all(b);
	}
	if (b->fatal.code != MLB_OK && rc == 0) {
		rc = b->fatal.code;
		if (err)
			*err = b->fatal;
		b->fatal = (struct mlb_err)MLB_ERR_INIT;
	}
	return rc;
}
