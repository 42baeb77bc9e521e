#include "graph/graph_check.h"

#include "store/scan.h"

static bool
in_range(const struct mlb_range *r, uint32_t n)
{
	return r->first <= n && r->n <= n - r->first;
}

static bool
is_str(const struct mlb_graph *g, mlb_str s)
{
	return s < g->str_len;
}

static bool
is_node_or_none(uint32_t node, uint32_t below)
{
	return node == MLB_NONE || node < below;
}

/* All entries of a range of index[] are nodes below a bound. */
static bool
indices_below(const struct mlb_graph *g, const struct mlb_range *r, uint32_t bound)
{
	bool good = in_range(r, g->n_index);

	for (uint32_t i = 0; good && i < r->n; i++)
		good = g->index[r->first + i] < bound;
	return good;
}

static bool
ranges_good(const struct mlb_graph *g, const struct mlb_g_node *n)
{
	return in_range(&n->in, g->n_inputs) && in_range(&n->out, g->n_outputs) &&
	       in_range(&n->param, g->n_pairs) && in_range(&n->env, g->n_pairs) &&
	       in_range(&n->secret, g->n_pairs) && in_range(&n->arg, g->n_pairs) &&
	       in_range(&n->fp, g->n_strs);
}

static bool
node_good(const struct mlb_graph *g, uint32_t i)
{
	const struct mlb_g_node *n = &g->node[i];

	if (!is_str(g, n->name) || !is_str(g, n->base) || !is_str(g, n->command) ||
	    !is_str(g, n->dir) || !is_str(g, n->shell) || !is_str(g, n->unset) ||
	    !is_str(g, n->each_glob))
		return false;
	if (n->kind >= MLB_N_KINDS || n->exec >= g->n_execs || !is_node_or_none(n->each_source, i))
		return false;
	if ((n->flags & MLB_G_SOURCE) && n->out.n == 0)
		return false;
	if (n->each_source != MLB_NONE && g->node[n->each_source].out.n == 0)
		return false;
	if (!ranges_good(g, n) || !indices_below(g, &n->dep, i) || !indices_below(g, &n->gate, i))
		return false;
	return indices_below(g, &n->user, g->n_nodes) && indices_below(g, &n->guards, g->n_nodes) &&
	       indices_below(g, &n->list, i);
}

static bool
values_good(const struct mlb_graph *g, const struct mlb_range *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (!is_str(g, g->pair[r->first + i].value))
			return false;
	return true;
}

static const char *
check_nodes(const struct mlb_graph *g)
{
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		if (!node_good(g, i))
			return "a node is damaged";
		if (!values_good(g, &g->node[i].param) || !values_good(g, &g->node[i].arg))
			return "a value is missing";
		if (g->by_name[i] >= g->n_nodes)
			return "the list of names is damaged";
	}
	return NULL;
}

static bool
input_good(const struct mlb_graph *g, const struct mlb_g_input *in)
{
	if (in->path >= g->n_paths || in->why > MLB_IN_EACH ||
	    !is_node_or_none(in->producer, g->n_nodes))
		return false;
	if (in->producer != MLB_NONE && in->producer != g->path_producer[in->path])
		return false;
	return in->by < g->n_paths || (in->by == MLB_NONE && in->why != MLB_IN_IMPORT);
}

static const char *
check_files(const struct mlb_graph *g)
{
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!input_good(g, &g->input[i]))
			return "an input is damaged";
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (g->output[i].path >= g->n_paths || !is_str(g, g->output[i].name) ||
		    !is_str(g, g->output[i].each_out) || g->output[i].kind > MLB_G_METRICS ||
		    g->path_producer[g->output[i].path] == MLB_NONE)
			return "an output is damaged";
	for (uint32_t i = 0; i < g->n_paths; i++)
		if (!is_str(g, g->path[i]) || g->path_want[i] > MLB_WANT_LISTING ||
		    !is_node_or_none(g->path_producer[i], g->n_nodes))
			return "a path is damaged";
	for (uint32_t i = 0; i < g->n_facts; i++) {
		const struct mlb_g_fact *f = &g->fact[i];
		bool good = f->kind == MLB_FACT_ENV ? is_str(g, f->subject)
						    : f->subject < g->n_paths;

		if (!good || f->kind > MLB_FACT_ENV || f->pkind > MLB_P_BAD)
			return "a fact is damaged";
	}
	return NULL;
}

static const char *
check_rest(const struct mlb_graph *g)
{
	for (uint32_t i = 0; i < g->n_pairs; i++)
		if (!is_str(g, g->pair[i].name) ||
		    (g->pair[i].value != MLB_NONE && !is_str(g, g->pair[i].value)))
			return "a value is damaged";
	for (uint32_t i = 0; i < g->n_execs; i++)
		if (!in_range(&g->exec[i].pool, g->n_pool_uses))
			return "a demand is damaged";
	for (uint32_t i = 0; i < g->n_pool_uses; i++)
		if (g->pool_use[i].pool >= g->n_pools)
			return "a pool is damaged";
	for (uint32_t i = 0; i < g->n_pools; i++)
		if (!is_str(g, g->pool[i].name))
			return "a pool is damaged";
	for (uint32_t i = 0; i < g->n_strs; i++)
		if (!is_str(g, g->strs[i]))
			return "a text is damaged";
	for (uint32_t i = 0; i < g->n_expose; i++)
		if (!is_str(g, g->expose[i]))
			return "a text is damaged";
	if (!is_str(g, g->project) || !is_str(g, g->salt) || !is_str(g, g->cache_dir) ||
	    !is_str(g, g->cache_link))
		return "a text is damaged";
	return indices_below(g, &g->defaults, g->n_nodes) ? NULL
							  : "the default targets are damaged";
}

const char *
mlb_graph_check(const struct mlb_graph *g)
{
	const char *why;

	if (g->str_len == 0 || g->str[g->str_len - 1] != '\0' || g->str[0] != '\0')
		return "its texts are damaged";
	why = check_nodes(g);
	if (!why)
		why = check_files(g);
	return why ? why : check_rest(g);
}
