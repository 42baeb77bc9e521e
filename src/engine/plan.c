/*
 * A plan: the state of every node for one invocation. It is filled from the
 * memo in one ordered pass; deciding is decide.c's.
 */
#include "engine/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/away.h"
#include "engine/each.h"
#include "engine/failures.h"
#include "engine/fingerprint.h"
#include "engine/known.h"
#include "engine/steady.h"

#define MAX_UNSET (4 * MLB_MIB)
#define FEW 16 /* of so many nodes one is looked up: more are faster read all */
#define GUESS_NS (1000ULL * 1000 * 1000) /* of a command that nothing is known about */

/* Two sorted sequences are merged: rows of the memo, and nodes by name. */
struct merge {
	struct mlb_plan *plan;
	uint32_t at;
	uint64_t sum[MLB_N_KINDS];
	uint64_t count[MLB_N_KINDS];
};

static void
take_memo(struct mlb_node *node, const struct mlb_memo *m)
{
	node->has_memo = true;
	node->memo_sig = m->sig;
	node->memo_key = m->key;
	node->memo_outs = m->outs;
	node->memo_flags = m->flags;
	node->doubted = m->flags & MLB_MEMO_DOUBTED;
	node->duration = m->duration;
	node->measured = m->duration != 0;
}

static int
merge_memo(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	struct merge *merge = ctx;
	struct mlb_plan *plan = merge->plan;
	const struct mlb_graph *g = plan->g;
	int c = -1;

	(void)err;
	if (m->duration && m->kind < MLB_N_KINDS) {
		merge->sum[m->kind] += m->duration;
		merge->count[m->kind]++;
	}
	while (merge->at < g->n_nodes) {
		c = strcmp(mlb_g_str(g, g->node[g->by_name[merge->at]].name), m->node);
		if (c >= 0)
			break;
		merge->at++;
	}
	if (merge->at < g->n_nodes && c == 0)
		take_memo(&plan->node[g->by_name[merge->at++]], m);
	return 0;
}

static int
load_memo(struct mlb_plan *plan, struct mlb_err *err)
{
	struct merge merge = { .plan = plan };
	int rc = mlb_memo_each(plan->p->db, merge_memo, &merge, err);

	for (int k = 0; k < MLB_N_KINDS; k++)
		plan->kind_mean[k] = merge.count[k] ? merge.sum[k] / merge.count[k] : GUESS_NS;
	return rc;
}

/* Of the few that do not rest; *all tells that every row has to be read: for the mean of a kind, or because they are many. */
static int
load_few(struct mlb_plan *plan, bool *all, struct mlb_err *err)
{
	uint32_t few = plan->n_wanted - plan->n_resting;
	int rc = 0;

	*all = few > plan->g->n_nodes / FEW;
	for (uint32_t i = 0; i < plan->g->n_nodes && !*all && rc == 0; i++) {
		struct mlb_memo m;
		bool found = true;

		if (!plan->node[i].wanted || plan->node[i].resting)
			continue;
		rc = mlb_memo_get(plan->p->db, mlb_g_str(plan->g, plan->g->node[i].name), &m,
				  &found, err);
		if (rc == 0 && found)
			take_memo(&plan->node[i], &m);
		*all = !plan->node[i].measured && !(plan->g->node[i].flags & MLB_G_SOURCE);
	}
	return rc;
}

static int
load_memos(struct mlb_plan *plan, struct mlb_err *err)
{
	bool all = true;
	int rc = plan->n_resting ? load_few(plan, &all, err) : 0;

	return rc == 0 && all ? load_memo(plan, err) : rc;
}

static void
index_outputs(struct mlb_plan *plan)
{
	const struct mlb_graph *g = plan->g;

	plan->out_of_path = mlb_alloc((g->n_paths + 1) * sizeof(*plan->out_of_path));
	for (uint32_t i = 0; i < g->n_paths; i++)
		plan->out_of_path[i] = MLB_NONE;
	for (uint32_t i = 0; i < g->n_outputs; i++)
		plan->out_of_path[g->output[i].path] = i;
}

/* From the last node to the first: a node's cost and the dearest of what waits for it. */
static void
find_critical_paths(struct mlb_plan *plan)
{
	const struct mlb_graph *g = plan->g;

	for (uint32_t i = g->n_nodes; i-- > 0;) {
		struct mlb_node *node = &plan->node[i];
		uint64_t most = 0;

		if (!node->wanted || node->resting)
			continue;
		if (!node->measured)
			node->duration = g->node[i].flags & MLB_G_SOURCE
						 ? 0
						 : plan->kind_mean[g->node[i].kind];
		for (uint32_t u = 0; u < g->node[i].user.n; u++) {
			const struct mlb_node *user =
				&plan->node[g->index[g->node[i].user.first + u]];

			if (user->wanted && user->path_cost > most)
				most = user->path_cost;
		}
		node->path_cost = node->duration + most;
	}
}

static uint32_t
count_wanted(const struct mlb_plan *plan, struct mlb_range r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r.n; i++)
		n += plan->node[plan->g->index[r.first + i]].wanted &&
		     !plan->node[plan->g->index[r.first + i]].resting;
	return n;
}

static void
count_waits(struct mlb_plan *plan)
{
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		if (!plan->node[i].wanted || plan->node[i].resting)
			continue;
		plan->node[i].waits = count_wanted(plan, plan->g->node[i].dep);
		plan->node[i].gates = count_wanted(plan, plan->g->node[i].gate);
	}
}

int
mlb_plan_new(struct mlb_plan **out, struct mlb_project *p, const struct mlb_plan_options *o,
	     struct mlb_err *err)
{
	struct mlb_plan *plan;
	int rc = mlb_project_load(p, err);

	if (rc)
		return rc;
	plan = mlb_calloc(1, sizeof(*plan));
	plan->p = p;
	plan->g = p->graph;
	plan->force = o->force;
	plan->only = o->only;
	plan->downstream = o->downstream;
	plan->update = o->update;
	plan->locked = o->locked;
	plan->node = mlb_calloc(plan->g->n_nodes + 1, sizeof(*plan->node));
	plan->out = mlb_calloc(plan->g->n_outputs + 1, sizeof(*plan->out));
	for (uint32_t i = 0; i < plan->g->n_nodes; i++)
		plan->node[i].reason = plan->node[i].stamp = "";
	index_outputs(plan);
	rc = mlb_plan_select(plan, o, err);
	if (rc == 0)
		rc = mlb_project_check_lock(p, err);
	if (rc == 0 && o->rest)
		mlb_steady_apply(plan);
	if (rc == 0)
		rc = load_memos(plan, err);
	if (rc == 0)
		rc = mlb_failures_load(plan, err);
	if (rc == 0)
		mlb_plan_fingerprints(plan);
	if (rc) {
		mlb_plan_free(plan);
		return rc;
	}
	find_critical_paths(plan);
	count_waits(plan);
	*out = plan;
	return 0;
}

int
mlb_plan_check_env(const struct mlb_plan *plan, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_UNSET);
	int rc = 0;

	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		const struct mlb_g_node *node = &plan->g->node[i];

		if (!plan->node[i].wanted || !node->unset || (node->flags & MLB_G_FROZEN))
			continue;
		mlb_buf_addf(&text, "%s%s", text.len ? "\n" : "", mlb_g_str(plan->g, node->unset));
	}
	if (text.len)
		rc = mlb_err_set(err, MLB_EINVALID, "%s", mlb_buf_str(&text));
	mlb_buf_release(&text);
	return rc;
}

void
mlb_plan_free(struct mlb_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t i = 0; i < plan->g->n_nodes; i++)
		mlb_each_free(plan->node[i].each);
	mlb_strmap_release(&plan->tables);
	mlb_arena_release(&plan->arena);
	free(plan->fp_error);
	free(plan->fp);
	free(plan->out_of_path);
	free(plan->out);
	free(plan->node);
	free(plan);
}

static bool
stops_others(const struct mlb_node *node)
{
	return node->fate == MLB_FATE_BLOCKED || node->fate == MLB_FATE_NO;
}

static bool
is_unknown_yet(const struct mlb_node *node)
{
	return node->fate == MLB_FATE_RUN || node->fate == MLB_FATE_MAYBE;
}

/* Of deps or gates the one that blocks, else the first that is not known before something ran; MLB_NONE if all are. */
static uint32_t
first_obstacle(const struct mlb_plan *plan, struct mlb_range r)
{
	uint32_t found = MLB_NONE;

	for (uint32_t i = 0; i < r.n; i++) {
		uint32_t d = plan->g->index[r.first + i];

		if (!plan->node[d].wanted)
			continue;
		if (stops_others(&plan->node[d]))
			return d;
		if (found == MLB_NONE && is_unknown_yet(&plan->node[d]))
			found = d;
	}
	return found;
}

static void
block_by(struct mlb_plan *plan, uint32_t n, uint32_t by)
{
	const char *name = mlb_g_str(plan->g, plan->g->node[by].name);

	plan->node[n].fate = MLB_FATE_BLOCKED;
	plan->node[n].reason =
		plan->node[by].fate == MLB_FATE_NO
			? mlb_arena_printf(&plan->arena, "the check '%s' said no", name)
			: mlb_arena_printf(&plan->arena, "'%s' cannot be had", name);
}

/* Could what the lock names be put in place, if it turns out to be the result? */
static bool
is_at_hand(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;
	bool is = mlb_known_locked(plan, n, NULL) && mlb_outputs_available(plan, n);

	memset(plan->out + out.first, 0, out.n * sizeof(*plan->out));
	return is;
}

static void
follow_dep(struct mlb_plan *plan, uint32_t n, uint32_t d)
{
	struct mlb_node *node = &plan->node[n];
	const char *name = mlb_g_str(plan->g, plan->g->node[d].name);

	if (mlb_blocked_by_env(plan, n))
		return;
	if (stops_others(&plan->node[d])) {
		block_by(plan, n, d);
	} else if (node->forced || plan->g->node[n].kind == MLB_K_TASK) {
		node->fate = MLB_FATE_RUN;
		node->reason = node->forced ? "asked for by --force"
					    : "a task runs whenever it is named";
	} else if (!node->has_memo && !mlb_known_elsewhere(plan, n)) {
		node->fate = MLB_FATE_RUN;
		node->reason = MLB_NOT_BUILT;
	} else if (!node->has_memo && !is_at_hand(plan, n)) {
		node->fate = MLB_FATE_RUN;
		node->reason = MLB_BYTES_NOWHERE;
	} else {
		node->fate = MLB_FATE_MAYBE;
		node->reason =
			mlb_arena_printf(&plan->arena, "reads '%s', which %s run", name,
					 plan->node[d].fate == MLB_FATE_RUN ? "will" : "may");
	}
}

/* What is up to date stays so whatever a check says; all else has to pass its gates. */
static void
hear_gates(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_node *node = &plan->node[n];
	uint32_t c = first_obstacle(plan, plan->g->node[n].gate);
	const char *name;

	if (c == MLB_NONE || plan->p->adopting ||
	    (!is_unknown_yet(node) && node->fate != MLB_FATE_RESTORE))
		return;
	name = mlb_g_str(plan->g, plan->g->node[c].name);
	if (!stops_others(&plan->node[c]))
		node->reason = mlb_arena_printf(&plan->arena,
						"%s; it waits for what the check '%s' says",
						node->reason, name);
	else if (node->fate != MLB_FATE_MAYBE)
		block_by(plan, n, c);
	else
		node->reason = mlb_arena_printf(&plan->arena,
						"%s; if it has to, the check '%s' blocks it",
						node->reason, name);
}

/* Of what a node reads that has to run all must be in the workspace: what is absent comes there, or is made. */
static void
bring_inputs(struct mlb_plan *plan, uint32_t n)
{
	const char *name = mlb_g_str(plan->g, plan->g->node[n].name);
	const struct mlb_range dep = plan->g->node[n].dep;

	for (uint32_t i = 0; i < dep.n; i++) {
		uint32_t d = plan->g->index[dep.first + i];
		struct mlb_node *node = &plan->node[d];

		if (!node->wanted || node->present || node->fate != MLB_FATE_CURRENT)
			continue;
		if (mlb_outputs_available(plan, d)) {
			node->fate = MLB_FATE_RESTORE;
			node->reason = mlb_arena_printf(&plan->arena, "'%s' reads it", name);
		} else if (!(plan->g->node[d].flags & (MLB_G_SOURCE | MLB_G_EACH))) {
			node->fate = MLB_FATE_RUN;
			node->reason = mlb_arena_printf(
				&plan->arena, "'%s' reads it, and the cache does not have it",
				name);
		}
	}
}

int
mlb_plan_simulate(struct mlb_plan *plan, struct mlb_err *err)
{
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		uint32_t d;
		int rc = 0;

		if (!plan->node[i].wanted)
			continue;
		d = first_obstacle(plan, plan->g->node[i].dep);
		if (d != MLB_NONE)
			follow_dep(plan, i, d);
		else
			rc = mlb_decide(plan, i, err);
		if (rc == 0 && plan->asks && plan->node[i].lacks && mlb_away_now(plan))
			rc = mlb_decide(plan, i, err);
		if (rc)
			return rc;
		if ((plan->node[i].fate == MLB_FATE_RUN || plan->node[i].fate == MLB_FATE_RESTORE) &&
		    mlb_known_refused(plan, i)) {
			plan->node[i].fate = MLB_FATE_BLOCKED;
			plan->refused = true;
		}
		mlb_failure_add_reason(plan, i);
		hear_gates(plan, i);
	}
	/* Users stand behind what they read. */
	for (uint32_t i = plan->g->n_nodes; !mlb_is_variant(plan->p) && i-- > 0;)
		if (plan->node[i].wanted && plan->node[i].fate == MLB_FATE_RUN)
			bring_inputs(plan, i);
	return 0;
}
