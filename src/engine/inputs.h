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

/* MLB_ESTALE: decide anew. */
int mlb_inputs_before(struct mlb_work *w, struct mlb_err *err);

/* The path of an input that is not what it was; NULL: all are. Borrowed from the plan. */
const char *mlb_inputs_after(struct mlb_work *w);

#endif
