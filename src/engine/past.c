#include "engine/past.h"

#include <string.h>

#include "engine/known.h"

enum { MAX_ACTION = 256 << 20, MAX_DIFF = 16 << 20 };

/* What a node's outputs are to be, because the caller has put them there; NULL: they are to be made. */
static const struct mlb_now *
fed(const struct mlb_plan *plan, uint32_t n)
{
	const char *name = mlb_g_str(plan->g, plan->g->node[n].name);
	const struct mlb_strmap_entry *e =
		plan->p->fed ? mlb_strmap_find(plan->p->fed, name, strlen(name)) : NULL;

	return e ? e->u.ptr : NULL;
}

bool
mlb_past_runs(const struct mlb_plan *plan, uint32_t n)
{
	return plan->p->past == MLB_PAST_REBUILD && !fed(plan, n);
}

const char *
mlb_past_changes(struct mlb_plan *plan, uint32_t n, const struct mlb_digest *key)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_ACTION), new = MLB_BUF_INIT(MAX_ACTION),
		       diff = MLB_BUF_INIT(MAX_DIFF);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_action action;
	const char *lines = "";

	if (mlb_project_cache(plan->p, NULL) == 0 &&
	    mlb_cas_read(plan->p->cas, &old, key, NULL) == 0) {
		mlb_node_action(plan, n, &arena, &action);
		mlb_action_text(&new, plan->g, &action);
		mlb_action_diff(&diff, mlb_buf_str(&old), mlb_buf_str(&new));
		lines = mlb_arena_strdup(&plan->arena, mlb_buf_str(&diff));
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&diff);
	mlb_buf_release(&new);
	mlb_buf_release(&old);
	return lines;
}

/* Is the lock's block of other inputs than the commit has? Fingerprints are none of the commit's. */
static bool
is_outdated(struct mlb_plan *plan, uint32_t n, const struct mlb_digest *locked)
{
	const char *line = mlb_past_changes(plan, n, locked);

	if (!line[0])
		return plan->p->snapshot;
	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (line[0] && strncmp(line, "fingerprint ", 12) != 0)
			return true;
	return false;
}

bool
mlb_past_pinned(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t i = 0; i < out.n; i++) {
		const char *path = mlb_g_path(plan->g, plan->g->output[out.first + i].path);
		const struct mlb_now *now = plan->p->pinned ? mlb_strmap_get(plan->p->pinned, path)
							    : NULL;

		if (!now)
			return false;
		plan->out[out.first + i] = *now;
	}
	return out.n != 0;
}

/* The result of the key that the commit's files give, or what its lock has from another one. */
static int
known_then(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err)
{
	struct mlb_node *node = &plan->node[n];
	const struct mlb_digest key = node->key;
	struct mlb_digest locked;

	if (mlb_known_locked(plan, n, &key))
		return 0;
	if (!mlb_known_locked(plan, n, NULL)) {
		if (mlb_known_recorded(plan, n, said_no, err) == 0 || mlb_past_pinned(plan, n))
			return 0;
		return MLB_ENOTFOUND;
	}
	locked = node->key;
	node->key = key;
	if (is_outdated(plan, n, &locked) &&
	    (mlb_known_recorded(plan, n, said_no, err) == 0 || mlb_past_pinned(plan, n)))
		return 0;
	return mlb_known_locked(plan, n, NULL) ? 0 : MLB_ENOTFOUND;
}

int
mlb_past_result(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err)
{
	const struct mlb_range out = plan->g->node[n].out;
	const struct mlb_now *now = fed(plan, n);

	if (plan->p->past == MLB_PAST_KNOWN)
		return known_then(plan, n, said_no, err);
	for (uint32_t i = 0; now && i < out.n; i++)
		plan->out[out.first + i] = now[i];
	return now ? 0 : mlb_known_recorded(plan, n, said_no, err);
}
