#include "engine/owners.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 1 << 30 };

struct finder {
	struct mlb_owners *out;
	struct mlb_project *p;
	const struct mlb_inventory *inv;
	struct mlb_strmap no_store; /* bases of targets that keep digests only */
};

static void
add_owner(struct finder *f, const struct mlb_digest *key, const char *name)
{
	struct mlb_owner o = { *key, mlb_arena_strdup(&f->out->arena, name) };

	if (!mlb_digest_is_zero(key))
		mlb_vec_push(&f->out->owner, o);
}

static int
memo_owner(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	(void)err;
	add_owner(ctx, &m->key, m->node);
	return 0;
}

static int
run_owner(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	(void)err;
	add_owner(ctx, &a->key, a->node);
	return 0;
}

/* A target's section, without its instance. */
static bool
keeps_digests_only(const struct finder *f, const char *name)
{
	return mlb_strmap_find(&f->no_store, name, strcspn(name, "@")) != NULL;
}

/* ---------------------------------------------------------- the lock */

static void
hold_outputs(struct finder *f, const char *name, const struct mlb_digest *key,
	     const struct mlb_lock_output *o, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct mlb_holder h = { .name = name,
					.path = mlb_arena_strdup(&f->out->arena, o[i].path),
					.digest = o[i].digest,
					.key = *key,
					.by = MLB_HELD_LOCK,
					.is_tree = o[i].kind == MLB_O_TREE,
					.no_store = keeps_digests_only(f, name) };

		mlb_vec_push(&f->out->holder, h);
	}
}

/* The rows of a matrix are instances, "fit@fold=0"; those of `each` are files. */
static const char *
row_name(struct finder *f, const struct mlb_lock_block *b, const char *row)
{
	size_t len = strlen(b->name);

	if (strncmp(row, b->name, len) == 0 && row[len] == '@')
		return mlb_arena_strdup(&f->out->arena, row);
	return b->name;
}

static void
hold_table(struct finder *f, const struct mlb_lock_block *b)
{
	struct mlb_holder h = { .name = b->name, .path = "", .digest = b->table, .key = b->key };
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_table_row *row;
	size_t n = 0;

	mlb_vec_push(&f->out->holder, h);
	if (mlb_inventory_get(f->inv, &text, &b->table, NULL) != 0 ||
	    mlb_table_parse(&row, &n, &f->out->arena, mlb_buf_str(&text), text.len, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *name = row_name(f, b, row[i].name);

		add_owner(f, &row[i].key, name);
		hold_outputs(f, name, &row[i].key, row[i].output, row[i].n_outputs);
	}
	mlb_buf_release(&text);
}

static void
hold_lock(struct finder *f)
{
	const struct mlb_strmap *map = &f->p->lock.map;

	for (uint32_t i = 0; i < map->n; i++)
		for (const struct mlb_lock_block *b = map->entry[i].u.ptr; b; b = b->other) {
			add_owner(f, &b->key, b->name);
			if (!mlb_digest_is_zero(&b->table))
				hold_table(f, b);
			else
				hold_outputs(f, b->name, &b->key, b->output, b->n_outputs);
		}
}

/* ---------------------------------------------------------- results */

static int
owner_cmp(const void *a, const void *b)
{
	const struct mlb_owner *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->key, &y->key);

	return cmp ? cmp : strcmp(x->name, y->name);
}

static void
sort_owners(struct mlb_owners *o)
{
	size_t n = 0;

	if (o->owner.n)
		qsort(o->owner.v, o->owner.n, sizeof(*o->owner.v), owner_cmp);
	for (size_t i = 0; i < o->owner.n; i++)
		if (!n || owner_cmp(&o->owner.v[n - 1], &o->owner.v[i]) != 0)
			o->owner.v[n++] = o->owner.v[i];
	o->owner.n = n;
}

const struct mlb_owner *
mlb_owners_of(const struct mlb_owners *o, const struct mlb_digest *key, size_t *n)
{
	size_t lo = 0, hi = o->owner.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (mlb_digest_cmp(&o->owner.v[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (*n = 0; lo + *n < o->owner.n && mlb_digest_equal(&o->owner.v[lo + *n].key, key);)
		++*n;
	return *n ? &o->owner.v[lo] : NULL;
}

/* What one target of a key needs, or nobody knows which: then the name is empty. */
static void
hold_result(struct finder *f, const struct mlb_result *r, const char *name, uint32_t index)
{
	struct mlb_holder h = { .name = name,
				.path = "",
				.digest = r->log,
				.key = r->key,
				.record = index,
				.by = MLB_HELD_RECORD,
				.is_log = true };

	if (!mlb_digest_is_zero(&r->log))
		mlb_vec_push(&f->out->holder, h);
	h.is_log = false;
	h.no_store = keeps_digests_only(f, name);
	for (uint32_t i = 0; i < r->n_outputs; i++) {
		h.digest = r->output[i].digest;
		h.path = mlb_arena_strdup(&f->out->arena, r->output[i].path);
		h.is_tree = r->output[i].kind == MLB_O_TREE;
		mlb_vec_push(&f->out->holder, h);
	}
}

static void
hold_record(struct finder *f, uint32_t index)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_arena arena = MLB_ARENA_INIT;
	const struct mlb_owner *owner;
	struct mlb_result r;
	size_t n;

	if (mlb_inventory_copy(f->inv, &text, &f->inv->record.v[index], NULL) != 0 ||
	    mlb_result_parse(&r, &arena, mlb_buf_str(&text), text.len, NULL) != 0) {
		mlb_vec_push(&f->out->bad_record, index);
	} else {
		owner = mlb_owners_of(f->out, &r.key, &n);
		for (size_t i = 0; i < n; i++)
			hold_result(f, &r, owner[i].name, index);
		if (!owner)
			hold_result(f, &r, "", index);
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
}

void
mlb_owners_find(struct mlb_owners *out, struct mlb_project *p, const struct mlb_inventory *inv,
		const uint8_t *live)
{
	struct finder f = { .out = out, .p = p, .inv = inv, .no_store = MLB_STRMAP_INIT };
	const struct mlb_graph *g = p->graph;

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (g->node[i].flags & MLB_G_NO_STORE)
			mlb_strmap_set(&f.no_store, mlb_g_str(g, g->node[i].base), p);
	hold_lock(&f);
	mlb_memo_each(p->db, memo_owner, &f, NULL);
	mlb_run_actions(p->db, NULL, NULL, UINT32_MAX, run_owner, &f, NULL);
	sort_owners(out);
	for (size_t i = 0; i < inv->record.n; i++)
		if (!live || live[i])
			hold_record(&f, (uint32_t)i);
	mlb_strmap_release(&f.no_store);
}

void
mlb_owners_release(struct mlb_owners *o)
{
	mlb_vec_release(&o->owner);
	mlb_vec_release(&o->holder);
	mlb_vec_release(&o->bad_record);
	mlb_arena_release(&o->arena);
}
