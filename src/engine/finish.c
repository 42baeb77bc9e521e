/*
 * The second half of a command's life: it has ended; its outputs are stored by a
 * worker, then accepted and recorded, or the old ones return.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "engine/inputs.h"
#include "engine/metrics.h"
#include "engine/newcomers.h"
#include "engine/undeclared.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

#define MAX_RETRY_DELAY_NS (15ULL * 60 * 1000 * 1000 * 1000)
enum { TAIL_LINES = 20, MAX_PATH_BYTES = 64 * 1024 };

static const char *
node_name(const struct mlb_work *w)
{
	return mlb_g_str(w->b->g, w->b->g->node[w->node].name);
}

static void
remove_running(struct mlb_builder *b, const struct mlb_work *w)
{
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i] == w) {
			b->running.v[i] = b->running.v[--b->running.n];
			return;
		}
}

/* The last lines of the log, for the failure's message. From the work's arena. */
static const char *
log_tail(struct mlb_work *w)
{
	size_t len = 0;
	const char *log = w->job ? mlb_job_log(w->job, &len) : "";
	size_t from = len;

	for (int lines = 0; from > 0; from--)
		if (log[from - 1] == '\n' && from < len && ++lines == TAIL_LINES)
			break;
	return mlb_arena_strndup(&w->arena, log + from, len - from);
}

static void
drop(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;

	remove_running(b, w);
	b->lanes &= ~((uint64_t)1 << w->lane);
	mlb_work_free(w);
}

/* It is through but for what prove.c has to do. */
static void
put_off(struct mlb_work *w)
{
	remove_running(w->b, w);
	w->b->lanes &= ~((uint64_t)1 << w->lane);
	mlb_prove_later(w);
}

static bool
try_again(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	const struct mlb_g_exec *exec = &b->g->exec[b->g->node[w->node].exec];
	uint64_t delay = exec->retry_delay;
	struct mlb_about about;

	if (w->tries > exec->retries || w->end.cancelled || b->m->cancelled)
		return false;
	for (unsigned i = 1; i < w->tries && delay < MAX_RETRY_DELAY_NS; i++)
		delay *= 2;
	about = mlb_work_about(w);
	mlb_tell_about(b, MLB_EV_RETRY, &about, w->end.reason, MLB_MIN(delay, MAX_RETRY_DELAY_NS));
	remove_running(b, w);
	b->lanes &= ~((uint64_t)1 << w->lane);
	mlb_work_clear(w);
	w->retry_at = mlb_clock_mono() + MLB_MIN(delay, MAX_RETRY_DELAY_NS);
	mlb_vec_push(&b->delayed, w);
	return true;
}

/* What it made without declaring it is kept with the rest: left in place it would be an input of the next build. */
static void
move_stray(struct mlb_work *w)
{
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_builder *b = w->b;
	char *from, *to;

	if (w->root)
		return;
	from = mlb_project_path(b->p, w->stray);
	mlb_job_failed_dir(&dir, w->job);
	to = mlb_asprintf("%s/%s", mlb_buf_str(&dir), w->stray);
	if (mlb_fs_mkparents(to, NULL) == 0)
		mlb_fs_move(from, to, NULL);
	mlb_buf_release(&dir);
	free(to);
	free(from);
}

/* The command failed, or what it did cannot be taken: old outputs return. reason lives in the work. */
static void
failed(struct mlb_work *w, const char *reason, bool may_retry)
{
	struct mlb_builder *b = w->b;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_failure f = { .command = w->command, .reason = reason };
	const struct mlb_about about = mlb_work_about(w);
	uint32_t n = w->node;

	if (mlb_job_reject(w->job, false, &err)) {
		mlb_fatal(b, &err);
		drop(w);
		return;
	}
	if (w->stray)
		move_stray(w);
	if (may_retry && try_again(w))
		return;
	f.log_tail = log_tail(w);
	f.kept = mlb_job_kept(w->job);
	f.log_path = mlb_job_log_path(w->job);
	mlb_record_failed(b, n, w, reason);
	if (w->end.cancelled || b->m->cancelled) {
		b->plan->node[n].phase = MLB_PH_FAILED;
	} else {
		mlb_tell_failure(b, MLB_EV_FAILED, &about, &f, w->end.ok ? 0 : w->end.duration_ns);
		mlb_node_failed(b, n, MLB_PH_FAILED);
	}
	drop(w);
}

/* A message about an absolute path below root names it from there. */
static void
from_root(struct mlb_err *err, const char *root)
{
	size_t len = strlen(root);

	if (!err->text || strncmp(err->text, root, len) != 0 || err->text[len] != '/')
		return;
	memmove(err->text, err->text + len + 1, strlen(err->text + len + 1) + 1);
}

/* On a worker: every output into the store. */
static void
store_outputs(struct mlb_task *t)
{
	struct mlb_work *w = (struct mlb_work *)((char *)t - offsetof(struct mlb_work, task));
	struct mlb_builder *b = w->b;
	bool keep = !(b->g->node[w->node].flags & MLB_G_NO_STORE);
	struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = 0;

	for (size_t i = 0; i < w->n_outputs && rc == 0; i++) {
		struct mlb_now *now = &w->made[i];
		struct mlb_stat st;

		mlb_path_join(&path, w->root ? mlb_root_dir(w->root) : b->p->root,
			      w->output[i].path);
		rc = mlb_fs_lstat(&st, mlb_buf_str(&path), &w->err);
		if (rc)
			break;
		if (st.type == MLB_F_ABSENT)
			continue; /* a check that said no need not write its reports */
		if (w->output[i].kind == MLB_G_DIR) {
			now->kind = MLB_O_TREE;
			rc = mlb_tree_store(&now->digest, &now->size, mlb_buf_str(&path),
					    keep ? b->p->cas : NULL, &w->err);
			if (rc)
				from_root(&w->err, w->root ? mlb_root_dir(w->root) : b->p->root);
			continue;
		}
		if (w->output[i].kind == MLB_G_METRICS && !w->end.no)
			rc = mlb_check_metrics(w->output[i].path, mlb_buf_str(&path), &w->err);
		if (rc)
			break;
		now->kind = w->output[i].kind == MLB_G_METRICS ? MLB_O_METRICS
			    : st.exec                          ? MLB_O_EXEC
							       : MLB_O_FILE;
		rc = keep ? mlb_cas_put_file(b->p->cas, &now->digest, &now->size,
					     mlb_buf_str(&path), &w->err)
			  : mlb_io_hash_unless(mlb_cas_io(b->p->cas), &now->digest, &now->size,
					       mlb_buf_str(&path), &w->err);
	}
	mlb_buf_release(&path);
}

/* Tell the scan what is now at the outputs' paths; true if it is what was known before. */
static bool
take_outputs(struct mlb_work *w, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_range out = b->g->node[w->node].out;
	bool same = true;

	for (size_t i = 0; i < w->n_outputs; i++)
		for (uint32_t o = out.first; o < out.first + out.n; o++) {
			uint32_t path = b->g->output[o].path;
			uint8_t kind = w->made[i].kind == MLB_O_TREE   ? MLB_P_TREE
				       : w->made[i].kind == MLB_O_EXEC ? MLB_P_EXEC
								       : MLB_P_FILE;

			if (!w->made[i].kind ||
			    strcmp(mlb_g_path(b->g, path), w->output[i].path) != 0)
				continue;
			same &= mlb_digest_equal(&b->plan->out[o].digest, &w->made[i].digest);
			b->plan->out[o] = w->made[i];
			if (!w->root)
				mlb_scan_set(&b->p->scan, path, kind, &w->made[i].digest,
					     w->made[i].size, err);
		}
	return same;
}

static void
note_not_deterministic(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;

	for (uint32_t i = 0; i < b->g->node[w->node].user.n; i++)
		b->plan->node[b->g->index[b->g->node[w->node].user.first + i]].redo = true;
	b->again = true;
	if (!(b->g->node[w->node].flags & MLB_G_NONDET))
		mlb_note(b,
			 "'%s' is not deterministic: the same inputs gave other bytes than before",
			 node_name(w));
}

static const char *
traced_name(struct mlb_work *w)
{
	const struct mlb_about a = mlb_work_about(w);

	if (a.n_files == 0)
		return node_name(w);
	if (a.n_files == 1)
		return mlb_arena_printf(&w->arena, "%s %s", node_name(w), a.file);
	return mlb_arena_printf(&w->arena, "%s %s and %u more", node_name(w), a.file,
				a.n_files - 1);
}

static void
trace_work(struct mlb_work *w, const char *category)
{
	struct mlb_builder *b = w->b;

	if (b->tracing)
		mlb_trace_complete(&b->trace, traced_name(w), category, w->lane,
				   w->started - b->trace_start, mlb_clock_mono() - b->trace_start);
}

static void
accept(struct mlb_work *w, bool no)
{
	struct mlb_builder *b = w->b;
	struct mlb_node *node = &b->plan->node[w->node];
	struct mlb_err err = MLB_ERR_INIT;
	bool was_lost = node->lost, same = true, each;
	uint32_t n = w->node;
	int rc = no ? mlb_job_reject(w->job, true, &err) : mlb_job_accept(w->job, &err);

	for (size_t i = 0; i < w->n_outputs && rc == 0; i++)
		if (w->output[i].keep && mlb_fs_exists(w->output[i].keep))
			mlb_note_kept(b, w->output[i].path, w->output[i].keep);
	if (rc == 0 && w->item)
		rc = mlb_each_made(w, &err);
	else if (rc == 0)
		same = take_outputs(w, &err);
	if (rc == 0 && !w->late)
		rc = mlb_record_built(b, w, no, &err);
	if (rc) {
		mlb_fatal(b, &err);
		drop(w);
		return;
	}
	if (was_lost && !same)
		note_not_deterministic(w);
	node->lost = false;
	trace_work(w, mlb_kind_names[b->g->node[n].kind]);
	each = w->item != NULL;
	if (w->late)
		put_off(w);
	else
		drop(w);
	if (each)
		mlb_each_next(b, n);
	else if (no)
		mlb_node_failed(b, n, MLB_PH_REFUSED);
	else
		mlb_node_done(b, n, true);
	if (mlb_prove_is_due(b))
		mlb_prove(b);
}

static void
stored(struct mlb_task *t)
{
	struct mlb_work *w = (struct mlb_work *)((char *)t - offsetof(struct mlb_work, task));
	const char *changed;

	w->b->n_tasks--;
	/* What was read is not known then, so nothing is recorded. */
	changed = mlb_inputs_after(w);
	if (!changed)
		changed = mlb_newcomer(w);
	if (w->err.code != MLB_OK)
		failed(w, mlb_arena_strdup(&w->arena, w->err.text), false);
	else if (changed)
		failed(w, mlb_inputs_changed_text(w, changed), false);
	else
		accept(w, w->end.no);
}

static bool
is_verdict(const struct mlb_work *w)
{
	return w->end.no && w->b->g->node[w->node].kind == MLB_K_CHECK && !w->end.missing[0];
}

void
mlb_work_ended(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	struct mlb_err err = MLB_ERR_INIT;
	const char *undeclared;

	/* The descriptors leave the epoll set before they are closed and their numbers used again. */
	epoll_ctl(b->m->epoll, EPOLL_CTL_DEL, mlb_job_pidfd(w->job), NULL);
	if (!w->output_ended && mlb_job_output_fd(w->job) >= 0)
		epoll_ctl(b->m->epoll, EPOLL_CTL_DEL, mlb_job_output_fd(w->job), NULL);
	w->leader_ended = w->output_ended = true;
	b->m->n_commands--;
	mlb_suspension_remove(b->p->suspension, mlb_job_group(w->job));
	if (mlb_job_finish(w->job, &w->end, &err)) {
		mlb_work_give_back(w);
		mlb_fatal(b, &err);
		drop(w);
		return;
	}
	mlb_work_give_back(w);
	/* What was drained at the end, the last line without a line feed too. */
	mlb_job_read(w->job, mlb_work_said, w);
	if (b->m->n_commands == 0)
		mlb_spawn_kill_strays(b->m->since);
	undeclared = w->end.ok ? mlb_undeclared_after(w) : NULL;
	if (undeclared) {
		failed(w, undeclared, false);
	} else if (!w->end.ok && !is_verdict(w)) {
		failed(w, w->end.reason, true);
	} else {
		w->task.work = store_outputs;
		w->task.done = stored;
		b->n_tasks++;
		mlb_pool_add(b->m->pool, &w->task);
	}
}
