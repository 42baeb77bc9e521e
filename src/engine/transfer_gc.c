/*
 * Collecting on a remote, while others push, fetch and look things up.
 *
 * The guard is a span of time by the server's clock, usually a day. A pack is needed if
 * a root or a record that is kept leads to an object in it.
 *
 *  1. A pack that is not needed is condemned first: a list in leases/ names it. A later
 *     collection removes it, a guard after that list was written at the earliest, and
 *     only if it is not needed then.
 *  2. Only packs older than the guard are condemned, and none that came since the first
 *     push began that goes on: those may not have told of them yet.
 *  3. A push takes a lease, then reads the lists, then the indexes, and counts what is
 *     in condemned packs as absent. If half a guard has passed since it read the lists,
 *     it does so again before it writes records and roots.
 *  4. So a push that relies on a pack either read the lists after it was condemned, and
 *     then relies on it no more; or it read them before, and what it wrote is there half
 *     a guard later. The collection that removes comes a guard later, reads roots and
 *     records, and finds the pack needed. Then the list is written without it.
 *  5. A push that read the lists after one was removed reads indexes written before that:
 *     they do not tell of removed packs any more. So the order of removing is: new
 *     indexes, old ones, packs, lists.
 *  6. A push's lease counts as long as it is younger than the guard; it is renewed four
 *     times as often. One that lost its lease, because its machine slept, looks again
 *     by 3 before it writes anything that names objects.
 *  7. One collection at a time: it makes leases/collector.txt, if that is absent. One
 *     that died is over a guard later. A collection that took half a guard itself stops
 *     before it removes anything.
 *  8. Segments and indexes are merged: the new one first, then the old ones go. A reader
 *     that finds one gone which its listing had lists once more.
 *  9. What cannot be read, and may say that something is needed, ends the collection
 *     before anything is removed: a clone's roots, a node that is there and is damaged.
 *     An object that is not there at all needs nothing.
 */
#include "engine/transfer_gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"

#define COLLECTOR "leases/collector.txt"
#define NS INT64_C(1000000000)

int
mlb_rgc_tick(struct mlb_rgc *g, struct mlb_err *err)
{
	const struct mlb_transfer_progress none = { 0 };

	if (g->opt->tick && g->opt->tick(g->opt->ctx, &none))
		return mlb_err_set(err, MLB_EINTERRUPTED, "the collection was stopped");
	return 0;
}

int
mlb_rgc_get(struct mlb_rgc *g, struct mlb_buf *out, const char *name, size_t most,
	    struct mlb_err *err)
{
	struct mlb_transfer_op o;
	int rc;

	mlb_transfer_get(&o, g->crew, name, 0, MLB_REMOTE_TO_END, most);
	rc = mlb_transfer_run(g->t, &o, MLB_SESSION_SOON, err);
	if (rc && o.op.fault == MLB_FAULT_ABSENT)
		rc = MLB_ENOTFOUND;
	if (rc == 0) {
		mlb_buf_release(out);
		*out = o.data;
		memset(&o.data, 0, sizeof(o.data));
	}
	mlb_transfer_op_release(&o);
	return rc;
}

/* ---------------------------------------------------------- one at a time */

static void
unlock(struct mlb_rgc *g)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE };
	const char *const name = COLLECTOR;

	op.names = &name;
	op.n_names = 1;
	mlb_session_run(g->t->session, &op, NULL, NULL);
	mlb_err_release(&op.err);
}

/* *mtime is when it was made, by the server. */
static int
try_lock(struct mlb_rgc *g, int64_t *mtime, bool *exists, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	struct mlb_transfer_op o;
	int rc;

	mlb_buf_adds(&text, "somebody collects\n");
	mlb_transfer_put(&o, g->crew, COLLECTOR, &text, NULL);
	o.op.if_absent = true;
	rc = mlb_transfer_run(g->t, &o, MLB_SESSION_SOON, err);
	*exists = o.op.fault == MLB_FAULT_EXISTS;
	*mtime = o.op.mtime;
	mlb_transfer_op_release(&o);
	return rc;
}

/* What a file of leases/ is by the server's clock; 0: it is not there. */
static int
time_of(struct mlb_rgc *g, const char *name, int64_t *mtime, struct mlb_err *err)
{
	struct mlb_transfer_list l;
	int rc;

	*mtime = 0;
	mlb_transfer_list_init(&l, g->crew, "leases");
	rc = mlb_transfer_run(g->t, &l.o, MLB_SESSION_SOON, err);
	for (size_t i = 0; i < l.entry.n && rc == 0; i++)
		if (strcmp(l.entry.v[i].name, strchr(name, '/') + 1) == 0)
			*mtime = l.entry.v[i].mtime;
	mlb_transfer_list_release(&l);
	return rc;
}

/* The server's clock is read off a file that is written for that. */
static int
read_clock(struct mlb_rgc *g, int64_t *now, struct mlb_err *err)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE };
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	struct mlb_transfer_op o;
	const char *const name = "leases/clock.txt";
	int rc;

	mlb_buf_adds(&text, "now\n");
	mlb_transfer_put(&o, g->crew, name, &text, NULL);
	rc = mlb_transfer_run(g->t, &o, MLB_SESSION_SOON, err);
	if (rc == 0)
		rc = time_of(g, name, now, err);
	if (rc == 0 && !*now)
		rc = mlb_err_set(err, MLB_EREMOTE,
				 "remote '%s' does not say when its files were written: nothing "
				 "can be collected there",
				 mlb_session_name(g->t->session));
	mlb_transfer_op_release(&o);
	op.names = &name;
	op.n_names = 1;
	mlb_session_run(g->t->session, &op, NULL, NULL);
	mlb_err_release(&op.err);
	return rc;
}

static int
lock(struct mlb_rgc *g, struct mlb_err *err)
{
	int64_t made = 0, now = 0;
	bool exists;
	int rc = try_lock(g, &made, &exists, err);

	if (!exists)
		return rc;
	mlb_err_release(err);
	rc = time_of(g, COLLECTOR, &made, err);
	if (rc == 0)
		rc = read_clock(g, &now, err);
	if (rc)
		return rc;
	if (made && now - made <= (int64_t)g->guard)
		return mlb_err_set(
			err, MLB_EEXISTS,
			"somebody collects in remote '%s' since %lld s: wait for that; if it "
			"died, it counts as over %lld s from now",
			mlb_session_name(g->t->session), (long long)(now - made),
			(long long)(made + (int64_t)g->guard - now));
	unlock(g);
	return try_lock(g, &made, &exists, err);
}

/* ---------------------------------------------------------- what is there */

static int
read_lease(struct mlb_rgc *g, const struct mlb_transfer_entry *e, const char *path,
	   struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	int64_t start = 0;
	int rc;

	/* Over: whoever held it looks again before it relies on anything. */
	if (g->now - e->mtime > (int64_t)g->guard) {
		mlb_strvec_push(&g->dead_leases, path);
		return 0;
	}
	rc = mlb_rgc_get(g, &text, path, MLB_REMOTE_LEASE_MAX, err);
	if (rc == 0) {
		mlb_remote_lease_parse(&start, mlb_buf_str(&text), text.len, NULL);
		g->first_push = MLB_MIN(g->first_push, start ? start : e->mtime);
		g->report->pushes++;
	} else if (rc == MLB_ENOTFOUND) {
		mlb_err_release(err);
		rc = 0;
	}
	mlb_buf_release(&text);
	return rc;
}

static int
read_list(struct mlb_rgc *g, const struct mlb_transfer_entry *e, const char *path,
	  struct mlb_err *err)
{
	struct mlb_rgc_list l = { .name = mlb_strdup(path), .mtime = e->mtime };
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	int rc = mlb_rgc_get(g, &text, path, MLB_REMOTE_LEASE_MAX, err);

	if (rc == 0)
		l.damaged = mlb_remote_condemned_parse(&l.pack, mlb_buf_str(&text), text.len,
						       NULL) != 0;
	mlb_buf_release(&text);
	if (rc) {
		free(l.name);
		return rc;
	}
	mlb_vec_push(&g->list, l);
	return 0;
}

static int
read_leases(struct mlb_rgc *g, struct mlb_err *err)
{
	struct mlb_transfer_list l;
	int rc;

	mlb_transfer_list_init(&l, g->crew, "leases");
	rc = mlb_transfer_run(g->t, &l.o, MLB_SESSION_SOON, err);
	for (size_t i = 0; i < l.entry.n && rc == 0; i++) {
		enum mlb_remote_lease kind = mlb_remote_lease_kind(l.entry.v[i].name);
		char *path = mlb_asprintf("leases/%s", l.entry.v[i].name);

		if (kind == MLB_LEASE_PUSH)
			rc = read_lease(g, &l.entry.v[i], path, err);
		else if (kind == MLB_LEASE_CONDEMNED)
			rc = read_list(g, &l.entry.v[i], path, err);
		free(path);
	}
	mlb_transfer_list_release(&l);
	return rc;
}

static void
take_packs(struct mlb_rgc *g)
{
	for (size_t i = 0; i < g->packs.entry.n; i++) {
		const struct mlb_transfer_entry *e = &g->packs.entry.v[i];
		struct mlb_rgc_pack p = { .size = e->size, .mtime = e->mtime };

		if (strlen(e->name) == MLB_HEX_LEN + 5 &&
		    mlb_digest_parse(&p.name, e->name, MLB_HEX_LEN))
			mlb_vec_push(&g->pack, p);
	}
	for (size_t i = 0; i < g->pack.n; i++) {
		mlb_strmap_add(&g->by_name, (const char *)g->pack.v[i].name.b, MLB_DIGEST_LEN, NULL)
			->u.num = i + 1;
		g->report->packs++;
		g->report->bytes += g->pack.v[i].size;
	}
	for (size_t i = 0; i < g->list.n; i++)
		for (size_t k = 0; k < g->list.v[i].pack.n; k++) {
			const struct mlb_digest *d = &g->list.v[i].pack.v[k];
			struct mlb_strmap_entry *e =
				mlb_strmap_find(&g->by_name, (const char *)d->b, MLB_DIGEST_LEN);

			mlb_digest_set_add(&g->condemned, d);
			if (!e || g->pack.v[e->u.num - 1].list)
				continue;
			g->pack.v[e->u.num - 1].list = (uint32_t)i + 1;
			g->pack.v[e->u.num - 1].is_old = g->now - g->list.v[i].mtime >
							 (int64_t)g->guard;
		}
}

/* Leases and lists before all else: whoever began before them is seen by what it wrote. */
static int
read_all(struct mlb_rgc *g, struct mlb_err *err)
{
	int rc = read_clock(g, &g->now, err);

	if (rc == 0)
		rc = read_leases(g, err);
	if (rc == 0)
		rc = mlb_transfer_run(g->t, &g->packs.o, MLB_SESSION_SOON, err);
	/* What came since is in the view too: more is needed by it, never less. */
	if (rc == 0)
		rc = mlb_transfer_refresh(g->t, NULL, err);
	if (rc == 0)
		take_packs(g);
	return rc;
}

static void
release(struct mlb_rgc *g)
{
	for (size_t i = 0; i < g->list.n; i++) {
		free(g->list.v[i].name);
		mlb_vec_release(&g->list.v[i].pack);
	}
	mlb_vec_release(&g->list);
	mlb_vec_release(&g->pack);
	mlb_strmap_release(&g->by_name);
	mlb_digest_set_release(&g->condemned);
	mlb_digest_set_release(&g->key);
	mlb_digest_set_release(&g->object);
	mlb_digest_set_release(&g->node);
	mlb_digest_set_release(&g->table);
	mlb_vec_release(&g->nodes);
	mlb_vec_release(&g->tables);
	mlb_vec_release(&g->lists);
	mlb_vec_release(&g->record);
	mlb_arena_release(&g->arena);
	mlb_strvec_release(&g->dead_leases);
	mlb_transfer_list_release(&g->packs);
	mlb_crew_free(g->crew);
}

int
mlb_transfer_gc(struct mlb_transfer *t, const struct mlb_remote_gc *gc,
		struct mlb_remote_gc_report *report, struct mlb_err *err)
{
	struct mlb_rgc g = { .t = t,
			     .opt = gc,
			     .report = report,
			     .guard = gc->guard ? gc->guard : MLB_REMOTE_GUARD,
			     .first_push = INT64_MAX,
			     .by_name = MLB_STRMAP_INIT,
			     .arena = MLB_ARENA_INIT };
	int64_t began = mlb_clock_wall();
	int rc;

	memset(report, 0, sizeof(*report));
	if (!t->view)
		return 0; /* nobody has pushed to it */
	g.crew = mlb_crew_new(1);
	mlb_transfer_list_init(&g.packs, g.crew, "packs");
	rc = lock(&g, err);
	if (rc == 0) {
		rc = read_all(&g, err);
		if (rc == 0)
			rc = mlb_rgc_mark(&g, err);
		if (rc == 0 && mlb_clock_wall() - began > (int64_t)(g.guard / 2) * NS)
			rc = mlb_err_set(
				err, MLB_EREMOTE,
				"collecting in remote '%s' took too long for anything to be "
				"removed safely: try again on a faster line",
				mlb_session_name(t->session));
		if (rc == 0)
			rc = mlb_rgc_sweep(&g, err);
		unlock(&g);
	}
	release(&g);
	return rc;
}
