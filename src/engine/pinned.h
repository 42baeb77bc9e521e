/*
 * What result records tell of a snapshot: its lock is that of before the build, so
 * what was read and made then is not in it. Files by their paths.
 *
 * Ownership: it owns all it holds.
 */
#ifndef ENGINE_PINNED_H
#define ENGINE_PINNED_H

#include "base/strmap.h"
#include "engine/project.h"

struct mlb_pinned {
	struct mlb_strmap path; /* struct mlb_now of it; size 0 where only its digest is known */
	struct mlb_arena arena;
};

/* From the records that name this commit, of which those of the run (NULL: any) count most. */
int mlb_pinned_load(struct mlb_pinned *out, struct mlb_project *p, const char *commit,
		    const char *run, struct mlb_err *err);
void mlb_pinned_release(struct mlb_pinned *pinned);

/* The parameters that a run, or the record that made an object, was given by -p: "NAME=VALUE" each, appended. */
int mlb_pinned_params(struct mlb_strvec *out, struct mlb_project *p, const char *run,
		      const struct mlb_digest *made, struct mlb_err *err);

#endif
