/*
 * What a build that ended with all of its closure up to date says to the next:
 * a digest of the graph, the words and what fingerprints say (the closure), and one
 * of the state of every path. Meta "steady" in state.db holds it for the last few closures;
 * whatever is recorded (record.c) ends all of it.
 *
 * 1. Where both are as they were, and the lock is the one recorded, there is
 *    nothing to decide: not even the memo is read.
 * 2. Where the stat cache's rows are those of that build, only paths whose state
 *    changed since can matter: nodes that no way leads to from them are at rest.
 *    They are DONE before the first is decided.
 * 3. Nothing is said of a closure in which something is decided by more than
 *    graph, lock, paths and fingerprints: tasks, actions per file, a "no", an
 *    absent source; nor of a part of a closure (--only, --downstream), a variant,
 *    or a build in which anything failed.
 */
#ifndef ENGINE_STEADY_H
#define ENGINE_STEADY_H

#include "engine/project.h"

struct mlb_builder;

struct mlb_steady {
	struct mlb_digest closure;
	struct mlb_digest paths; /* mlb_scan_digest */
	uint64_t saved;          /* ns: measured durations of what is known and absent */
	uint32_t n_wanted;       /* nodes of the closure */
	uint32_t placed;         /* 1: the outputs of all of them are in place */
};

enum mlb_rest {
	MLB_REST_NONE = 0, /* decide every node */
	MLB_REST_MOST,     /* only what changed paths lead to: mlb_steady_apply */
	MLB_REST_ALL       /* rule 1 */
};

/* Loads the project. What was said of the closure is in *out where the result is not MLB_REST_NONE. */
int mlb_steady_find(enum mlb_rest *rest, struct mlb_steady *out, struct mlb_project *p,
		    const struct mlb_plan_options *o, struct mlb_err *err);

/*
 * For steady_file.c: graph, words and fingerprints as a digest, which runs these unless
 * a plan has them (NULL: there is none); and all that is said, of whatever state, one
 * after the other.
 */
int mlb_steady_closure(struct mlb_digest *out, struct mlb_project *p, const struct mlb_plan_options *o,
		       const struct mlb_plan *plan, struct mlb_err *err);
int mlb_steady_read(struct mlb_project *p, struct mlb_buf *text, struct mlb_err *err);

/* The nodes of a plan for which rule 2 says so are put at rest; their outputs are known. */
void mlb_steady_apply(struct mlb_plan *plan);

/* Inside a transaction that records: say it of this build, or, where nothing can be said (or b is NULL), of none. */
int mlb_steady_put(struct mlb_project *p, const struct mlb_builder *b, struct mlb_err *err);

/* The same for a build that had nothing to record, in a transaction of its own. */
int mlb_steady_keep(struct mlb_builder *b, struct mlb_err *err);

#endif
