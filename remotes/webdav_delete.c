/*
 * A DELETE of many names by WebDAV, some of them at once; and of what died PUTs left.
 * Each is looked at first: of a directory DELETE would remove all that is below it.
 */
#include <stdlib.h>
#include <string.h>

#include "remotes/webdav_int.h"

#define LANES 8
#define ABANDONED 86400 /* s: a temporary file that old is nobody's */

struct lane {
	struct mlb_http_request q;
	struct dav_job *job;
	const char *name;
	bool found; /* it is a file: now it is deleted */
};

struct dav_delete {
	struct lane lane[LANES];
	const char *const *names; /* below the remote's directory; borrowed */
	size_t n, next;           /* how many there are, and were begun */
	unsigned going;
	struct mlb_strvec old; /* the names, of a sweep */
};

static void lane_ended(struct mlb_http_request *q);

static void
ask(struct lane *l, const char *method)
{
	dav_ask_by(l->job->dav, &l->q, method, l->name, "");
	l->q.done = lane_ended;
	l->job->delete->going++;
	mlb_http_start(l->job->dav->http, &l->q);
}

static void
begin_next(struct lane *l)
{
	struct dav_delete *d = l->job->delete;

	l->name = d->names[d->next++];
	l->found = false;
	ask(l, "HEAD");
}

static void
end(struct dav_job *j)
{
	struct dav_delete *d = j->delete;

	for (size_t i = 0; i < LANES; i++)
		mlb_http_request_release(&d->lane[i].q);
	mlb_strvec_release(&d->old);
	dav_outcome(j);
	dav_end(j);
}

static void
lane_ended(struct mlb_http_request *q)
{
	struct lane *l = q->ctx;
	struct dav_job *j = l->job;
	struct dav_delete *d = j->delete;
	bool absent = l->found ? q->status == 404 || q->status == 410 : dav_is_absent(q, l->name);

	d->going--;
	/* The first failure is that of the operation; nothing is begun any more. */
	if (q->rc && !absent && !j->q.rc) {
		d->next = d->n;
		mlb_http_fail(&j->q, q->fault, "%s", q->err.text);
		j->q.retry_after = q->retry_after;
	}
	if (!q->rc && !l->found && !j->q.rc) {
		l->found = true;
		ask(l, "DELETE");
	} else if (d->next < d->n && !j->cancelled) {
		begin_next(l);
	}
	if (!d->going)
		end(j);
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
		mlb_http_request_init(&d->lane[i].q);
		d->lane[i].q.ctx = &d->lane[i];
		d->lane[i].job = j;
	}
	for (size_t i = 0; i < LANES && d->next < d->n; i++)
		begin_next(&d->lane[i]);
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
		if (!d->lane[i].q.work)
			continue;
		left--;
		mlb_http_cancel(http, &d->lane[i].q);
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
