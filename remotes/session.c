#include "mlbuild/sys/session.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/clock.h"
#include "os/machine.h"
#include "os/pool.h"
#include "remotes/fault.h"
#include "remotes/session_int.h"

#define NS_PER_MS 1000000
#define LOOK_MS 250 /* how often it is noted what a PUT has sent */

struct session_waiter {
	bool done;
};

void
session_push(struct session_queue *q, struct session_job *j)
{
	j->next = NULL;
	if (q->first)
		q->last->next = j;
	else
		q->first = j;
	q->last = j;
}

struct session_job *
session_pop(struct session_queue *q)
{
	struct session_job *j = q->first;

	if (j)
		q->first = j->next;
	return j;
}

/* ---------------------------------------------------------- the thread: ends */

/* What inner says becomes the caller's, who is told. */
static void
end(struct session_job *j)
{
	struct mlb_session *s = j->session;
	struct mlb_remote_op *op = j->op;
	struct session_waiter *waiter = j->waiter;

	op->rc = j->inner.rc;
	op->fault = j->inner.fault;
	op->err = j->inner.err;
	op->moved = op->verb == MLB_REMOTE_GET ? j->given : j->inner.moved;
	op->total = j->inner.total ? j->inner.total : j->total;
	op->mtime = j->inner.mtime;
	op->retry_after = j->inner.retry_after;
	free(j);
	if (!waiter) {
		op->done(op);
		return;
	}
	pthread_mutex_lock(&s->mutex);
	waiter->done = true;
	pthread_cond_broadcast(&s->told);
	pthread_mutex_unlock(&s->mutex);
}

static void
end_cancelled(struct session_job *j)
{
	mlb_err_release(&j->inner.err);
	j->inner.rc = MLB_OK;
	mlb_remote_fail(&j->inner, MLB_FAULT_CANCELLED, "cancelled");
	end(j);
}

static void
end_dead(struct session_job *j)
{
	j->inner.rc =
		mlb_err_set(&j->inner.err, j->session->death.code, "%s", j->session->death.text);
	j->inner.fault = MLB_FAULT_OTHER;
	end(j);
}

static void
end_queued(struct mlb_session *s, void (*how)(struct session_job *))
{
	struct session_job *j;

	while ((j = session_pop(&s->todo[MLB_SESSION_SOON])) ||
	       (j = session_pop(&s->todo[MLB_SESSION_LATER])))
		how(j);
	while ((j = s->waiting)) {
		s->waiting = j->next;
		how(j);
	}
}

/* ---------------------------------------------------------- the thread: goes on */

static void
wait_for_turn(struct mlb_session *s, struct session_job *j)
{
	struct session_job **at = &s->waiting;

	while (*at && (*at)->due <= j->due)
		at = &(*at)->next;
	j->next = *at;
	*at = j;
}

static bool
has_work(const struct mlb_session *s)
{
	return s->todo[0].first || s->todo[1].first;
}

static void
judge_ended(struct mlb_session *s)
{
	uint64_t now = mlb_clock_mono();
	struct session_job *j;

	while ((j = session_pop(&s->ended))) {
		bool full = has_work(s) && s->n_going + 1 >= s->tune.limit;

		session_tune_answer(&s->tune, now, full);
		if (session_job_judge(j, now))
			end(j);
		else
			wait_for_turn(s, j);
	}
}

static struct session_job *
next_job(struct mlb_session *s, uint64_t now)
{
	struct session_job *j = s->waiting;

	if (now < s->quiet)
		return NULL;
	if (j && j->due <= now) {
		s->waiting = j->next;
		return j;
	}
	j = session_pop(&s->todo[MLB_SESSION_SOON]);
	return j ? j : session_pop(&s->todo[MLB_SESSION_LATER]);
}

static void
begin_some(struct mlb_session *s)
{
	uint64_t now = mlb_clock_mono();
	struct session_job *j;

	while (s->n_going < s->tune.limit && (j = next_job(s, now))) {
		if (j->tries || session_job_check(j))
			session_job_begin(j, now);
		else
			end(j);
	}
}

/* ms until something is to be done here, -1: never. */
static int
timeout(const struct mlb_session *s)
{
	uint64_t now = mlb_clock_mono(), at = UINT64_MAX;

	if (s->waiting && s->n_going < s->tune.limit)
		at = MLB_MAX(s->waiting->due, s->quiet);
	if (has_work(s) && s->n_going < s->tune.limit)
		at = MLB_MIN(at, s->quiet);
	for (unsigned i = 0; i < s->n_going; i++) {
		at = MLB_MIN(at, session_job_patience(s->going[i]));
		if (s->going[i]->inner.verb == MLB_REMOTE_PUT)
			at = MLB_MIN(at, now + LOOK_MS * (uint64_t)NS_PER_MS);
	}
	if (at == UINT64_MAX)
		return -1;
	return at <= now ? 0 : (int)((at - now) / NS_PER_MS) + 1;
}

static void
watch(struct mlb_session *s)
{
	uint64_t now = mlb_clock_mono();

	/* What is cut leaves the array, and another one takes its place. */
	for (unsigned i = 0; i < s->n_going;) {
		struct session_job *j = s->going[i];

		session_job_watch(j, now);
		if (i < s->n_going && s->going[i] == j)
			i++;
	}
}

/* Nothing goes on that the backend could wait for, and it will begin nothing any more. */
static void
wait_dead(struct mlb_session *s)
{
	pthread_mutex_lock(&s->mutex);
	while (!s->submitted.first && !s->cancelled)
		pthread_cond_wait(&s->told, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
}

static void
wait_some(struct mlb_session *s)
{
	int rc;

	if (s->death.code) {
		end_queued(s, end_dead);
		wait_dead(s);
		return;
	}
	rc = s->backend->wait(s->remote, timeout(s), &s->death);
	if (rc && !s->death.code)
		mlb_err_set(&s->death, MLB_EREMOTE, "remote '%s' does not work any more", s->name);
	watch(s);
	judge_ended(s);
}

static void
stop(struct mlb_session *s)
{
	s->stopping = true;
	while (s->n_going)
		s->backend->cancel(s->remote, &s->going[0]->inner);
	judge_ended(s);
	end_queued(s, end_cancelled);
}

/* What others have told us. False: it is closed, and all has ended. */
static bool
take_orders(struct mlb_session *s)
{
	struct session_queue submitted;
	struct session_job *j;
	bool more;

	pthread_mutex_lock(&s->mutex);
	while (s->stopping && !s->submitted.first && !s->closing)
		pthread_cond_wait(&s->told, &s->mutex);
	/* done may have submitted something even after it was closed. */
	more = s->submitted.first || !s->stopping || !s->closing;
	submitted = s->submitted;
	s->submitted.first = NULL;
	s->stopping = s->cancelled;
	s->first_wait = s->asked_wait;
	s->stall = s->asked_stall;
	s->stats.at_once = s->tune.limit;
	pthread_mutex_unlock(&s->mutex);
	while ((j = session_pop(&submitted)))
		session_push(&s->todo[j->priority], j);
	if (s->stopping)
		stop(s);
	return more;
}

static void *
work(void *arg)
{
	struct mlb_session *s = arg;

	while (take_orders(s)) {
		if (s->stopping)
			continue;
		if (!s->death.code)
			begin_some(s);
		wait_some(s);
	}
	return NULL;
}

/* ---------------------------------------------------------- from any thread */

static void
release(struct mlb_session *s)
{
	pthread_cond_destroy(&s->told);
	pthread_mutex_destroy(&s->mutex);
	mlb_err_release(&s->death);
	free(s->name);
	free(s);
}

int
mlb_session_open_backend(struct mlb_session **out, const struct mlb_remote_backend *backend,
			 const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct mlb_session *s = mlb_calloc(1, sizeof(*s));
	int e, rc;

	s->backend = backend;
	s->name = mlb_strdup(c->name);
	s->asked_wait = SESSION_FIRST_WAIT;
	s->asked_stall = SESSION_STALL;
	session_tune_init(&s->tune, backend->most);
	s->stats.at_once = s->tune.limit;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->told, NULL);
	rc = mlb_machine_random(&s->random, sizeof(s->random), err);
	s->random |= 1; /* 0 would stay 0 */
	if (!rc)
		rc = backend->open(&s->remote, c, err);
	if (rc) {
		release(s);
		return rc;
	}
	e = mlb_thread_start(&s->thread, work, s);
	if (e) {
		backend->close(s->remote);
		release(s);
		return mlb_err_errno(err, e, "cannot start a thread");
	}
	*out = s;
	return 0;
}

int
mlb_session_open(struct mlb_session **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	const struct mlb_remote_backend *backend;
	int rc = mlb_remote_backend(&backend, c->url, err);

	if (rc)
		return mlb_err_wrap(err, "remote '%s'", c->name);
	return mlb_session_open_backend(out, backend, c, err);
}

/*
 * The thread looks again, wherever it waits. Unlocks last: whoever hears of what was
 * submitted may close the session while its submitter is still here.
 */
static void
rouse(struct mlb_session *s)
{
	pthread_cond_broadcast(&s->told);
	s->backend->wake(s->remote);
	pthread_mutex_unlock(&s->mutex);
}

void
mlb_session_hurry(struct mlb_session *s, uint32_t wait, uint32_t stall)
{
	pthread_mutex_lock(&s->mutex);
	s->asked_wait = wait ? wait : SESSION_FIRST_WAIT;
	s->asked_stall = stall ? stall : SESSION_STALL;
	rouse(s);
}

static void
submit(struct mlb_session *s, struct mlb_remote_op *op, enum mlb_session_priority p,
       struct session_waiter *waiter)
{
	struct session_job *j = mlb_calloc(1, sizeof(*j));

	j->op = op;
	j->session = s;
	j->waiter = waiter;
	j->priority = p;
	pthread_mutex_lock(&s->mutex);
	session_push(&s->submitted, j);
	rouse(s);
}

void
mlb_session_submit(struct mlb_session *s, struct mlb_remote_op *op, enum mlb_session_priority p)
{
	submit(s, op, p, NULL);
}

void
mlb_session_cancel(struct mlb_session *s)
{
	pthread_mutex_lock(&s->mutex);
	s->cancelled = true;
	rouse(s);
}

void
mlb_session_close(struct mlb_session *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->mutex);
	s->cancelled = true;
	s->closing = true;
	rouse(s);
	pthread_join(s->thread, NULL);
	s->backend->close(s->remote);
	release(s);
}

void
mlb_session_stats(struct mlb_session *s, struct mlb_session_stats *out)
{
	pthread_mutex_lock(&s->mutex);
	*out = s->stats;
	pthread_mutex_unlock(&s->mutex);
}

const char *
mlb_session_name(const struct mlb_session *s)
{
	return s->name;
}

const struct mlb_remote_backend *
mlb_session_backend(const struct mlb_session *s)
{
	return s->backend;
}

const char *
mlb_session_hint(struct mlb_session *s, enum mlb_remote_fault fault)
{
	return s->backend->hint ? s->backend->hint(s->remote, fault) : NULL;
}

int
mlb_session_run(struct mlb_session *s, struct mlb_remote_op *op, enum mlb_remote_fault *fault,
		struct mlb_err *err)
{
	struct session_waiter waiter = { .done = false };
	int rc;

	submit(s, op, MLB_SESSION_SOON, &waiter);
	pthread_mutex_lock(&s->mutex);
	while (!waiter.done)
		pthread_cond_wait(&s->told, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
	rc = op->rc;
	if (fault)
		*fault = op->fault;
	if (rc)
		mlb_err_set(err, op->err.code ? op->err.code : (enum mlb_code)rc, "%s",
			    op->err.text ? op->err.text : "failed");
	mlb_err_release(&op->err);
	return rc;
}
