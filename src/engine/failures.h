/*
 * What is remembered of a target whose last run failed, until it is built: for whoever
 * asks later. Nothing is decided by it.
 */
#ifndef ENGINE_FAILURES_H
#define ENGINE_FAILURES_H

#include "engine/project.h"

#define MLB_FAILED_META "failed " /* and the node's name */

/* Of all nodes that are wanted, into node[].failed; in the plan's arena. */
int mlb_failures_load(struct mlb_plan *plan, struct mlb_err *err);

/* The text to keep; reason may have several lines. */
void mlb_failure_format(struct mlb_buf *out, const struct mlb_past_failure *f);
int mlb_failure_put(struct mlb_db *db, const char *node, const char *text,
		    struct mlb_err *err); /* inside a transaction, as is the next */
int mlb_failure_forget(struct mlb_db *db, const char *node, struct mlb_err *err);

/* Its last run, if that failed and it is to run; else NULL. */
const struct mlb_past_failure *mlb_failure_of(const struct mlb_plan *plan, uint32_t n);
/* For what is to run: node->reason with the failure, unless the lock refuses it anyway. */
void mlb_failure_add_reason(struct mlb_plan *plan, uint32_t n);

#endif
