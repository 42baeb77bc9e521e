/* mlb_fetch: what locks name, from remotes into the cache. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/exchange.h"

struct fetch {
	struct mlb_exchange_run run; /* first: what a tick gets is this */
	MLB_VEC(struct mlb_fetch_want) want;
	MLB_VEC(struct mlb_digest) key; /* of the results that these belong to */
};

/* The remotes to ask, as a range of p->remotes->use. */
static int
choose(struct fetch *s, size_t *first, size_t *end, struct mlb_err *err)
{
	struct mlb_remotes *r = s->run.p->remotes;
	struct mlb_remote_use *u = NULL;
	int rc;

	*first = 0;
	*end = r->use.n;
	if (!s->run.x->remote)
		return 0;
	rc = mlb_remotes_named(&u, r, s->run.x->remote, err);
	if (rc == 0 && !u->read)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "[remote %s] has read = no: nothing is fetched from there",
				 u->name);
	for (size_t i = 0; rc == 0 && i < r->use.n; i++)
		if (r->use.v[i] == u) {
			*first = i;
			*end = i + 1;
		}
	return rc;
}

/* Those that answer; an error only where none does. */
static int
ask(struct fetch *s, size_t first, size_t end, struct mlb_err *err)
{
	struct mlb_remotes *r = s->run.p->remotes;
	struct mlb_buf names = MLB_BUF_INIT(MLB_MIB);
	size_t ready = 0, bad = end;

	if (s->run.x->remote) {
		struct mlb_remote_use *u = r->use.v[first];

		u->asked = true;
		u->ready = mlb_transfer_refresh(u->transfer, &u->fault, &u->err) == 0;
	} else {
		mlb_remotes_ask(r, false);
	}
	for (size_t i = first; i < end; i++) {
		struct mlb_remote_use *u = r->use.v[i];

		if (!u->read)
			continue;
		if (u->ready) {
			mlb_buf_addf(&names, "%s%s (%s)", ready++ ? ", " : "", u->name, u->url);
			continue;
		}
		bad = bad == end ? i : bad;
		if (end - first > 1)
			mlb_exchange_note(&s->run, "going on without the remote '%s': %s", u->name,
					  u->err.text ? u->err.text : "it does not answer");
	}
	s->run.report->remote = mlb_buf_detach(&names);
	if (ready)
		return 0;
	if (bad < end)
		return mlb_exchange_unusable(r->use.v[bad], err);
	return mlb_err_set(err, MLB_EINVALID, "no remote may be read from: all have read = no");
}

/* ---------------------------------------------------------- what is wanted */

static void
want(struct fetch *s, const struct mlb_digest *digest, bool is_tree, void *ctx)
{
	struct mlb_fetch_want w = { .digest = *digest, .is_tree = is_tree, .ctx = ctx };

	mlb_vec_push(&s->want, w);
}

/* Tables that cannot be read yet; their rows are known once they are here. */
static int
want_tables(void *ctx, struct mlb_locked_list *list, const uint8_t *mark, struct mlb_err *err)
{
	struct fetch *s = ctx;

	(void)err;
	for (size_t i = 0; i < list->all.n; i++)
		if (mark[i] && !list->all.v[i].path)
			want(s, &list->all.v[i].digest, false, NULL);
	return 0;
}

static int
want_outputs(void *ctx, struct mlb_locked_list *list, const uint8_t *mark, struct mlb_err *err)
{
	struct fetch *s = ctx;
	const char *base = "";

	(void)err;
	for (size_t i = 0; i < list->all.n; i++) {
		const struct mlb_locked *l = &list->all.v[i];
		const struct mlb_lock_block *b;

		if (!mark[i])
			continue;
		if (l->path)
			want(s, &l->digest, l->okind == MLB_O_TREE, NULL);
		if (strcmp(l->base, base) == 0)
			continue;
		base = l->base;
		b = mlb_lockfile_get(&list->file, base);
		for (; b; b = b->other)
			if (!mlb_digest_is_zero(&b->key))
				mlb_vec_push(&s->key, b->key);
	}
	return 0;
}

/* What belongs to a result and is no output: the text of its action, and its log. */
static void
want_results(struct fetch *s)
{
	for (size_t i = 0; i < s->key.n; i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_result r;

		if (mlb_remotes_result(s->run.p->remotes, &r, &arena, &s->key.v[i]) == 0) {
			want(s, &s->key.v[i], false, NULL);
			if (!mlb_digest_is_zero(&r.log))
				want(s, &r.log, false, NULL);
		}
		mlb_arena_release(&arena);
	}
}

/* ---------------------------------------------------------- fetching */

static bool
is_here(const struct mlb_fetch_want *w)
{
	return w->state == MLB_FETCH_GOT || w->state == MLB_FETCH_HAD;
}

/* All that is wanted, from one remote after the other; what has come leaves the list. */
static int
fetch_all(struct fetch *s, size_t first, size_t end, struct mlb_err *err)
{
	struct mlb_exchange_report *report = s->run.report;
	int rc = 0;

	for (size_t i = first; i < end && s->want.n && rc == 0; i++) {
		struct mlb_remote_use *u = s->run.p->remotes->use.v[i];
		const struct mlb_fetch f = {
			.want = s->want.v, .n_wants = s->want.n, .tick = mlb_exchange_tick, .ctx = s
		};
		struct mlb_fetch_report got = { 0 };
		size_t left = 0;

		if (!u->read || !u->ready)
			continue;
		rc = mlb_transfer_fetch(u->transfer, &f, &got, err);
		if (rc)
			mlb_transfer_wrap(err, u->name);
		report->moved_objects += got.objects;
		report->bytes += got.bytes;
		report->moved += got.received;
		report->saved_parts += got.reused;
		report->damaged += got.damaged;
		report->there += got.had;
		for (size_t k = 0; k < s->want.n; k++)
			if (!is_here(&s->want.v[k]))
				s->want.v[left++] = s->want.v[k];
		s->want.n = left;
	}
	report->objects = report->moved_objects + report->there;
	return rc;
}

/* The results themselves, and where the objects are, for state.db. */
static int
keep(struct fetch *s, struct mlb_err *err)
{
	struct mlb_project *p = s->run.p;
	int rc = 0;

	for (size_t i = 0; i < s->key.n && rc == 0; i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_result r;

		if (mlb_results_find(p->results, &r, &arena, &s->key.v[i], NULL) != 0 &&
		    mlb_remotes_result(p->remotes, &r, &arena, &s->key.v[i]) == 0) {
			rc = mlb_results_add(p->results, &r, err);
			s->run.report->records += rc == 0;
		}
		mlb_arena_release(&arena);
	}
	if (rc == 0)
		rc = mlb_store_sync(p->cas, p->results, err);
	if (rc == 0)
		rc = mlb_db_begin(p->db, err);
	if (rc)
		return rc;
	rc = mlb_cas_index(p->cas, err);
	if (rc == 0)
		rc = mlb_results_index(p->results, err);
	if (rc == 0)
		rc = mlb_db_commit(p->db, err);
	if (rc)
		mlb_db_rollback(p->db);
	return rc;
}

/* Whatever is not here now is nowhere. */
static int
tell_missing(void *ctx, struct mlb_locked_list *list, const uint8_t *mark, struct mlb_err *err)
{
	struct fetch *s = ctx;

	(void)err;
	for (size_t i = 0; i < list->all.n; i++) {
		const struct mlb_locked *l = &list->all.v[i];

		for (size_t k = 0; mark[i] && k < s->want.n; k++)
			if (mlb_digest_equal(&s->want.v[k].digest, &l->digest) &&
			    !mlb_exchange_is_gits(&s->run, l)) {
				mlb_exchange_missing(&s->run, l, "no remote has its bytes");
				break;
			}
	}
	return 0;
}

static int
run_fetch(struct fetch *s, struct mlb_err *err)
{
	size_t first = 0, end = 0;
	int rc = mlb_exchange_begin(&s->run, err);

	if (rc == 0)
		rc = choose(s, &first, &end, err);
	if (rc == 0)
		rc = ask(s, first, end, err);
	if (rc == 0)
		rc = mlb_exchange_locks(&s->run, want_tables, s, err);
	if (rc == 0 && s->want.n)
		rc = fetch_all(s, first, end, err);
	s->want.n = 0;
	if (rc == 0)
		rc = mlb_exchange_locks(&s->run, want_outputs, s, err);
	if (rc)
		return rc;
	want_results(s);
	rc = fetch_all(s, first, end, err);
	/* What came before an interruption is kept. */
	if (rc == 0 || rc == MLB_EREMOTE || rc == MLB_EINTERRUPTED) {
		int kept = keep(s, rc ? NULL : err);

		rc = rc ? rc : kept;
	}
	if (rc == 0)
		rc = mlb_exchange_locks(&s->run, tell_missing, s, err);
	if (rc == 0 && s->run.report->missing)
		rc = mlb_err_set(err, MLB_EFAILED,
				 "%llu output%s could not be had: the rest is here",
				 (unsigned long long)s->run.report->missing,
				 s->run.report->missing == 1 ? "" : "s");
	return rc;
}

int
mlb_fetch(struct mlb_project *p, const struct mlb_exchange *x, struct mlb_exchange_report *report,
	  struct mlb_err *err)
{
	struct fetch s = { .run = { .p = p, .x = x, .report = report } };
	int rc = run_fetch(&s, err);

	mlb_exchange_end(&s.run);
	mlb_vec_release(&s.want);
	mlb_vec_release(&s.key);
	return rc;
}
