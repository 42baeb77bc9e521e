#include "engine/fingerprint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/job.h"
#include "os/spawn.h"

#define TIMEOUT_NS (60ULL * 1000 * 1000 * 1000)
enum { MAX_OUTPUT = 1 << 20 };

/* How it ended and the last line that it printed: there an interpreter names the error. */
static const char *
explain(struct mlb_plan *plan, const char *command, const struct mlb_exit *status,
	const struct mlb_buf *out)
{
	struct mlb_buf why = MLB_BUF_INIT((size_t)2 * MAX_OUTPUT);
	const char *text = mlb_buf_str(out), *said;
	size_t end = out->len, begin;

	while (end > 0 && strchr(" \r\n", text[end - 1]))
		end--;
	for (begin = end; begin > 0 && text[begin - 1] != '\n'; begin--)
		;
	mlb_job_explain_exit(&why, status, text, end);
	if (end > begin)
		mlb_buf_addf(&why, ": %.*s", (int)(end - begin), text + begin);
	said = mlb_arena_printf(&plan->p->arena, "its fingerprint '%s' %s%s", command,
				status->signal ? "was " : "failed with ", mlb_buf_str(&why));
	mlb_buf_release(&why);
	return said;
}

struct told {
	struct mlb_digest digest;
	const char *error; /* NULL */
};

/* A combination of a sweep hears what others were told since it began. */
static bool
was_told(struct mlb_plan *plan, uint32_t at, const char *command)
{
	const struct told *t =
		plan->p->parent ? mlb_strmap_get(&plan->p->parent->fingerprints, command) : NULL;

	if (!t)
		return false;
	plan->fp[at] = t->digest;
	plan->fp_error[at] = t->error;
	return true;
}

static void
remember(struct mlb_plan *plan, uint32_t at, const char *command)
{
	struct mlb_project *p = plan->p->parent ? plan->p->parent : plan->p;
	struct told *t = mlb_arena_alloc(&p->arena, sizeof(*t));

	t->digest = plan->fp[at];
	t->error = plan->fp_error[at] ? mlb_arena_strdup(&p->arena, plan->fp_error[at]) : NULL;
	mlb_strmap_set(&p->fingerprints, mlb_arena_strdup(&p->arena, command), t);
}

/* A command that fails says nothing of what it should tell: its targets are blocked, others are not. */
static void
run_one(struct mlb_plan *plan, uint32_t at, const char *command)
{
	const char *const argv[] = { "/bin/sh", "-ec", command, NULL };
	struct mlb_buf out = MLB_BUF_INIT(MAX_OUTPUT);
	struct mlb_spawn spawn = { .argv = argv,
				   .envp = (const char *const *)environ,
				   .dir = plan->p->root,
				   .out_fd = -1,
				   .err_fd = -1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_exit status;
	int rc;

	rc = mlb_spawn_capture(&out, &status, &spawn, TIMEOUT_NS, &err);
	if (rc)
		plan->fp_error[at] = mlb_arena_printf(&plan->p->arena, "its fingerprint '%s': %s",
						      command, err.text);
	else if (status.code != 0)
		plan->fp_error[at] = explain(plan, command, &status, &out);
	else
		mlb_sha256_of(&plan->fp[at], mlb_buf_str(&out), out.len);
	mlb_err_release(&err);
	mlb_buf_release(&out);
}

/* An earlier entry with the same text serves again: a command that many targets name runs once. */
static void
fill(struct mlb_plan *plan, uint32_t at, struct mlb_strmap *done)
{
	const char *command = mlb_g_str(plan->g, plan->g->strs[at]);
	struct mlb_strmap_entry *e;
	bool is_new;

	e = mlb_strmap_add(done, command, strlen(command), &is_new);
	if (is_new) {
		e->u.num = at;
		if (!was_told(plan, at, command)) {
			run_one(plan, at, command);
			remember(plan, at, command);
		}
	} else {
		plan->fp[at] = plan->fp[e->u.num];
		plan->fp_error[at] = plan->fp_error[e->u.num];
	}
}

void
mlb_plan_fingerprints(struct mlb_plan *plan)
{
	struct mlb_strmap done = MLB_STRMAP_INIT;
	struct mlb_project *p = plan->p;

	if (p->fp) {
		plan->fp = p->fp;
		plan->fp_error = p->fp_error;
		p->fp = NULL;
		p->fp_error = NULL;
		return;
	}
	plan->fp = mlb_calloc(plan->g->n_strs + 1, sizeof(*plan->fp));
	plan->fp_error = mlb_calloc(plan->g->n_strs + 1, sizeof(*plan->fp_error));
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		struct mlb_range fp = plan->g->node[i].fp;

		for (uint32_t f = 0; plan->node[i].wanted && f < fp.n; f++)
			fill(plan, fp.first + f, &done);
	}
	mlb_strmap_release(&done);
}

/* ---------------------------------------------------------- ahead of the plan */

bool
mlb_fingerprints_any(const struct mlb_graph *g)
{
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (g->node[i].fp.n)
			return true;
	return false;
}

void
mlb_fingerprints_digest(struct mlb_digest *out, const struct mlb_plan *plan)
{
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		struct mlb_range fp = plan->g->node[i].fp;

		if (plan->node[i].wanted && fp.n)
			mlb_sha256_update(&h, plan->fp + fp.first, fp.n * sizeof(*plan->fp));
	}
	mlb_sha256_final(&h, out);
}

void
mlb_fingerprints_forget(struct mlb_project *p)
{
	free(p->fp);
	free(p->fp_error);
	p->fp = NULL;
	p->fp_error = NULL;
}

int
mlb_fingerprints_ahead(struct mlb_digest *out, struct mlb_project *p,
		       const struct mlb_plan_options *o, struct mlb_err *err)
{
	struct mlb_plan plan = { .p = p, .g = p->graph };
	int rc;

	plan.node = mlb_calloc(plan.g->n_nodes + 1, sizeof(*plan.node));
	rc = mlb_plan_select(&plan, o, err);
	if (rc == 0) {
		mlb_plan_fingerprints(&plan);
		mlb_fingerprints_digest(out, &plan);
		p->fp = plan.fp;
		p->fp_error = plan.fp_error;
	}
	mlb_arena_release(&plan.arena);
	free(plan.node);
	return rc;
}
