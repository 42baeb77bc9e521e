/*
 * Topological order: depth first from the targets in declared order, so that
 * what belongs together stands together. A way back to an instance that is still
 * open is a cycle, reported by its whole path.
 */
#include <stdlib.h>
#include <string.h>

#include "graph/compile.h"

#define MAX_CYCLES 20 /* reported */

enum mark { FRESH, OPEN, DONE };

struct frame {
	uint32_t inst;
	uint32_t next; /* number of the edge to follow */
};

struct walk {
	struct mlb_comp *c;
	uint8_t *mark;
	uint32_t *gate_first; /* per instance, plus one at the end: into gate */
	uint32_t *gate;
	MLB_VEC(struct frame) stack;
	unsigned cycles;
};

static void
group_gates(struct walk *w)
{
	const struct mlb_comp *c = w->c;
	uint32_t n = (uint32_t)c->inst.n;
	uint32_t *at;

	w->gate_first = mlb_calloc((size_t)n + 1, sizeof(*w->gate_first));
	w->gate = mlb_calloc(c->gate.n + 1, sizeof(*w->gate));
	for (size_t i = 0; i < c->gate.n; i++)
		w->gate_first[c->gate.v[i].to + 1]++;
	for (uint32_t i = 0; i < n; i++)
		w->gate_first[i + 1] += w->gate_first[i];
	at = mlb_calloc((size_t)n + 1, sizeof(*at));
	for (size_t i = 0; i < c->gate.n; i++) {
		uint32_t to = c->gate.v[i].to;

		w->gate[w->gate_first[to] + at[to]++] = c->gate.v[i].from;
	}
	free(at);
}

/* The next instance that must come before; MLB_NONE: no more. */
static uint32_t
next_edge(struct walk *w, struct frame *f)
{
	const struct mlb_range *dep = &w->c->inst.v[f->inst].node.dep;
	uint32_t i = f->next++;

	if (i < dep->n)
		return w->c->index.v[dep->first + i];
	i = i - dep->n + w->gate_first[f->inst];
	return i < w->gate_first[f->inst + 1] ? w->gate[i] : MLB_NONE;
}

static void
report(struct walk *w, uint32_t inst)
{
	struct mlb_comp *c = w->c;
	struct mlb_buf path = MLB_BUF_INIT(MLB_MIB);
	struct mlb_buf places = MLB_BUF_INIT(MLB_MIB);
	struct mlb_text first, place;
	size_t from = w->stack.n;

	if (w->cycles++ >= MAX_CYCLES)
		return;
	while (from > 0 && w->stack.v[from - 1].inst != inst)
		from--;
	mlb_c_place(c, inst, &first);
	mlb_buf_adds(&path, c->inst.v[inst].name);
	/* the stack goes from a reader to what it reads; people follow the data */
	for (size_t i = w->stack.n; i >= from; i--) {
		mlb_buf_addf(&path, " -> %s", c->inst.v[w->stack.v[i - 1].inst].name);
		mlb_c_place(c, w->stack.v[i - 1].inst, &place);
		if (i > from)
			mlb_buf_addf(&places, "%s'%s' is at %s:%u", places.len > 0 ? ", " : "",
				     place.s, place.file, place.line);
	}
	mlb_c_error(c, &first, "cycle: %s (each must be made before the next%s%s)",
		    mlb_buf_str(&path), places.len > 0 ? "; " : "", mlb_buf_str(&places));
	mlb_buf_release(&path);
	mlb_buf_release(&places);
}

static void
visit(struct walk *w, uint32_t root)
{
	struct frame f = { root, 0 };

	if (w->mark[root] != FRESH)
		return;
	w->mark[root] = OPEN;
	mlb_vec_push(&w->stack, f);
	while (w->stack.n > 0) {
		struct frame *top = &w->stack.v[w->stack.n - 1];
		uint32_t next = next_edge(w, top);

		if (next == MLB_NONE) {
			w->mark[top->inst] = DONE;
			mlb_vec_push(&w->c->order, top->inst);
			w->stack.n--;
		} else if (w->mark[next] == OPEN) {
			report(w, next);
		} else if (w->mark[next] == FRESH) {
			w->mark[next] = OPEN;
			f.inst = next;
			mlb_vec_push(&w->stack, f);
		}
	}
}

bool
mlb_c_order(struct mlb_comp *c, bool with_gates)
{
	struct walk w = { .c = c };
	size_t n_gates = c->gate.n;

	if (!with_gates)
		c->gate.n = c->n_explicit_gates;
	c->order.n = 0;
	w.mark = mlb_calloc(c->inst.n + 1, 1);
	group_gates(&w);
	for (uint32_t i = 0; i < c->inst.n; i++)
		visit(&w, i);
	c->gate.n = n_gates;
	free(w.mark);
	free(w.gate);
	free(w.gate_first);
	mlb_vec_release(&w.stack);
	return w.cycles == 0;
}
