/* Removing outputs: those of targets, or those that no target makes any more. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/claim.h"
#include "engine/known.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_DEAD = 1 << 30 };

struct cleaner {
	struct mlb_project *p;
	mlb_clean_fn *fn;
	void *ctx;
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

/* One output that something once made; nothing is done if a target makes it again or it is not there. */
static int
clean_dead_path(struct cleaner *c, const char *path, const struct mlb_digest *digest,
		struct mlb_err *err)
{
	uint32_t at = mlb_project_path_index(c->p, path);
	struct mlb_clean_item item = { .path = path, .node = "" };
	char *full = mlb_project_path(c->p, path);
	struct mlb_stat st;
	int rc = mlb_fs_lstat(&st, full, err);

	if (rc == 0 && st.type != MLB_F_ABSENT &&
	    (at == MLB_NONE || c->p->graph->path_producer[at] == MLB_NONE)) {
		item.recoverable = recoverable(c, full, digest, &item);
		rc = remove_one(c, &item, err);
	}
	free(full);
	return rc;
}

/* What builds have dropped from the lock: lines "DIGEST PATH" of meta "dead" (relock.c). */
static int
clean_dropped(struct cleaner *c, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_DEAD);
	struct mlb_digest digest;
	int rc = mlb_meta_get(c->p->db, "dead", &text, err);
	char *line = text.data;

	while (rc == 0 && line && *line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (strlen(line) > MLB_HEX_LEN + 1 && mlb_digest_parse(&digest, line, MLB_HEX_LEN))
			rc = clean_dead_path(c, line + MLB_HEX_LEN + 1, &digest, err);
		line = end ? end + 1 : NULL;
	}
	mlb_buf_release(&text);
	return rc;
}

/* What was made, and no target of the graph makes: by the lock, and by what was dropped from it. */
static int
clean_dead(struct cleaner *c, struct mlb_err *err)
{
	int rc = mlb_project_whole_lock(c->p, err);

	for (uint32_t i = 0; rc == 0 && i < c->p->lock.map.n; i++) {
		const struct mlb_lock_block *b = c->p->lock.map.entry[i].u.ptr;

		/* A source's block (no key) names the user's own file. */
		for (uint32_t k = 0;
		     b && rc == 0 && k < b->n_outputs && !mlb_digest_is_zero(&b->key); k++)
			rc = clean_dead_path(c, b->output[k].path, &b->output[k].digest, err);
	}
	return rc ? rc : clean_dropped(c, err);
}

static int
clean(struct mlb_project *p, enum mlb_clean_what what, const char *const *word, size_t n_words,
      mlb_clean_fn *fn, void *ctx, struct mlb_err *err)
{
	struct cleaner c = { p, fn, ctx };
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
