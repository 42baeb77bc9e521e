/* Tree objects: going through all that is below one. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "store/sort.h"
#include "store/tree.h"
#include "store/tree_node.h"

/* A directory that is being gone through. */
struct level {
	struct mlb_arena arena;
	struct mlb_tree_entry *entry;
	uint32_t *order; /* entries as their paths sort: a directory as "name/" */
	size_t n;
	size_t next;
	size_t path_len; /* of the path that leads here, with its slash */
};

MLB_VEC_NAMED(levels, struct level);

/* Directories sort as "name/" among paths: "a-b" comes before "a/b", "a" before both. */
static void
order_as_paths(struct level *l)
{
	const char **key = mlb_calloc(l->n + 1, sizeof(*key));

	for (size_t i = 0; i < l->n; i++) {
		const struct mlb_tree_entry *e = &l->entry[i];

		key[i] = e->kind == MLB_T_DIR ? mlb_arena_printf(&l->arena, "%s/", e->name)
					      : e->name;
	}
	l->order = mlb_arena_alloc(&l->arena, (l->n + 1) * sizeof(*l->order));
	mlb_sort_strings(l->order, key, l->n);
	free(key);
}

static uint64_t
size_of(const struct level *l)
{
	uint64_t size = 0;

	for (size_t i = 0; i < l->n; i++)
		size += l->entry[i].kind == MLB_T_LINK ? 0 : l->entry[i].size;
	return size;
}

static int
open_level(struct levels *levels, struct mlb_cas *cas, const struct mlb_digest *digest,
	   size_t path_len, struct mlb_err *err)
{
	struct level l = { .arena = MLB_ARENA_INIT, .path_len = path_len };
	int rc = mlb_tree_read(&l.entry, &l.n, &l.arena, cas, digest, err);

	if (rc < 0) {
		mlb_arena_release(&l.arena);
		return rc;
	}
	order_as_paths(&l);
	mlb_vec_push(levels, l);
	return 0;
}

static void
close_level(struct levels *levels)
{
	mlb_arena_release(&levels->v[--levels->n].arena);
}

typedef int each_fn(void *ctx, const char *path, const struct mlb_tree_entry *e,
		    struct mlb_err *err);

/* A directory that is not empty is handed out too, where that is wanted, as "path/". */
static int
enter(struct levels *levels, const struct mlb_tree_entry *e, struct mlb_buf *path, bool dirs,
      each_fn *fn, void *ctx, struct mlb_err *err)
{
	const struct level *l = &levels->v[levels->n - 1];
	bool empty = l->n == 0;
	int rc;

	if (size_of(l) != e->size)
		return mlb_err_set(err, MLB_ECORRUPT,
				   "directory '%s' of a tree has another size than its node says",
				   mlb_buf_str(path));
	if (empty)
		close_level(levels);
	if (dirs || !empty)
		mlb_buf_addc(path, '/');
	rc = mlb_buf_check(path, "a path in a tree", err);
	if (rc == 0 && (dirs || empty))
		rc = fn(ctx, mlb_buf_str(path), e, err);
	return rc;
}

/* One entry: hand it out, or go down into it. */
static int
visit(struct levels *levels, struct mlb_cas *cas, struct mlb_buf *path, bool dirs, each_fn *fn,
      void *ctx, struct mlb_err *err)
{
	struct level *l = &levels->v[levels->n - 1];
	const struct mlb_tree_entry *e = &l->entry[l->order[l->next++]];
	int rc;

	mlb_buf_truncate(path, l->path_len);
	mlb_buf_adds(path, e->name);
	rc = mlb_buf_check(path, "a path in a tree", err);
	if (rc < 0)
		return rc;
	if (e->kind != MLB_T_DIR)
		return fn(ctx, mlb_buf_str(path), e, err);
	rc = open_level(levels, cas, &e->digest, path->len + 1, err);
	if (rc < 0) {
		mlb_err_wrap(err, "directory '%s' of a tree", mlb_buf_str(path));
		return rc;
	}
	l = &levels->v[levels->n - 2];
	return enter(levels, &l->entry[l->order[l->next - 1]], path, dirs, fn, ctx, err);
}

static int
each(struct mlb_cas *cas, const struct mlb_digest *tree, bool dirs, each_fn *fn, void *ctx,
     struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(MLB_TREE_PATH_MAX);
	struct levels levels = MLB_VEC_INIT;
	int rc = open_level(&levels, cas, tree, 0, err);

	while (rc == 0 && levels.n) {
		if (levels.v[levels.n - 1].next == levels.v[levels.n - 1].n)
			close_level(&levels);
		else
			rc = visit(&levels, cas, &path, dirs, fn, ctx, err);
	}
	while (levels.n)
		close_level(&levels);
	mlb_vec_release(&levels);
	mlb_buf_release(&path);
	return rc;
}

int
mlb_tree_each(struct mlb_cas *cas, const struct mlb_digest *tree, each_fn *fn, void *ctx,
	      struct mlb_err *err)
{
	return each(cas, tree, false, fn, ctx, err);
}

int
mlb_tree_each_dir(struct mlb_cas *cas, const struct mlb_digest *tree, each_fn *fn, void *ctx,
		  struct mlb_err *err)
{
	return each(cas, tree, true, fn, ctx, err);
}

MLB_VEC_NAMED(digests, struct mlb_digest);

static int
node_objects(struct digests *todo, const struct mlb_node *node, struct mlb_tree_seen *seen,
	     int (*fn)(void *ctx, const struct mlb_digest *object, struct mlb_err *err), void *ctx,
	     struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < node->n_parts; i++)
		if (node->part[i].count && mlb_digest_set_add(&seen->node, &node->part[i].digest))
			mlb_vec_push(todo, node->part[i].digest);
	for (uint64_t i = 0; !node->n_parts && i < node->count && rc == 0; i++) {
		const struct mlb_digest *d = &node->entry[i].digest;

		if (node->entry[i].kind == MLB_T_DIR) {
			if (mlb_digest_set_add(&seen->node, d))
				mlb_vec_push(todo, *d);
		} else if (mlb_digest_set_add(&seen->object, d)) {
			rc = fn(ctx, d, err);
		}
	}
	return rc;
}

void
mlb_tree_seen_release(struct mlb_tree_seen *s)
{
	mlb_digest_set_release(&s->node);
	mlb_digest_set_release(&s->object);
}

int
mlb_tree_objects(struct mlb_cas *cas, const struct mlb_digest *tree, struct mlb_tree_seen *seen,
		 int (*fn)(void *ctx, const struct mlb_digest *object, struct mlb_err *err),
		 void *ctx, struct mlb_err *err)
{
	struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct digests todo = MLB_VEC_INIT;
	int rc = 0;

	if (mlb_digest_set_add(&seen->node, tree))
		mlb_vec_push(&todo, *tree);
	while (rc == 0 && todo.n) {
		struct mlb_digest digest = todo.v[--todo.n];
		struct mlb_node node;

		mlb_buf_clear(&buf);
		rc = mlb_cas_read(cas, &buf, &digest, err);
		if (rc == 0)
			rc = mlb_node_parse(&node, &arena, mlb_buf_str(&buf), buf.len, err);
		if (rc == 0 && mlb_digest_set_add(&seen->object, &digest))
			rc = fn(ctx, &digest, err);
		if (rc == 0)
			rc = node_objects(&todo, &node, seen, fn, ctx, err);
		mlb_arena_release(&arena);
	}
	mlb_vec_release(&todo);
	mlb_buf_release(&buf);
	return rc;
}

/* ------------------------------------------------------------ one entry */

static const struct mlb_tree_entry *
search(const struct mlb_tree_entry *entry, size_t n, const char *name, size_t len)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strncmp(entry[mid].name, name, len);

		if (c == 0 && entry[mid].name[len] == '\0')
			return &entry[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int
mlb_tree_find(struct mlb_tree_entry *out, struct mlb_arena *arena, struct mlb_cas *cas,
	      const struct mlb_digest *tree, const char *path, struct mlb_err *err)
{
	struct mlb_digest node = *tree;

	for (const char *s = path;;) {
		size_t n, len = strcspn(s, "/");
		struct mlb_tree_entry *entry;
		const struct mlb_tree_entry *found;
		int rc = mlb_tree_read(&entry, &n, arena, cas, &node, err);

		if (rc < 0)
			return rc;
		found = search(entry, n, s, len);
		if (!found || (s[len] && found->kind != MLB_T_DIR))
			return mlb_err_set(err, MLB_ENOTFOUND, "there is no '%s' in it", path);
		if (!s[len]) {
			*out = *found;
			return 0;
		}
		node = found->digest;
		s += len + 1;
	}
}

static int
check_sure(void *ctx, const struct mlb_digest *object, struct mlb_err *err MLB_UNUSED)
{
	return mlb_cas_sure(ctx, object) ? 0 : MLB_ENOTFOUND;
}

bool
mlb_tree_sure(struct mlb_cas *cas, const struct mlb_digest *tree)
{
	struct mlb_tree_seen seen = { 0 };
	struct mlb_err err = MLB_ERR_INIT;
	bool sure = mlb_tree_objects(cas, tree, &seen, check_sure, cas, &err) == 0;

	mlb_tree_seen_release(&seen);
	mlb_err_release(&err);
	return sure;
}
