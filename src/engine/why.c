/*
 * Why: the difference of two action texts. The old one is the object named by
 * the key that was recorded last; so what is said is what the key is made of.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "engine/each.h"
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

static const char *
via(const struct mlb_plan *plan, const struct mlb_g_input *in, struct mlb_buf *out)
{
	switch (in->why) {
	case MLB_IN_IMPORT:
		mlb_buf_addf(out, "imported by '%s'", mlb_g_path(plan->g, in->by));
		break;
	case MLB_IN_WORD:
		mlb_buf_adds(out, "a word of the command");
		break;
	case MLB_IN_NEEDS:
		mlb_buf_adds(out, "from needs");
		break;
	case MLB_IN_EACH:
		mlb_buf_adds(out, "one of each");
		break;
	default:
		mlb_buf_adds(out, "referred to");
		break;
	}
	return mlb_buf_str(out);
}

static void
add_inputs(struct mlb_plan *plan, uint32_t n, struct mlb_buf *out)
{
	const struct mlb_range in = plan->g->node[n].in;

	if (in.n)
		mlb_buf_adds(out, "it reads:\n");
	for (uint32_t i = 0; i < in.n; i++) {
		const struct mlb_g_input *input = &plan->g->input[in.first + i];
		struct mlb_buf how = MLB_BUF_INIT(MAX_DIFF);

		mlb_buf_addf(out, "  %s (%s", mlb_g_path(plan->g, input->path),
			     via(plan, input, &how));
		if (input->producer != MLB_NONE)
			mlb_buf_addf(out, ", made by '%s'",
				     mlb_g_str(plan->g, plan->g->node[input->producer].name));
		mlb_buf_adds(out, ")\n");
		mlb_buf_release(&how);
	}
}

static void
add_difference(struct mlb_plan *plan, uint32_t n, struct mlb_buf *out)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_ACTION), new = MLB_BUF_INIT(MAX_ACTION),
		       diff = MLB_BUF_INIT(MAX_DIFF);

	if (old_text(plan, n, &old)) {
		new_text(plan, n, &new);
		mlb_action_diff(&diff, mlb_buf_str(&old), mlb_buf_str(&new));
		if (diff.len)
			mlb_buf_addf(out, "since it was last built:\n  %s", "");
		for (const char *c = mlb_buf_str(&diff); *c; c++) {
			mlb_buf_addc(out, *c);
			if (*c == '\n' && c[1])
				mlb_buf_adds(out, "  ");
		}
		if (diff.len && mlb_buf_str(&diff)[diff.len - 1] != '\n')
			mlb_buf_addc(out, '\n');
	}
	mlb_buf_release(&diff);
	mlb_buf_release(&new);
	mlb_buf_release(&old);
}

static void
explain(struct mlb_plan *plan, uint32_t n, struct mlb_buf *out)
{
	const struct mlb_node *node = &plan->node[n];
	const char *name = mlb_g_str(plan->g, plan->g->node[n].name);
	static const char *const fate[] = { "is up to date", "will be restored", "will run",
					    "may run",       "is blocked",       "said no" };

	mlb_buf_addf(out, "%s %s%s%s\n", name, fate[node->fate], node->reason[0] ? ": " : "",
		     node->reason);
	if (plan->g->node[n].flags & MLB_G_SOURCE)
		return;
	if (node->key_known && !(plan->g->node[n].flags & MLB_G_EACH))
		add_difference(plan, n, out);
	add_inputs(plan, n, out);
}

int
mlb_why(struct mlb_project *p, const char *word, char **out, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = &word, .n_words = 1 };
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_plan *plan = NULL;
	bool first = true;
	int rc = mlb_plan_new(&plan, p, &o, err);

	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	for (uint32_t i = 0; rc == 0 && i < plan->g->n_nodes; i++) {
		if (!plan->node[i].asked)
			continue;
		if (!first)
			mlb_buf_addc(&text, '\n');
		first = false;
		explain(plan, i, &text);
	}
	if (rc == 0)
		*out = mlb_buf_detach(&text);
	mlb_buf_release(&text);
	mlb_plan_free(plan);
	return rc;
}
