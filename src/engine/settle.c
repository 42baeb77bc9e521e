/*
 * Moving nodes through their phases: what is decided of them, what they wait
 * for, and what their end means for others. Nothing here waits or recurses: a
 * node that may move is put on a stack.
 */
#include "engine/builder.h"

#include "engine/away.h"
#include "engine/each.h"
#include "engine/known.h"

/* Ranges of deps and gates are sorted. */
static bool
in_range(const struct mlb_graph *g, struct mlb_range r, uint32_t n)
{
	uint32_t lo = r.first, hi = r.first + r.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (g->index[mid] == n)
			return true;
		if (g->index[mid] < n)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

void
mlb_todo(struct mlb_builder *b, uint32_t n)
{
	mlb_vec_push(&b->todo, n);
}

static void
tell_plan(struct mlb_builder *b)
{
	uint64_t sum = 0, longest = 0;

	if (b->planned)
		return;
	b->planned = true;
	for (uint32_t i = 0; i < b->g->n_nodes; i++) {
		const struct mlb_node *node = &b->plan->node[i];

		if (!node->wanted || node->phase > MLB_PH_DECIDED ||
		    b->g->node[i].flags & MLB_G_SOURCE ||
		    (node->phase == MLB_PH_DECIDED && node->fate != MLB_FATE_RUN))
			continue;
		if (!node->measured) {
			sum = longest = 0; /* nothing honest can be said */
			break;
		}
		sum += node->each ? mlb_each_expected(b->plan, i) : node->duration;
		longest = MLB_MAX(longest, node->path_cost);
	}
	mlb_tell(b, MLB_EV_PLAN, MLB_NONE, "", MLB_MAX(longest, sum / b->m->jobs));
}

/* What waits for n: its deps' count or its gates' count goes down. */
static void
release_users(struct mlb_builder *b, uint32_t n, bool verdict_yes)
{
	const struct mlb_graph *g = b->g;

	for (uint32_t i = 0; i < g->node[n].user.n; i++) {
		uint32_t u = g->index[g->node[n].user.first + i];
		struct mlb_node *user = &b->plan->node[u];

		if (!user->wanted)
			continue;
		if (in_range(g, g->node[u].dep, n) && user->waits && --user->waits == 0)
			mlb_todo(b, u);
		if (verdict_yes && in_range(g, g->node[u].gate, n) && user->gates &&
		    --user->gates == 0 && user->phase == MLB_PH_DECIDED)
			mlb_todo(b, u);
	}
}

/* A node's outputs came into the workspace: what demanded them goes on. */
static void
release_demands(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_graph *g = b->g;

	for (uint32_t i = 0; i < g->node[n].user.n; i++) {
		uint32_t u = g->index[g->node[n].user.first + i];
		struct mlb_node *user = &b->plan->node[u];

		if (user->wanted && user->phase == MLB_PH_DECIDED && user->needs &&
		    in_range(g, g->node[u].dep, n) && --user->needs == 0)
			mlb_todo(b, u);
	}
}

void
mlb_node_done(struct mlb_builder *b, uint32_t n, bool present)
{
	struct mlb_node *node = &b->plan->node[n];
	bool was_known = node->known;

	node->phase = MLB_PH_DONE;
	node->present = present;
	node->known = true;
	if (!was_known) {
		b->finished++;
		release_users(b, n, true);
	}
	if (present)
		release_demands(b, n);
	mlb_flight_end(b, n, false);
}

static void
block_users(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_graph *g = b->g;
	bool check = g->node[n].kind == MLB_K_CHECK;

	for (uint32_t i = 0; i < g->node[n].user.n; i++) {
		uint32_t u = g->index[g->node[n].user.first + i];
		struct mlb_node *user = &b->plan->node[u];

		if (!user->wanted || user->phase > MLB_PH_DECIDED)
			continue;
		user->blocked_by = n + 1;
		/* A consumer that waits for a gate is decided first: it may be up to date. */
		if (!check || user->phase == MLB_PH_DECIDED)
			mlb_todo(b, u);
	}
}

void
mlb_node_failed(struct mlb_builder *b, uint32_t n, uint8_t phase)
{
	struct mlb_node *node = &b->plan->node[n];

	if (node->phase == phase)
		return;
	node->phase = phase;
	if (!node->known)
		b->finished++;
	if (phase == MLB_PH_FAILED) {
		b->report->failed++;
		b->stopping |= !b->opt->keep_going;
	} else if (phase == MLB_PH_REFUSED) {
		b->report->checks_no++;
	} else {
		b->report->blocked++;
	}
	block_users(b, n);
	mlb_flight_end(b, n, phase == MLB_PH_FAILED);
}

void
mlb_node_again(struct mlb_builder *b, uint32_t n)
{
	mlb_flight_end(b, n, false);
	b->plan->node[n].phase = MLB_PH_WAITING;
	mlb_todo(b, n);
}

/* ---------------------------------------------------------- deciding */

static void
block(struct mlb_builder *b, uint32_t n, const char *text)
{
	mlb_tell(b, MLB_EV_BLOCKED, n, text, 0);
	mlb_node_failed(b, n, MLB_PH_BLOCKED);
}

/* Ask for the deps' outputs in the workspace; how many are not there yet. */
static uint32_t
demand_inputs(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_range dep = b->g->node[n].dep;
	uint32_t missing = 0;

	for (uint32_t i = 0; i < dep.n; i++) {
		uint32_t d = b->g->index[dep.first + i];
		struct mlb_node *node = &b->plan->node[d];

		if (!node->wanted || node->present)
			continue;
		missing++;
		if (node->phase != MLB_PH_DONE)
			continue; /* on its way already */
		node->need_present = true;
		node->phase = MLB_PH_DECIDED;
		node->fate = MLB_FATE_RESTORE;
		if (mlb_outputs_available(b->plan, d)) {
			mlb_todo(b, d);
		} else if (b->g->node[d].flags & MLB_G_SOURCE) {
			block(b, d,
			      "its path is absent, and the cache does not have the bytes that mlbuild.lock names");
		} else {
			node->fate = MLB_FATE_RUN;
			node->lost = true;
			mlb_todo(b, d);
		}
	}
	return missing;
}

static void
proceed(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_builder_machinery(b, &err)) {
		mlb_fatal(b, &err);
		return;
	}
	tell_plan(b);
	if (mlb_away_fetches(b, n))
		return;
	if (node->fate == MLB_FATE_RESTORE && (!node->each || node->known)) {
		node->phase = MLB_PH_PLACING;
		mlb_place(b, n);
		return;
	}
	if (node->each && mlb_each_only_places(b->plan, n)) {
		node->phase = MLB_PH_PLACING;
		mlb_each_place(b, n);
		return;
	}
	node->needs = demand_inputs(b, n);
	if (node->needs || mlb_flight_taken(b, n))
		return;
	node->phase = MLB_PH_READY;
	if (node->each)
		mlb_each_ready(b, n);
	else
		mlb_node_ready(b, mlb_work_new(b, n));
}

static void
decide(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_decide(b->plan, n, &err)) {
		mlb_fatal(b, &err);
		return;
	}
	if (mlb_away_awaits(b, n))
		return;
	switch (node->fate) {
	case MLB_FATE_CURRENT:
		b->report->current++;
		if (node->measured && !node->present)
			b->report->saved += node->duration;
		if (node->changed)
			mlb_builder_mark(b, n);
		mlb_node_done(b, n, node->present);
		break;
	case MLB_FATE_NO:
		mlb_tell(b, MLB_EV_NO, n, "it said no for these inputs before", 0);
		mlb_node_failed(b, n, MLB_PH_REFUSED);
		break;
	case MLB_FATE_BLOCKED:
		block(b, n, node->reason);
		break;
	default:
		if (mlb_known_refused(b->plan, n)) {
			b->stale = true;
			block(b, n, node->reason);
			break;
		}
		node->phase = MLB_PH_DECIDED;
		mlb_todo(b, n);
	}
}

static const char *
blocked_text(struct mlb_builder *b, uint32_t n)
{
	uint32_t by = b->plan->node[n].blocked_by - 1;
	const char *name = mlb_g_str(b->g, b->g->node[by].name);

	switch (b->plan->node[by].phase) {
	case MLB_PH_REFUSED:
		return mlb_arena_printf(&b->plan->arena, "the check '%s' said no", name);
	case MLB_PH_FAILED:
		return mlb_arena_printf(&b->plan->arena, "'%s' failed", name);
	default:
		return mlb_arena_printf(&b->plan->arena, "'%s' cannot be had", name);
	}
}

/* One step of one node, whatever phase it is in. */
static void
settle(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];

	if (b->fatal.code != MLB_OK || !node->wanted)
		return;
	if (node->phase == MLB_PH_WAITING && node->waits == 0) {
		decide(b, n);
	} else if (node->phase == MLB_PH_WAITING && node->blocked_by) {
		block(b, n, blocked_text(b, n));
	} else if (node->phase == MLB_PH_DECIDED) {
		if (node->blocked_by)
			block(b, n, blocked_text(b, n));
		else if (node->redo)
			node->redo = false, mlb_node_again(b, n);
		else if (node->gates == 0 && node->needs == 0)
			proceed(b, n);
	}
}

void
mlb_settle_all(struct mlb_builder *b)
{
	while (b->todo.n && b->fatal.code == MLB_OK)
		settle(b, b->todo.v[--b->todo.n]);
}
