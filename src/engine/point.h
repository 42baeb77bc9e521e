/*
 * Points of history to compare: commits, and the workspace.
 *
 * Ownership: the points own their strings.
 */
#ifndef ENGINE_POINT_H
#define ENGINE_POINT_H

#include "engine/versions.h"

MLB_VEC_NAMED(mlb_point_vec, struct mlb_point);

/* What a run, or one action, made from a commit whose lock did not name it yet. */
struct mlb_point_made {
	const char *run;       /* NULL: none */
	const char *target;    /* of the key */
	struct mlb_digest key; /* zero: none */
	char *const *param;    /* NAME=VALUE of each -p that it was built with */
	size_t n_params;
};

struct mlb_points {
	struct mlb_arena arena;
	struct mlb_point_vec all;
	MLB_VEC(struct mlb_point_made) made; /* one for each */
};

#define MLB_POINT_WORKSPACE "workspace"

void mlb_points_release(struct mlb_points *s);
/* Append what a word means: a revision, A..B, or the workspace. */
int mlb_points_add(struct mlb_points *s, struct mlb_project *p, const char *word,
		   struct mlb_err *err);
void mlb_points_add_workspace(struct mlb_points *s);

/* mlb_versions_at of point i, with what was made from it in the place of what its lock names. */
int mlb_point_versions(struct mlb_versions *out, struct mlb_project *p, const struct mlb_points *s,
		       size_t i, struct mlb_err *err);
/*
 * Its mlbuild.ini, with the parameters that it was built with; NULL where it has none. The caller frees it, but that of
 * the workspace is the project's: *own tells.
 */
int mlb_point_config(struct mlb_config **out, bool *own, struct mlb_project *p,
		     const struct mlb_points *s, size_t i, struct mlb_err *err);

#endif
