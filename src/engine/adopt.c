/*
 * adopt: the outputs that are there become the result of the present key. For a
 * long step whose state was lost, or after a change that cannot matter.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/clock.h"
#include "os/machine.h"

enum { MAX_ACTION = 256 << 20 };

static int
check_node(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_g_node *node = &plan->g->node[n];
	const char *name = mlb_g_str(plan->g, node->name);

	if (node->flags & (MLB_G_SOURCE | MLB_G_EACH) || node->kind == MLB_K_TASK || !node->out.n)
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' cannot be adopted: it has no outputs of its own", name);
	if (!plan->node[n].key_known)
		return mlb_err_set(err, MLB_EINVALID, "'%s' cannot be adopted: %s", name,
				   plan->node[n].reason[0] ? plan->node[n].reason
							   : "its inputs are not known");
	for (uint32_t i = 0; i < node->out.n; i++)
		if (!mlb_output_on_disk(plan, node->out.first + i).kind)
			return mlb_err_set(err, MLB_ENOTFOUND,
					   "'%s' cannot be adopted: '%s' is not there", name,
					   mlb_g_path(plan->g,
						      plan->g->output[node->out.first + i].path));
	return 0;
}

/* Outputs into the store, the action's text too, and a record that names them. */
static int
add_result(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_project *p = plan->p;
	const struct mlb_range out = plan->g->node[n].out;
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_result r = { .platform = "", .pin = "", .params = "", .run = "adopted" };
	struct mlb_action a;
	int rc = 0;

	r.output = mlb_arena_alloc(&plan->arena, (out.n + 1) * sizeof(*r.output));
	r.n_outputs = out.n;
	r.started = mlb_clock_wall();
	for (uint32_t i = 0; i < out.n && rc == 0; i++) {
		uint32_t o = out.first + i;

		rc = mlb_scan_store(&p->scan, plan->g->output[o].path, p->cas, err);
		plan->out[o] = mlb_output_on_disk(plan, o);
		r.output[i].path = mlb_g_path(plan->g, plan->g->output[o].path);
		r.output[i].kind = plan->out[o].kind;
		r.output[i].digest = plan->out[o].digest;
		r.output[i].size = plan->out[o].size;
	}
	mlb_node_action(plan, n, &plan->arena, &a);
	mlb_action_text(&text, plan->g, &a);
	if (rc == 0)
		rc = mlb_cas_put(p->cas, &r.key, mlb_buf_str(&text), text.len, err);
	if (rc == 0)
		rc = mlb_results_add(p->results, &r, err);
	mlb_buf_release(&text);
	return rc;
}

static int
commit(struct mlb_project *p, struct mlb_err *err)
{
	int rc = mlb_cas_sync(p->cas, err);

	if (rc == 0)
		rc = mlb_results_sync(p->results, err);
	if (rc == 0)
		rc = mlb_db_begin(p->db, err);
	if (rc)
		return rc;
	rc = mlb_cas_index(p->cas, err);
	if (rc == 0)
		rc = mlb_results_index(p->results, err);
	if (rc == 0)
		rc = mlb_scan_save(&p->scan, p->cas, err);
	if (rc == 0)
		rc = mlb_db_commit(p->db, err);
	if (rc)
		mlb_db_rollback(p->db);
	return rc;
}

static int
adopt_all(struct mlb_plan *plan, struct mlb_err *err)
{
	int rc = mlb_project_cache(plan->p, err);

	for (uint32_t i = 0; i < plan->g->n_nodes && rc == 0; i++) {
		if (!plan->node[i].asked)
			continue;
		rc = check_node(plan, i, err);
		if (rc == 0)
			rc = add_result(plan, i, err);
	}
	return rc ? rc : commit(plan->p, err);
}

/* The lock on disk may name another result for this key: here what was adopted comes first. */
static int
write_lock(struct mlb_project *p, const char *word, struct mlb_report *report, struct mlb_err *err)
{
	struct mlb_build build = {
		.word = &word, .n_words = 1, .only = true, .command_line = "mlbuild adopt"
	};
	int rc;

	p->adopting = true;
	rc = mlb_build(p, &build, report, err);
	p->adopting = false;
	return rc;
}

int
mlb_adopt(struct mlb_project *p, const char *word, char **note, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = &word, .n_words = 1 };
	struct mlb_report report = { 0 };
	struct mlb_plan *plan = NULL;
	int rc = mlb_plan_new(&plan, p, &o, err);

	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	if (rc == 0)
		rc = adopt_all(plan, err);
	mlb_plan_free(plan);
	if (rc == 0)
		rc = write_lock(p, word, &report, err);
	if (rc == 0)
		*note = mlb_asprintf("'%s' has what is there as its result now", word);
	mlb_report_release(&report);
	return rc;
}
