/*
 * Remotes that rclone(1) reaches: rclone:NAME:path, with NAME from its configuration.
 *
 * 1. One rclone is kept running (rclone_rcd.h), started by the first operation and again
 *    by the next one if it died. It is given orders by HTTP (rclone_orders.c).
 * 2. Put if absent is not atomic, as few of the stores behind rclone have a way: of
 *    several at once more than one may succeed, and what the last of them sent stays.
 * 3. Where a name is replaced it may be absent for a moment, as rclone deletes it first.
 * 4. Times are those of the store where it has its own, else of the machine that wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "base/alloc.h"
#include "base/text.h"
#include "fault.h"
#include "os/clock.h"
#include "rclone_int.h"

#define MOST 16
#define DELETES ((size_t)8) /* orders of one operation at once */
#define START_TICK 20       /* ms between looks at an rclone that starts */
#define LOOK_TICK 1000      /* the same later: what it says must be read */
#define NS_PER_MS 1000000
#define HOW "write rclone:NAME:path, with NAME as `rclone listremotes` shows it"

/* ---------------------------------------------------------- waiting for rclone */

static void
add_job(struct rclone *r, struct rclone_job *j)
{
	j->waits = true;
	j->after = NULL;
	if (r->first)
		r->last->after = j;
	else
		r->first = j;
	r->last = j;
}

static void
take_job(struct rclone *r, struct rclone_job *j)
{
	struct rclone_job *before = NULL;

	for (struct rclone_job *i = r->first; i != j; i = i->after)
		before = i;
	if (before)
		before->after = j->after;
	else
		r->first = j->after;
	if (r->last == j)
		r->last = before;
	j->waits = false;
}

static void
fail_waiting(struct rclone *r, const struct mlb_err *err)
{
	while (r->first) {
		struct rclone_job *j = r->first;

		take_job(r, j);
		if (err->code == MLB_ENOTFOUND)
			mlb_remote_fail(
				j->op, MLB_FAULT_OTHER,
				"remote '%s' is reached by rclone, which is not installed: "
				"install it (apt-get install rclone, or as rclone.org/install "
				"says) so that PATH has it",
				r->name);
		else
			mlb_remote_fail(j->op, MLB_FAULT_TRANSIENT, "remote '%s': %s", r->name,
					err->text);
		rclone_end(j);
	}
}

/* See to it that rclone runs, if anybody needs it; begin what waits when it listens. */
static void
attend(struct rclone *r)
{
	struct mlb_err err = MLB_ERR_INIT;
	bool listened = mlb_rcd_ready(&r->rcd);
	int rc = r->rcd.running ? mlb_rcd_look(&r->rcd, 0, &err) : 0;

	/* What it was doing has failed by itself; who waits wants a new one. */
	if (rc && listened) {
		mlb_err_release(&err);
		rc = 0;
	}
	if (!rc && r->first && !r->rcd.running)
		rc = mlb_rcd_start(&r->rcd, &err);
	if (rc)
		fail_waiting(r, &err);
	mlb_err_release(&err);
	while (mlb_rcd_ready(&r->rcd) && r->first) {
		struct rclone_job *j = r->first;

		take_job(r, j);
		rclone_begin(j);
	}
}

static int
rclone_wait(struct mlb_remote *remote, int timeout, struct mlb_err *err)
{
	struct rclone *r = (struct rclone *)remote;
	uint64_t begun = mlb_clock_mono();
	size_t ended = r->ended;

	for (;;) {
		int tick, rc;

		attend(r);
		tick = r->first ? START_TICK : LOOK_TICK;
		if (r->ended != ended) {
			tick = 0;
		} else if (timeout >= 0) {
			uint64_t ms = (mlb_clock_mono() - begun) / NS_PER_MS;

			tick = (int)MLB_MIN((uint64_t)tick,
					    (uint64_t)timeout - MLB_MIN(ms, (uint64_t)timeout));
		}
		rc = mlb_http_wait(r->http, tick, err);
		if (rc || r->ended != ended || atomic_exchange(&r->woken, false))
			return rc;
		if (timeout >= 0 && (mlb_clock_mono() - begun) / NS_PER_MS >= (uint64_t)timeout)
			return 0;
	}
}

/* ---------------------------------------------------------- the backend */

/* "NAME:path" of "rclone:NAME:path"; owned by the caller. */
static int
take_url(char **fs, const struct mlb_remote_config *c, struct mlb_err *err)
{
	const char *name = strchr(c->url, ':') + 1;
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				"_.+@- ");
	size_t len = strlen(name);

	if (mlb_str_starts(name, "//"))
		return mlb_err_set(err, MLB_EINVALID, "remote '%s': no '//' belongs there: " HOW,
				   c->name);
	if (!n || name[n] != ':')
		return mlb_err_set(err, MLB_EINVALID,
				   "remote '%s' names none of rclone's remotes: " HOW
				   " (options belong into rclone's configuration)",
				   c->name);
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == ']')
			return mlb_err_set(err, MLB_EINVALID,
					   "remote '%s': no ']' or control character can be in the "
					   "path: " HOW,
					   c->name);
	while (len > n + 2 && name[len - 1] == '/')
		len--;
	*fs = mlb_strndup(name, len);
	return 0;
}

static void
rclone_close(struct mlb_remote *remote)
{
	struct rclone *r = (struct rclone *)remote;

	if (!r)
		return;
	if (r->http)
		mlb_http_cancel(r->http, &r->sweep.q);
	rclone_part_release(&r->sweep);
	mlb_http_free(r->http);
	mlb_rcd_release(&r->rcd);
	free(r->name);
	free(r->fs);
	free(r);
}

static int
rclone_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct rclone *r = mlb_calloc(1, sizeof(*r));
	int rc;

	r->base.backend = &mlb_remote_rclone;
	r->name = mlb_strdup(c->name);
	mlb_rcd_init(&r->rcd);
	rclone_part_init(&r->sweep);
	rc = take_url(&r->fs, c, err);
	if (!rc)
		rc = mlb_http_new(&r->http, c, MOST * (unsigned)DELETES, err);
	if (rc) {
		rclone_close(&r->base);
		return rc;
	}
	*out = &r->base;
	return 0;
}

static void
rclone_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	size_t n = op->verb == MLB_REMOTE_DELETE ? MLB_MIN(op->n_names, DELETES) : 1;
	struct rclone_job *j = mlb_calloc(1, sizeof(*j) + n * sizeof(j->part[0]));

	mlb_remote_begin(op);
	op->backend = j;
	j->rclone = (struct rclone *)r;
	j->op = op;
	j->n_part = n;
	for (size_t i = 0; i < n; i++)
		rclone_part_init(&j->part[i]);
	add_job(j->rclone, j);
}

static void
rclone_wake(struct mlb_remote *r)
{
	atomic_store(&((struct rclone *)r)->woken, true);
	mlb_http_wake(((struct rclone *)r)->http);
}

static void
rclone_cancel(struct mlb_remote *remote, struct mlb_remote_op *op)
{
	struct rclone *r = (struct rclone *)remote;
	struct rclone_job *j = op->backend;

	mlb_remote_fail(op, MLB_FAULT_CANCELLED, "interrupted");
	if (j->waits)
		take_job(r, j);
	j->going++; /* until all of them were told */
	for (size_t i = 0; i < j->n_part; i++)
		mlb_http_cancel(r->http, &j->part[i].q);
	if (--j->going == 0)
		rclone_end(j);
}

static const char *
rclone_hint(struct mlb_remote *r, enum mlb_remote_fault fault)
{
	(void)r;
	return fault == MLB_FAULT_DENIED ? "credentials: those in rclone's configuration; see "
					   "`rclone config`"
					 : NULL;
}

static const char *const schemes[] = { "rclone", NULL };
static const char *const keys[] = { NULL };

const struct mlb_remote_backend mlb_remote_rclone = {
	.abi = MLB_REMOTE_ABI,
	.name = "rclone",
	.summary = "what rclone(1) reaches: rclone:NAME:path",
	.schemes = schemes,
	.keys = keys,
	.most = MOST,
	.open = rclone_open,
	.start = rclone_start,
	.wait = rclone_wait,
	.wake = rclone_wake,
	.cancel = rclone_cancel,
	.close = rclone_close,
	.hint = rclone_hint,
};
