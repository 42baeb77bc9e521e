/* What a node's bytes name, for whoever has no more than those. */
#include "store/tree_node.h"

int
mlb_tree_below(const void *data, size_t len,
	       int (*fn)(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err), void *ctx,
	       struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_node node;
	int rc = mlb_node_parse(&node, &arena, data, len, err);

	for (size_t i = 0; rc == 0 && i < node.n_parts; i++) {
		const struct mlb_tree_entry part = { .name = "",
						     .kind = MLB_T_DIR,
						     .size = node.part[i].size,
						     .digest = node.part[i].digest };

		if (node.part[i].count)
			rc = fn(ctx, &part, err);
	}
	for (uint64_t i = 0; rc == 0 && !node.n_parts && i < node.count; i++)
		rc = fn(ctx, &node.entry[i], err);
	mlb_arena_release(&arena);
	return rc;
}
