/*
 * Meta "failed NODE" in state.db, four parts, the first three of them a line each:
 *
 *   wall clock, ns since 1970, decimal
 *   the run's name
 *   path of the log, relative to the project; empty without
 *   the reason, to the end
 *
 * What does not fit this is passed over.
 */
#include "engine/failures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"

enum { MAX_NAME = 4096, MAX_TEXT = 64 * 1024 };

void
mlb_failure_format(struct mlb_buf *out, const struct mlb_past_failure *f)
{
	mlb_buf_addf(out, "%" PRId64 "\n%s\n%s\n%s", f->at, f->run, f->log, f->reason);
}

/* The line at *at, which moves behind it; NULL at the end. */
static const char *
take_line(struct mlb_arena *arena, const char **at)
{
	const char *end = *at ? strchr(*at, '\n') : NULL, *line;

	if (!end)
		return *at = NULL;
	line = mlb_arena_strndup(arena, *at, (size_t)(end - *at));
	*at = end + 1;
	return line;
}

static const struct mlb_past_failure *
parse(struct mlb_arena *arena, const char *text)
{
	struct mlb_past_failure *f = mlb_arena_alloc(arena, sizeof(*f));
	const char *at = take_line(arena, &text);

	f->run = take_line(arena, &text);
	f->log = take_line(arena, &text);
	if (!f->log)
		return NULL;
	f->at = strtoll(at, NULL, 10);
	f->reason = mlb_arena_strdup(arena, text);
	return f;
}

static int
take_failure(void *ctx, const char *name, const void *value, size_t len, struct mlb_err *err)
{
	struct mlb_plan *plan = ctx;
	uint32_t n = mlb_graph_find(plan->g, name + strlen(MLB_FAILED_META));

	(void)err;
	if (n != MLB_NONE && plan->node[n].wanted)
		plan->node[n].failed =
			parse(&plan->arena, mlb_arena_strndup(&plan->arena, value, len));
	return 0;
}

int
mlb_failures_load(struct mlb_plan *plan, struct mlb_err *err)
{
	return mlb_meta_each(plan->p->db, MLB_FAILED_META, take_failure, plan, err);
}

static char *
meta_name(struct mlb_buf *out, const char *node)
{
	mlb_buf_addf(out, MLB_FAILED_META "%s", node);
	return mlb_buf_detach(out);
}

int
mlb_failure_put(struct mlb_db *db, const char *node, const char *text, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_NAME);
	char *name = meta_name(&b, node);
	int rc = mlb_meta_set(db, name, text, strlen(text), err);

	free(name);
	return rc;
}

int
mlb_failure_forget(struct mlb_db *db, const char *node, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_NAME);
	char *name = meta_name(&b, node);
	int rc = mlb_meta_remove(db, name, err);

	free(name);
	return rc;
}

const struct mlb_past_failure *
mlb_failure_of(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_node *node = &plan->node[n];

	return node->fate == MLB_FATE_RUN || node->fate == MLB_FATE_MAYBE ? node->failed : NULL;
}

void
mlb_failure_add_reason(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_node *node = &plan->node[n];
	const struct mlb_past_failure *f = mlb_failure_of(plan, n);
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	bool never = strcmp(node->reason, MLB_NOT_BUILT) == 0;

	if (!f)
		return;
	if (!never)
		mlb_buf_addf(&text, "%s; ", node->reason);
	mlb_buf_addf(&text, "its last run failed: %.*s (", (int)strcspn(f->reason, "\n"),
		     f->reason);
	mlb_add_time(&text, f->at);
	if (*f->log)
		mlb_buf_addf(&text, ", log: %s", f->log);
	mlb_buf_addc(&text, ')');
	node->reason = mlb_arena_strdup(&plan->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
}
