/* The history: runs and what each of them did. "Newest" is by insertion, never by a clock. */
#include <string.h>

#include "store/state.h"

int
mlb_run_set(struct mlb_db *db, const struct mlb_run *r, struct mlb_err *err)
{
	struct mlb_stmt *s;
	/* Not REPLACE, which would make it the newest. */
	int rc = mlb_db_prepare(
		&s, db,
		"INSERT INTO runs (id, started, duration, words, head, status, built,"
		" restored, failed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT (id) DO UPDATE SET started = ?2, duration = ?3, words = ?4,"
		" head = ?5, status = ?6, built = ?7, restored = ?8, failed = ?9",
		err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, r->id, strlen(r->id));
	mlb_stmt_int(s, 2, r->started);
	mlb_stmt_int(s, 3, (int64_t)r->duration);
	mlb_stmt_text(s, 4, r->words, strlen(r->words));
	mlb_stmt_text(s, 5, r->commit, strlen(r->commit));
	mlb_stmt_int(s, 6, r->status);
	mlb_stmt_int(s, 7, r->built);
	mlb_stmt_int(s, 8, r->restored);
	mlb_stmt_int(s, 9, r->failed);
	return mlb_stmt_run(s, err);
}

int
mlb_run_add_action(struct mlb_db *db, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(
		&s, db,
		"INSERT INTO run_actions (run, node, key, what, duration, metrics, log)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, a->run, strlen(a->run));
	mlb_stmt_text(s, 2, a->node, strlen(a->node));
	mlb_stmt_digest(s, 3, &a->key);
	mlb_stmt_text(s, 4, a->what, strlen(a->what));
	mlb_stmt_int(s, 5, (int64_t)a->duration);
	mlb_stmt_text(s, 6, a->metrics, strlen(a->metrics));
	mlb_stmt_digest(s, 7, &a->log);
	return mlb_stmt_run(s, err);
}

#define RUNS "SELECT id, started, duration, words, head, status, built, restored, failed FROM runs"

static struct mlb_run
run_row(struct mlb_stmt *s)
{
	return (struct mlb_run){
		.id = mlb_column_text(s, 0, NULL),
		.started = mlb_column_int(s, 1),
		.duration = (uint64_t)mlb_column_int(s, 2),
		.words = mlb_column_text(s, 3, NULL),
		.commit = mlb_column_text(s, 4, NULL),
		.status = (int)mlb_column_int(s, 5),
		.built = (uint32_t)mlb_column_int(s, 6),
		.restored = (uint32_t)mlb_column_int(s, 7),
		.failed = (uint32_t)mlb_column_int(s, 8),
	};
}

int
mlb_run_each(struct mlb_db *db, unsigned limit,
	     int (*fn)(void *ctx, const struct mlb_run *r, struct mlb_err *err), void *ctx,
	     struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, db, RUNS " ORDER BY rowid DESC LIMIT ?1", err);

	if (rc)
		return rc;
	mlb_stmt_int(s, 1, limit);
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct mlb_run r = run_row(s);

		rc = fn(ctx, &r, err);
		if (rc)
			break;
	}
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_run_get(struct mlb_db *db, const char *id, struct mlb_run *out, bool *found,
	    struct mlb_arena *arena, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, RUNS " WHERE id = ?1", err);

	*found = false;
	if (rc)
		return rc;
	mlb_stmt_text(s, 1, id, strlen(id));
	rc = mlb_stmt_step(s, found, err);
	if (rc == 0 && *found) {
		*out = run_row(s);
		out->id = mlb_arena_strdup(arena, out->id);
		out->words = mlb_arena_strdup(arena, out->words);
		out->commit = mlb_arena_strdup(arena, out->commit);
	}
	mlb_stmt_reset(s);
	return rc;
}

#define ACTIONS "SELECT run, node, key, what, duration, metrics, log, rowid FROM run_actions"

/* One text per kind of question, so that each uses its index. */
static const char *
actions_sql(const char *run, const char *node)
{
	if (run && node)
		return ACTIONS " WHERE run = ?1 AND node = ?2 ORDER BY rowid DESC LIMIT ?3";
	if (run)
		return ACTIONS " WHERE run = ?1 ORDER BY rowid DESC LIMIT ?3";
	if (node)
		return ACTIONS " WHERE node = ?2 ORDER BY rowid DESC LIMIT ?3";
	return ACTIONS " ORDER BY rowid DESC LIMIT ?3";
}

/* All rows that the statement gives; it is reset then. */
static int
each_action(struct mlb_stmt *s,
	    int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
	    struct mlb_err *err)
{
	bool row;
	int rc;

	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct mlb_run_action a = {
			.run = mlb_column_text(s, 0, NULL),
			.node = mlb_column_text(s, 1, NULL),
			.what = mlb_column_text(s, 3, NULL),
			.duration = (uint64_t)mlb_column_int(s, 4),
			.metrics = mlb_column_text(s, 5, NULL),
			.seq = mlb_column_int(s, 7),
		};

		mlb_column_digest(s, 2, &a.key);
		mlb_column_digest(s, 6, &a.log);
		rc = fn(ctx, &a, err);
		if (rc)
			break;
	}
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_run_actions(struct mlb_db *db, const char *run, const char *node, unsigned limit,
		int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err),
		void *ctx, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, actions_sql(run, node), err);

	if (rc)
		return rc;
	if (run)
		mlb_stmt_text(s, 1, run, strlen(run));
	if (node)
		mlb_stmt_text(s, 2, node, strlen(node));
	mlb_stmt_int(s, 3, limit);
	return each_action(s, fn, ctx, err);
}

int
mlb_run_by_key(struct mlb_db *db, const struct mlb_digest *key,
	       int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
	       struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, ACTIONS " WHERE key = ?1 ORDER BY rowid DESC", err);

	if (rc)
		return rc;
	mlb_stmt_digest(s, 1, key);
	return each_action(s, fn, ctx, err);
}

int
mlb_run_before(struct mlb_db *db, const char *node, int64_t seq,
	       int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
	       struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db,
				ACTIONS
				" WHERE node = ?1 AND rowid < ?2 AND what IN ('built', 'restored')"
				" ORDER BY rowid DESC",
				err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, node, strlen(node));
	mlb_stmt_int(s, 2, seq);
	return each_action(s, fn, ctx, err);
}
