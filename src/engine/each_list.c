#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "graph/glob.h"
#include "store/tree.h"

/* ---------------------------------------------------------- files in */

MLB_VEC_NAMED(items, struct mlb_each_item);

struct listing {
	struct mlb_plan *plan;
	const char *dir;  /* project path of the tree */
	uint32_t path;    /* its index */
	const char *glob; /* project pattern */
	struct items items;
};

static int
add_file(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct listing *l = ctx;
	struct mlb_each_item it = { .in_path = l->path,
				    .kind = e->kind == MLB_T_EXEC ? MLB_O_EXEC : MLB_O_FILE,
				    .digest = e->digest };

	(void)err;
	if (e->kind != MLB_T_FILE && e->kind != MLB_T_EXEC)
		return 0;
	it.file = mlb_arena_printf(&l->plan->arena, "%s/%s", l->dir, path);
	if (mlb_glob_match(l->glob, it.file))
		mlb_vec_push(&l->items, it);
	return 0;
}

/* The files of a tree: by its object, whose nodes are made from disk if no cache has them. */
static int
list_tree(struct mlb_plan *plan, uint32_t n, struct listing *l, struct mlb_err *err)
{
	uint32_t output = plan->g->node[plan->g->node[n].each_source].out.first;
	uint32_t path = plan->g->output[output].path;
	bool wanted = plan->node[plan->g->node[n].each_source].wanted;
	struct mlb_now now = wanted ? plan->out[output] : mlb_output_on_disk(plan, output);
	int rc = mlb_project_cache(plan->p, err);

	if (rc)
		return rc;
	if (now.kind != MLB_O_TREE)
		return mlb_err_set(
			err, MLB_EINVALID,
			"'each' of '%s' looks for files in '%s', which is not a directory",
			mlb_g_str(plan->g, plan->g->node[n].name), mlb_g_path(plan->g, path));
	l->dir = mlb_g_path(plan->g, path);
	l->path = path;
	if (!mlb_cas_has(plan->p->cas, &now.digest))
		rc = mlb_scan_store(&plan->p->scan, path, plan->p->cas, err);
	return rc ? rc : mlb_tree_each(plan->p->cas, &now.digest, add_file, l, err);
}

/* A file of the glob that the command needs for another reason too is one of `each` all the same. */
static bool
is_each_file(const struct mlb_plan *plan, const struct listing *l, const struct mlb_g_input *in,
	     struct mlb_now now)
{
	if (in->why == MLB_IN_EACH)
		return now.kind != 0;
	if (in->producer != MLB_NONE && !(plan->g->node[in->producer].flags & MLB_G_SOURCE))
		return false;
	return (now.kind == MLB_O_FILE || now.kind == MLB_O_EXEC) &&
	       mlb_glob_match(l->glob, mlb_g_path(plan->g, in->path));
}

static void
list_inputs(struct mlb_plan *plan, uint32_t n, struct listing *l)
{
	const struct mlb_range in = plan->g->node[n].in;

	for (uint32_t i = 0; i < in.n; i++) {
		const struct mlb_g_input *input = &plan->g->input[in.first + i];
		struct mlb_now now = mlb_input_now(plan, input);
		struct mlb_each_item it = { .in_path = input->path,
					    .kind = now.kind,
					    .digest = now.digest };

		if (!is_each_file(plan, l, input, now))
			continue;
		it.file = mlb_g_path(plan->g, input->path);
		mlb_vec_push(&l->items, it);
	}
}

static int
by_file(const void *a, const void *b)
{
	const struct mlb_each_item *x = a, *y = b;

	return strcmp(x->file, y->file);
}

static void
list_shared(struct mlb_plan *plan, uint32_t n, struct mlb_each *e)
{
	const struct mlb_range in = plan->g->node[n].in;
	uint32_t k = 0;

	e->reads = mlb_arena_alloc(&plan->arena, (e->shared.n_inputs + 1) * sizeof(*e->reads));
	for (uint32_t i = 0; i < in.n; i++)
		if (plan->g->input[in.first + i].why != MLB_IN_EACH)
			e->reads[k++] = in.first + i;
}

int
mlb_each_expand(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct listing l = { .plan = plan, .glob = mlb_g_str(plan->g, plan->g->node[n].each_glob) };
	struct mlb_each *e = mlb_calloc(1, sizeof(*e));
	int rc = 0;

	mlb_each_free(plan->node[n].each);
	plan->node[n].each = e;
	if (plan->g->node[n].each_source != MLB_NONE)
		rc = list_tree(plan, n, &l, err);
	else
		list_inputs(plan, n, &l);
	if (l.items.n)
		qsort(l.items.v, l.items.n, sizeof(*l.items.v), by_file);
	e->n = (uint32_t)l.items.n;
	e->item = mlb_arena_alloc(&plan->arena, (l.items.n + 1) * sizeof(*e->item));
	if (l.items.n)
		memcpy(e->item, l.items.v, l.items.n * sizeof(*e->item));
	mlb_vec_release(&l.items);
	mlb_node_action(plan, n, &plan->arena, &e->shared);
	mlb_action_each_shared(&e->shared, plan->g, n);
	list_shared(plan, n, e);
	return rc;
}

void
mlb_each_free(struct mlb_each *e)
{
	free(e);
}

/* ---------------------------------------------------------- collection out */

struct leaf {
	const char *path; /* below the collection's directory */
	struct mlb_now now;
};

static int
by_leaf(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
by_name(const void *a, const void *b)
{
	const struct mlb_tree_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static uint8_t
tree_kind(uint8_t okind)
{
	return okind == MLB_O_EXEC ? MLB_T_EXEC : okind == MLB_O_TREE ? MLB_T_DIR : MLB_T_FILE;
}

/*
 * The node of the leaves [*at, n) whose paths begin with the same `skip` bytes.
 * Recursion is as deep as the directories are, which paths' length bounds.
 */
static int
make_node(const struct leaf *leaf, size_t n, size_t skip, struct mlb_arena *arena,
	  struct mlb_cas *cas, struct mlb_digest *out, uint64_t *size, struct mlb_err *err)
{
	MLB_VEC(struct mlb_tree_entry) entry = MLB_VEC_INIT;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0;) {
		const char *name = leaf[i].path + skip, *slash = strchr(name, '/');
		size_t len = slash ? (size_t)(slash - name) : strlen(name), j = i + 1;
		struct mlb_tree_entry e = { .name = mlb_arena_strndup(arena, name, len) };

		if (slash) {
			while (j < n && strncmp(leaf[j].path + skip, name, len + 1) == 0)
				j++;
			e.kind = MLB_T_DIR;
			rc = make_node(leaf + i, j - i, skip + len + 1, arena, cas, &e.digest,
				       &e.size, err);
		} else {
			e.kind = tree_kind(leaf[i].now.kind);
			e.digest = leaf[i].now.digest;
			e.size = leaf[i].now.size;
		}
		mlb_vec_push(&entry, e);
		i = j;
	}
	/* "a.b" sorts before "a/x" as a path, but after "a" as a name. */
	if (entry.n)
		qsort(entry.v, entry.n, sizeof(*entry.v), by_name);
	if (rc == 0)
		rc = mlb_tree_node(out, size, entry.v, entry.n, cas, err);
	mlb_vec_release(&entry);
	return rc;
}

/*
 * All outputs of an `each` node share one directory, and one tree stands for
 * every one of them.
 */
int
mlb_each_collect(struct mlb_plan *plan, uint32_t n, struct mlb_cas *cas, struct mlb_err *err)
{
	const struct mlb_each *e = plan->node[n].each;
	const struct mlb_range out = plan->g->node[n].out;
	const char *dir = mlb_g_path(plan->g, plan->g->output[out.first].path);
	struct leaf *leaf = mlb_calloc((size_t)e->n * out.n + 1, sizeof(*leaf));
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_now all = { .kind = MLB_O_TREE };
	size_t n_leaves = 0;
	int rc;

	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t k = 0; k < out.n; k++) {
			leaf[n_leaves].path = e->item[i].path[k] + strlen(dir) + 1;
			leaf[n_leaves++].now = e->item[i].out[k];
		}
	qsort(leaf, n_leaves, sizeof(*leaf), by_leaf);
	rc = make_node(leaf, n_leaves, 0, &arena, cas, &all.digest, &all.size, err);
	for (uint32_t k = 0; k < out.n; k++)
		plan->out[out.first + k] = all;
	mlb_arena_release(&arena);
	free(leaf);
	return rc;
}
