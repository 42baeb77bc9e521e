/*
 * mlb_build: from the lock on the workspace to the report.
 */
#include "engine/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/claim.h"
#include "engine/experiment.h"
#include "engine/into.h"
#include "engine/metrics.h"
#include "engine/needs.h"
#include "engine/runid.h"
#include "engine/sender.h"
#include "engine/steady_file.h"
#include "engine/variant.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_PASSES = 3, MAX_NOTE = 64 * 1024 };

void
mlb_report_release(struct mlb_report *r)
{
	free(r->metrics);
	free(r->changed);
	free(r->to_commit);
	free(r->artifacts);
	free(r->run);
	free(r->experiment);
	memset(r, 0, sizeof(*r));
}

static void
tell_wait(void *ctx, const char *holder)
{
	mlb_tell(ctx, MLB_EV_WAIT, MLB_NONE, holder, 0);
}

int
mlb_builder_recover(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_buf note = MLB_BUF_INIT(MAX_NOTE);
	unsigned undone = 0;
	int rc = mlb_journal_open(&b->m->journal, b->p->root, b->p->state_dir, &undone, &note, err);

	if (rc == 0 && undone)
		mlb_note(b, "%s", mlb_buf_str(&note));
	mlb_buf_release(&note);
	return rc;
}

void
mlb_builder_mark(struct mlb_builder *b, uint32_t n)
{
	if (b->plan->node[n].marked)
		return;
	b->plan->node[n].marked = true;
	mlb_vec_push(&b->marked, n);
}

/* ---------------------------------------------------------- passes */

static int
record_marked(struct mlb_builder *b, struct mlb_err *err)
{
	int rc;

	if (!b->marked.n)
		return 0;
	rc = mlb_builder_machinery(b, err);
	if (rc == 0 && !mlb_is_variant(b->p) && !b->p->past)
		rc = mlb_store_sources(b, err);
	for (size_t i = 0; i < b->marked.n && rc == 0; i++)
		mlb_record_node(b, b->marked.v[i], "", 0);
	b->marked.n = 0;
	return rc;
}

int
mlb_builder_verdict(const struct mlb_builder *b)
{
	if (b->m->cancelled)
		return MLB_EINTERRUPTED;
	if (b->stale)
		return MLB_ESTALE;
	if (b->report->failed)
		return MLB_EFAILED;
	if (b->report->checks_no)
		return MLB_ECHECK;
	return b->report->blocked ? MLB_EFAILED : 0;
}

static void
report_rest(struct mlb_builder *b, const struct mlb_steady *said)
{
	b->report->current = b->finished = said->n_wanted;
	b->report->saved = said->saved;
}

/* Sources may have been stored while they were scanned, though there was nothing to record. */
static int
save_scan(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_project *p = b->p;
	int rc = 0;

	if (p->cas && !p->parent && !b->ready_to_run) {
		rc = mlb_cas_sync(p->cas, err);
		if (rc == 0)
			rc = mlb_db_begin(p->db, err);
		if (rc == 0)
			rc = mlb_cas_index(p->cas, err);
		if (rc == 0)
			rc = mlb_db_commit(p->db, err);
		if (rc)
			mlb_db_rollback(p->db);
	}
	return rc ? rc : mlb_project_save_scan(p, err);
}

/* Nothing is to be done, and steady.h knew it: that is written down for the next to find it faster. */
static int
keep_rest(struct mlb_builder *b, struct mlb_err *err)
{
	int rc;

	mlb_needs_touch(b->p);
	rc = mlb_gitignore_keep(b, err);
	if (rc == 0)
		rc = save_scan(b, err);
	if (rc == 0 && !b->opt->locked)
		mlb_steady_file_write(b->p);
	return rc;
}

/* Nodes that were up to date in an earlier build and have had no reason to change: *all of them, or o->rest. */
static int
find_rest(struct mlb_builder *b, struct mlb_plan_options *o, bool *all, struct mlb_err *err)
{
	struct mlb_steady said;
	enum mlb_rest rest;
	int rc = mlb_steady_find(&rest, &said, b->p, o, err);

	o->rest = rest == MLB_REST_MOST;
	*all = rc == 0 && rest == MLB_REST_ALL;
	if (*all)
		report_rest(b, &said);
	return rc;
}

/* What was done before the fault counts, as far as it can still be written down. */
static int
finish_faulty(struct mlb_builder *b, int rc)
{
	if (b->ready_to_run)
		mlb_record_finish(b, mlb_exit_code(rc), NULL);
	return rc;
}

static int
one_pass(struct mlb_builder *b, struct mlb_plan_options *o, struct mlb_err *err)
{
	bool all = false;
	int rc;

	mlb_plan_free(b->plan);
	b->plan = NULL;
	b->p->storing = mlb_is_variant(b->p) || b->p->past ? NULL : o;
	b->p->progress = mlb_tell_progress;
	b->p->progress_ctx = b;
	b->finished = 0;
	b->report->current = 0;
	b->again = false;
	rc = find_rest(b, o, &all, err);
	if (rc == 0 && !all)
		rc = mlb_plan_new(&b->plan, b->p, o, err);
	b->p->storing = NULL;
	b->p->progress = NULL;
	if (rc == 0 && all)
		rc = mlb_notes_tell(b, err);
	if (rc == 0 && all)
		return keep_rest(b, err);
	if (rc)
		return rc;
	mlb_needs_touch(b->p);
	b->g = b->plan->g;
	b->report->current = b->finished = b->plan->n_resting;
	rc = b->p->past ? 0
			: mlb_plan_check_env(b->plan, err); /* there it costs its targets alone */
	if (rc)
		return rc;
	if (b->opt->into && mlb_is_variant(b->p)) {
		rc = mlb_into_check(b->plan, b->opt->into, err);
		if (rc)
			return rc;
	}
	rc = mlb_notes_tell(b, err);
	if (rc)
		return rc;
	if (!b->m->jobs)
		b->m->jobs = b->opt->jobs ? b->opt->jobs : b->g->jobs ? b->g->jobs : b->p->threads;
	rc = mlb_loop(b, err);
	if (rc)
		return finish_faulty(b, rc);
	rc = record_marked(b, err);
	if (rc == MLB_EINTERRUPTED)
		return finish_faulty(b, rc);
	if (rc == 0 && !b->ready_to_run && !mlb_is_variant(b->p)) {
		/* Lock and .gitignore may have to be written again though nothing was built. */
		bool same = b->p->lock_same;

		if (same)
			rc = mlb_graph_is_recorded(b, &same, err);
		if (rc == 0 && same)
			rc = mlb_gitignore_keep(b, err);
		if (rc == 0 && !same)
			rc = mlb_builder_machinery(b, err);
	}
	if (rc == 0 && b->ready_to_run)
		rc = mlb_record_finish(b, mlb_exit_code(mlb_builder_verdict(b)), err);
	else if (rc == 0)
		rc = mlb_steady_keep(b, err);
	if (rc == 0)
		rc = save_scan(b, err);
	return rc;
}

static struct mlb_plan_options
plan_options(const struct mlb_build *opt)
{
	return (struct mlb_plan_options){
		.word = opt->word,
		.n_words = opt->n_words,
		.force = opt->force,
		.only = opt->only,
		.downstream = opt->downstream,
		.update = opt->update,
		.locked = opt->locked,
	};
}

static int
run_passes(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_plan_options o = plan_options(b->opt);
	bool again = false;
	int rc = 0;

	for (int pass = 0; pass < MAX_PASSES; pass++) {
		rc = one_pass(b, &o, err);
		if (rc || !b->again || b->m->cancelled)
			break;
		o.force = o.update = false; /* that was done in the first pass */
		again = true;
	}
	/* What the first pass built is current in the second: it counts once. */
	if (again && b->plan) {
		uint32_t done = b->report->built + b->report->restored + b->report->failed +
				b->report->blocked + b->report->checks_no;

		b->report->current = b->plan->n_wanted > done ? b->plan->n_wanted - done : 0;
	}
	return rc;
}

static int
write_trace(struct mlb_builder *b, struct mlb_err *err)
{
	const char *text = mlb_trace_finish(&b->trace);

	return mlb_fs_rewrite(b->opt->trace, text, strlen(text), false, err);
}

static void
free_works(struct mlb_works *v)
{
	for (size_t i = 0; i < v->n; i++)
		mlb_work_free(v->v[i]);
	mlb_vec_release(v);
}

void
mlb_builder_release(struct mlb_builder *b)
{
	for (uint32_t c = 0; b->ready && c < b->g->n_execs; c++)
		free_works(&b->ready[c]);
	free(b->ready);
	free_works(&b->delayed);
	free_works(&b->running);
	free_works(&b->unproved);
	free_works(&b->refused);
	mlb_vec_release(&b->todo);
	mlb_vec_release(&b->marked);
	free(b->told_short);
	mlb_plan_free(b->plan);
	if (b->tracing)
		mlb_trace_release(&b->trace);
	mlb_pin_needs_release(&b->pinned);
	mlb_err_release(&b->fatal);
	free(b->run_id);
}

/* A variant that was built is an experiment. That it cannot be kept is no failure of the build. */
static void
keep_experiment(struct mlb_builder *b)
{
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_roots needs = { 0 };
	struct mlb_experiment x;
	int rc = b->ready_to_run ? 0 : mlb_find_pin(b, &why);

	if (rc == 0)
		rc = mlb_project_cache(b->p, &why);
	if (rc == 0)
		rc = mlb_experiment_keep(b, 0, "", &x, &needs, &why);
	if (rc == 0 && mlb_project_shares_cache(b->p))
		rc = mlb_needs_add_roots(b->p, &needs, &why);
	mlb_roots_release(&needs);
	if (rc == 0)
		b->report->experiment = mlb_strdup(x.id);
	else
		mlb_note(b, "it is not kept as an experiment: %s", why.text);
	mlb_err_release(&why);
}

static int
finish_report(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = 0;

	if (b->ready_to_run)
		b->report->metrics = mlb_asked_metrics(b->plan);
	if (b->logged)
		b->report->run = mlb_strdup(b->run_id);
	if (mlb_is_variant(b->p) && !b->p->past)
		rc = mlb_variant_artifacts(b, err);
	if (rc == 0 && mlb_is_variant(b->p) && mlb_builder_verdict(b) == 0)
		keep_experiment(b);
	if (rc == 0 && b->tracing)
		rc = write_trace(b, err);
	if (rc == 0 && b->p->on_done && b->plan)
		rc = b->p->on_done(b->p->done_ctx, b->plan, err);
	return rc;
}

static int
verdict_error(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = mlb_builder_verdict(b);

	switch (rc) {
	case 0:
		return 0;
	case MLB_EINTERRUPTED:
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	case MLB_ESTALE:
		return mlb_err_set(err, MLB_ESTALE, "%s", MLB_LOCK_STALE);
	case MLB_ECHECK:
		return mlb_err_set(err, MLB_ECHECK, "%u %s no", b->report->checks_no,
				   b->report->checks_no == 1 ? "check said" : "checks said");
	default:
		if (b->report->failed == 0)
			return mlb_err_set(err, MLB_EFAILED, "%u blocked", b->report->blocked);
		return mlb_err_set(err, MLB_EFAILED, "%u failed, %u blocked", b->report->failed,
				   b->report->blocked);
	}
}

/* Whether the trace can be written is found out before anything runs. */
static int
check_trace(const char *path, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(MAX_NOTE);
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_stat st, parent;
	int rc = 0;

	mlb_path_dir(&dir, path);
	if (mlb_fs_stat(&st, path, &why) || mlb_fs_stat(&parent, mlb_buf_str(&dir), &why))
		rc = mlb_err_set(err, MLB_EINVALID, "--trace: %s", why.text);
	else if (!*path || st.type == MLB_F_DIR)
		rc = mlb_err_set(err, MLB_EINVALID, "--trace '%s' is a directory: name a file",
				 path);
	else if (parent.type != MLB_F_DIR)
		rc = mlb_err_set(err, MLB_EINVALID, "--trace '%s': there is no directory '%s'",
				 path, mlb_buf_str(&dir));
	else if (!mlb_fs_may_write(st.type == MLB_F_ABSENT ? mlb_buf_str(&dir) : path))
		rc = mlb_err_set(err, MLB_EINVALID, "--trace '%s': %s", path, strerror(errno));
	mlb_err_release(&why);
	mlb_buf_release(&dir);
	return rc;
}

/* Alone in the workspace, with all undone that a builder before us left. */
static int
take_workspace(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = mlb_claim(&b->lock, b->p, b->opt->command_line, tell_wait, b, err);

	return rc ? rc : mlb_builder_recover(b, err);
}

/* Where a file says that nothing is to be done, state.db is opened only if that is so no more. */
static int
build_all(struct mlb_builder *b, struct mlb_err *err)
{
	bool maybe_none = mlb_steady_file_there(b->p, b->opt);
	int rc = 0;

	if (!maybe_none)
		rc = mlb_project_write(b->p, err);
	if (rc == 0)
		rc = take_workspace(b, err);
	if (rc == 0 && maybe_none) {
		const struct mlb_plan_options o = plan_options(b->opt);
		struct mlb_steady said;

		if (mlb_steady_file_holds(&said, b->p, &o)) {
			report_rest(b, &said);
			mlb_needs_touch(b->p);
			return 0;
		}
		rc = mlb_project_write(b->p, err);
	}
	return rc ? rc : run_passes(b, err);
}

int
mlb_build(struct mlb_project *p, const struct mlb_build *opt, struct mlb_report *report,
	  struct mlb_err *err)
{
	struct mlb_report own;
	struct mlb_machinery m = MLB_MACHINERY_INIT;
	struct mlb_builder b = {
		.p = p, .opt = opt, .report = report ? report : &own, .lock = MLB_LOCK_INIT, .m = &m
	};
	uint64_t began = mlb_clock_mono();
	int rc;

	memset(b.report, 0, sizeof(*b.report));
	m.base = &b;
	mlb_vec_push(&m.builder, &b);
	b.run_id = mlb_new_run_id();
	b.tracing = opt->trace != NULL;
	b.trace_start = began;
	if (b.tracing)
		mlb_trace_init(&b.trace);
	rc = opt->trace ? check_trace(opt->trace, err) : 0;
	if (rc == 0)
		rc = build_all(&b, err);
	if (rc == 0)
		mlb_sender_finish(&m);
	if (rc == 0)
		rc = finish_report(&b, err);
	b.report->duration = mlb_clock_mono() - began;
	if (rc == 0)
		rc = verdict_error(&b, err);
	mlb_machinery_drain(&m);
	mlb_builder_release(&b);
	mlb_machinery_release(&m);
	mlb_lock_release(&b.lock);
	if (!report)
		mlb_report_release(&own);
	return rc;
}
