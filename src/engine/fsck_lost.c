/* What is lost: damaged, or needed and not there; and the targets that it concerns. */
#include <stdlib.h>
#include <string.h>

#include "engine/fsck.h"

struct mlb_fsck_lost *
mlb_fsck_lost_of(struct mlb_fsck_state *s, const struct mlb_digest *digest)
{
	struct mlb_strmap_entry *e =
		mlb_strmap_find(&s->lost, (const char *)digest->b, MLB_DIGEST_LEN);

	return e ? e->u.ptr : NULL;
}

static struct mlb_fsck_lost *
lose(struct mlb_fsck_state *s, const struct mlb_digest *digest)
{
	struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, digest);

	if (l)
		return l;
	l = mlb_arena_alloc(&s->arena, sizeof(*l));
	l->digest = *digest;
	l->held = "";
	mlb_strmap_add(&s->lost, (const char *)l->digest.b, MLB_DIGEST_LEN, NULL)->u.ptr = l;
	return l;
}

static void
lose_damaged(struct mlb_fsck_state *s)
{
	for (size_t i = 0; i < s->inv.damage.n; i++)
		if (!mlb_digest_is_zero(&s->inv.damage.v[i].digest))
			lose(s, &s->inv.damage.v[i].digest)->damaged = true;
}

/* ---------------------------------------------------------- missing */

static bool
in_workspace(const struct mlb_fsck_state *s, const struct mlb_holder *h)
{
	uint32_t at = mlb_project_path_index(s->p, h->path);

	return at != MLB_NONE && mlb_digest_equal(&s->p->scan.state[at].digest, &h->digest);
}

/* A result of this cache is not durable before what it names: what it needs is here, or was lost. */
static void
add_holder(struct mlb_fsck_state *s, struct mlb_reach *r, const struct mlb_holder *h)
{
	size_t before = r->missing.n;

	if (h->no_store)
		return;
	mlb_reach_add(r, &h->digest, h->is_tree);
	for (size_t i = before; i < r->missing.n; i++) {
		struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, &r->missing.v[i]);

		/* A clone has the lock and need not have its bytes. */
		if (!l && h->by == MLB_HELD_LOCK && in_workspace(s, h))
			continue;
		l = lose(s, &r->missing.v[i]);
		l->held = h->path;
		if (h->by == MLB_HELD_LOCK)
			l->elsewhere = true;
		else
			l->missing = true;
	}
}

static void
lose_missing(struct mlb_fsck_state *s)
{
	struct mlb_reach r;

	mlb_reach_init(&r, &s->inv);
	for (size_t i = 0; i < s->owners.holder.n; i++)
		if (s->owners.holder.v[i].by == MLB_HELD_RECORD)
			add_holder(s, &r, &s->owners.holder.v[i]);
	for (size_t i = 0; i < s->owners.holder.n; i++)
		if (s->owners.holder.v[i].by == MLB_HELD_LOCK)
			add_holder(s, &r, &s->owners.holder.v[i]);
	/* Right bytes that are no tree node: whoever needs them as one has lost it. */
	for (size_t i = 0; i < r.no_tree.n; i++) {
		struct mlb_fsck_lost *l = lose(s, &r.no_tree.v[i]);

		l->damaged = l->no_tree = true;
	}
	mlb_reach_release(&r);
}

/* ---------------------------------------------------------- whom it concerns */

struct namer {
	struct mlb_fsck_state *s;
	const struct mlb_holder *holder;
	uint32_t *seen; /* per copy: the holder that reached it last, plus one */
	uint32_t number;
};

static void
concern(struct mlb_fsck_lost *l, const char *name)
{
	if (name[0])
		mlb_vec_push(&l->target, name);
}

static void
note_holder(struct mlb_fsck_state *s, struct mlb_fsck_lost *l, const struct mlb_holder *h)
{
	l->needed = true;
	concern(l, h->name);
	if (h->path[0]) {
		l->held = h->path;
		if (mlb_digest_is_zero(&h->key))
			l->source = true;
		else
			l->made = true;
	}
	if (h->by == MLB_HELD_RECORD && h->is_log)
		mlb_vec_push(&l->log_record, h->record);
	else if (h->by == MLB_HELD_RECORD)
		mlb_vec_push(&l->record, h->record);
	if (h->is_tree) {
		/* The map keeps one holder per path: they differ in the digest at most. */
		struct mlb_holder *copy = mlb_arena_alloc(&s->arena, sizeof(*copy));

		*copy = *h;
		mlb_strmap_set(&s->dirs, copy->path, copy);
	}
}

static bool
visit(void *ctx, const struct mlb_digest *digest, size_t copy, bool is_tree)
{
	struct namer *n = ctx;
	struct mlb_fsck_lost *l = mlb_fsck_lost_of(n->s, digest);

	(void)is_tree;
	if (l && !n->holder->no_store)
		note_holder(n->s, l, n->holder);
	if (copy == SIZE_MAX || n->seen[copy] == n->number)
		return false;
	n->seen[copy] = n->number;
	return true;
}

static int
name_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort_targets(struct mlb_fsck_lost *l)
{
	size_t n = 0;

	if (l->target.n)
		qsort(l->target.v, l->target.n, sizeof(*l->target.v), name_cmp);
	for (size_t i = 0; i < l->target.n; i++)
		if (!n || strcmp(l->target.v[n - 1], l->target.v[i]) != 0)
			l->target.v[n++] = l->target.v[i];
	l->target.n = n;
}

static void
name_all(struct mlb_fsck_state *s)
{
	struct namer n = { .s = s };

	if (!s->lost.n)
		return;
	n.seen = mlb_calloc(s->inv.object.n + 1, sizeof(*n.seen));
	for (size_t i = 0; i < s->owners.holder.n; i++) {
		n.holder = &s->owners.holder.v[i];
		n.number++;
		mlb_reach_walk(&s->inv, &n.holder->digest, n.holder->is_tree, visit, &n, NULL);
	}
	free(n.seen);
	for (uint32_t i = 0; i < s->lost.n; i++) {
		struct mlb_fsck_lost *l = s->lost.entry[i].u.ptr;
		size_t count;
		/* An action text's digest is its key. */
		const struct mlb_owner *o = mlb_owners_of(&s->owners, &l->digest, &count);

		for (size_t k = 0; k < count; k++)
			concern(l, o[k].name);
		sort_targets(l);
	}
}

/* ---------------------------------------------------------- the database */

static void
take_row(void *ctx, const struct mlb_inv_row_info *i)
{
	struct mlb_fsck_state *s = ctx;
	struct mlb_inv_row_info row = *i;

	row.path = mlb_arena_strdup(&s->arena, i->path);
	row.text = mlb_arena_strdup(&s->arena, i->text ? i->text : "");
	mlb_vec_push(&s->row, row);
}

static void
lose_rows(struct mlb_fsck_state *s)
{
	for (size_t i = 0; i < s->row.n; i++) {
		struct mlb_fsck_lost *l;

		if (s->row.v[i].what != MLB_ROW_NO_OBJECT)
			continue;
		l = lose(s, &s->row.v[i].digest);
		/* What only the lock names need not be here; but it was. */
		l->missing |= l->elsewhere;
	}
}

int
mlb_fsck_find_lost(struct mlb_fsck_state *s, struct mlb_err *err)
{
	int rc = mlb_inventory_compare(&s->inv, s->p->db, take_row, s, err);

	if (rc)
		return rc;
	/* Where the database cannot tell which records were forgotten, all count. */
	if (mlb_inventory_live_records(&s->live, &s->inv, s->p->db, NULL) != 0) {
		free(s->live);
		s->live = NULL;
	}
	mlb_owners_find(&s->owners, s->p, &s->inv, s->live);
	lose_damaged(s);
	lose_missing(s);
	lose_rows(s);
	name_all(s);
	return 0;
}
