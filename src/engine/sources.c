/*
 * Sources into the store, so that this commit can be made again: while they are
 * scanned, which reads them once, or else when they are recorded.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "engine/builder.h"
#include "engine/sources.h"

/* Whether git has the bytes of this file: then they need not be kept twice. Of a directory git may have a part. */
static bool
git_has(struct mlb_project *p, uint32_t path)
{
	return mlb_project_vcs(p, NULL) == 0 && p->vcs &&
	       mlb_vcs_keeps(p->vcs, mlb_g_path(p->graph, path));
}

static bool
is_stored_source(const struct mlb_g_node *node)
{
	return (node->flags & MLB_G_SOURCE) && !(node->flags & MLB_G_NO_STORE);
}

/* ---------------------------------------------------------- while they are scanned */

/* Mark the paths of all sources that the words ask for, or that what they ask for is made from. */
static void
mark_wanted(struct mlb_sources *s)
{
	const struct mlb_graph *g = s->p->graph;
	struct mlb_plan plan = { .p = s->p, .g = g, .only = s->p->storing->only };

	plan.node = mlb_calloc(g->n_nodes + 1, sizeof(*plan.node));
	s->wanted = mlb_calloc(g->n_paths + 1, sizeof(*s->wanted));
	/* Words that name nothing are told when the plan is made. */
	if (mlb_plan_select(&plan, s->p->storing, NULL) == 0)
		for (uint32_t i = 0; i < g->n_nodes; i++)
			if (plan.node[i].wanted && is_stored_source(&g->node[i]))
				s->wanted[g->output[g->node[i].out.first].path] = true;
	mlb_arena_release(&plan.arena);
	free(plan.node);
}

struct mlb_cas *
mlb_sources_store(void *ctx, size_t path, bool tree)
{
	struct mlb_sources *s = ctx;
	uint32_t producer = s->p->graph->path_producer[path];

	if (producer == MLB_NONE || !is_stored_source(&s->p->graph->node[producer]))
		return NULL;
	if (!s->wanted)
		mark_wanted(s);
	if (!s->wanted[path] || (!tree && git_has(s->p, (uint32_t)path)))
		return NULL;
	return mlb_project_cache(s->p, NULL) == 0 ? s->p->cas : NULL;
}

void
mlb_sources_release(struct mlb_sources *s)
{
	free(s->wanted);
	s->wanted = NULL;
}

/* ---------------------------------------------------------- when they are recorded */

struct store_ctx {
	struct mlb_builder *b;
	struct mlb_u32s path;
	struct mlb_err *err; /* one per path */
};

static void
store_source(void *ctx, size_t i)
{
	struct store_ctx *s = ctx;

	mlb_scan_store(&s->b->p->scan, s->path.v[i], s->b->p->cas, &s->err[i]);
}

static bool
must_store(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_g_node *node = &b->g->node[n];
	uint32_t path;

	if (!is_stored_source(node) || !b->plan->node[n].present)
		return false;
	path = b->g->output[node->out.first].path;
	if (b->plan->out[node->out.first].kind == MLB_O_TREE)
		return !mlb_scan_stored(&b->p->scan, path, b->p->cas);
	return !git_has(b->p, path);
}

int
mlb_store_sources(struct mlb_builder *b, struct mlb_err *err)
{
	struct store_ctx s = { .b = b };
	int rc = 0;

	for (size_t i = 0; i < b->marked.n; i++)
		if (must_store(b, b->marked.v[i]))
			mlb_vec_push(&s.path,
				     b->g->output[b->g->node[b->marked.v[i]].out.first].path);
	s.err = mlb_calloc(s.path.n + 1, sizeof(*s.err));
	mlb_parallel(s.path.n, 1, b->p->threads, store_source, &s);
	for (size_t i = 0; i < s.path.n; i++) {
		if (rc == 0 && s.err[i].code != MLB_OK)
			rc = mlb_err_set(err, s.err[i].code, "%s", s.err[i].text);
		mlb_err_release(&s.err[i]);
	}
	free(s.err);
	mlb_vec_release(&s.path);
	return rc;
}
