/* What results count where the files are those of a commit (enum mlb_past). */
#ifndef ENGINE_PAST_H
#define ENGINE_PAST_H

#include "engine/project.h"

/*
 * mlb_known_result there. MLB_PAST_KNOWN: the lock's for this key; else the
 * cache's, where the lock was not up to date with the commit; else the lock's all
 * the same: only fingerprints are others, which are of this machine.
 * MLB_PAST_REBUILD: that of this build, or what the node is fed with.
 */
int mlb_past_result(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err);

/* MLB_PAST_REBUILD: the node has to run, whatever the lock says. */
bool mlb_past_runs(const struct mlb_plan *plan, uint32_t n);

/* What the records of a snapshot say of all outputs of the node, into plan->out. */
bool mlb_past_pinned(struct mlb_plan *plan, uint32_t n);

/* How the action that the files give differs from the one of this key, in lines; "" if that one is not known. From the arena. */
const char *mlb_past_changes(struct mlb_plan *plan, uint32_t n, const struct mlb_digest *key);

#endif
