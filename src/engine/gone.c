/*
 * What state.db remembers of targets that the graph has no more. It goes when another
 * graph is recorded, together with their blocks in mlbuild.lock: a target that comes
 * back later is found in the cache, and gets its block again.
 */
#include "engine/gone.h"

#include <string.h>

#include "engine/each.h"
#include "engine/failures.h"

struct sweep {
	const struct mlb_graph *g;
	size_t prefix;
	struct mlb_strvec gone;
};

static int
note_meta(void *ctx, const char *name, const void *value, size_t len, struct mlb_err *err)
{
	struct sweep *s = ctx;

	(void)value;
	(void)len;
	(void)err;
	if (mlb_graph_find(s->g, name + s->prefix) == MLB_NONE)
		mlb_strvec_push(&s->gone, name);
	return 0;
}

static int
sweep_meta(struct mlb_db *db, const struct mlb_graph *g, const char *prefix, struct mlb_err *err)
{
	struct sweep s = { .g = g, .prefix = strlen(prefix), .gone = MLB_VEC_INIT };
	int rc = mlb_meta_each(db, prefix, note_meta, &s, err);

	for (size_t i = 0; i < s.gone.n && rc == 0; i++)
		rc = mlb_meta_remove(db, s.gone.v[i], err);
	mlb_strvec_release(&s.gone);
	return rc;
}

static int
note_memo(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	struct sweep *s = ctx;

	(void)err;
	if (mlb_graph_find(s->g, m->node) == MLB_NONE)
		mlb_strvec_push(&s->gone, m->node);
	return 0;
}

static int
sweep_memo(struct mlb_db *db, const struct mlb_graph *g, struct mlb_err *err)
{
	struct sweep s = { .g = g, .gone = MLB_VEC_INIT };
	int rc = mlb_memo_each(db, note_memo, &s, err);

	for (size_t i = 0; i < s.gone.n && rc == 0; i++)
		rc = mlb_memo_remove(db, s.gone.v[i], err);
	mlb_strvec_release(&s.gone);
	return rc;
}

int
mlb_forget_gone(struct mlb_db *db, const struct mlb_graph *g, struct mlb_err *err)
{
	int rc = sweep_meta(db, g, MLB_FAILED_META, err);

	if (rc == 0)
		rc = sweep_meta(db, g, MLB_EACH_META, err);
	return rc ? rc : sweep_memo(db, g, err);
}
