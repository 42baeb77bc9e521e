/*
 * Sources are the user's own files.
 *
 * 1. What git tracks of one is git's: it is neither written nor removed. Where
 *    that is only a part of a directory, the rest is ours by lock and cache, but
 *    for what neither names.
 * 2. Bytes that are in the cache only because an edit was built there go once gc
 *    has come of age: what is to be replaced must be named by a lock that some
 *    commit has, or, without git, by the lock itself. Else it moves aside.
 */
#include <string.h>

#include "base/alloc.h"
#include "engine/checkout.h"
#include "engine/commits.h"

/* ---------------------------------------------------------- what is git's */

int
mlb_checkout_whose(struct mlb_checkout_run *c, const struct mlb_locked *l, enum mlb_whose *out,
		   struct mlb_err *err)
{
	int rc = l->source ? mlb_project_vcs(c->p, err) : 0;

	*out = MLB_OURS;
	if (rc || !l->source || !c->p->vcs || !mlb_vcs_tracked(c->p->vcs, l->path))
		return rc;
	*out = mlb_vcs_has_below(c->p->vcs, l->path) ? MLB_GITS_IN_PART : MLB_GITS;
	return 0;
}

static void
list_others(struct mlb_checkout_run *c, struct mlb_checkout_item *it)
{
	struct mlb_strvec path = MLB_VEC_INIT;

	mlb_vcs_below(c->p->vcs, it->l->path, &path);
	for (size_t i = 0; i < path.n; i++) {
		const char *own = mlb_arena_strdup(&c->list.arena, path.v[i]);

		mlb_strmap_set(&it->others, own, it);
	}
	mlb_strvec_release(&path);
}

/* ---------------------------------------------------------- what may go */

static int
nothing(void *ctx MLB_UNUSED, const struct mlb_digest *object MLB_UNUSED,
	struct mlb_err *err MLB_UNUSED)
{
	return 0;
}

/* Is this path that of a directory of which something is to be replaced? */
static bool
is_awaited(const struct mlb_checkout_run *c, const char *path)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (c->item[i].todo && strcmp(c->item[i].l->path, path) == 0)
			return true;
	return false;
}

static void
spare_output(struct mlb_checkout_run *c, const struct mlb_lock_output *o)
{
	if (o->kind != MLB_O_TREE)
		mlb_digest_set_add(&c->spare.object, &o->digest);
	else if (is_awaited(c, o->path))
		/* What the cache does not have of it need not be known. */
		mlb_tree_objects(c->p->cas, &o->digest, &c->spare, nothing, NULL, NULL);
}

static void
spare_lock(void *ctx, struct mlb_lockfile *lock, const char *text MLB_UNUSED, size_t len MLB_UNUSED)
{
	for (uint32_t i = 0; lock && i < lock->map.n; i++)
		for (const struct mlb_lock_block *b = lock->map.entry[i].u.ptr; b; b = b->other)
			for (uint32_t k = 0; mlb_digest_is_zero(&b->key) && k < b->n_outputs; k++)
				spare_output(ctx, &b->output[k]);
}

static int
find_spare(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_commits commits = { .p = c->p,
				       .seen = MLB_STRMAP_INIT,
				       .arena = MLB_ARENA_INIT,
				       .fn = spare_lock,
				       .ctx = c };
	int rc = mlb_project_vcs(c->p, err);

	if (rc == 0 && c->p->vcs)
		rc = mlb_commits_take_all(&commits, err);
	else if (rc == 0)
		spare_lock(c, &c->list.file, "", 0);
	mlb_commits_release(&commits);
	return rc;
}

int
mlb_checkout_sources(struct mlb_checkout_run *c, struct mlb_err *err)
{
	bool any = false;

	for (size_t i = 0; i < c->n_items; i++) {
		struct mlb_checkout_item *it = &c->item[i];

		if (!it->todo || !it->l->source)
			continue;
		if (it->whose == MLB_GITS_IN_PART)
			list_others(c, it);
		any |= c->scan.state[it->at].kind != MLB_P_ABSENT;
	}
	return any && !c->opt->force ? find_spare(c, err) : 0;
}
