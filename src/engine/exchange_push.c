/* mlb_push: what locks name, to one remote. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest_set.h"
#include "engine/commits.h"
#include "engine/exchange.h"
#include "engine/exchange_push.h"
#include "engine/needs.h"

struct push {
	struct mlb_exchange_run run; /* first: what a tick gets is this */
	struct mlb_remote_use *to;
	struct mlb_keyring keys;
	struct mlb_roots what; /* to be there afterwards */
	struct mlb_roots needs;
	struct mlb_digest_set lost; /* that the cache lacks */
};

static int
choose(struct push *s, struct mlb_err *err)
{
	struct mlb_remotes *r = s->run.p->remotes;

	if (s->run.x->remote) {
		int rc = mlb_remotes_named(&s->to, r, s->run.x->remote, err);

		if (rc == 0 && !s->to->write)
			rc = mlb_err_set(err, MLB_EINVALID,
					 "[remote %s] has write = no: nothing is pushed there",
					 s->to->name);
		return rc;
	}
	for (size_t i = 0; i < r->use.n && !s->to; i++)
		if (r->use.v[i]->write)
			s->to = r->use.v[i];
	return s->to ? 0
		     : mlb_err_set(err, MLB_EINVALID,
				   "no remote may be written to: all have write = no");
}

static void
take_refs(void *ctx, struct mlb_lockfile *lock, const char *text, size_t len)
{
	if (lock)
		mlb_needs_of_lock(ctx, lock);
	else
		mlb_needs_of_text(ctx, text, len);
}

int
mlb_exchange_needs(struct mlb_project *p, const struct mlb_roots *sent, struct mlb_roots *out,
		   struct mlb_err *err)
{
	struct mlb_commits c = {
		.p = p, .seen = MLB_STRMAP_INIT, .arena = MLB_ARENA_INIT, .fn = take_refs, .ctx = out
	};
	int rc = mlb_project_vcs(p, err);

	if (rc == 0 && p->vcs)
		rc = mlb_commits_take_all(&c, err);
	mlb_commits_release(&c);
	for (size_t i = 0; i < sent->root.n; i++)
		mlb_vec_push(&out->root, sent->root.v[i]);
	out->host = mlb_needs_host();
	out->dir = mlb_strdup(p->root);
	mlb_roots_sort(out);
	return rc;
}

/* A target's action and table, and of its outputs those that are meant. */
static int
add_lock(void *ctx, struct mlb_locked_list *list, const uint8_t *mark, struct mlb_err *err)
{
	struct push *s = ctx;
	const char *base = "";

	(void)err;
	for (size_t i = 0; i < list->all.n; i++) {
		const struct mlb_locked *l = &list->all.v[i];
		const struct mlb_lock_block *b;

		if (!mark[i] ||
		    (mlb_exchange_is_gits(&s->run, l) && !mlb_cas_has(s->run.p->cas, &l->digest)))
			continue;
		if (l->path)
			mlb_roots_add(&s->what,
				      l->okind == MLB_O_TREE ? MLB_ROOT_TREE : MLB_ROOT_OBJECT,
				      &l->digest);
		if (strcmp(l->base, base) == 0)
			continue;
		base = l->base;
		b = mlb_lockfile_get(&list->file, base);
		for (; b; b = b->other) {
			mlb_roots_add(&s->what, MLB_ROOT_KEY, &b->key);
			mlb_roots_add(&s->what, MLB_ROOT_TABLE, &b->table);
		}
	}
	return 0;
}

/* Verdicts stand in no lock: those of the checks as they were last. */
static int
take_check(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	(void)err;
	if (m->kind == MLB_K_CHECK)
		mlb_roots_add(ctx, MLB_ROOT_KEY, &m->key);
	return 0;
}

static void
lost(void *ctx, const struct mlb_digest *digest)
{
	struct push *s = ctx;

	mlb_digest_set_add(&s->lost, digest);
}

/* Which targets that costs. */
static int
tell_lost(void *ctx, struct mlb_locked_list *list, const uint8_t *mark, struct mlb_err *err)
{
	struct push *s = ctx;

	(void)err;
	for (size_t i = 0; i < list->all.n; i++) {
		const struct mlb_locked *l = &list->all.v[i];

		if (mark[i] && mlb_digest_set_has(&s->lost, &l->digest))
			mlb_exchange_missing(&s->run, l,
					     "its bytes are not in the cache: build it, or fetch "
					     "it from where they are");
	}
	return 0;
}

bool
mlb_exchange_sign(struct mlb_keyring *keys, struct mlb_signature *out, const char *text, size_t len)
{
	if (!keys->signs)
		return false;
	memcpy(out->key, keys->signs->id, sizeof(out->key));
	return mlb_keyring_sign(keys, out->sig, text, len, NULL) == 0;
}

static bool
sign(void *ctx, struct mlb_signature *out, const char *text, size_t len)
{
	struct push *s = ctx;

	return mlb_exchange_sign(&s->keys, out, text, len);
}

static int
prepare(struct push *s, struct mlb_err *err)
{
	int rc = mlb_exchange_begin(&s->run, err);

	if (rc == 0)
		rc = choose(s, err);
	if (rc == 0)
		rc = mlb_project_config(s->run.p, err);
	if (rc == 0)
		rc = mlb_keyring_open(&s->keys, s->run.p->config, err);
	if (rc == 0 && s->keys.required && !s->keys.signs)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "[trust] has mode = required, and none of your keys is among "
				 "[trust] keys: nobody would use what you push; 'mlbuild key new' "
				 "makes a key");
	if (rc == 0)
		rc = mlb_exchange_locks(&s->run, add_lock, s, err);
	if (rc == 0 && !s->run.x->n_revs)
		rc = mlb_memo_each(s->run.p->db, take_check, &s->what, err);
	mlb_roots_sort(&s->what);
	if (rc == 0)
		rc = mlb_exchange_needs(s->run.p, &s->what, &s->needs, err);
	return rc;
}

static int
send(struct push *s, struct mlb_err *err)
{
	struct mlb_exchange_report *report = s->run.report;
	struct mlb_push_report sent = { 0 };
	char *clone =
		mlb_transfer_clone_name(mlb_project_name(s->run.p), s->needs.host, s->run.p->root);
	struct mlb_push push = { .root = s->what.root.v,
				 .n_roots = s->what.root.n,
				 .needs = s->run.x->dry_run ? NULL : &s->needs,
				 .clone = clone,
				 .sign = sign,
				 .on_missing = lost,
				 .tick = mlb_exchange_tick,
				 .ctx = s,
				 .dry_run = s->run.x->dry_run };
	int rc = mlb_transfer_push(s->to->transfer, &push, &sent, err);

	report->objects = sent.objects;
	report->bytes = sent.bytes;
	report->moved_objects = sent.sent_objects;
	report->moved = sent.sent;
	report->there = sent.there;
	report->saved_parts = sent.saved_chunks;
	report->saved_zstd = sent.saved_zstd;
	report->resumed = sent.resumed;
	report->records = sent.records;
	if (rc)
		mlb_transfer_wrap(err, s->to->name);
	free(clone);
	return rc;
}

static int
run_push(struct push *s, struct mlb_err *err)
{
	int rc = prepare(s, err);

	if (rc)
		return rc;
	s->run.report->remote = mlb_asprintf("%s (%s)", s->to->name, s->to->url);
	s->to->asked = true;
	if (mlb_transfer_refresh(s->to->transfer, &s->to->fault, &s->to->err))
		return mlb_exchange_unusable(s->to, err);
	rc = send(s, err);
	if (rc == 0 && s->lost.n)
		rc = mlb_exchange_locks(&s->run, tell_lost, s, err);
	if (rc == 0 && (s->lost.n || s->run.report->missing))
		rc = mlb_err_set(err, MLB_EFAILED,
				 "%llu objects that the lock names are not in the cache: the rest "
				 "is pushed",
				 (unsigned long long)s->lost.n);
	return rc;
}

int
mlb_push(struct mlb_project *p, const struct mlb_exchange *x, struct mlb_exchange_report *report,
	 struct mlb_err *err)
{
	struct push s = { .run = { .p = p, .x = x, .report = report } };
	int rc = run_push(&s, err);

	mlb_exchange_end(&s.run);
	mlb_keyring_release(&s.keys);
	mlb_roots_release(&s.what);
	mlb_roots_release(&s.needs);
	mlb_digest_set_release(&s.lost);
	return rc;
}
