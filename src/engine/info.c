/* What there is: targets, parameters, words for completion, and the plan. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/each.h"
#include "engine/failures.h"
#include "engine/into.h"
#include "engine/known.h"

enum { MAX_WORDS = 64 << 20 };

static uint32_t
first_node(const struct mlb_graph *g, const char *base, uint32_t *count)
{
	uint32_t first = MLB_NONE;

	*count = 0;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (strcmp(mlb_g_str(g, g->node[i].base), base) == 0) {
			if (first == MLB_NONE)
				first = i;
			++*count;
		}
	return first;
}

MLB_VEC_NAMED(paths, const char *);

/* One target of the ini, with the outputs of all its instances, which begin at node i. */
static int
tell_target(const struct mlb_graph *g, const struct mlb_target *t, uint32_t i, const uint32_t *next,
	    mlb_target_fn *fn, void *ctx)
{
	struct mlb_target_info info = {
		.name = t->name,
		.kind = mlb_kind_names[t->kind],
		.desc = t->desc,
		.owner = t->owner,
		.tags = t->tags,
		.file = t->file,
		.line = t->line,
		.source = t->path.s != NULL,
	};
	struct paths path = MLB_VEC_INIT;
	int rc;

	for (; i != MLB_NONE; i = next[i]) {
		const struct mlb_range out = g->node[i].out;

		info.instances++;
		for (uint32_t k = 0; k < out.n; k++)
			mlb_vec_push(&path, mlb_g_path(g, g->output[out.first + k].path));
	}
	info.output = path.v;
	info.n_outputs = path.n;
	rc = fn(ctx, &info);
	mlb_vec_release(&path);
	return rc;
}

int
mlb_targets(struct mlb_project *p, mlb_target_fn *fn, void *ctx, struct mlb_err *err)
{
	uint32_t *first, *next;
	int rc = mlb_project_load(p, err);

	if (rc == 0)
		rc = mlb_project_config(p, err);
	if (rc)
		return rc;
	first = mlb_graph_instances(p->graph, p->config->target.n, &next);
	for (size_t t = 0; t < p->config->target.n && rc == 0; t++)
		rc = tell_target(p->graph, p->config->target.v[t], first[t], next, fn, ctx);
	free(next);
	free(first);
	return rc < 0 ? rc : 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct mlb_param *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

int
mlb_params(struct mlb_project *p, mlb_param_fn *fn, void *ctx, struct mlb_err *err)
{
	const struct mlb_param **param;
	const struct mlb_strmap *map;
	int rc = mlb_project_config(p, err);

	if (rc)
		return rc;
	map = &p->config->params.map;
	param = mlb_calloc(map->n + 1, sizeof(*param));
	for (uint32_t i = 0; i < map->n; i++)
		param[i] = map->entry[i].u.ptr;
	qsort(param, map->n, sizeof(*param), by_name);
	for (uint32_t i = 0; i < map->n && rc == 0; i++) {
		struct mlb_param_info info = { param[i]->name, param[i]->text, param[i]->file,
					       param[i]->line };

		/* A map is told by its leaves. */
		if (param[i]->type != MLB_PARAM_JSON)
			rc = fn(ctx, &info);
	}
	free(param);
	return rc < 0 ? rc : 0;
}

bool
mlb_is_target(struct mlb_project *p, const char *name)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	/* Every command asks this about its own name: no output is looked at for that. */
	bool is = mlb_project_config(p, &ignored) == 0 && mlb_config_find(p->config, name);

	mlb_err_release(&ignored);
	return is;
}

/* Would a build with --locked end in that the lock is not what the inputs give? */
static int
hold_to_lock(struct mlb_plan *plan, struct mlb_err *err)
{
	bool differs = plan->refused;
	int rc = 0;

	if (!plan->locked || mlb_is_variant(plan->p))
		return 0;
	if (!differs)
		rc = mlb_relock_differs(plan, &differs, err);
	return rc == 0 && differs ? mlb_err_set(err, MLB_ESTALE, "%s", MLB_LOCK_STALE) : rc;
}

/* Decide, tell each wanted node's fate, and free the plan; rc: how it was made. */
static int
tell_plan(struct mlb_plan *plan, mlb_plan_fn *fn, void *ctx, int rc, struct mlb_err *err)
{
	struct mlb_project *p = plan ? plan->p : NULL;

	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	for (uint32_t i = 0; rc == 0 && i < plan->g->n_nodes; i++) {
		const struct mlb_node *node = &plan->node[i];
		uint32_t batch = MLB_MAX(plan->g->node[i].batch, 1);
		struct mlb_plan_info info = {
			.name = mlb_g_str(plan->g, plan->g->node[i].name),
			.kind = mlb_kind_names[plan->g->node[i].kind],
			.fate = (enum mlb_fate)node->fate,
			.reason = node->reason,
			.present = node->present,
			.asked = node->asked,
			.expected = node->each       ? mlb_each_expected(plan, i)
				    : node->measured ? node->duration
						     : 0,
			.failed = mlb_failure_of(plan, i),
			.actions = node->each ? (node->each->stale + batch - 1) / batch : 1,
		};

		if (node->wanted)
			rc = fn(ctx, &info);
	}
	if (rc == 0)
		rc = hold_to_lock(plan, err);
	mlb_plan_free(plan);
	/* What was hashed to answer is remembered; a reader that cannot write answers all the same. */
	if (rc == 0 || rc == MLB_ESTALE)
		mlb_project_save_scan(p, NULL);
	return rc < 0 ? rc : 0;
}

int
mlb_plan(struct mlb_project *p, const char *const *word, size_t n_words, mlb_plan_fn *fn, void *ctx,
	 struct mlb_err *err)
{
	const struct mlb_plan_options o = { .word = word, .n_words = n_words };
	struct mlb_plan *plan = NULL;
	int rc = mlb_plan_new(&plan, p, &o, err);

	return tell_plan(plan, fn, ctx, rc, err);
}

int
mlb_plan_build(struct mlb_project *p, const struct mlb_build *b, mlb_plan_fn *fn, void *ctx,
	       struct mlb_err *err)
{
	const struct mlb_plan_options o = {
		.word = b->word,
		.n_words = b->n_words,
		.force = b->force,
		.only = b->only,
		.downstream = b->downstream,
		.update = b->update,
		.locked = b->locked,
	};
	struct mlb_plan *plan = NULL;
	int rc = mlb_plan_new(&plan, p, &o, err);

	if (rc == 0 && b->into && mlb_is_variant(p))
		rc = mlb_into_check(plan, b->into, err);
	if (rc == 0)
		rc = mlb_plan_check_env(plan, err);
	if (rc == 0)
		plan->asks = plan->g->remotes && !b->offline && p->past != MLB_PAST_REBUILD;
	return tell_plan(plan, fn, ctx, rc, err);
}

int
mlb_complete(struct mlb_project *p, const char *prefix, char **out, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_WORDS);
	int rc = mlb_project_load(p, err);
	const struct mlb_graph *g = p->graph;
	uint32_t count;

	if (rc)
		return rc;
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const char *name = mlb_g_str(g, g->node[i].name),
			   *base = mlb_g_str(g, g->node[i].base);

		if (mlb_str_starts(base, prefix) && first_node(g, base, &count) == i)
			mlb_buf_addf(&text, "%s\n", base);
		/* Instances are offered once their target is written out. */
		if (strcmp(name, base) != 0 && strchr(prefix, '@') && mlb_str_starts(name, prefix))
			mlb_buf_addf(&text, "%s\n", name);
	}
	for (int k = 0; k < MLB_N_KINDS; k++)
		if (mlb_str_starts(mlb_kind_names[k], prefix) &&
		    first_node(g, mlb_kind_names[k], &count) == MLB_NONE)
			mlb_buf_addf(&text, "%s\n", mlb_kind_names[k]);
	*out = mlb_buf_detach(&text);
	return 0;
}
