/*
 * mlb_du: what takes the space in the cache.  Every object is counted for each
 * target that needs it; it is unique to a target if no other does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "engine/owners.h"
#include "graph/glob.h"
#include "store/reach.h"

#define SHARED UINT32_MAX /* several need it */

/* A target or a kind. */
struct group {
	const char *name, *kind;
	uint64_t size, older, unique, objects;
};

MLB_VEC_NAMED(groups, struct group);

/* Who needs which object, in one sort of groups. */
struct tally {
	struct groups group;
	struct mlb_strmap by_name; /* index into group */
	uint32_t *owner;           /* per object: group plus one; 0: nobody; SHARED */
	uint32_t *seen;            /* per object: group plus one that counted it last */
};

struct usage {
	struct mlb_project *p;
	struct mlb_inventory inv;
	struct mlb_owners owners;
	struct mlb_arena arena;
	struct tally target, kind;
	struct tally *at; /* while walking: what is counted in, for which group, from where */
	uint32_t to;
	bool older;
};

/* ---------------------------------------------------------- groups */

static void
tally_init(struct tally *t, size_t n_objects)
{
	t->owner = mlb_calloc(n_objects + 1, sizeof(*t->owner));
	t->seen = mlb_calloc(n_objects + 1, sizeof(*t->seen));
}

static void
tally_release(struct tally *t)
{
	mlb_vec_release(&t->group);
	mlb_strmap_release(&t->by_name);
	free(t->owner);
	free(t->seen);
}

static uint32_t
group_of(struct tally *t, const char *name, const char *kind)
{
	bool is_new;
	struct mlb_strmap_entry *e = mlb_strmap_add(&t->by_name, name, strlen(name), &is_new);
	const struct group g = { .name = name, .kind = kind };

	if (is_new) {
		e->u.num = t->group.n;
		mlb_vec_push(&t->group, g);
	}
	return (uint32_t)e->u.num;
}

/* The kind of a target: by the graph, else by the lock; "" for what there is no more. */
static const char *
kind_of(const struct usage *u, const char *base)
{
	const struct mlb_target *t = mlb_config_find(u->p->config, base);
	const struct mlb_lock_block *b = mlb_lockfile_get(&u->p->lock, base);

	return t ? mlb_kind_names[t->kind] : b ? b->kind : "";
}

/* ---------------------------------------------------------- counting */

static bool
count_object(void *ctx, const struct mlb_digest *digest, size_t copy, bool is_tree)
{
	struct usage *u = ctx;
	struct tally *t = u->at;
	struct group *g = &t->group.v[u->to];
	uint64_t size;

	(void)digest;
	(void)is_tree;
	if (copy == SIZE_MAX || t->seen[copy] == u->to + 1)
		return false;
	t->seen[copy] = u->to + 1;
	t->owner[copy] = t->owner[copy] ? SHARED : u->to + 1;
	size = u->inv.object.v[copy].size;
	g->size += size;
	g->objects++;
	if (u->older)
		g->older += size;
	return true;
}

static void
count_holder(struct usage *u, const struct mlb_holder *h)
{
	mlb_reach_walk(&u->inv, &h->digest, h->is_tree, count_object, u, NULL);
	if (!mlb_digest_is_zero(&h->key)) /* the action text */
		mlb_reach_walk(&u->inv, &h->key, false, count_object, u, NULL);
}

/* One group's holders follow each other, those of the lock first: what they need is no older result's. */
struct held {
	const struct mlb_holder *h;
	uint32_t group;
};

static int
by_group(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->h->by < y->h->by ? -1 : x->h->by > y->h->by;
}

static void
count_all(struct usage *u, struct tally *t, struct held *held, size_t n)
{
	if (n)
		qsort(held, n, sizeof(*held), by_group);
	u->at = t;
	for (size_t i = 0; i < n; i++) {
		u->to = held[i].group;
		u->older = held[i].h->by == MLB_HELD_RECORD;
		count_holder(u, held[i].h);
	}
	for (size_t i = 0; i < u->inv.object.n; i++)
		if (t->owner[i] && t->owner[i] != SHARED)
			t->group.v[t->owner[i] - 1].unique += u->inv.object.v[i].size;
}

static void
count(struct usage *u)
{
	size_t n = u->owners.holder.n;
	struct held *held = mlb_calloc(n + 1, sizeof(*held));

	tally_init(&u->target, u->inv.object.n);
	tally_init(&u->kind, u->inv.object.n);
	for (size_t i = 0; i < n; i++) {
		const struct mlb_holder *h = &u->owners.holder.v[i];
		const char *base = mlb_arena_strndup(&u->arena, h->name, strcspn(h->name, "@"));

		held[i].h = h;
		held[i].group = group_of(&u->target, base, kind_of(u, base));
	}
	count_all(u, &u->target, held, n);
	for (size_t i = 0; i < n; i++) {
		const char *kind = u->target.group.v[held[i].group].kind;

		held[i].group = group_of(&u->kind, kind, kind);
	}
	count_all(u, &u->kind, held, n);
	free(held);
}

/* ---------------------------------------------------------- telling */

static int
by_size(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool
is_meant(const struct group *g, const char *const *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mlb_name_matches(g->name, g->name, word[i], mlb_glob_is(word[i])) ||
		    strcmp(g->kind, word[i]) == 0)
			return true;
	return n == 0;
}

static int
check_words(const struct usage *u, const char *const *word, size_t n, struct mlb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		bool any = false;

		for (size_t k = 0; k < u->target.group.n && !any; k++)
			any = is_meant(&u->target.group.v[k], &word[i], 1);
		if (!any)
			return mlb_err_set(err, MLB_ENOTFOUND,
					   "the cache has nothing of a target or kind '%s'",
					   word[i]);
	}
	return 0;
}

static int
tell_groups(struct tally *t, enum mlb_usage_what what, const char *const *word, size_t n,
	    mlb_usage_fn *fn, void *ctx)
{
	int rc = 0;

	if (t->group.n)
		qsort(t->group.v, t->group.n, sizeof(*t->group.v), by_size);
	for (size_t i = 0; i < t->group.n && rc == 0; i++) {
		const struct group *g = &t->group.v[i];
		const struct mlb_usage e = { what,
					     g->name,
					     g->kind,
					     g->size,
					     g->older,
					     g->unique,
					     g->size - g->unique,
					     g->objects };

		if (is_meant(g, word, n))
			rc = fn(ctx, &e);
	}
	return rc;
}

static int
tell_totals(const struct usage *u, mlb_usage_fn *fn, void *ctx)
{
	struct mlb_usage loose = { .what = MLB_USAGE_UNREFERENCED, .name = "", .kind = "" };
	struct mlb_usage all = { .what = MLB_USAGE_TOTAL, .name = "", .kind = "" };
	int rc;

	for (size_t i = 0; i < u->inv.object.n; i++) {
		/* A further copy of what was counted at its first one. */
		bool first = mlb_inventory_find(&u->inv, &u->inv.object.v[i].digest) ==
			     &u->inv.object.v[i];

		all.objects += first;
		if (u->target.owner[i])
			continue;
		loose.objects += first;
		loose.size += u->inv.object.v[i].size;
	}
	for (size_t i = 0; i < u->inv.file.n; i++)
		all.size += u->inv.file.v[i].size;
	for (size_t i = 0; i < u->inv.object.n; i++)
		if (u->inv.object.v[i].file == MLB_INV_LOOSE)
			all.size += u->inv.object.v[i].size;
	rc = fn(ctx, &loose);
	return rc ? rc : fn(ctx, &all);
}

static int
read_all(struct usage *u, struct mlb_err *err)
{
	int rc = mlb_project_load(u->p, err);

	if (rc == 0)
		rc = mlb_project_config(u->p, err);
	if (rc == 0)
		rc = mlb_project_cache(u->p, err);
	if (rc == 0)
		rc = mlb_project_lock(u->p, err);
	if (rc == 0)
		rc = mlb_inventory_read(&u->inv, mlb_cas_dir(u->p->cas), MLB_INV_LIST,
					u->p->threads, NULL, NULL, err);
	if (rc == 0)
		mlb_owners_find(&u->owners, u->p, &u->inv, NULL);
	return rc;
}

int
mlb_du(struct mlb_project *p, const char *const *word, size_t n_words, mlb_usage_fn *fn, void *ctx,
       struct mlb_err *err)
{
	struct usage u = { .p = p, .arena = MLB_ARENA_INIT };
	int rc = read_all(&u, err);

	if (rc == 0) {
		count(&u);
		rc = check_words(&u, word, n_words, err);
	}
	if (rc == 0)
		rc = tell_groups(&u.target, MLB_USAGE_TARGET, word, n_words, fn, ctx);
	if (rc == 0 && !n_words)
		rc = tell_groups(&u.kind, MLB_USAGE_KIND, word, 0, fn, ctx);
	if (rc == 0 && !n_words)
		rc = tell_totals(&u, fn, ctx);
	tally_release(&u.target);
	tally_release(&u.kind);
	mlb_owners_release(&u.owners);
	mlb_inventory_release(&u.inv);
	mlb_arena_release(&u.arena);
	return rc < 0 ? rc : 0;
}
