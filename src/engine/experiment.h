/*
 * Where experiments rest. One is a text: trailers of a commit's message under
 * refs/mlbuild/experiments/, or, without git and for those that failed, a file in
 * .mlbuild/experiments/. The trailers:
 *
 *	Mlbuild-Target: model            one for each word
 *	Mlbuild-Param: model.C=0.1       one for each parameter given
 *	Mlbuild-Status: failed           failed, no; absent: done
 *	Mlbuild-Reason: train: exit code 1
 *	Mlbuild-Time: 2026-12-01T07:20:11Z
 *	Mlbuild-Seconds: 4.217
 *	Mlbuild-Metrics: {"model":{"accuracy":0.97}}
 *
 * A value with a control character in it, or that begins with a double quote, is a
 * JSON string.
 */
#ifndef ENGINE_EXPERIMENT_H
#define ENGINE_EXPERIMENT_H

#include "engine/project.h"
#include "mlbuild/sweep.h"

struct mlb_builder;

struct mlb_experiment_list {
	struct mlb_arena arena;
	MLB_VEC(struct mlb_experiment) all; /* oldest first */
	struct mlb_strmap at;               /* id: index plus one */
};

/* All; release it in any case. */
int mlb_experiment_list(struct mlb_experiment_list *out, struct mlb_project *p, struct mlb_err *err);
void mlb_experiment_list_release(struct mlb_experiment_list *l);

/* The one that a word means: an id, its beginning, or a name. */
int mlb_experiment_find(const struct mlb_experiment_list *l, const char *word,
			const struct mlb_experiment **out, struct mlb_err *err);

/* What its mlbuild.lock says, appended. */
int mlb_experiment_lock(struct mlb_project *p, const struct mlb_experiment *x, struct mlb_buf *out,
			struct mlb_err *err);

/*
 * Keep what a variant's builder has made as an experiment; x (may be NULL) is filled,
 * with strings from the plan's arena. Status: what the build came to, 0 or a code; why
 * says what failed. What it needs of the cache is added to needs (may be NULL).
 */
struct mlb_roots;
int mlb_experiment_keep(struct mlb_builder *b, int status, const char *why,
			struct mlb_experiment *x, struct mlb_roots *needs, struct mlb_err *err);

/* Keep one that could not even be planned: its targets, params (sorted) and reason. The rest of x is filled, from the arena. */
int mlb_experiment_keep_failed(struct mlb_project *p, struct mlb_arena *arena, struct mlb_experiment *x,
			       struct mlb_err *err);

/* "NAME=VALUE" of a trailer Mlbuild-Param, as -p takes it; owned by the caller. */
char *mlb_experiment_param(const char *trailer);

/* Its file in .mlbuild/experiments/, owned by the caller, and the first line of that. */
char *mlb_experiment_file(const struct mlb_project *p, const char *id);
#define MLB_EXPERIMENT_HEAD "mlbuild-experiment 1"

/* The project's directory in its repository, where several may share one; "" for the root. In the project's arena. */
const char *mlb_experiment_project(struct mlb_project *p);

#endif
