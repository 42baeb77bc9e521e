/*
 * adopt: the outputs that are there become the result of the present key. For a
 * long step whose state was lost, or after a change that cannot matter.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/claim.h"
#include "engine/each.h"
#include "engine/known.h"
#include "engine/metrics.h"
#include "os/clock.h"
#include "os/machine.h"

enum { MAX_ACTION = 256 << 20, MAX_TOLD = 10 };

/* Why a target of this sort is never adopted; NULL if it may be. */
static const char *
unfit(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_g_node *node = &plan->g->node[n];

	if (node->flags & MLB_G_SOURCE)
		return "it is a source: what is at its path counts as it is";
	if (node->kind == MLB_K_CHECK)
		return "a check has to say yes itself: run it";
	if (node->kind == MLB_K_TASK || !node->out.n)
		return "a task has no result";
	if (node->flags & MLB_G_FROZEN && mlb_known_locked(plan, n, NULL))
		return "it is frozen, and mlbuild.lock has its result: only 'mlbuild update' "
		       "makes another";
	return NULL;
}

/* What its key is not known for; "" if it is. */
static const char *
unknown_input(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_graph *g = plan->g;
	const struct mlb_range dep = g->node[n].dep;

	if (plan->node[n].key_known)
		return "";
	for (uint32_t i = 0; i < dep.n; i++) {
		const struct mlb_node *d = &plan->node[g->index[dep.first + i]];
		const char *name = mlb_g_str(g, g->node[g->index[dep.first + i]].name);

		if (d->fate == MLB_FATE_BLOCKED)
			return mlb_arena_printf(&plan->arena, "'%s' cannot be had: %s", name,
						d->reason);
		if (d->fate == MLB_FATE_RUN || d->fate == MLB_FATE_MAYBE)
			return mlb_arena_printf(&plan->arena,
						"it reads '%s', which is stale: 'mlbuild %s' or "
						"'mlbuild adopt %s' first",
						name, name, name);
	}
	return plan->node[n].reason[0] ? plan->node[n].reason : "its inputs are not known";
}

/* One line for an output that is not as declared. */
static void
check_output(struct mlb_plan *plan, uint32_t output, struct mlb_buf *wrong)
{
	const struct mlb_g_output *o = &plan->g->output[output];
	const struct mlb_path_state *s = &plan->p->scan.state[o->path];
	const char *path = mlb_g_path(plan->g, o->path);
	char *full = mlb_project_path(plan->p, path);
	struct mlb_err err = MLB_ERR_INIT;

	if (s->kind == MLB_P_BAD)
		mlb_buf_addf(wrong, "\n%s", mlb_scan_problem(&plan->p->scan, o->path));
	else if (s->kind == MLB_P_ABSENT)
		mlb_buf_addf(wrong, "\n'%s' is not there", path);
	else if ((s->kind == MLB_P_TREE) != (o->kind == MLB_G_DIR))
		mlb_buf_addf(wrong, "\n'%s' is a %s, and has to be a %s", path,
			     s->kind == MLB_P_TREE ? "directory" : "file",
			     o->kind == MLB_G_DIR ? "directory" : "file");
	else if (o->kind == MLB_G_METRICS && mlb_check_metrics(path, full, &err))
		mlb_buf_addf(wrong, "\n%s", err.text);
	mlb_err_release(&err);
	free(full);
}

/* The same for the files of a target with `each`: all that the inputs of now would give. */
static void
check_files(struct mlb_plan *plan, uint32_t n, struct mlb_buf *wrong)
{
	const struct mlb_each *e = plan->node[n].each;
	const struct mlb_range out = plan->g->node[n].out;
	uint32_t bad = 0;

	for (uint32_t i = 0; e && i < e->n; i++)
		for (uint32_t k = 0; k < out.n; k++) {
			const char *path = e->item[i].path[k];
			struct mlb_err err = MLB_ERR_INIT;
			char *full = mlb_project_path(plan->p, path);

			if (!mlb_each_on_disk(plan, n, &e->item[i], k).kind)
				mlb_err_set(&err, MLB_ENOTFOUND, "'%s' is not there", path);
			else if (plan->g->output[out.first + k].kind == MLB_G_METRICS)
				mlb_check_metrics(path, full, &err);
			if (err.text && bad++ < MAX_TOLD)
				mlb_buf_addf(wrong, "\n%s", err.text);
			mlb_err_release(&err);
			free(full);
		}
	if (bad > MAX_TOLD)
		mlb_buf_addf(wrong, "\nand %u more", bad - MAX_TOLD);
}

static int
check_node(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_range out = plan->g->node[n].out;
	const char *name = mlb_g_str(plan->g, plan->g->node[n].name);
	const char *why = unfit(plan, n);
	struct mlb_buf wrong = MLB_BUF_INIT(MLB_MIB);
	int rc = 0;

	if (!why)
		why = unknown_input(plan, n);
	if (why[0])
		return mlb_err_set(err, MLB_EINVALID, "'%s' cannot be adopted: %s", name, why);
	if (plan->g->node[n].flags & MLB_G_EACH)
		check_files(plan, n, &wrong);
	for (uint32_t i = 0; i < out.n && !(plan->g->node[n].flags & MLB_G_EACH); i++)
		check_output(plan, out.first + i, &wrong);
	if (wrong.len)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "'%s' cannot be adopted:%s", name,
				 mlb_buf_str(&wrong));
	mlb_buf_release(&wrong);
	return rc;
}

static int
put_record(struct mlb_project *p, const struct mlb_action *a, const struct mlb_graph *g,
	   struct mlb_result *r, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	int rc;

	mlb_action_text(&text, g, a);
	rc = mlb_buf_check(&text, "the action's text", err);
	if (rc == 0)
		rc = mlb_cas_put(p->cas, &r->key, mlb_buf_str(&text), text.len, err);
	if (rc == 0)
		rc = mlb_results_add(p->results, r, err);
	mlb_buf_release(&text);
	return rc;
}

static int
store_output(struct mlb_plan *plan, uint32_t n, uint32_t output, struct mlb_err *err)
{
	if (plan->g->node[n].flags & MLB_G_NO_STORE)
		return 0;
	return mlb_scan_store(&plan->p->scan, plan->g->output[output].path, plan->p->cas, err);
}

/* The result of one file. */
static int
add_file(struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it, struct mlb_result *r,
	 struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_action a;
	int rc;

	for (uint32_t k = 0; k < r->n_outputs; k++) {
		const struct mlb_now now = mlb_each_on_disk(plan, n, it, k);

		r->output[k].path = it->path[k];
		r->output[k].kind = now.kind;
		r->output[k].digest = now.digest;
		r->output[k].size = now.size;
	}
	mlb_each_item_action(plan, n, it, &arena, &a);
	rc = put_record(plan->p, &a, plan->g, r, err);
	mlb_arena_release(&arena);
	return rc;
}

/* All outputs of an `each` node are in its one directory, which is stored as a whole. */
static int
add_files(struct mlb_plan *plan, uint32_t n, struct mlb_result *r, struct mlb_err *err)
{
	const struct mlb_each *e = plan->node[n].each;
	int rc = 0;

	if (e && e->n)
		rc = store_output(plan, n, plan->g->node[n].out.first, err);
	for (uint32_t i = 0; e && i < e->n && rc == 0; i++)
		rc = add_file(plan, n, &e->item[i], r, err);
	return rc;
}

/* Outputs into the store, the action's text too, and a record that names them. */
static int
add_result(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_range out = plan->g->node[n].out;
	struct mlb_result r = { .platform = "", .pin = "", .params = "", .run = "adopted" };
	struct mlb_action a;
	int rc = 0;

	r.output = mlb_arena_alloc(&plan->arena, (out.n + 1) * sizeof(*r.output));
	r.n_outputs = out.n;
	r.started = mlb_clock_wall();
	if (plan->g->node[n].flags & MLB_G_EACH)
		return add_files(plan, n, &r, err);
	for (uint32_t i = 0; i < out.n && rc == 0; i++) {
		uint32_t o = out.first + i;

		rc = store_output(plan, n, o, err);
		plan->out[o] = mlb_output_on_disk(plan, o);
		r.output[i].path = mlb_g_path(plan->g, plan->g->output[o].path);
		r.output[i].kind = plan->out[o].kind;
		r.output[i].digest = plan->out[o].digest;
		r.output[i].size = plan->out[o].size;
	}
	mlb_node_action(plan, n, &plan->arena, &a);
	return rc ? rc : put_record(plan->p, &a, plan->g, &r, err);
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

	for (uint32_t i = 0; i < plan->g->n_nodes && rc == 0; i++)
		if (plan->node[i].asked)
			rc = check_node(plan, i, err);
	for (uint32_t i = 0; i < plan->g->n_nodes && rc == 0; i++)
		if (plan->node[i].asked)
			rc = add_result(plan, i, err);
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
	struct mlb_lock lock = MLB_LOCK_INIT;
	struct mlb_report report = { 0 };
	struct mlb_plan *plan = NULL;
	int rc = mlb_claim_now(&lock, p, "mlbuild adopt", err);

	if (rc == 0)
		rc = mlb_plan_new(&plan, p, &o, err);
	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	if (rc == 0)
		rc = adopt_all(plan, err);
	mlb_plan_free(plan);
	mlb_lock_release(&lock);
	if (rc == 0)
		rc = write_lock(p, word, &report, err);
	if (rc == 0)
		*note = mlb_asprintf("'%s' has what is there as its result now", word);
	mlb_report_release(&report);
	return rc;
}
