/*
 * History: what was built when, from what, and how versions differ.
 *
 * A revision (REV) is anything git understands, an experiment's id, a run's id, or an
 * artifact's digest ("sha256:" and its first digits, or at least eight of them). What
 * is told is borrowed for the call. None of these calls writes anything in the work
 * tree.
 */
#ifndef MLBUILD_HISTORY_H
#define MLBUILD_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;

/* ------------------------------------------------------------ differences */

enum mlb_change_what {
	MLB_DIFF_PARAM,  /* name "model.C" */
	MLB_DIFF_METRIC, /* name "val.loss" */
	MLB_DIFF_INPUT,  /* name: a path; before and after are digests in hex */
	MLB_DIFF_OUTPUT, /* the same; metrics are told one by one instead, where they can be read */
	MLB_DIFF_ACTION  /* anything else that the key holds: "command", "fingerprint python3 -V" */
};

struct mlb_change {
	enum mlb_change_what what;
	const char *name;
	const char *before, *after;           /* text; NULL: it is not there */
	const char *before_json, *after_json; /* the same as JSON; NULL likewise */
	bool numeric;                         /* both are numbers */
	double delta;                         /* numeric: after - before */
	double relative;                      /* numeric: delta / |before|; NaN where before is 0 */
};

/* ------------------------------------------------------------ log */

enum mlb_log_what { MLB_LOG_RUN, MLB_LOG_COMMIT };

struct mlb_log_action {
	const char *target; /* instance */
	const char *
		what; /* of a run: built, restored, failed, no; of a commit: added, changed, removed */
	const char *key;   /* hex; "" unknown */
	uint64_t duration; /* ns; of a commit that of the command that made it; 0 unknown */
	uint32_t commands; /* that it stands for: more than one for `each`, of which nothing more is told */
	const char *metrics;                 /* a JSON object; "" without */
	const struct mlb_change *difference; /* from its version before */
	size_t n_differences;
};

struct mlb_log_entry {
	enum mlb_log_what what;
	const char *id;               /* of the run, or the commit */
	int64_t time;                 /* ns since 1970: when the run began, or of the commit */
	uint64_t duration;            /* of the run, ns */
	const char *commit;           /* of a run: HEAD then; "" without */
	const char *author, *subject; /* of the commit; "" */
	const char *words;            /* of the run: the command line; "" */
	int status;                   /* of the run: exit code, -1: it was cut short */
	uint32_t built, restored, failed;
	const struct mlb_log_action *action;
	size_t n_actions;
};
typedef int mlb_log_fn(void *ctx, const struct mlb_log_entry *e); /* not 0 stops */

/*
 * Runs, and commits of HEAD's history that changed mlbuild.lock, newest first. word
 * (NULL: all) picks those that built, restored or changed a target; it is told
 * alone then. Differences are told for at most 100 actions of an entry.
 */
MLB_API int mlb_log(struct mlb_project *p, const char *word, unsigned limit, mlb_log_fn *fn,
		    void *ctx, struct mlb_err *err);

/* One run, with all that it did; MLB_ENOTFOUND. What state.db lost is told as far as results know it. */
MLB_API int mlb_show_run(struct mlb_project *p, const char *id, mlb_log_fn *fn, void *ctx,
			 struct mlb_err *err);

/* ------------------------------------------------------------ show */

struct mlb_named_value {
	const char *name, *value, *json;
};

struct mlb_lineage_input {
	const char *path;
	const char *kind;    /* file, exec, tree */
	const char *digest;  /* hex */
	const char *made_by; /* the target that made it, or is this source; "" unknown */
	const char *
		key; /* hex: of the action that made it; "" for a source, and for a directory of `each` */
	const char *
		commit; /* of a source: one that has these bytes at this path; "" none that is known */
};

/* One action on the way from an artifact down to its sources. */
struct mlb_lineage {
	const char *target, *kind; /* instance; of `each` with the file in brackets; "" unknown */
	const char *key;           /* hex */
	const char *run;           /* that made it; "" unknown */
	const char *commit;        /* its pin; "" */
	int64_t started;           /* 0 unknown */
	uint64_t duration;         /* ns */
	bool known; /* the cache has the action's text: inputs and parameters are told */
	const struct mlb_lineage_input *input;
	size_t n_inputs;
	const struct mlb_named_value *param; /* that it reads */
	size_t n_params;
};

struct mlb_locking_commit {
	const char *id, *author, *subject;
	int64_t time; /* ns since 1970 */
};

/* What a digest is the digest of. */
struct mlb_digest_info {
	const char *digest; /* hex, all of it */
	const char *
		is; /* output; member (a file in a directory that is an output); input; key (of an action) */
	const char *target, *kind; /* that has it as output, or reads it; "" unknown */
	const char *path;          /* of the output or input */
	const char *member;        /* path below it; "" */
	uint64_t size;             /* of the output, bytes; 0 unknown */
	const char *commit;        /* the newest whose mlbuild.lock names it; "" none does */
	uint32_t n_commits;        /* whose mlbuild.lock does */
	const struct mlb_locking_commit *added; /* that began to, newest first */
	size_t n_added;
	const char *pin; /* of the result; "" */
	const char *run; /* that made it; "" */
};

struct mlb_artifact;

struct mlb_show {
	const char *
		word; /* target, instance, kind, glob or path of an output; id of a run; "sha256:…", or at least
			     eight of its digits; a file, which is hashed */
	const char *rev; /* the target as this revision's lock has it; NULL: as it is now */
	int (*on_artifact)(void *ctx, const struct mlb_artifact *a); /* not 0 stops; likewise: */
	int (*on_digest)(void *ctx, const struct mlb_digest_info *d);
	mlb_log_fn *on_run;
	void *ctx;
};

/*
 * Everything that is known of an artifact, with its lineage; of a run; or of a
 * digest, and then of the artifact that it belongs to. MLB_ENOTFOUND.
 */
MLB_API int mlb_show_history(struct mlb_project *p, const struct mlb_show *s, struct mlb_err *err);

/* ------------------------------------------------------------ diff */

/* One side of a comparison, or one column of a table. */
struct mlb_point {
	const char *name;    /* as asked for; "workspace" */
	const char *commit;  /* hex; "" for the workspace */
	const char *subject; /* of the commit; "" */
	int64_t time;        /* of the commit, ns since 1970; 0 for the workspace */
};

struct mlb_target_change {
	const char *target, *kind; /* instance */
	const char *
		what; /* added, removed, changed; stale: the same results, but a build would make it again */
	const char *reason; /* of what a build would make again in the workspace: why; else "" */
	const struct mlb_change *difference; /* inputs are those of now where there is a reason */
	size_t n_differences;
	uint32_t files_added, files_removed, files_changed; /* of a target with `each` */
};
typedef int mlb_target_change_fn(void *ctx, const struct mlb_target_change *t); /* not 0 stops */
typedef int mlb_change_fn(void *ctx, const struct mlb_change *d);

struct mlb_diff {
	const char *from, *to; /* REV; NULL: HEAD, and the workspace */
	void (*on_sides)(void *ctx, const struct mlb_point *from,
			 const struct mlb_point *to); /* first; may be NULL */
	mlb_change_fn *on_param;                      /* parameters of mlbuild.ini and its files */
	mlb_target_change_fn *on_target;              /* sorted by name */
	void *ctx;
};

/*
 * What differs between two revisions, or one and the workspace: parameters, then
 * targets by their locks; in the workspace also what a build would make again.
 * *any tells whether something does.
 */
MLB_API int mlb_diff(struct mlb_project *p, const struct mlb_diff *d, bool *any,
		     struct mlb_err *err);

/* ------------------------------------------------------------ side by side */

struct mlb_cell {
	const char *text, *json; /* NULL: it is not there */
	double number;           /* NaN if it is none */
};

struct mlb_table_line {
	const char *target; /* of a metric; "" of a parameter */
	const char *name;
	const struct mlb_cell *cell; /* one for each point */
};

struct mlb_side_by_side {
	const struct mlb_point *point;
	size_t n_points;
	const struct mlb_table_line
		*line; /* metrics by target, in the order of their files; parameters by name */
	size_t n_lines;
};
typedef int mlb_side_by_side_fn(void *ctx, const struct mlb_side_by_side *t);

/*
 * The metrics of all targets, or the parameters, of several revisions. A rev may
 * also be A..B (the commits that B has and A has not, oldest first, at most
 * 1,000) and "workspace"; none: the workspace; one that is no range: that, and
 * the workspace. fn is called once.
 */
MLB_API int mlb_compare_metrics(struct mlb_project *p, const char *const *rev, size_t n,
				mlb_side_by_side_fn *fn, void *ctx, struct mlb_err *err);
MLB_API int mlb_compare_params(struct mlb_project *p, const char *const *rev, size_t n,
			       mlb_side_by_side_fn *fn, void *ctx, struct mlb_err *err);

/* Is this word a revision, or a range of them? Opens git; false also where there is none. */
MLB_API bool mlb_is_revision(struct mlb_project *p, const char *word);

#ifdef __cplusplus
}
#endif

#endif
