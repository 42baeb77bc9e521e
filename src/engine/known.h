/* Results that are known already: from the lock, then from the local cache, then from remotes that were asked. */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include "engine/project.h"

/* The result of the node's key into plan->out; MLB_ENOTFOUND (err untouched) if there is none. */
int mlb_known_result(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err);

/* The same by a record alone: the cache's, else that of a remote. */
int mlb_known_recorded(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err);

/* The lock's result for the node into plan->out: for this key, or for any (key NULL; then node->key is set). */
bool mlb_known_locked(struct mlb_plan *plan, uint32_t n, const struct mlb_digest *key);

/* The lock has it, as of these inputs or others. */
bool mlb_known_elsewhere(struct mlb_plan *plan, uint32_t n);
#define MLB_BYTES_NOWHERE "mlbuild.lock has it, but its bytes are neither here nor in the cache"

/*
 * --locked: what the lock does not have may be neither made nor put in place; node->reason
 * then says so. For a node that is to run or to be restored.
 */
bool mlb_known_refused(struct mlb_plan *plan, uint32_t n);

/* Why a key that has no result has none, where nothing was recorded here: a sentence. */
const char *mlb_known_not(struct mlb_plan *plan, uint32_t n);

/* The lock's digest of a source into plan->out. */
bool mlb_known_source(struct mlb_plan *plan, uint32_t n);

/* Frozen: the stamp of the lock's block, or a new one if the node is being updated. */
int mlb_known_stamp(struct mlb_plan *plan, uint32_t n, struct mlb_err *err);

/* The whole result record of a key, from the cache; MLB_ENOTFOUND. Strings in the plan's arena. */
int mlb_known_record(struct mlb_plan *plan, const struct mlb_digest *key, struct mlb_result *out,
		     struct mlb_err *err);

/* The rows of a target's table in the lock; *n 0 if there are none or they cannot be read. In the plan's arena. */
const struct mlb_table_row *mlb_known_table(struct mlb_plan *plan,
					    const struct mlb_lock_block *block, size_t *n);

#endif
