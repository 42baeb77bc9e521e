/*
 * Recording: what was done becomes durable in batches, in the order that makes a
 * crash at any instant harmless:
 *
 * 1. packs and loose objects are synced, then the segment of result records (on a worker);
 * 2. one transaction writes indexes, stat cache, memo and the run;
 * 3. only then is it told that a target is built;
 * 4. mlbuild.lock and .gitignore are written once, at the end; the lock's bytes are
 *    synced beside the last packs, and get their name after them;
 * 5. after a batch that failed nothing more is recorded.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/each.h"
#include "engine/failures.h"
#include "engine/gone.h"
#include "engine/metrics.h"
#include "engine/needs.h"
#include "engine/sender.h"
#include "engine/steady.h"
#include "os/clock.h"
#include "os/machine.h"

#define BATCH_NS (1000ULL * 1000 * 1000)
enum { MAX_ACTION = 256 << 20, MAX_METRICS = 16 << 20 };

/* A row of the memo, and one of the run, waiting for the next commit. */
struct row {
	struct mlb_builder *b;
	struct mlb_memo memo; /* node "" : no memo */
	struct mlb_run_action action;
	struct mlb_about about;
	bool tell;                      /* MLB_EV_BUILT or MLB_EV_NO once durable */
	const char *command, *log_path; /* of a check that said no */
	const char *failure;            /* to be remembered of the node (failures.h); NULL: none */
};
MLB_VEC_NAMED(rows, struct row);

struct mlb_record {
	struct mlb_arena arena; /* strings of rows; lives as long as the build */
	struct rows pending;    /* not yet given to a commit */
	struct rows syncing;    /* of the commit in flight */
	struct mlb_task task;
	struct mlb_err err; /* of the task */
	struct mlb_machinery *m;
	uint64_t last;   /* monotonic ns of the last commit */
	int64_t started; /* of the run, wall */
	uint64_t started_mono;
	bool in_flight;
	bool failed; /* a batch: nothing more is recorded in this build */
	char *platform;
};

int
mlb_record_new(struct mlb_machinery *m, struct mlb_err *err)
{
	struct mlb_buf platform = MLB_BUF_INIT(MLB_KIB);

	(void)err;
	m->record = mlb_calloc(1, sizeof(*m->record));
	m->record->m = m;
	m->record->started = mlb_clock_wall();
	m->record->started_mono = m->record->last = mlb_clock_mono();
	mlb_machine_platform(&platform);
	m->record->platform = mlb_buf_detach(&platform);
	return 0;
}

void
mlb_record_free(struct mlb_machinery *m)
{
	struct mlb_record *r = m->record;

	if (!r)
		return;
	mlb_vec_release(&r->pending);
	mlb_vec_release(&r->syncing);
	mlb_arena_release(&r->arena);
	mlb_err_release(&r->err);
	free(r->platform);
	free(r);
	m->record = NULL;
}

uint64_t
mlb_record_due(const struct mlb_machinery *m)
{
	const struct mlb_record *r = m->record;

	if (!r || r->in_flight || !r->pending.n)
		return 0;
	return r->last + BATCH_NS;
}

/* ---------------------------------------------------------- rows */

static struct row
node_row(struct mlb_builder *b, uint32_t n, const char *what, uint64_t duration)
{
	const struct mlb_node *node = &b->plan->node[n];
	const struct mlb_range out = b->g->node[n].out;
	const char *name = mlb_g_str(b->g, b->g->node[n].name);
	struct row row;

	memset(&row, 0, sizeof(row));
	row.b = b;
	row.about = (struct mlb_about){ n, "", 0 };
	row.memo.node = name;
	row.memo.sig = node->sig;
	row.memo.key = node->key;
	row.memo.kind = (uint8_t)b->g->node[n].kind;
	row.memo.duration = duration ? duration : node->measured ? node->duration : 0;
	mlb_outs_digest(&row.memo.outs, b->plan->out + out.first, out.n);
	row.action.run = b->run_id;
	row.action.node = name;
	row.action.key = node->key;
	row.action.what = what;
	row.action.duration = duration;
	row.action.metrics = "";
	return row;
}

static void
add_row(const struct row *row)
{
	row->b->n_rows++;
	mlb_vec_push(&row->b->m->record->pending, *row);
}

void
mlb_record_node(struct mlb_builder *b, uint32_t n, const char *what, uint64_t duration)
{
	struct row row = node_row(b, n, what, duration);

	/* A variant says nothing about the workspace. */
	if (mlb_is_variant(b->p))
		row.memo.node = "";
	add_row(&row);
}

/* Its metrics as one line of JSON for the run's row; "" where there are none that can be read. */
static const char *
read_metrics(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	const char *metrics = "";

	for (size_t i = 0; i < w->n_outputs; i++) {
		char *json = NULL;

		if (w->made[i].kind == MLB_O_METRICS &&
		    mlb_cas_read(b->p->cas, &text, &w->made[i].digest, NULL) == 0)
			json = mlb_metrics_text(w->output[i].path, mlb_buf_str(&text), text.len);
		if (json)
			metrics = mlb_arena_strdup(&b->m->record->arena, json);
		free(json);
	}
	mlb_buf_release(&text);
	return metrics;
}

static int
put_action(struct mlb_work *w, struct mlb_digest *key, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	int rc;

	mlb_action_text(&text, w->b->g, &w->action);
	rc = mlb_buf_check(&text, "the action's text", err);
	if (rc == 0)
		rc = mlb_cas_put(w->b->p->cas, key, mlb_buf_str(&text), text.len, err);
	mlb_buf_release(&text);
	return rc;
}

static int
put_log(struct mlb_work *w, struct mlb_digest *log, struct mlb_err *err)
{
	size_t len = 0;
	const char *text = mlb_job_log(w->job, &len);

	memset(log, 0, sizeof(*log));
	return len ? mlb_cas_put(w->b->p->cas, log, text, len, err) : 0;
}

/* For those who ask later; an interrupted command did not fail. */
static const char *
past_failure(struct mlb_work *w, const char *reason)
{
	struct mlb_builder *b = w->b;
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	const struct mlb_about about = mlb_work_about(w);
	const struct mlb_past_failure f = {
		.at = mlb_clock_wall(),
		.run = b->run_id,
		.reason = *about.file ? mlb_arena_printf(&b->m->record->arena, "%s: %s", about.file,
							 reason)
				      : reason,
		.log = w->job ? mlb_job_log_path(w->job) : "",
	};
	const char *s;

	if (mlb_is_variant(b->p) || w->end.cancelled || b->m->cancelled)
		return NULL;
	mlb_failure_format(&text, &f);
	s = mlb_arena_strdup(&b->m->record->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
	return s;
}

/* What it printed is kept: `show --output` tells it until the target is built. */
void
mlb_record_failed(struct mlb_builder *b, uint32_t n, struct mlb_work *w, const char *reason)
{
	static const struct mlb_past_failure recorded = { 0, "", "", "" };
	struct row row = node_row(b, n, "failed", w->end.duration_ns);
	struct mlb_err ignored = MLB_ERR_INIT;

	row.memo.node = "";
	row.failure = past_failure(w, reason);
	if (row.failure)
		b->plan->node[n].failed = &recorded;
	/* A log that cannot be stored is no reason to fail twice: .mlbuild/logs has it. */
	if (w->job && put_log(w, &row.action.log, &ignored))
		memset(&row.action.log, 0, sizeof(row.action.log));
	mlb_err_release(&ignored);
	add_row(&row);
}

static const char *
given_params(struct mlb_builder *b)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	const char *s;

	for (size_t i = 0; i < b->p->n_overrides; i++) {
		const struct mlb_override *o = &b->p->override[i];

		mlb_buf_addf(&text, "%s%s%s%s", i ? "\n" : "", o->name ? o->name : "@",
			     o->name ? "=" : "", o->value);
	}
	s = mlb_arena_strdup(&b->m->record->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
	return s;
}

int
mlb_record_built(struct mlb_builder *b, struct mlb_work *w, bool no, struct mlb_err *err)
{
	struct mlb_result r = { .verdict_no = no,
				.platform = b->m->record->platform,
				.pin = b->pin,
				.run = b->run_id };
	struct row row = node_row(b, w->node, no ? "no" : "built", w->end.duration_ns);
	int rc = 0;

	r.started = (int64_t)w->end.started_wall;
	r.duration = w->end.duration_ns;
	r.max_rss = w->end.exit.max_rss;
	r.params = given_params(b);
	r.output = mlb_arena_alloc(&w->arena, (w->n_outputs + 1) * sizeof(*r.output));
	for (size_t i = 0; i < w->n_outputs; i++) {
		if (!w->made[i].kind)
			continue;
		r.output[r.n_outputs].path = w->output[i].path;
		r.output[r.n_outputs].kind = w->made[i].kind;
		r.output[r.n_outputs].digest = w->made[i].digest;
		r.output[r.n_outputs++].size = w->made[i].size;
	}
	if (w->item)
		rc = mlb_each_record(w, &r, err);
	else
		rc = put_action(w, &r.key, err);
	if (rc == 0)
		rc = put_log(w, &r.log, err);
	/* A task's doing is never taken from a cache. */
	if (rc == 0 && b->g->node[w->node].kind != MLB_K_TASK && !w->item)
		rc = mlb_results_add(b->p->results, &r, err);
	if (rc)
		return rc;
	if (!w->item)
		row.action.key = r.key;
	row.action.log = r.log;
	row.action.metrics = read_metrics(w);
	row.memo.flags = no ? MLB_MEMO_NO : 0;
	row.about = mlb_work_about(w);
	row.tell = true;
	if (no) {
		row.command = mlb_arena_strdup(&b->m->record->arena, w->command);
		row.log_path = mlb_arena_strdup(&b->m->record->arena, mlb_job_log_path(w->job));
	}
	if (mlb_is_variant(b->p) || w->item)
		row.memo.node = "";
	b->plan->node[w->node].changed = true;
	b->report->built += !no;
	add_row(&row);
	return 0;
}

/* ---------------------------------------------------------- commits */

static void
sync_work(struct mlb_task *t)
{
	struct mlb_record *r = (struct mlb_record *)((char *)t - offsetof(struct mlb_record, task));

	mlb_store_sync(r->m->base->p->cas, r->m->base->p->results, &r->err);
}

static int
write_row(const struct row *row, struct mlb_err *err)
{
	struct mlb_builder *b = row->b;
	int rc = 0;

	if (row->memo.node[0])
		rc = mlb_memo_set(b->p->db, &row->memo, err);
	if (rc == 0 && row->memo.node[0] && b->plan->node[row->about.node].each)
		rc = mlb_each_remember(b->plan, row->about.node, err);
	if (rc == 0 && row->failure)
		rc = mlb_failure_put(b->p->db, row->action.node, row->failure, err);
	else if (rc == 0 && row->memo.node[0] && b->plan->node[row->about.node].failed)
		rc = mlb_failure_forget(b->p->db, row->memo.node, err);
	if (rc == 0 && row->action.what[0])
		rc = mlb_run_add_action(b->p->db, &row->action, err);
	return rc;
}

static int
write_run(struct mlb_builder *b, int status, struct mlb_err *err)
{
	struct mlb_run run = {
		.id = b->run_id,
		.started = b->m->record->started,
		.duration = mlb_clock_mono() - b->m->record->started_mono,
		.words = b->opt->command_line ? b->opt->command_line : "",
		.commit = b->head,
		.status = status,
		.built = b->report->built,
		.restored = b->report->restored,
		.failed = b->report->failed,
	};

	/* What found everything up to date made nothing, and is no run. */
	if (status == 0 && run.built + run.restored == 0)
		return 0;
	b->logged = true;
	return mlb_run_set(b->p->db, &run, err);
}

/*
 * With a lock that somebody else wrote, memos that this build did not hold against it say
 * nothing about it: what they remember may not be what it names, or missing in it.
 */
static int
doubt_others(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < b->g->n_nodes && rc == 0; i++)
		if (!b->plan->node[i].wanted || b->plan->node[i].phase != MLB_PH_DONE)
			rc = mlb_memo_doubt(b->p->db, mlb_g_str(b->g, b->g->node[i].name), err);
	return rc;
}

/* Point 2; status -1 while the build goes on. */
static int
write_rows(struct mlb_builder *b, const struct rows *rows, int status, bool locked,
	   struct mlb_err *err)
{
	struct mlb_project *p = b->p;
	bool regraphed = false;
	int rc = mlb_db_begin_durable(p->db, err);

	if (rc == 0 && locked && !b->opt->locked) {
		rc = mlb_graph_is_recorded(b, &regraphed, err);
		regraphed = !regraphed;
	}
	if (rc == 0)
		rc = mlb_cas_index(p->cas, err);
	if (rc == 0)
		rc = mlb_results_index(p->results, err);
	if (rc == 0)
		rc = mlb_scan_save(&p->scan, p->cas, err);
	for (size_t i = 0; i < rows->n && rc == 0; i++)
		rc = write_row(&rows->v[i], err);
	if (rc == 0)
		rc = write_run(b, status, err);
	if (rc == 0)
		rc = mlb_pin_needs_save(&b->pinned, p->db, false, err);
	if (rc == 0 && locked && !p->lock_same)
		rc = doubt_others(b, err);
	if (rc == 0 && locked)
		rc = mlb_project_remember_lock(p, err);
	/* With --locked .gitignore may still have to be written. */
	if (rc == 0 && locked && !b->opt->locked)
		rc = mlb_meta_set(p->db, "graph", b->g->id.b, MLB_DIGEST_LEN, err);
	if (rc == 0 && regraphed)
		rc = mlb_forget_gone(p->db, b->g, err);
	if (rc == 0 && locked && !b->opt->locked)
		rc = mlb_gitignore_remember(p, err);
	if (rc == 0)
		rc = mlb_steady_put(p, locked ? b : NULL, err);
	if (rc == 0)
		rc = mlb_db_commit(p->db, err);
	if (rc)
		mlb_db_rollback(p->db);
	return rc;
}

/* They are durable. */
static void
tell_built(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->v[i];
		struct mlb_builder *b = row->b;

		b->n_rows--;
		if (row->tell)
			mlb_sender_add(b->m, &row->action.key);
		if (row->tell && strcmp(row->action.what, "no") == 0) {
			struct mlb_failure f = { row->command, "it said no", "", row->log_path,
						 "" };

			mlb_tell_no(b, &row->about, &row->action.log, &f, row->action.duration);
		} else if (row->tell) {
			mlb_tell_about(b, MLB_EV_BUILT, &row->about, row->action.metrics,
				       row->action.duration);
		}
	}
	rows->n = 0;
}

static void
sync_done(struct mlb_task *t)
{
	struct mlb_record *r = (struct mlb_record *)((char *)t - offsetof(struct mlb_record, task));
	struct mlb_builder *b = r->m->base;

	b->n_tasks--;
	r->in_flight = false;
	r->last = mlb_clock_mono();
	if (r->err.code != MLB_OK || write_rows(b, &r->syncing, -1, false, &r->err)) {
		r->failed = true;
		mlb_fatal(b, &r->err);
	} else {
		tell_built(&r->syncing);
	}
	r->syncing.n = 0;
}

/* Nothing runs, so there is nothing to wait for; *over: nor will anything, and the last batch is mlb_record_finish's. */
static bool
is_idle(const struct mlb_machinery *m, bool *over)
{
	*over = !m->shared;
	for (size_t i = 0; i < m->builder.n; i++) {
		const struct mlb_builder *b = m->builder.v[i];

		if (b->running.n)
			return false;
		*over &= !b->n_ready && !b->delayed.n && !b->n_tasks;
	}
	return true;
}

void
mlb_record_tick(struct mlb_machinery *m)
{
	struct mlb_record *r = m->record;
	struct rows empty;
	bool idle, over;

	if (!r || r->in_flight || !r->pending.n || m->base->fatal.code != MLB_OK)
		return;
	idle = is_idle(m, &over);
	if (idle ? over : mlb_clock_mono() < r->last + BATCH_NS)
		return;
	empty = r->syncing;
	r->syncing = r->pending;
	r->pending = empty;
	r->in_flight = true;
	mlb_results_mark(m->base->p->results);
	r->task.work = sync_work;
	r->task.done = sync_done;
	m->base->n_tasks++;
	mlb_pool_add(m->pool, &r->task);
}

/* For whoever collects in this cache. It is no failure of the build: what it needs is its own for a day yet. */
static void
tell_needs(struct mlb_builder *b)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_needs_add(b->p, &b->p->lock, &err) != 0)
		mlb_note(b, "%s", err.text);
	mlb_err_release(&err);
}

/* Whether it has to be committed, git alone knows: it may ignore the file. */
static void
add_changed(struct mlb_builder *b, const char *path, struct mlb_buf *changed,
	    struct mlb_buf *to_commit)
{
	struct mlb_err ignored = MLB_ERR_INIT;

	mlb_buf_addf(changed, "%s%s", changed->len ? " " : "", path);
	if (mlb_project_vcs(b->p, &ignored) == 0 && b->p->vcs && !mlb_vcs_ignored(b->p->vcs, path))
		mlb_buf_addf(to_commit, "%s%s", to_commit->len ? " " : "", path);
	mlb_err_release(&ignored);
}

void
mlb_report_changed(struct mlb_builder *b)
{
	struct mlb_buf changed = MLB_BUF_INIT(MLB_KIB), to_commit = MLB_BUF_INIT(MLB_KIB);

	if (b->lock_changed)
		add_changed(b, "mlbuild.lock", &changed, &to_commit);
	if (b->ignore_changed)
		add_changed(b, ".gitignore", &changed, &to_commit);
	free(b->report->changed);
	free(b->report->to_commit);
	b->report->changed = mlb_buf_detach(&changed);
	b->report->to_commit = b->p->vcs ? mlb_buf_detach(&to_commit) : NULL;
	mlb_buf_release(&to_commit);
}

/* Its block follows from the graph: with the recorded one, and the file as it was left, it is right. */
static int
update_gitignore(struct mlb_builder *b, struct mlb_err *err)
{
	bool same;
	int rc = mlb_graph_is_recorded(b, &same, err);

	if (rc == 0 && same)
		rc = mlb_gitignore_is_recorded(b->p, &same, err);
	return rc || same ? rc : mlb_update_gitignore(b->p, &b->ignore_changed, err);
}

/* rc: what went wrong before. */
static int
end_lock(struct mlb_builder *b, int rc, struct mlb_err *err)
{
	if (rc == 0)
		return mlb_relock_end(b, true, err);
	mlb_relock_end(b, false, NULL);
	return rc;
}

int
mlb_record_finish(struct mlb_builder *b, int status, struct mlb_err *err)
{
	struct mlb_record *r = b->m->record;
	bool workspace = !mlb_is_variant(b->p) && !b->m->shared, relocked = false;
	int rc, synced;

	/* What came after a failed batch may name objects that went with it: what was told before stays. */
	if (r->failed)
		return 0;
	/* The lock's bytes are synced beside the objects that it names; it gets its name after them. */
	rc = workspace ? mlb_relock(b, &relocked, err) : 0;
	/* Without a lock what was made is kept all the same. */
	synced = mlb_store_sync(b->p->cas, b->p->results, rc ? NULL : err);
	rc = end_lock(b, rc ? rc : synced, err);
	b->lock_changed |= rc == 0 && relocked;
	if (rc == 0 && workspace)
		tell_needs(b);
	if (rc == 0 && workspace && !b->opt->locked)
		rc = update_gitignore(b, err);
	/* relock puts table objects: they are durable before anything else names them. */
	if (rc == 0)
		rc = write_rows(b, &r->pending, b->stale ? 4 : status, workspace, err);
	if (rc == 0)
		tell_built(&r->pending);
	r->pending.n = 0;
	mlb_report_changed(b);
	return rc;
}
