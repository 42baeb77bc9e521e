/* Collecting on a remote: what goes, what is set apart, and what becomes one. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/transfer_gc.h"

#define MERGE_FROM 8        /* files that are worth merging */
#define SMALL_ENTRIES 70000 /* of an index: a larger one stays, unless it tells of what goes */
#define SEGMENT_BYTES (16 * MLB_MIB) /* of a merged segment, uncompressed */

/* ---------------------------------------------------------- deleting, putting */

static int
delete_all(struct mlb_rgc *g, const struct mlb_strvec *names, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < names->n && rc == 0; i += MLB_REMOTE_BATCH) {
		struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE };

		op.names = (const char *const *)(void *)(names->v + i);
		op.n_names = MLB_MIN(names->n - i, (size_t)MLB_REMOTE_BATCH);
		rc = mlb_session_run(g->t->session, &op, NULL, err);
		mlb_err_release(&op.err);
		if (rc == 0)
			rc = mlb_rgc_tick(g, err);
	}
	return rc;
}

/* Takes the bytes. */
static int
put(struct mlb_rgc *g, const char *name, struct mlb_buf *bytes, struct mlb_err *err)
{
	struct mlb_transfer_op o;
	struct mlb_digest d;
	int rc;

	mlb_sha256_of(&d, mlb_buf_str(bytes), bytes->len);
	mlb_transfer_put(&o, g->crew, name, bytes, &d);
	rc = mlb_transfer_run(g->t, &o, MLB_SESSION_SOON, err);
	mlb_transfer_op_release(&o);
	return rc;
}

/* Under the name that it has by its digest, which is added to `made`. */
static int
put_named(struct mlb_rgc *g, const char *dir, const char *suffix, struct mlb_buf *bytes,
	  struct mlb_strvec *made, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1], *name;
	struct mlb_digest d;
	int rc;

	mlb_sha256_of(&d, mlb_buf_str(bytes), bytes->len);
	mlb_digest_hex(hex, &d);
	name = mlb_asprintf("%s/%s%s", dir, hex, suffix);
	rc = put(g, name, bytes, err);
	mlb_strvec_push(made, name);
	free(name);
	return rc;
}

/* Those of `old` that are not among `made`. */
static int
delete_old(struct mlb_rgc *g, const struct mlb_strvec *old, const struct mlb_strvec *made,
	   struct mlb_err *err)
{
	struct mlb_strvec names = MLB_VEC_INIT;
	int rc;

	for (size_t i = 0; i < old->n; i++)
		if (!mlb_strvec_has(made, old->v[i]))
			mlb_strvec_push(&names, old->v[i]);
	if (old->n > made->n)
		g->report->merged += old->n - made->n;
	rc = delete_all(g, &names, err);
	mlb_strvec_release(&names);
	return rc;
}

/* ---------------------------------------------------------- fates */

static void
decide(struct mlb_rgc *g, struct mlb_rgc_pack *p)
{
	struct mlb_remote_gc_report *r = g->report;
	int64_t due;

	if (p->live) {
		r->rescued += p->list != 0;
		r->dead_bytes += p->size > p->live ? p->size - p->live : 0;
	} else if (p->list && p->is_old && g->now - p->mtime > (int64_t)g->guard) {
		p->goes = true;
		r->removed++;
		r->removed_bytes += p->size;
	} else if (p->list) {
		r->waiting++;
		r->waiting_bytes += p->size;
		due = g->list.v[p->list - 1].mtime + (int64_t)g->guard + 1;
		r->next = r->next ? MLB_MIN(r->next, due) : due;
	} else if (g->now - p->mtime > (int64_t)g->guard && p->mtime < g->first_push) {
		r->condemned++;
		r->condemned_bytes += p->size;
		due = g->now + (int64_t)g->guard + 1;
		r->next = r->next ? MLB_MIN(r->next, due) : due;
	} else {
		r->young++;
	}
}

static bool
is_condemned_now(const struct mlb_rgc *g, const struct mlb_rgc_pack *p)
{
	return !p->live && !p->list && g->now - p->mtime > (int64_t)g->guard &&
	       p->mtime < g->first_push;
}

static const struct mlb_rgc_pack *
find_pack(const struct mlb_rgc *g, const struct mlb_digest *name)
{
	struct mlb_strmap_entry *e =
		mlb_strmap_find(&g->by_name, (const char *)name->b, MLB_DIGEST_LEN);

	return e ? &g->pack.v[e->u.num - 1] : NULL;
}

/* ---------------------------------------------------------- indexes */

struct merging {
	struct mlb_rgc *g;
	struct mlb_strvec old, made;
	struct mlb_digest_set packs; /* that were told of */
	struct mlb_remote_index_writer w;
	bool any_goes, only_count;
	int rc;
	struct mlb_err *err;
};

static bool
tells_of_what_goes(const struct mlb_rgc *g, const struct mlb_remote_index *x)
{
	for (size_t i = 0; i < x->n_packs; i++) {
		struct mlb_remote_pack p = mlb_remote_index_pack(x, i);
		const struct mlb_rgc_pack *own = find_pack(g, &p.name);

		if (own && own->goes)
			return true;
	}
	return false;
}

static int
flush_index(struct merging *m)
{
	struct mlb_buf bytes = MLB_BUF_INIT(8 * MLB_REMOTE_INDEX_MAX);
	int rc = 0;

	if (m->w.pack.n) {
		mlb_remote_index_write(&bytes, &m->w);
		rc = mlb_buf_check(&bytes, "an index of a remote", m->err);
		if (rc == 0)
			rc = put_named(m->g, "index", ".idx", &bytes, &m->made, m->err);
	}
	mlb_buf_release(&bytes);
	mlb_remote_index_writer_release(&m->w);
	return rc;
}

/* Packs of one index, but those that go, or were told of. */
static int
take_index(struct merging *m, const struct mlb_remote_index *x)
{
	struct mlb_remote_entries *of = mlb_calloc(x->n_packs + 1, sizeof(*of));
	struct mlb_remote_entry_at e;
	int rc = 0;

	for (size_t i = 0; i < x->n; i++)
		if (mlb_remote_index_entry(x, i, &e))
			mlb_vec_push(&of[e.pack], e);
	for (size_t i = 0; i < x->n_packs && rc == 0; i++) {
		struct mlb_remote_pack p = mlb_remote_index_pack(x, i);
		const struct mlb_rgc_pack *own = find_pack(m->g, &p.name);

		if ((own && own->goes) || !mlb_digest_set_add(&m->packs, &p.name))
			continue;
		if (m->w.pack.n && m->w.entry.n + of[i].n > MLB_REMOTE_INDEX_ENTRIES)
			rc = flush_index(m);
		mlb_remote_index_add(&m->w, &p, of[i].v, of[i].n);
	}
	for (size_t i = 0; i < x->n_packs; i++)
		mlb_vec_release(&of[i]);
	free(of);
	return rc;
}

static int
consider_index(void *ctx, const char *name, const struct mlb_remote_index *x)
{
	struct merging *m = ctx;
	bool goes = tells_of_what_goes(m->g, x);

	if (!goes && x->n >= SMALL_ENTRIES)
		return 0;
	m->any_goes |= goes;
	if (m->only_count) {
		char *path = mlb_asprintf("index/%s", name);

		mlb_strvec_push(&m->old, path);
		free(path);
		return 0;
	}
	m->rc = take_index(m, x);
	return m->rc;
}

static int
merge_indexes(struct mlb_rgc *g, struct mlb_err *err)
{
	struct merging m = { .g = g, .only_count = true, .err = err };

	mlb_remote_view_each_index(g->t->view, consider_index, &m);
	if (m.any_goes || m.old.n >= MERGE_FROM) {
		m.only_count = false;
		mlb_remote_view_each_index(g->t->view, consider_index, &m);
		if (m.rc == 0)
			m.rc = flush_index(&m);
		if (m.rc == 0)
			m.rc = delete_old(g, &m.old, &m.made, err);
	}
	mlb_remote_index_writer_release(&m.w);
	mlb_digest_set_release(&m.packs);
	mlb_strvec_release(&m.made);
	mlb_strvec_release(&m.old);
	return m.rc;
}

/* ---------------------------------------------------------- segments */

static int
flush_segment(struct mlb_rgc *g, struct mlb_segment_writer *w, struct mlb_strvec *made,
	      struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(2 * MLB_SEGMENT_MAX);
	int rc = w->slot.n ? mlb_segment_write(&bytes, w, err) : 0;

	if (rc == 0 && w->slot.n)
		rc = put_named(g, "actions", ".seg", &bytes, made, err);
	mlb_buf_release(&bytes);
	mlb_segment_writer_release(w);
	mlb_segment_writer_init(w);
	return rc;
}

static int
note_segment(void *ctx, const char *name)
{
	char *path = mlb_asprintf("actions/%s", name);

	mlb_strvec_push(ctx, path);
	free(path);
	return 0;
}

static int
merge_segments(struct mlb_rgc *g, struct mlb_err *err)
{
	struct mlb_strvec old = MLB_VEC_INIT, made = MLB_VEC_INIT;
	struct mlb_segment_writer w;
	int rc = 0;

	mlb_segment_writer_init(&w);
	mlb_remote_view_each_segment(g->t->view, note_segment, &old);
	if (old.n >= MERGE_FROM || g->report->records_removed) {
		for (size_t i = 0; i < g->record.n && rc == 0; i++) {
			if (w.body.len >= SEGMENT_BYTES)
				rc = flush_segment(g, &w, &made, err);
			if (rc == 0)
				mlb_segment_add(&w, &g->record.v[i].r);
		}
		if (rc == 0)
			rc = flush_segment(g, &w, &made, err);
		if (rc == 0)
			rc = delete_old(g, &old, &made, err);
	}
	mlb_segment_writer_release(&w);
	mlb_strvec_release(&made);
	mlb_strvec_release(&old);
	return rc;
}

/* ---------------------------------------------------------- packs and lists */

static int
remove_packs(struct mlb_rgc *g, struct mlb_err *err)
{
	struct mlb_strvec names = MLB_VEC_INIT;
	int rc;

	for (size_t i = 0; i < g->pack.n; i++)
		if (g->pack.v[i].goes) {
			char *name = mlb_transfer_pack_name(&g->pack.v[i].name);

			mlb_strvec_push(&names, name);
			free(name);
		}
	rc = delete_all(g, &names, err);
	mlb_strvec_release(&names);
	return rc;
}

static int
put_list(struct mlb_rgc *g, const char *name, const struct mlb_remote_packs *packs,
	 struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_REMOTE_LEASE_MAX);
	int rc;

	mlb_remote_condemned_format(&text, packs);
	rc = mlb_buf_check(&text, "a list of condemned packs", err);
	if (rc == 0)
		rc = put(g, name, &text, err);
	mlb_buf_release(&text);
	return rc;
}

/* What of a list still waits. One that is written anew waits a guard from now on. */
static int
renew_list(struct mlb_rgc *g, const struct mlb_rgc_list *l, struct mlb_err *err)
{
	struct mlb_remote_packs left = MLB_VEC_INIT;
	struct mlb_strvec gone = MLB_VEC_INIT;
	int rc = 0;

	for (size_t i = 0; i < l->pack.n; i++) {
		const struct mlb_rgc_pack *p = find_pack(g, &l->pack.v[i]);

		if (p && !p->goes && !p->live)
			mlb_vec_push(&left, l->pack.v[i]);
	}
	if (!left.n && (!l->damaged || g->now - l->mtime > (int64_t)g->guard)) {
		mlb_strvec_push(&gone, l->name);
		rc = delete_all(g, &gone, err);
	} else if (left.n < l->pack.n) {
		rc = put_list(g, l->name, &left, err);
	}
	mlb_strvec_release(&gone);
	mlb_vec_release(&left);
	return rc;
}

static int
condemn(struct mlb_rgc *g, struct mlb_err *err)
{
	struct mlb_remote_packs packs = MLB_VEC_INIT;
	char *name = NULL;
	int rc = 0;

	for (size_t i = 0; i < g->pack.n; i++)
		if (is_condemned_now(g, &g->pack.v[i]))
			mlb_vec_push(&packs, g->pack.v[i].name);
	if (packs.n)
		rc = mlb_remote_lease_name(&name, MLB_LEASE_CONDEMNED, err);
	if (rc == 0 && packs.n)
		rc = put_list(g, name, &packs, err);
	mlb_vec_release(&packs);
	free(name);
	return rc;
}

int
mlb_rgc_sweep(struct mlb_rgc *g, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < g->pack.n; i++)
		decide(g, &g->pack.v[i]);
	if (g->opt->dry_run)
		return 0;
	rc = merge_indexes(g, err);
	if (rc == 0)
		rc = remove_packs(g, err);
	if (rc == 0)
		rc = merge_segments(g, err);
	for (size_t i = 0; i < g->list.n && rc == 0; i++)
		rc = renew_list(g, &g->list.v[i], err);
	if (rc == 0)
		rc = condemn(g, err);
	if (rc == 0)
		rc = delete_all(g, &g->dead_leases, err);
	return rc ? rc : mlb_transfer_refresh(g->t, NULL, err);
}
