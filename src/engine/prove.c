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

/* It was read while it changed, or may have been: the outputs stay, as something that nobody knows. */
static void
refuse(struct mlb_work *w, const char *changed)
{
	const struct mlb_about about = mlb_work_about(w);
	struct mlb_failure f = {
		.command = w->command,
		.reason = mlb_inputs_changed_text(w, changed),
		.log_tail = "",
		.log_path = mlb_job_log_path(w->job),
		.kept = "",
	};

	mlb_record_failed(w->b, w->node, w, f.reason);
	mlb_tell_failure(w->b, MLB_EV_FAILED, &about, &f, 0);
	mlb_node_failed(w->b, w->node, MLB_PH_FAILED);
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

		if (changed)
			refuse(w, changed);
		else if (b->fatal.code == MLB_OK && mlb_record_built(b, w, false, &err))
			mlb_fatal(b, &err);
		mlb_work_free(w);
	}
	mlb_vec_release(&all);
}
