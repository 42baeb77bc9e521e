/*
 * Why: the difference of two action texts. The old one is the object named by
 * the key that was recorded last; so what is said is what the key is made of.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "engine/each.h"
#include "engine/failures.h"
#include "engine/known.h"

enum { MAX_ACTION = 256 << 20, MAX_DIFF = 16 << 20 };

/* The action text that was recorded for the node last: the memo's, or the lock's; false if there is none. */
static bool
old_text(struct mlb_plan *plan, uint32_t n, struct mlb_buf *out)
{
	const struct mlb_node *node = &plan->node[n];
	struct mlb_digest key = node->memo_key;

	if (mlb_project_cache(plan->p, NULL))
		return false;
	if (!node->has_memo) {
		const struct mlb_lock_block *b = NULL;

		if (mlb_project_lock(plan->p, NULL) == 0)
			b = mlb_lockfile_get(&plan->p->lock,
					     mlb_g_str(plan->g, plan->g->node[n].base));
		if (!b)
			return false;
		key = b->key;
	}
	return mlb_cas_read(plan->p->cas, out, &key, NULL) == 0;
}

static void
new_text(struct mlb_plan *plan, uint32_t n, struct mlb_buf *out)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_action a;

	mlb_node_action(plan, n, &arena, &a);
	mlb_action_text(out, plan->g, &a);
	mlb_arena_release(&arena);
}

const char *
mlb_why_short(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_ACTION), new = MLB_BUF_INIT(MAX_ACTION),
		       diff = MLB_BUF_INIT(MAX_DIFF);
	const char *why, *end;

	(void)err;
	if (!old_text(plan, n, &old)) {
		why = plan->node[n].has_memo ? "what it was made from is no longer known"
					     : mlb_known_not(plan, n);
	} else {
		size_t more = 0;

		new_text(plan, n, &new);
		mlb_action_diff(&diff, mlb_buf_str(&old), mlb_buf_str(&new));
		why = mlb_buf_str(&diff);
		end = strchr(why, '\n');
		for (const char *c = end; c && c[1]; c = strchr(c + 1, '\n'))
			more++;
		if (!why[0])
			why = "its result is gone";
		else if (more)
			why = mlb_arena_printf(&plan->arena, "%.*s, and %zu more", (int)(end - why),
					       why, more);
		else
			why = mlb_arena_printf(&plan->arena, "%.*s",
					       end ? (int)(end - why) : (int)strlen(why), why);
	}
	mlb_buf_release(&diff);
	mlb_buf_release(&new);
	mlb_buf_release(&old);
	return why;
}

/* ---------------------------------------------------------- the whole of it */

MLB_VEC_NAMED(differences, struct mlb_difference);

struct explaining {
	struct mlb_arena arena;
	struct differences difference;
	struct mlb_explanation e;
};

static const char *
kept(struct explaining *x, const char *s)
{
	return s ? mlb_arena_strdup(&x->arena, s) : NULL;
}

static void
take_change(void *ctx, const struct mlb_action_change *c)
{
	struct explaining *x = ctx;
	const struct mlb_difference d = {
		.what = kept(x, c->type),
		.name = kept(x, c->name),
		.change = c->was && c->is ? "changed"
			  : c->is         ? "new"
					  : "gone",
		.old_kind = kept(x, c->old_kind),
		.new_kind = kept(x, c->kind),
		.old_value = kept(x, c->old_value),
		.new_value = kept(x, c->value),
		.text = kept(x, c->text),
	};

	mlb_vec_push(&x->difference, d);
}

static void
find_differences(struct mlb_plan *plan, uint32_t n, struct explaining *x)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_ACTION), new = MLB_BUF_INIT(MAX_ACTION);

	if (plan->node[n].key_known && !(plan->g->node[n].flags & MLB_G_EACH) &&
	    old_text(plan, n, &old)) {
		new_text(plan, n, &new);
		mlb_action_changes(mlb_buf_str(&old), mlb_buf_str(&new), take_change, x);
	}
	x->e.difference = x->difference.v;
	x->e.n_differences = x->difference.n;
	mlb_buf_release(&new);
	mlb_buf_release(&old);
}

static void
explain_input(const struct mlb_plan *plan, const struct mlb_g_input *in, struct mlb_arena *arena,
	      struct mlb_why_input *out)
{
	out->path = mlb_g_path(plan->g, in->path);
	out->by = "";
	out->target = in->producer == MLB_NONE
			      ? ""
			      : mlb_g_str(plan->g, plan->g->node[in->producer].name);
	switch (in->why) {
	case MLB_IN_IMPORT:
		out->from = "import";
		out->by = mlb_g_path(plan->g, in->by);
		out->text = mlb_arena_printf(arena, "imported by '%s'", out->by);
		break;
	case MLB_IN_WORD:
		out->from = "word";
		out->text = "a word of the command";
		break;
	case MLB_IN_NEEDS:
		out->from = "needs";
		out->text = "from needs";
		break;
	case MLB_IN_EACH:
		out->from = "each";
		out->text = "one of each";
		break;
	default:
		out->from = "reference";
		out->text = "referred to";
		break;
	}
	if (*out->target)
		out->text = mlb_arena_printf(arena, "%s, made by '%s'", out->text, out->target);
}

static void
find_inputs(struct mlb_plan *plan, uint32_t n, struct explaining *x)
{
	const struct mlb_range in = plan->g->node[n].in;
	struct mlb_why_input *input = mlb_arena_alloc(&x->arena, (in.n + 1) * sizeof(*input));

	for (uint32_t i = 0; i < in.n; i++)
		explain_input(plan, &plan->g->input[in.first + i], &x->arena, &input[i]);
	x->e.input = input;
	x->e.n_inputs = in.n;
}

static void
add_text(struct mlb_buf *out, const struct mlb_explanation *e)
{
	static const char *const fate[] = { "is up to date", "will be restored", "will run",
					    "may run",       "is blocked",       "said no" };

	mlb_buf_addf(out, "%s %s%s%s\n", e->target, fate[e->fate], *e->reason ? ": " : "",
		     e->reason);
	if (e->n_differences)
		mlb_buf_adds(out, "since it was last built:\n");
	for (size_t i = 0; i < e->n_differences; i++)
		mlb_buf_addf(out, "  %s\n", e->difference[i].text);
	if (e->n_inputs)
		mlb_buf_adds(out, "it reads:\n");
	for (size_t i = 0; i < e->n_inputs; i++)
		mlb_buf_addf(out, "  %s (%s)\n", e->input[i].path, e->input[i].text);
}

static int
explain(struct mlb_plan *plan, uint32_t n, mlb_why_fn *fn, void *ctx, struct mlb_err *err)
{
	const struct mlb_node *node = &plan->node[n];
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct explaining x = { .difference = MLB_VEC_INIT };
	int rc;

	x.e.target = mlb_g_str(plan->g, plan->g->node[n].name);
	x.e.kind = mlb_kind_names[plan->g->node[n].kind];
	x.e.fate = node->fate;
	x.e.reason = node->reason;
	x.e.failed = mlb_failure_of(plan, n);
	if (!(plan->g->node[n].flags & MLB_G_SOURCE)) {
		find_differences(plan, n, &x);
		find_inputs(plan, n, &x);
	}
	add_text(&text, &x.e);
	rc = mlb_buf_check(&text, "the explanation", err);
	x.e.text = mlb_buf_str(&text);
	if (rc == 0)
		rc = fn(ctx, &x.e);
	mlb_buf_release(&text);
	mlb_vec_release(&x.difference);
	mlb_arena_release(&x.arena);
	return rc;
}

int
mlb_why(struct mlb_project *p, const char *word, mlb_why_fn *fn, void *ctx, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = &word, .n_words = 1 };
	struct mlb_plan *plan = NULL;
	int rc = mlb_plan_new(&plan, p, &o, err);

	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	for (uint32_t i = 0; rc == 0 && i < plan->g->n_nodes; i++)
		if (plan->node[i].asked)
			rc = explain(plan, i, fn, ctx, err);
	mlb_plan_free(plan);
	return rc < 0 ? rc : 0;
}
