/*
 * The versions of all targets that a lock file names, instance by instance, and
 * how two versions of one target differ: by the texts of their actions, their
 * outputs' digests and their metrics.
 *
 * Ownership: the versions own all they hold; differences are in the caller's arena.
 */
#ifndef ENGINE_VERSIONS_H
#define ENGINE_VERSIONS_H

#include "engine/metrics_read.h"
#include "engine/project.h"
#include "mlbuild/history.h"

struct mlb_version {
	const char *kind;      /* of the target: "model"; "" unknown */
	const char *base;      /* the target */
	const char *name;      /* instance; of the rows of `each` the target, with the file behind it in brackets */
	bool row;              /* of `each` */
	bool folded;           /* stands for all rows of a table; key is the table's digest */
	struct mlb_digest key; /* zero: a source */
	const struct mlb_lock_output *output; /* in the order of the file */
	uint32_t n_outputs;
	const char *commit;    /* where else than in the cache metrics may be; NULL: the workspace */
};
MLB_VEC_NAMED(mlb_version_vec, struct mlb_version);

struct mlb_versions {
	struct mlb_lockfile file;
	struct mlb_arena arena;
	struct mlb_version_vec all; /* sorted by name */
};

/* commit: hex, or NULL for the workspace; opens cache and git. A commit without a lock has no versions. Release it in any case. */
int mlb_versions_at(struct mlb_versions *out, struct mlb_project *p, const char *commit, struct mlb_err *err);
/* The same of a text; of conflicting sides the first. */
int mlb_versions_parse(struct mlb_versions *out, struct mlb_project *p, const char *commit, const char *text,
		       size_t len, struct mlb_err *err);
void mlb_versions_release(struct mlb_versions *v);
const struct mlb_version *mlb_versions_find(const struct mlb_versions *v, const char *name);

/* Insert one, or replace that of its name; what it points to must live as long. */
void mlb_versions_put(struct mlb_versions *v, const struct mlb_version *one);

bool mlb_version_same(const struct mlb_version *a, const struct mlb_version *b); /* key and outputs */

/* That of a result record, which must live as long. */
struct mlb_version mlb_version_of_result(const struct mlb_result *r, const char *name, struct mlb_arena *arena);

/* Its metrics; NULL without, and where nobody has them any more. The caller owns a reference. */
json_t *mlb_version_metrics(struct mlb_project *p, const struct mlb_version *v);

MLB_VEC_NAMED(mlb_changes, struct mlb_change);

/* Append how b differs from a; either may be NULL. action: text of an action that takes the place of b's; NULL. */
void mlb_version_differ(struct mlb_changes *out, struct mlb_arena *arena, struct mlb_project *p,
			const struct mlb_version *a, const struct mlb_version *b, const char *action);

/* Fill in the numbers of a difference whose texts are there. */
void mlb_change_numbers(struct mlb_change *d);
/* The JSON of a parameter's text: a number, true, false, null, a list, or else a string. */
const char *mlb_param_json(struct mlb_arena *arena, const char *text);

#endif
