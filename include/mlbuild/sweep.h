/*
 * Experiments: builds with other parameters than the project's, one at a time
 * (mlb_build of a variant) or a sweep over many. An experiment rests as a commit under
 * refs/mlbuild/experiments/, whose tree has the inputs and the variant's mlbuild.lock
 * and whose message has parameters and metrics: so git carries it to others. Without a
 * repository it rests in .mlbuild/experiments/, and stays on this machine.
 *
 * Strings in structures are borrowed for the call that hands them out.
 */
#ifndef MLBUILD_SWEEP_H
#define MLBUILD_SWEEP_H

#include "mlbuild.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_experiment_param {
	const char *name, *value; /* as written; lists and maps as JSON */
};

struct mlb_experiment {
	const char *id;     /* 40 hexadecimal digits: the commit's id; without git a digest; a beginning of it is enough for the calls below */
	const char *name;   /* given by mlb_experiment_rename; "" */
	const char *status; /* "done", "failed", or "no": a check said no */
	const char *reason; /* of failed and no: one line; "" */
	const char *commit; /* that it was built from: HEAD then; "" without */
	const char *author; /* of that commit; "" */
	const char *const *target; /* the words that were built; none: the default */
	size_t n_targets;
	int64_t time;       /* when its command began; ns since 1970; 0 unknown */
	uint64_t duration;  /* ns of the commands of the targets asked for; 0 unknown */
	const struct mlb_experiment_param *param; /* those that were given, sorted by name */
	size_t n_params;
	const char *metrics; /* JSON object: node -> metrics; "" without */
	bool shared;         /* it is in git: `git push origin 'refs/mlbuild/experiments/ID'` sends it */
};
typedef int mlb_experiment_fn(void *ctx, const struct mlb_experiment *x); /* not 0 stops */

/* All there are, oldest first. Neither the cache nor state.db is looked at. */
MLB_API int mlb_experiments(struct mlb_project *p, mlb_experiment_fn *fn, void *ctx,
			    struct mlb_err *err);

/* Forget one, by id, its beginning, or name: MLB_ENOTFOUND, or MLB_EINVALID where it is ambiguous. */
MLB_API int mlb_experiment_remove(struct mlb_project *p, const char *id, struct mlb_err *err);

/* Give it a name (letters, digits, _ . -), or, with "", none. MLB_EEXISTS if another has it. */
MLB_API int mlb_experiment_rename(struct mlb_project *p, const char *id, const char *name,
				  struct mlb_err *err);

/* ------------------------------------------------------------ sweep */

enum mlb_sweep_event_type {
	MLB_SWEEP_BEGIN, /* total and cached are known */
	MLB_SWEEP_TARGET, /* event: of one combination's build, or, where there is none, of all of them */
	MLB_SWEEP_END     /* a combination has ended: experiment */
};

struct mlb_sweep_event {
	enum mlb_sweep_event_type type;
	const char *label;   /* of the combination: "model.C=0.1 seed=3"; "" for the sweep as a whole */
	uint32_t combination; /* its place among them, from 1; 0 */
	uint32_t total, finished; /* combinations */
	uint32_t failed, refused; /* of those finished */
	const struct mlb_event *event;
	const struct mlb_experiment *experiment;
};
typedef void mlb_sweep_event_fn(void *ctx, const struct mlb_sweep_event *e);

struct mlb_sweep {
	const char *const *param; /* "NAME=VALUE,VALUE", "NAME=1..5", or "@FILE" each */
	size_t n_params;
	const char *const *word; /* what to build; none: the project's default */
	size_t n_words;
	unsigned jobs;   /* most commands at once, of all combinations; 0: the number of processors */
	uint32_t random; /* build only so many combinations, drawn by seed; 0: all */
	uint64_t seed;
	const char *command_line; /* for the runs' record; may be NULL */
	mlb_sweep_event_fn *on_event; /* may be NULL */
	void *ctx;
};

struct mlb_sweep_report {
	uint32_t total, done, failed, refused; /* combinations; the rest was not begun, or interrupted */
	uint32_t built, restored;              /* commands that ran; targets taken from the cache */
	uint64_t duration;                     /* ns */
	char *run;                             /* id of the run, "" if nothing was done; owned */
};
MLB_API void mlb_sweep_report_release(struct mlb_sweep_report *r);

/*
 * Build all combinations, at once as far as the machine's resources go; what they have
 * in common runs once. Sources are taken as they are when it begins. 0 if all is done;
 * MLB_EFAILED, MLB_ECHECK (only checks said no) or MLB_EINTERRUPTED with the report
 * filled; another code if it could not begin. p must have been opened without parameters.
 */
MLB_API int mlb_sweep_run(struct mlb_project *p, const struct mlb_sweep *s,
			  struct mlb_sweep_report *report, struct mlb_err *err);

/* ------------------------------------------------------------ apply */

struct mlb_apply {
	const char *id;   /* of an experiment, its beginning, or its name */
	bool params_only; /* leave the artifacts to the next build */
	const char *command_line;
	mlb_event_fn *on_event; /* of the build that puts the artifacts in place; may be NULL */
	void *ctx;
};

struct mlb_apply_report {
	char *changed; /* files in which parameters were written, separated by line feeds; owned */
	struct mlb_report build;
};
MLB_API void mlb_apply_report_release(struct mlb_apply_report *r);

/*
 * Make an experiment the workspace: its parameters are written where they are declared,
 * in mlbuild.ini or a parameter file, of which all else stays as it is; its artifacts
 * are put in place. Nothing is changed (MLB_ESTALE) if other inputs differ from what it
 * was built from, or (MLB_ENOTFOUND) if the cache does not have the artifacts.
 */
MLB_API int mlb_apply(struct mlb_project *p, const struct mlb_apply *a,
		      struct mlb_apply_report *report, struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
