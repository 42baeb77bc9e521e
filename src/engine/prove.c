/*
 * Directories of many files are walked once for many commands that read them, not
 * once after each. Until then what such a command made is in place, and others go
 * on with it (their keys hold its content, so they are right whatever comes out),
 * but it is neither recorded nor told.
 *
 * It comes to be walked when the commands that wait for it have taken so much
 * time that a walk is cheap against it, and at the end of the run.
 */
#include "engine/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/known.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

#define WALK_NS 20000ULL /* what examining an entry costs at most */
#define SHARE 20         /* one part of so many of the commands' time may go into it */

void
mlb_prove_later(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;

	mlb_vec_push(&b->unproved, w);
	b->unproved_ns += w->end.duration_ns;
	b->proof_ns = MLB_MAX(b->proof_ns, mlb_inputs_late_entries(w) * WALK_NS * SHARE);
}

bool
mlb_prove_is_due(const struct mlb_builder *b)
{
	return b->unproved.n && b->unproved_ns >= b->proof_ns;
}

/* Where what the command made goes, relative to the project. From the work's arena. */
static const char *
failed_dir(struct mlb_work *w)
{
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *state_dir = w->b->p->state_dir, *s;

	mlb_job_failed_dir(&dir, w->job);
	s = mlb_arena_strdup(&w->arena, mlb_buf_str(&dir) + (mlb_path_base(state_dir) - state_dir));
	mlb_buf_release(&dir);
	return s;
}

/*
 * It was read while it changed, or may have been. Others may be reading what it made,
 * so that stays where it is until nothing runs.
 */
static void
refuse(struct mlb_work *w, const char *changed)
{
	const struct mlb_about about = mlb_work_about(w);
	struct mlb_failure f = {
		.command = w->command,
		.reason = mlb_inputs_changed_text(w, changed),
		.log_tail = "",
		.log_path = mlb_job_log_path(w->job),
		.kept = failed_dir(w),
	};

	mlb_record_failed(w->b, w->node, w, f.reason);
	mlb_tell_failure(w->b, MLB_EV_FAILED, &about, &f, 0);
	mlb_node_failed(w->b, w->node, MLB_PH_FAILED);
	mlb_vec_push(&w->b->refused, w);
}

void
mlb_prove(struct mlb_builder *b)
{
	struct mlb_works all = b->unproved;

	b->unproved = (struct mlb_works)MLB_VEC_INIT;
	b->unproved_ns = b->proof_ns = 0;
	mlb_inputs_walk_late(b, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct mlb_work *w = all.v[i];
		struct mlb_err err = MLB_ERR_INIT;
		const char *changed = mlb_inputs_late_change(w);

		if (changed) {
			refuse(w, changed);
			continue;
		}
		if (b->fatal.code == MLB_OK && mlb_record_built(b, w, false, &err))
			mlb_fatal(b, &err);
		mlb_work_free(w);
	}
	mlb_vec_release(&all);
}

/* ---------------------------------------------------------- what was made of it */

/* Out of the workspace, to where what failed commands leave is kept. */
static int
take_away(struct mlb_work *w, bool first, struct mlb_err *err)
{
	char *dir = mlb_project_path(w->b->p, failed_dir(w));
	int rc = first ? mlb_fs_remove_tree(dir, err) : 0;

	for (size_t i = 0; i < w->n_outputs && rc == 0; i++) {
		char *from = mlb_project_path(w->b->p, w->output[i].path);
		char *to = mlb_asprintf("%s/%s", dir, w->output[i].path);

		if (mlb_fs_exists(from)) {
			rc = mlb_fs_mkparents(to, err);
			if (rc == 0)
				rc = mlb_fs_move(from, to, err);
		}
		free(to);
		free(from);
	}
	free(dir);
	return rc;
}

static int
put_back(struct mlb_builder *b, uint32_t output, struct mlb_err *err)
{
	const struct mlb_now *now = &b->plan->out[output];
	uint32_t path = b->g->output[output].path;
	const struct mlb_placing placing = { .cas = b->p->cas,
					     .how = mlb_project_link(b->p),
					     .threads = b->p->threads };
	char *to;
	int rc;

	if (now->kind == MLB_O_TREE)
		return mlb_scan_checkout(&b->p->scan, path, &placing, &now->digest, err);
	to = mlb_project_path(b->p, mlb_g_path(b->g, path));
	rc = mlb_cas_link(b->p->cas, &now->digest, to, now->kind == MLB_O_EXEC, placing.how, err);
	free(to);
	return rc;
}

/* The outputs that the lock names, which were there before; *back: they are again. */
static int
restore(struct mlb_work *w, bool *back, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_range out = b->g->node[w->node].out;
	bool changed;
	int rc = 0;

	for (uint32_t o = out.first; o < out.first + out.n && rc == 0; o++)
		rc = mlb_scan_again(&b->p->scan, b->g->output[o].path, &changed, err);
	*back = rc == 0 && !w->item && mlb_known_locked(b->plan, w->node, NULL) &&
		mlb_outputs_available(b->plan, w->node);
	for (uint32_t o = out.first; *back && o < out.first + out.n && rc == 0; o++)
		rc = put_back(b, o, err);
	return rc;
}

/* Works of one `each` target share the directory. */
static bool
is_first(const struct mlb_builder *b, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (b->refused.v[k]->node == b->refused.v[i]->node)
			return false;
	return true;
}

void
mlb_prove_clear(struct mlb_builder *b)
{
	for (size_t i = 0; i < b->refused.n; i++) {
		struct mlb_work *w = b->refused.v[i];
		struct mlb_err err = MLB_ERR_INIT;
		bool back = false;
		int rc = take_away(w, is_first(b, i), &err);

		if (rc == 0)
			rc = restore(w, &back, &err);
		if (rc)
			mlb_note(b, "what '%s' made of inputs that changed is still in place: %s",
				 mlb_g_str(b->g, b->g->node[w->node].name), err.text);
		else
			mlb_note(b, "what '%s' made of inputs that changed is in '%s'%s",
				 mlb_g_str(b->g, b->g->node[w->node].name), failed_dir(w),
				 back ? "; its outputs are again those of mlbuild.lock" : "");
		mlb_err_release(&err);
	}
	for (size_t i = 0; i < b->refused.n; i++)
		mlb_work_free(b->refused.v[i]);
	b->refused.n = 0;
}
