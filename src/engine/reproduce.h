/*
 * mlb_reproduce, in parts: reproduce.c opens the commit and tells the end,
 * reproduce_known.c finds what its artifacts are, reproduce_restore.c takes them
 * from the cache, reproduce_rebuild.c makes them again, reproduce_judge.c compares.
 *
 * Ownership: strings and lists live in the arena of the run.
 */
#ifndef ENGINE_REPRODUCE_H
#define ENGINE_REPRODUCE_H

#include "engine/compare.h"
#include "engine/nested.h"
#include "engine/pinned.h"
#include "engine/rev.h"

/* One output of a target, as one side has it. */
struct mlb_repro_output {
	const char *path;
	const char *name; /* as numbers in it are named: "metrics", "out" */
	struct mlb_now now;
};
MLB_VEC_NAMED(mlb_repro_outputs, struct mlb_repro_output);

/* What one side, known or built, has of a target. */
struct mlb_repro_side {
	struct mlb_repro_outputs output; /* sorted by path; none: it is not known */
	struct mlb_digest key;           /* zero: none */
	bool have;                       /* outputs are all that it has */
	bool said_no;
};

struct mlb_repro_target {
	const char *name, *kind;
	uint32_t node; /* in the graph of the commit, the same on both sides */
	bool asked, source, check, each, nondet, fed;
	struct mlb_repro_side known, built, again;
	const char *unknown; /* why no result of it is known; NULL */
	const char *stopped; /* why it was not built or restored; NULL */
	const char *changes; /* how what was run differs from the action of what is known; "" */
	uint64_t duration;
};

struct mlb_repro {
	struct mlb_project *p; /* the workspace's; borrowed */
	const struct mlb_reproduce *opt;
	struct mlb_reproduce_report *report;
	struct mlb_arena arena;
	struct mlb_tolerances tolerance;
	struct mlb_nested nested;
	struct mlb_nested_root root, second; /* second: of --twice */
	char commit[MLB_OID_HEX + 1];
	struct mlb_rev rev;
	struct mlb_strvec params; /* NAME=VALUE: of the commit's message, or of the run */
	bool snapshot;            /* its results need not be in its lock */
	struct mlb_pinned pinned;
	struct mlb_project *known; /* the commit's files with the workspace's cache */
	struct mlb_plan *plan;     /* of known */
	struct mlb_project *built, *again; /* with a cache of their own */
	struct mlb_repro_target *target;   /* one per wanted node, in topological order */
	size_t n_targets;
	struct mlb_strmap by_name; /* index into target */
	struct mlb_strmap fed;     /* names of nodes whose consumers get the known bytes */
	char *out;                 /* --into: where its content is made, then moved from; NULL */
};

/* reproduce_known.c: fills known, plan and target. */
int mlb_repro_known(struct mlb_repro *r, struct mlb_err *err);
/* All outputs of a node in a plan, in the order of their paths. */
void mlb_repro_outputs(struct mlb_repro *r, struct mlb_plan *plan, uint32_t n,
		       struct mlb_repro_side *out);

/*
 * reproduce_restore.c. The outputs of a target into dir, from a store, read again
 * to see that they are right. *lost: a path whose bytes the store does not have, or NULL.
 */
int mlb_repro_restore(struct mlb_repro *r, struct mlb_cas *cas,
		      const struct mlb_repro_side *side, const char *dir, const char **lost,
		      struct mlb_err *err);
int mlb_repro_restore_all(struct mlb_repro *r, struct mlb_err *err); /* what is known, into r->out if there is one */
int mlb_repro_keep_built(struct mlb_repro *r, struct mlb_err *err);  /* what was built, into r->out if there is one */

/* Why a file that the node is, or reads, is not among the commit's files though git names it; NULL: all are. */
const char *mlb_repro_absent(struct mlb_repro *r, const struct mlb_nested_root *root, uint32_t n);

/* reproduce_rebuild.c: fills built (and, with twice, again) of every target. */
int mlb_repro_rebuild(struct mlb_repro *r, struct mlb_err *err);

/* reproduce_judge.c: compares, tells the caller, counts. */
int mlb_repro_judge(struct mlb_repro *r, struct mlb_err *err);

/* reproduce_fetch.c: from remotes, what the commit's lock names and the cache lacks. That none has it is told later. */
void mlb_repro_fetch(struct mlb_repro *r);

#endif
