/*
 * What a command reads, looked at before it starts and after it ended.
 *
 * 1. A command starts only if every input is what its key was made from.
 * 2. What it made is recorded only if that still holds when it has ended.
 * 3. A change that was seen is known to all readers: a source's digest is the new
 *    one from then on, a target's output counts as absent until it is put back.
 */
#ifndef ENGINE_INPUTS_H
#define ENGINE_INPUTS_H

#include "engine/builder.h"

/* What the command reads, without the files of `each`. */
uint32_t mlb_inputs_count(const struct mlb_work *w);
const struct mlb_g_input *mlb_inputs_at(const struct mlb_work *w, uint32_t k);

/* MLB_ESTALE: decide anew. */
int mlb_inputs_before(struct mlb_work *w, struct mlb_err *err);

/*
 * The path of an input that is not what it was; NULL: all are. Borrowed from the plan.
 * Directories of many files are left out where that may wait: then w->late is set, and
 * prove.c comes back to them.
 */
const char *mlb_inputs_after(struct mlb_work *w);
const char *mlb_inputs_changed_text(struct mlb_work *w, const char *path); /* for the failure */

/* Late ones: walk each that these works read once; then look at one work's; how many entries they have. */
void mlb_inputs_walk_late(struct mlb_builder *b, const struct mlb_works *all);
const char *mlb_inputs_late_change(struct mlb_work *w);
uint64_t mlb_inputs_late_entries(const struct mlb_work *w);

/* prove.c: accepted, but recorded only once its late inputs were looked at. */
void mlb_prove_later(struct mlb_work *w);
bool mlb_prove_is_due(const struct mlb_builder *b);
void mlb_prove(struct mlb_builder *b); /* all that wait for it: recorded, or failed after all */
void mlb_prove_clear(struct mlb_builder *b); /* when nothing runs: what the failed ones made leaves the workspace */

#endif
