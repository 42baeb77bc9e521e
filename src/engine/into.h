/* Artifacts of variants in a directory of the user's (--into DIR). */
#ifndef ENGINE_INTO_H
#define ENGINE_INTO_H

#include "engine/builder.h"

/*
 * MLB_EINVALID where artifacts in the directory `into` would change the
 * workspace or the cache, or where no directory can be made. Before anything runs.
 */
int mlb_into_check(struct mlb_plan *plan, const char *into, struct mlb_err *err);

/* Put an output at `to` (absolute). What is there and not in the cache is moved to .mlbuild/aside/. */
int mlb_into_put(struct mlb_builder *b, uint32_t output, const char *to, struct mlb_err *err);

#endif
