/* The tree of what was seen: directories made into nodes, the deepest first. */
#include <stdlib.h>
#include <string.h>

#include "store/scan_walk.h"
#include "store/sort.h"
#include "store/tree.h"

/* A directory whose entries are being collected. */
struct open_dir {
	struct mlb_seen *seen; /* NULL: the walked directory itself */
	size_t first;          /* of its entries */
	bool stored;           /* all of them so far */
};

struct builder {
	MLB_VEC(struct open_dir) open;
	MLB_VEC(struct mlb_tree_entry) entry; /* of all open directories, the innermost last */
	struct mlb_arena arena;               /* names of directories */
	struct mlb_walk *walk;
	struct mlb_cas *cas;
};

/* Paths sort a directory as "name/", nodes as "name". */
static void
sort_entries(struct mlb_tree_entry *entry, size_t n)
{
	size_t sorted = 1;
	struct mlb_tree_entry *copy;
	const char **name;
	uint32_t *order;

	if (n < 2)
		return;
	while (sorted < n && strcmp(entry[sorted - 1].name, entry[sorted].name) < 0)
		sorted++;
	if (sorted >= n)
		return;
	copy = mlb_calloc(n, sizeof(*copy));
	name = mlb_calloc(n, sizeof(*name));
	order = mlb_calloc(n, sizeof(*order));
	memcpy(copy, entry, n * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		name[i] = entry[i].name;
	mlb_sort_strings(order, name, n);
	for (size_t i = 0; i < n; i++)
		entry[i] = copy[order[i]];
	free(order);
	free(name);
	free(copy);
}

static void
add_entry(struct builder *b, const struct mlb_seen *seen)
{
	struct open_dir *parent = &b->open.v[b->open.n - 1];
	size_t skip = parent->seen ? parent->seen->len : 0;
	struct mlb_tree_entry e = { seen->path + skip, seen->kind, seen->size, seen->digest };

	if (seen->kind == MLB_T_DIR)
		e.name = mlb_arena_strndup(&b->arena, e.name, seen->len - skip - 1);
	mlb_vec_push(&b->entry, e);
	parent->stored &= (seen->flags & MLB_SEEN_STORED) != 0;
}

/* The innermost directory is complete. */
static int
close_dir(struct builder *b, struct mlb_err *err)
{
	struct open_dir d = b->open.v[--b->open.n];
	struct mlb_tree_entry none, *entry = b->entry.n ? b->entry.v + d.first : &none;
	size_t n = b->entry.n - d.first;
	struct mlb_digest digest;
	uint64_t size;
	int rc;

	sort_entries(entry, n);
	rc = mlb_tree_node(&digest, &size, entry, n, b->cas, err);
	if (rc < 0)
		return rc;
	b->entry.n = d.first;
	if (!d.seen) {
		b->walk->digest = digest;
		b->walk->size = size;
		b->walk->stored = b->cas && d.stored;
		return 0;
	}
	d.seen->digest = digest;
	d.seen->size = size;
	d.seen->flags |= MLB_SEEN_KNOWN | (b->cas && d.stored ? MLB_SEEN_STORED : 0);
	add_entry(b, d.seen);
	return 0;
}

static bool
is_below(const struct mlb_seen *seen, const struct mlb_seen *dir)
{
	return !dir || strncmp(seen->path, dir->path, dir->len) == 0;
}

int
mlb_walk_nodes(struct mlb_walk *w, struct mlb_cas *cas, struct mlb_err *err)
{
	struct builder b = { MLB_VEC_INIT, MLB_VEC_INIT, MLB_ARENA_INIT, w, cas };
	struct open_dir top = { NULL, 0, true };
	uint8_t enough = MLB_SEEN_KNOWN | (cas ? MLB_SEEN_STORED : 0);
	int rc = 0;

	mlb_vec_push(&b.open, top);
	for (size_t i = 0; i < w->all.n && rc == 0; i++) {
		struct mlb_seen *seen = &w->all.v[i];

		while (rc == 0 && !is_below(seen, b.open.v[b.open.n - 1].seen))
			rc = close_dir(&b, err);
		if (rc < 0)
			break;
		if (seen->kind == MLB_T_DIR && (seen->flags & enough) != enough) {
			struct open_dir d = { seen, b.entry.n, true };

			mlb_vec_push(&b.open, d);
			continue;
		}
		add_entry(&b, seen);
		if (seen->kind == MLB_T_DIR)
			i = mlb_walk_end(w, i, w->all.n) - 1;
	}
	while (rc == 0 && b.open.n)
		rc = close_dir(&b, err);
	mlb_vec_release(&b.open);
	mlb_vec_release(&b.entry);
	mlb_arena_release(&b.arena);
	return rc;
}
