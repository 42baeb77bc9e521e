/* Reading all that a remote has. */
#include <stdlib.h>
#include <string.h>

#include "engine/transfer_care.h"
#include "engine/transfer_priv.h"
#include "os/machine.h"
#include "store/pack.h"
#include "store/remote_pack.h"

#define AT_ONCE 4
#define BLOB_HEAD 52

MLB_VEC_NAMED(places, struct mlb_remote_place);

struct verifying;

/* A pack that is read. */
struct reading {
	struct mlb_step step;
	struct verifying *v;
	struct mlb_transfer_op op;
	const struct mlb_remote_place *at; /* what indexes say is in it */
	size_t n;
};

struct verifying {
	struct mlb_transfer *t;
	const struct mlb_remote_verify *opt;
	struct mlb_remote_verify_report *report;
	struct mlb_crew *crew;
	struct places all; /* sorted by pack */
	/* Under the crew's lock: */
	struct places wrong; /* size 0: the whole pack */
	unsigned in_flight;
	int rc;
	struct mlb_err err;
};

static int
take_place(void *ctx, const struct mlb_remote_place *p)
{
	mlb_vec_push((struct places *)ctx, *p);
	return 0;
}

static int
by_pack(const void *a, const void *b)
{
	const struct mlb_remote_place *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->pack.name, &y->pack.name);

	return cmp ? cmp : (x->at.offset > y->at.offset) - (x->at.offset < y->at.offset);
}

/* ---------------------------------------------------------- one pack, by the crew */

static void
note_wrong(struct verifying *v, const struct mlb_remote_place *p, bool whole)
{
	struct mlb_remote_place own = *p;

	mlb_remote_view_bad(v->t->view, p, whole);
	if (whole)
		memset(&own.at.digest, 0, sizeof(own.at.digest));
	mlb_crew_lock(v->crew);
	mlb_vec_push(&v->wrong, own);
	v->report->bad_packs += whole;
	v->report->bad_objects += !whole;
	mlb_crew_unlock(v->crew);
}

static bool
is_right(const struct mlb_remote_place *p, const struct mlb_buf *pack, struct mlb_buf *data)
{
	uint64_t len = (uint64_t)BLOB_HEAD + p->at.stored;

	mlb_buf_clear(data);
	return p->at.offset <= pack->len && len <= pack->len - p->at.offset &&
	       mlb_remote_blob_read(data, pack->data + p->at.offset, (size_t)len, p->at.type,
				    p->at.type == MLB_BLOB_CHUNKS ? NULL : &p->at.digest,
				    NULL) == 0;
}

static void
examine(struct reading *r)
{
	struct mlb_buf data = MLB_BUF_INIT((size_t)1 << 30);
	struct verifying *v = r->v;
	struct mlb_digest now;

	mlb_sha256_of(&now, mlb_buf_str(&r->op.data), r->op.data.len);
	for (size_t i = 0; i < r->n; i++)
		if (!is_right(&r->at[i], &r->op.data, &data))
			note_wrong(v, &r->at[i], false);
	/* All that is asked for may be right in it all the same: told, not condemned. */
	if (!mlb_digest_equal(&now, &r->at->pack.name)) {
		struct mlb_remote_place own = *r->at;

		memset(&own.at.digest, 0, sizeof(own.at.digest));
		mlb_crew_lock(v->crew);
		mlb_vec_push(&v->wrong, own);
		v->report->bad_packs++;
		mlb_crew_unlock(v->crew);
	}
	mlb_crew_lock(v->crew);
	v->report->packs++;
	v->report->objects += r->n;
	v->report->bytes += r->op.data.len;
	mlb_crew_unlock(v->crew);
	mlb_buf_release(&data);
}

static void
landed(struct mlb_step *s)
{
	struct reading *r = (struct reading *)s;
	struct verifying *v = r->v;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = 0;

	if (r->op.op.fault == MLB_FAULT_ABSENT || r->op.op.rc == MLB_ETOOBIG)
		note_wrong(v, r->at, true);
	else if (r->op.op.rc)
		rc = mlb_transfer_error(v->t, &r->op, &err);
	else
		examine(r);
	mlb_transfer_op_release(&r->op);
	free(r);
	mlb_crew_lock(v->crew);
	if (rc && !v->rc) {
		v->rc = rc;
		v->err = err;
		err = (struct mlb_err)MLB_ERR_INIT;
	}
	v->in_flight--;
	mlb_crew_changed(v->crew);
	mlb_crew_unlock(v->crew);
	mlb_err_release(&err);
}

/* ---------------------------------------------------------- all of them, by the owner */

static void
tell_wrong(struct verifying *v)
{
	struct places wrong;

	mlb_crew_lock(v->crew);
	wrong = v->wrong;
	memset(&v->wrong, 0, sizeof(v->wrong));
	mlb_crew_unlock(v->crew);
	for (size_t i = 0; i < wrong.n && v->opt->on_bad; i++)
		v->opt->on_bad(v->opt->ctx, &wrong.v[i].at.digest, &wrong.v[i].pack.name,
			       mlb_digest_is_zero(&wrong.v[i].at.digest));
	mlb_vec_release(&wrong);
}

static int
wait_for(struct verifying *v, unsigned most, uint64_t all, struct mlb_err *err)
{
	struct mlb_transfer_progress now = { .all_bytes = all };
	int rc = 0;

	mlb_crew_lock(v->crew);
	while (v->in_flight > most && !v->rc && rc == 0) {
		mlb_crew_wait(v->crew);
		now.bytes = v->report->bytes;
		now.objects = v->report->objects;
		mlb_crew_unlock(v->crew);
		if (v->opt->tick && v->opt->tick(v->opt->ctx, &now))
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "the examination was stopped");
		mlb_crew_lock(v->crew);
	}
	if (rc == 0 && v->rc) {
		rc = v->rc;
		if (err && err->code == MLB_OK) {
			*err = v->err;
			v->err = (struct mlb_err)MLB_ERR_INIT;
		}
	}
	mlb_crew_unlock(v->crew);
	tell_wrong(v);
	return rc;
}

static void
start(struct verifying *v, size_t first, size_t n)
{
	struct reading *r = mlb_calloc(1, sizeof(*r));
	char *name;

	r->v = v;
	r->at = &v->all.v[first];
	r->n = n;
	name = mlb_transfer_pack_name(&r->at->pack.name);
	mlb_transfer_get(&r->op, v->crew, name, 0, MLB_REMOTE_TO_END, (size_t)r->at->pack.size);
	free(name);
	r->step.work = landed;
	r->op.then = &r->step;
	mlb_crew_lock(v->crew);
	v->in_flight++;
	mlb_crew_unlock(v->crew);
	mlb_transfer_submit(v->t, &r->op, MLB_SESSION_LATER);
}

static bool
is_chosen(const struct mlb_remote_verify *opt)
{
	uint32_t r = 0;

	if (!opt->percent || opt->percent >= 100 || mlb_machine_random(&r, sizeof(r), NULL) != 0)
		return true;
	return r % 100 < opt->percent;
}

static int
read_packs(struct verifying *v, struct mlb_err *err)
{
	uint64_t all = 0;
	size_t n;
	int rc = 0;

	for (size_t i = 0; i < v->all.n && rc == 0; i += n) {
		n = 1;
		while (i + n < v->all.n &&
		       mlb_digest_equal(&v->all.v[i + n].pack.name, &v->all.v[i].pack.name))
			n++;
		if (!is_chosen(v->opt))
			continue;
		all += v->all.v[i].pack.size;
		start(v, i, n);
		rc = wait_for(v, AT_ONCE, all, err);
	}
	if (rc == 0)
		rc = wait_for(v, 0, all, err);
	mlb_crew_lock(v->crew);
	while (v->in_flight)
		mlb_crew_wait(v->crew);
	mlb_crew_unlock(v->crew);
	tell_wrong(v);
	return rc;
}

int
mlb_transfer_verify(struct mlb_transfer *t, const struct mlb_remote_verify *opt,
		    struct mlb_remote_verify_report *report, struct mlb_err *err)
{
	struct verifying v = { .t = t, .opt = opt, .report = report };
	int rc;

	memset(report, 0, sizeof(*report));
	if (!t->view)
		return 0;
	mlb_remote_view_each(t->view, take_place, &v.all);
	if (v.all.n)
		qsort(v.all.v, v.all.n, sizeof(*v.all.v), by_pack);
	v.crew = mlb_crew_new(t->threads);
	rc = read_packs(&v, err);
	mlb_crew_free(v.crew);
	mlb_vec_release(&v.all);
	mlb_vec_release(&v.wrong);
	mlb_err_release(&v.err);
	return rc;
}
