/* Removing outputs: those of targets, or those that no target makes any more. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/claim.h"
#include "engine/dead.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

struct cleaner {
	struct mlb_project *p;
	mlb_clean_fn *fn;
	void *ctx;
	struct mlb_arena arena;
	struct mlb_strmap seen; /* dead paths that were looked at */
};

static int
remove_one(struct cleaner *c, const struct mlb_clean_item *item, struct mlb_err *err)
{
	char *full;
	int rc = c->fn(c->ctx, item);

	if (rc <= 0)
		return rc;
	full = mlb_project_path(c->p, item->path);
	rc = mlb_fs_remove_tree(full, err);
	if (rc == 0)
		mlb_fs_rmdir_empty_parents(full, c->p->root);
	free(full);
	return rc;
}

static bool
is_sure(struct mlb_cas *cas, bool tree, const struct mlb_digest *digest)
{
	return tree ? mlb_tree_sure(cas, digest) : mlb_cas_sure(cas, digest);
}

static int
clean_output(struct cleaner *c, uint32_t output, struct mlb_err *err)
{
	const struct mlb_graph *g = c->p->graph;
	const struct mlb_path_state *s = &c->p->scan.state[g->output[output].path];
	const struct mlb_g_node *node = &g->node[g->path_producer[g->output[output].path]];
	struct mlb_clean_item item = {
		.path = mlb_g_path(g, g->output[output].path),
		.node = mlb_g_str(g, node->name),
		.recoverable = is_sure(c->p->cas, s->kind == MLB_P_TREE, &s->digest),
		.size = s->size,
	};

	/* A source is the user's, whatever target is named. */
	if (s->kind == MLB_P_ABSENT || node->flags & MLB_G_SOURCE)
		return 0;
	return remove_one(c, &item, err);
}

/* Are the bytes there now those that were recorded, and does the cache have them? They may be the user's by now. */
static bool
recoverable(struct cleaner *c, const char *full, const struct mlb_digest *digest,
	    struct mlb_clean_item *item)
{
	struct mlb_digest now;
	struct mlb_stat st;
	int rc = mlb_fs_lstat(&st, full, NULL);

	if (rc == 0 && st.type == MLB_F_DIR)
		rc = mlb_tree_store(&now, &item->size, full, NULL, NULL);
	else if (rc == 0)
		rc = mlb_fs_hash(&now, &item->size, full, NULL);
	return rc == 0 && mlb_digest_equal(&now, digest) &&
	       is_sure(c->p->cas, st.type == MLB_F_DIR, digest);
}

/* One output that something once made; it stays if a target needs it. */
static int
clean_dead_path(void *ctx, const char *path, const struct mlb_digest *digest, struct mlb_err *err)
{
	struct cleaner *c = ctx;
	struct mlb_clean_item item = { .path = path, .node = "" };
	char *full;
	struct mlb_stat st;
	bool is_new;
	int rc;

	/* The lock may still name what was remembered. */
	mlb_strmap_add(&c->seen, mlb_arena_strdup(&c->arena, path), strlen(path), &is_new);
	if (!is_new)
		return 0;
	full = mlb_project_path(c->p, path);
	rc = mlb_fs_lstat(&st, full, err);
	if (rc == 0 && st.type != MLB_F_ABSENT && !mlb_dead_is_used(c->p, path)) {
		item.recoverable = recoverable(c, full, digest, &item);
		rc = remove_one(c, &item, err);
	}
	free(full);
	return rc;
}

static int
clean_dead(struct cleaner *c, struct mlb_err *err)
{
	int rc = mlb_dead_in_lock(c->p, clean_dead_path, c, err);

	if (rc == 0)
		rc = mlb_dead_remembered(c->p, clean_dead_path, c, err);
	mlb_strmap_release(&c->seen);
	mlb_arena_release(&c->arena);
	return rc;
}

static int
clean(struct mlb_project *p, enum mlb_clean_what what, const char *const *word, size_t n_words,
      mlb_clean_fn *fn, void *ctx, struct mlb_err *err)
{
	struct cleaner c = { p, fn, ctx, MLB_ARENA_INIT, MLB_STRMAP_INIT };
	uint8_t *mark = NULL;
	int rc = mlb_project_load(p, err);

	if (rc == 0)
		rc = mlb_project_cache(p, err);
	if (rc)
		return rc;
	if (what == MLB_CLEAN_DEAD)
		return clean_dead(&c, err);
	mark = mlb_calloc(p->graph->n_nodes + 1, 1);
	if (what == MLB_CLEAN_ALL)
		memset(mark, 1, p->graph->n_nodes);
	else
		rc = mlb_select_words(p, word, n_words, mark, err);
	for (uint32_t i = 0; i < p->graph->n_nodes && rc == 0; i++)
		for (uint32_t k = 0; mark[i] && k < p->graph->node[i].out.n && rc == 0; k++)
			rc = clean_output(&c, p->graph->node[i].out.first + k, err);
	free(mark);
	return rc < 0 ? rc : 0;
}

int
mlb_clean(struct mlb_project *p, enum mlb_clean_what what, const char *const *word, size_t n_words,
	  mlb_clean_fn *fn, void *ctx, struct mlb_err *err)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	int rc = mlb_claim_now(&lock, p, "mlbuild clean", err);

	if (rc == 0)
		rc = clean(p, what, word, n_words, fn, ctx, err);
	mlb_lock_release(&lock);
	return rc;
}
