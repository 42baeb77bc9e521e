/* A tree node that is accepted is the one encoding of what it says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/tree_node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_entries(const struct mlb_node *node)
{
	for (uint64_t i = 0; i < node->count; i++) {
		const struct mlb_tree_entry *e = &node->entry[i];

		if (mlb_tree_check_name(e->name, strlen(e->name), NULL) < 0)
			abort();
		if (i > 0 && strcmp(node->entry[i - 1].name, e->name) >= 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf again = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_node node;

	/* A link's text is untrusted too. */
	if (size > 1)
		mlb_tree_check_link((const char *)data + 1, size - 1, data[0], NULL);
	if (mlb_node_parse(&node, &arena, data, size, NULL) == 0) {
		mlb_node_write(&again, &node);
		if (again.len != size || memcmp(again.data, data, size) != 0)
			abort();
		if (!node.n_parts)
			check_entries(&node);
	}
	mlb_buf_release(&again);
	mlb_arena_release(&arena);
	return 0;
}
