/* What a sweep begins with: its combinations, and the project as it is now. */
#include "engine/needs.h"
#include "engine/sweep_int.h"

static int
check_axis(const struct mlb_sweeping *s, const struct mlb_axis *a, struct mlb_err *err)
{
	const struct mlb_param *p = mlb_params_get(&s->p->config->params, a->name);
	const char *near;

	if (p && p->type == MLB_PARAM_SCALAR)
		return 0;
	if (p)
		return mlb_err_set(
			err, MLB_EINVALID, "-p %s: it is a %s, and a sweep gives single values: %s",
			a->name, p->map ? "group of parameters" : "list or map",
			p->map ? "name one of them"
			       : "name a parameter with one value, or build variants with "
				 "'mlbuild -p'");
	near = mlb_params_nearest(&s->p->config->params, a->name);
	return mlb_err_set(err, MLB_EINVALID, "-p %s: there is no such parameter%s%s%s", a->name,
			   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Sources that the combinations read are kept as they are now: private roots get them from the store. */
static int
store_sources(struct mlb_sweeping *s, struct mlb_err *err)
{
	const struct mlb_graph *g = s->base.g;
	struct mlb_scan *scan = &s->p->scan;
	int rc = 0;

	for (uint32_t n = 0; n < g->n_nodes; n++) {
		if (!s->base.plan->node[n].wanted)
			continue;
		for (uint32_t i = 0; i < g->node[n].in.n && rc == 0; i++) {
			const struct mlb_g_input *in = &g->input[g->node[n].in.first + i];
			const struct mlb_path_state *st = &scan->state[in->path];

			if (in->producer != MLB_NONE &&
			    !(g->node[in->producer].flags & MLB_G_SOURCE))
				continue;
			if (st->kind == MLB_P_TREE
				    ? !mlb_scan_stored(scan, in->path, s->p->cas)
				    : (st->kind == MLB_P_FILE || st->kind == MLB_P_EXEC) &&
					      !mlb_cas_has(s->p->cas, &st->digest))
				rc = mlb_scan_store(scan, in->path, s->p->cas, err);
		}
	}
	return rc;
}

int
mlb_sweep_load(struct mlb_sweeping *s, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = s->opt->word, .n_words = s->opt->n_words };
	struct mlb_project *p = s->p;
	int rc;

	mlb_strmap_release(&p->seen);
	mlb_strmap_release(&p->fingerprints);
	p->storing = &o;
	p->progress = mlb_tell_progress;
	p->progress_ctx = &s->base;
	rc = mlb_plan_new(&s->base.plan, p, &o, err);
	p->storing = NULL;
	p->progress = NULL;
	if (rc)
		return rc;
	s->base.g = s->base.plan->g;
	mlb_needs_touch(p);
	rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = mlb_project_vcs(p, err);
	if (rc == 0)
		rc = mlb_project_config(p, err);
	for (size_t i = 0; i < s->grid.axis.n && rc == 0; i++)
		rc = check_axis(s, &s->grid.axis.v[i], err);
	if (rc == 0)
		rc = store_sources(s, err);
	if (rc == 0)
		rc = mlb_find_pin(&s->base, err);
	s->m.jobs = s->opt->jobs ? s->opt->jobs : s->base.g->jobs ? s->base.g->jobs : p->threads;
	return rc;
}

int
mlb_sweep_begin(struct mlb_sweeping *s, struct mlb_err *err)
{
	int rc = 0;

	if (mlb_is_variant(s->p))
		return mlb_err_set(err, MLB_EINVALID, "a sweep is not made of a variant");
	rc = mlb_grid_parse(&s->grid, s->opt->param, s->opt->n_params, err);
	if (rc == 0)
		rc = mlb_grid_choose(&s->grid, s->opt->random, s->opt->seed, &s->number, &s->n,
				     err);
	s->report->total = (uint32_t)s->n;
	return rc;
}
