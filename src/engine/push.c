#include "engine/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/machine.h"
#include "store/tree.h"

#define MAX_NODE ((size_t)1 << 30)

/* ---------------------------------------------------------- who it is */

static int
make_remote(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_REMOTE_META_MAX);
	struct mlb_transfer *t = p->t;
	struct mlb_remote_meta meta;
	struct mlb_transfer_op o;
	int rc = mlb_remote_meta_new(&meta, err);
	bool exists;

	if (rc)
		return rc;
	mlb_remote_meta_format(&text, &meta);
	mlb_transfer_put(&o, p->crew, MLB_REMOTE_META, &text, NULL);
	o.op.if_absent = true;
	rc = mlb_transfer_run(t, &o, MLB_SESSION_SOON, err);
	exists = o.op.fault == MLB_FAULT_EXISTS;
	mlb_transfer_op_release(&o);
	if (exists) { /* somebody's first push is going on as well */
		mlb_err_release(err);
		return mlb_transfer_refresh(t, NULL, err);
	}
	if (rc == 0)
		t->meta = meta;
	return rc ? rc : mlb_transfer_open_view(t, err);
}

/* ---------------------------------------------------------- what an interrupted push sent */

struct resuming {
	struct mlb_pushing *p;
	struct mlb_digest_set there;
};

static bool
is_there(void *ctx, const struct mlb_digest *pack)
{
	const struct resuming *r = ctx;

	return mlb_digest_set_has(&r->there, pack) && !mlb_digest_set_has(&r->p->condemned, pack);
}

static int
take_index(void *ctx, const struct mlb_remote_index *x)
{
	struct mlb_pushing *p = ((struct resuming *)ctx)->p;
	const struct mlb_remote_pack pack = mlb_remote_index_pack(x, 0);
	struct mlb_remote_entries entries = MLB_VEC_INIT;
	struct mlb_remote_entry_at e;

	for (size_t i = 0; i < x->n; i++)
		if (mlb_remote_index_entry(x, i, &e))
			mlb_vec_push(&entries, e);
	mlb_remote_index_add(&p->index, &pack, entries.v, entries.n);
	p->report->resumed += entries.n;
	mlb_vec_release(&entries);
	return 0;
}

static int
resume(struct mlb_pushing *p, struct mlb_err *err)
{
	struct resuming r = { .p = p };
	struct mlb_transfer_list l;
	int rc;

	if (!mlb_remote_view_any_sent(p->t->view))
		return 0;
	mlb_transfer_list_init(&l, p->crew, "packs");
	rc = mlb_transfer_run(p->t, &l.o, MLB_SESSION_SOON, err);
	for (size_t i = 0; i < l.entry.n && rc == 0; i++) {
		struct mlb_digest d;

		if (strlen(l.entry.v[i].name) == MLB_HEX_LEN + 5 &&
		    mlb_digest_parse(&d, l.entry.v[i].name, MLB_HEX_LEN))
			mlb_digest_set_add(&r.there, &d);
	}
	if (rc == 0)
		rc = mlb_remote_view_resume(p->t->view, is_there, take_index, &r);
	mlb_digest_set_release(&r.there);
	mlb_transfer_list_release(&l);
	return rc;
}

/* ---------------------------------------------------------- is all of it there? */

struct checking {
	struct mlb_pushing *p;
	struct mlb_push_digests todo;
	struct mlb_digest_set seen;
	bool all;
};

static int
check_entry(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct checking *c = ctx;

	(void)err;
	if (e->kind == MLB_T_DIR)
		mlb_vec_push(&c->todo, e->digest);
	else if (!mlb_push_is_there(c->p, &e->digest))
		c->all = false;
	return 0;
}

static void
check_node(struct checking *c, const struct mlb_digest *digest)
{
	struct mlb_buf data = MLB_BUF_INIT(MAX_NODE);

	c->all = mlb_push_is_there(c->p, digest) &&
		 mlb_cas_read(c->p->t->cas, &data, digest, NULL) == 0 &&
		 mlb_tree_below(mlb_buf_str(&data), data.len, check_entry, c, NULL) == 0 && c->all;
	mlb_buf_release(&data);
}

bool
mlb_push_has_all(struct mlb_pushing *p, const struct mlb_digest *digest, bool is_tree)
{
	struct checking c = { .p = p, .all = true };

	if (!mlb_push_is_there(p, digest))
		return false;
	/* Nothing was missing here: what is below was sent, or was there. */
	if (!is_tree || !p->missing.n)
		return true;
	mlb_vec_push(&c.todo, *digest);
	while (c.all && c.todo.n) {
		struct mlb_digest d = c.todo.v[--c.todo.n];

		if (mlb_digest_set_add(&c.seen, &d))
			check_node(&c, &d);
	}
	mlb_vec_release(&c.todo);
	mlb_digest_set_release(&c.seen);
	return c.all;
}

/* ---------------------------------------------------------- all of it */

static unsigned
most_in_flight(const struct mlb_transfer *t)
{
	uint64_t fit = mlb_machine_memory() / 16 / (2 * MLB_PUSH_PACK);

	return (unsigned)MLB_MIN(MLB_MAX(fit, 2U), t->threads + 6U);
}

static int
send_all(struct mlb_pushing *p, struct mlb_err *err)
{
	int rc = mlb_push_small(p, err);

	if (rc == 0 && p->large.n)
		rc = mlb_push_large(p, err);
	if (rc == 0)
		rc = mlb_push_send_rest(p, err);
	if (rc == 0)
		rc = mlb_push_wait(p, err);
	mlb_push_drain(p);
	return rc;
}

/* Which remote it is, that this goes on there, and what is there after that. */
static int
begin(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_transfer *t = p->t;
	int rc = t->refreshed && !p->push->dry_run ? 0 : mlb_transfer_refresh(t, NULL, err);

	if (rc || p->push->dry_run)
		return rc;
	if (!t->view)
		rc = make_remote(p, err);
	if (rc == 0)
		rc = mlb_push_look(p, err);
	if (rc == 0)
		rc = mlb_transfer_refresh(t, NULL, err);
	return rc ? rc : resume(p, err);
}

static int
try_all(struct mlb_pushing *p, struct mlb_err *err)
{
	int told, rc = begin(p, err);

	if (rc == 0)
		rc = mlb_push_gather(p, err);
	if (rc || p->push->dry_run)
		return rc;
	rc = send_all(p, err);
	/* What arrived counts, whatever ended the rest. */
	told = mlb_push_index(p, rc ? NULL : err);
	return rc ? rc : told;
}

static int
push_all(struct mlb_pushing *p, struct mlb_err *err)
{
	int rc = try_all(p, err);

	if (p->push->dry_run) {
		p->report->sent_objects = p->nodes.n + p->files.n + p->large.n;
		p->report->sent = p->planned;
		p->report->records = p->keys.n;
		return rc;
	}
	while (rc == 0 && mlb_push_took_long(p))
		rc = try_all(p, err);
	if (rc == 0)
		rc = mlb_push_records(p, err);
	return rc ? rc : mlb_push_needs(p, err);
}

static void
tell_missing(struct mlb_pushing *p)
{
	struct mlb_digest_set told = { 0 };

	for (size_t i = 0; i < p->missing.n; i++)
		if (mlb_digest_set_add(&told, &p->missing.v[i])) {
			p->report->missing++;
			if (p->push->on_missing)
				p->push->on_missing(p->push->ctx, &p->missing.v[i]);
		}
	mlb_digest_set_release(&told);
}

static void
release(struct mlb_pushing *p)
{
	mlb_crew_free(p->crew);
	mlb_digest_set_release(&p->node);
	mlb_digest_set_release(&p->object);
	mlb_digest_set_release(&p->key);
	mlb_digest_set_release(&p->claimed);
	mlb_digest_set_release(&p->condemned);
	mlb_vec_release(&p->nodes);
	mlb_vec_release(&p->files);
	mlb_vec_release(&p->large);
	mlb_vec_release(&p->keys);
	mlb_vec_release(&p->missing);
	mlb_remote_index_writer_release(&p->index);
	if (p->has_rest)
		mlb_remote_packing_release(&p->rest);
	mlb_err_release(&p->err);
}

int
mlb_transfer_push(struct mlb_transfer *t, const struct mlb_push *push,
		  struct mlb_push_report *report, struct mlb_err *err)
{
	struct mlb_pushing p = { .t = t,
				 .push = push,
				 .report = report,
				 .guard = push->guard ? push->guard : MLB_REMOTE_GUARD,
				 .most = most_in_flight(t) };
	struct mlb_session_stats stats;
	int rc;

	memset(report, 0, sizeof(*report));
	mlb_session_stats(t->session, &stats);
	p.sent_before = stats.sent;
	p.crew = mlb_crew_new(t->threads);
	rc = push_all(&p, err);
	mlb_push_leave(&p);
	tell_missing(&p);
	release(&p);
	return rc;
}
