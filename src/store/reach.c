#include "store/reach.h"

#include <stdlib.h>
#include <string.h>

#include "store/tree_node.h"

/* What a node leads to: other nodes are walked later, everything else is told at once. */
static void
follow(struct mlb_reach_digests *todo, const struct mlb_inventory *inv, const struct mlb_node *node,
       mlb_reach_fn *fn, void *ctx)
{
	for (size_t i = 0; i < node->n_parts; i++)
		if (node->part[i].count)
			mlb_vec_push(todo, node->part[i].digest);
	for (uint64_t i = 0; !node->n_parts && i < node->count; i++) {
		const struct mlb_tree_entry *e = &node->entry[i];
		const struct mlb_inv_object *o;

		if (e->kind == MLB_T_DIR) {
			mlb_vec_push(todo, e->digest);
			continue;
		}
		o = mlb_inventory_find(inv, &e->digest);
		fn(ctx, &e->digest, o ? (size_t)(o - inv->object.v) : SIZE_MAX, false);
	}
}

void
mlb_reach_walk(const struct mlb_inventory *inv, const struct mlb_digest *digest, bool is_tree,
	       mlb_reach_fn *fn, void *ctx, struct mlb_reach_digests *no_tree)
{
	struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_reach_digests todo = MLB_VEC_INIT;

	mlb_vec_push(&todo, *digest);
	while (todo.n) {
		struct mlb_digest at = todo.v[--todo.n];
		const struct mlb_inv_object *o = mlb_inventory_find(inv, &at);
		struct mlb_node node;

		if (!fn(ctx, &at, o ? (size_t)(o - inv->object.v) : SIZE_MAX, is_tree) ||
		    !is_tree || !o)
			continue;
		mlb_buf_clear(&buf);
		if (mlb_inventory_get(inv, &buf, &at, NULL) == 0 &&
		    mlb_node_parse(&node, &arena, mlb_buf_str(&buf), buf.len, NULL) == 0)
			follow(&todo, inv, &node, fn, ctx);
		else if (no_tree)
			mlb_vec_push(no_tree, at);
		mlb_arena_release(&arena);
	}
	mlb_vec_release(&todo);
	mlb_buf_release(&buf);
}

void
mlb_reach_init(struct mlb_reach *r, const struct mlb_inventory *inv)
{
	memset(r, 0, sizeof(*r));
	r->inv = inv;
	r->mark = mlb_calloc(inv->object.n + 1, 1);
}

void
mlb_reach_release(struct mlb_reach *r)
{
	free(r->mark);
	mlb_vec_release(&r->missing);
	mlb_vec_release(&r->no_tree);
	mlb_vec_release(&r->fresh);
	memset(r, 0, sizeof(*r));
}

static bool
reached(void *ctx, const struct mlb_digest *digest, size_t copy, bool is_tree)
{
	struct mlb_reach *r = ctx;
	uint8_t bit = is_tree ? MLB_REACHED | MLB_REACHED_TREE : MLB_REACHED;

	if (copy == SIZE_MAX) {
		mlb_vec_push(&r->missing, *digest);
		return false;
	}
	if ((r->mark[copy] & bit) == bit)
		return false;
	if (r->journal) {
		struct mlb_reach_mark mark = { copy, r->mark[copy] };

		mlb_vec_push(&r->fresh, mark);
	}
	r->mark[copy] |= bit;
	return true;
}

void
mlb_reach_add(struct mlb_reach *r, const struct mlb_digest *digest, bool is_tree)
{
	if (!mlb_digest_is_zero(digest))
		mlb_reach_walk(r->inv, digest, is_tree, reached, r, &r->no_tree);
}

bool
mlb_reach_has(const struct mlb_reach *r, const struct mlb_digest *digest)
{
	const struct mlb_inv_object *o = mlb_inventory_find(r->inv, digest);

	return o && r->mark[o - r->inv->object.v];
}
