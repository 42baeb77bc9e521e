/*
 * Guards: a check that guards T must have said yes before what reads T runs.
 * Exempt are T's own guards and whatever those are made from, or they would wait
 * for themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "graph/compile.h"

struct gates {
	struct mlb_comp *c;
	MLB_VEC(struct mlb_c_edge) guard; /* from: guarded instance, to: check; sorted by from */
	uint32_t *place;                  /* in the order of deps, per instance */
	uint32_t *seen; /* per instance: the last guarded one for which it is exempt, plus one */
	uint32_t *user_first, *user; /* readers of each instance */
	uint32_t *wait_first, *wait; /* checks from `needs`, per instance that waits */
	struct mlb_c_u32s todo;
};

/* ------------------------------------------------------------ who guards what */

static void
add_guard(struct gates *g, uint32_t check, const struct mlb_text *word)
{
	struct mlb_comp *c = g->c;
	struct mlb_c_target *to;
	const char *near;
	struct mlb_ref ref;
	bool is_name = mlb_ref_target(&ref, &c->tmp, word->s);

	to = is_name ? mlb_c_find(c, ref.name) : NULL;
	if (!to && is_name && mlb_c_lost_target(c, ref.name))
		return;
	if (!to) {
		near = mlb_c_nearest_target(c, word->s);
		mlb_c_error(c, word, "'%s' guards '%s', but there is no such target%s%s",
			    c->inst.v[check].name, word->s, near ? "; nearest: " : "",
			    near ? near : "");
		return;
	}
	if (to->t->kind == MLB_K_CHECK || to->t->kind == MLB_K_TASK) {
		mlb_c_error(c, word, "'%s' guards '%s', which is a %s: nothing reads it",
			    c->inst.v[check].name, word->s, mlb_kind_names[to->t->kind]);
		return;
	}
	if (!mlb_c_bind(c, check, to, &ref, word))
		return;
	for (size_t i = 0; i < c->bound.n; i++) {
		struct mlb_c_edge edge = { c->bound.v[i], check };
		struct mlb_c_edge guard = { check, c->bound.v[i] };

		mlb_vec_push(&g->guard, edge);
		mlb_vec_push(&c->guard, guard);
	}
}

static int
by_guarded(const void *a, const void *b)
{
	const struct mlb_c_edge *x = a;
	const struct mlb_c_edge *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static void
collect_guards(struct gates *g)
{
	struct mlb_comp *c = g->c;

	for (uint32_t i = 0; i < c->n_targets; i++) {
		const struct mlb_c_target *ct = &c->target[i];

		for (size_t k = 0; k < ct->t->guards.n; k++)
			for (uint32_t inst = 0; inst < ct->n; inst++)
				add_guard(g, ct->first + inst, &ct->t->guards.v[k]);
		if (ct->t->guards.n > 0)
			mlb_arena_release(&c->tmp);
	}
	if (g->guard.n > 1)
		qsort(g->guard.v, g->guard.n, sizeof(*g->guard.v), by_guarded);
}

/* ------------------------------------------------------------ the graph both ways */

static void
prefix_sums(uint32_t *first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		first[i + 1] += first[i];
}

static void
index_edges(struct gates *g)
{
	const struct mlb_comp *c = g->c;
	uint32_t n = (uint32_t)c->inst.n;
	uint32_t *at = mlb_calloc((size_t)n + 1, sizeof(*at));

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < c->inst.v[i].node.dep.n; k++)
			g->user_first[c->index.v[c->inst.v[i].node.dep.first + k] + 1]++;
	prefix_sums(g->user_first, n);
	g->user = mlb_calloc((size_t)g->user_first[n] + 1, sizeof(*g->user));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < c->inst.v[i].node.dep.n; k++) {
			uint32_t d = c->index.v[c->inst.v[i].node.dep.first + k];

			g->user[g->user_first[d] + at[d]++] = i;
		}
	memset(at, 0, ((size_t)n + 1) * sizeof(*at));
	for (uint32_t i = 0; i < c->n_explicit_gates; i++)
		g->wait_first[c->gate.v[i].to + 1]++;
	prefix_sums(g->wait_first, n);
	for (uint32_t i = 0; i < c->n_explicit_gates; i++) {
		uint32_t to = c->gate.v[i].to;

		g->wait[g->wait_first[to] + at[to]++] = c->gate.v[i].from;
	}
	free(at);
}

/* ------------------------------------------------------------ exemptions */

/* Mark `inst` if it comes after the guarded one; only those can lie on a way from it to its guard. */
static void
reach(struct gates *g, uint32_t inst, uint32_t guarded)
{
	if (g->place[inst] <= g->place[guarded] || g->seen[inst] == guarded + 1)
		return;
	g->seen[inst] = guarded + 1;
	mlb_vec_push(&g->todo, inst);
}

static void
mark_exempt(struct gates *g, uint32_t guarded, size_t from, size_t to)
{
	const struct mlb_comp *c = g->c;

	g->todo.n = 0;
	for (size_t i = from; i < to; i++)
		reach(g, g->guard.v[i].to, guarded);
	while (g->todo.n > 0) {
		uint32_t inst = g->todo.v[--g->todo.n];
		const struct mlb_range *dep = &c->inst.v[inst].node.dep;

		for (uint32_t k = 0; k < dep->n; k++)
			reach(g, c->index.v[dep->first + k], guarded);
		for (uint32_t k = g->wait_first[inst]; k < g->wait_first[inst + 1]; k++)
			reach(g, g->wait[k], guarded);
	}
}

static void
gate_users(struct gates *g, uint32_t guarded, size_t from, size_t to)
{
	struct mlb_comp *c = g->c;

	for (uint32_t k = g->user_first[guarded]; k < g->user_first[guarded + 1]; k++) {
		uint32_t user = g->user[k];

		if (g->seen[user] == guarded + 1)
			continue;
		for (size_t i = from; i < to; i++) {
			struct mlb_c_edge edge = { g->guard.v[i].to, user };

			mlb_vec_push(&c->gate, edge);
		}
	}
}

void
mlb_c_gates(struct mlb_comp *c)
{
	struct gates g = { .c = c };
	size_t n = c->inst.n + 1;

	collect_guards(&g);
	if (g.guard.n == 0)
		return;
	g.place = mlb_calloc(n, sizeof(*g.place));
	g.seen = mlb_calloc(n, sizeof(*g.seen));
	g.user_first = mlb_calloc(n, sizeof(*g.user_first));
	g.wait_first = mlb_calloc(n, sizeof(*g.wait_first));
	g.wait = mlb_calloc((size_t)c->n_explicit_gates + 1, sizeof(*g.wait));
	index_edges(&g);
	for (size_t i = 0; i < c->order.n; i++)
		g.place[c->order.v[i]] = (uint32_t)i;
	for (size_t i = 0, k; i < g.guard.n; i = k) {
		for (k = i + 1; k < g.guard.n && g.guard.v[k].from == g.guard.v[i].from; k++)
			;
		mark_exempt(&g, g.guard.v[i].from, i, k);
		gate_users(&g, g.guard.v[i].from, i, k);
	}
	mlb_vec_release(&g.guard);
	mlb_vec_release(&g.todo);
	free(g.place);
	free(g.seen);
	free(g.user_first);
	free(g.user);
	free(g.wait_first);
	free(g.wait);
}
