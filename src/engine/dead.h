/*
 * Dead outputs: what something once made, and no target of the graph makes.
 * mlbuild.lock names them until a build drops or replaces their blocks; from then
 * on meta "dead" of state.db has a line "DIGEST PATH" for each, for `clean --dead`.
 */
#ifndef ENGINE_DEAD_H
#define ENGINE_DEAD_H

#include "engine/project.h"

/* Not 0 ends the walk. */
typedef int mlb_dead_fn(void *ctx, const char *path, const struct mlb_digest *digest,
			struct mlb_err *err);

/* Those of the lock, in its blocks and in the tables that the cache has. Sources are the user's: never. */
int mlb_dead_in_lock(struct mlb_project *p, mlb_dead_fn *fn, void *ctx, struct mlb_err *err);
int mlb_dead_remembered(struct mlb_project *p, mlb_dead_fn *fn, void *ctx, struct mlb_err *err);

/* Before the lock is changed: those it names are remembered. */
int mlb_dead_remember(struct mlb_project *p, struct mlb_err *err);

/* Does a target make the path, or something above or below it, or read one of these? Then it must stay. */
bool mlb_dead_is_used(const struct mlb_project *p, const char *path);

#endif
