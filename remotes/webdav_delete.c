/* A DELETE of many names by WebDAV, some of them at once; and of what died PUTs left. */
#include <stdlib.h>
#include <string.h>

#include "remotes/webdav_int.h"

#define LANES 8
#define ABANDONED 86400 /* s: a temporary file that old is nobody's */

struct dav_delete {
	struct mlb_http_request lane[LANES];
	const char *const *names; /* below the remote's directory; borrowed */
	size_t n, next;           /* how many there are, and were begun */
	unsigned going;
	struct mlb_strvec old; /* the names, of a sweep */
};

static void lane_ended(struct mlb_http_request *q);

static void
begin_next(struct dav_job *j, struct mlb_http_request *q)
{
	struct dav_delete *d = j->delete;

	dav_ask_by(j->dav, q, "DELETE", d->names[d->next++], "");
	q->done = lane_ended;
	d->going++;
	mlb_http_start(j->dav->http, q);
}

/* The first failure is that of the operation; nothing is begun any more. */
static void
lane_ended(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;
	struct dav_delete *d = j->delete;

	d->going--;
	if (q->rc && q->status != 404 && q->status != 410 && !j->q.rc) {
		d->next = d->n;
		mlb_http_fail(&j->q, q->fault, "%s", q->err.text);
		j->q.retry_after = q->retry_after;
	}
	if (d->next < d->n && !j->cancelled)
		begin_next(j, q);
	if (d->going)
		return;
	for (size_t i = 0; i < LANES; i++)
		mlb_http_request_release(&d->lane[i]);
	mlb_strvec_release(&d->old);
	dav_outcome(j);
	dav_end(j);
}

static void
none_ended(struct mlb_http_request *q)
{
	dav_outcome(q->ctx);
	dav_end(q->ctx);
}

static void
begin(struct dav_job *j, const char *const *names, size_t n)
{
	struct dav_delete *d = j->delete;

	d->names = names;
	d->n = n;
	for (size_t i = 0; i < LANES; i++) {
		mlb_http_request_init(&d->lane[i]);
		d->lane[i].ctx = j;
	}
	for (size_t i = 0; i < LANES && d->next < d->n; i++)
		begin_next(j, &d->lane[i]);
}

void
dav_delete(struct dav_job *j)
{
	j->delete = mlb_calloc(1, sizeof(*j->delete));
	if (j->op->n_names) {
		begin(j, j->op->names, j->op->n_names);
	} else {
		j->q.done = none_ended;
		mlb_http_later(j->dav->http, &j->q);
	}
}

void
dav_delete_cancel(struct dav_job *j)
{
	struct dav_delete *d = j->delete;
	struct mlb_http *http = j->dav->http;

	if (!d->going) { /* of no names, or it still looks for them */
		mlb_http_cancel(http, &j->q);
		return;
	}
	mlb_http_fail(&j->q, MLB_FAULT_CANCELLED, "interrupted");
	/* with the last of them the job is gone */
	for (unsigned i = 0, left = d->going; left && i < LANES; i++) {
		if (!d->lane[i].work)
			continue;
		left--;
		mlb_http_cancel(http, &d->lane[i]);
	}
}

/* ------------------------------------------------------------ the sweep */

/* By the server's clock, where it tells. */
static int
note_old(void *ctx, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct dav_job *j = ctx;
	int64_t now = mlb_http_time(&j->q, "Date");

	(void)err;
	if (e->mtime && now - ABANDONED > e->mtime && j->delete->old.n < MLB_REMOTE_BATCH)
		mlb_vec_push(&j->delete->old, mlb_asprintf(DAV_TMP "/%s", e->name));
	return 0;
}

static void
tmp_listed(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;
	struct mlb_strvec *old = &j->delete->old;

	if (!q->rc && old->n && !j->cancelled) {
		begin(j, (const char *const *)old->v, old->n);
		return;
	}
	mlb_strvec_release(old);
	dav_end(j);
}

void
dav_sweep(struct dav *d)
{
	struct dav_job *j;

	if (d->swept)
		return;
	d->swept = true;
	j = d->own = mlb_calloc(1, sizeof(*j));
	j->dav = d;
	j->delete = mlb_calloc(1, sizeof(*j->delete));
	mlb_http_request_init(&j->q);
	j->q.ctx = j;
	dav_list_ask(j, DAV_TMP, note_old, j, tmp_listed);
}
