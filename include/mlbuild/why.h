/*
 * Why a target is stale, or is not: what differs from what it was made from last,
 * and what brought each of its inputs in.
 *
 * Included by mlbuild.h. All that a callback gets is borrowed for the call.
 */
#ifndef MLBUILD_WHY_H
#define MLBUILD_WHY_H

#include <stddef.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;
struct mlb_past_failure;

/* One line of the action text that is not as it was. */
struct mlb_difference {
	const char *what;      /* command, param, env, input, fingerprint, output, dir, shell, … */
	const char *name;      /* of the parameter, path of the input; "" where there is one of them */
	const char *change;    /* changed, new, gone */
	const char *old_kind;  /* of an input or output: file, exec, tree, …; else "" */
	const char *new_kind;
	const char *old_value; /* text, or digest (hex); NULL: it was not there, or not set */
	const char *new_value;
	const char *text;      /* all that in words: "param model.C: '1.0' -> '0.1'" */
};

struct mlb_why_input {
	const char *path;   /* relative to the project */
	const char *from;   /* import, word, needs, each, reference */
	const char *by;     /* import: the file that has it; else "" */
	const char *target; /* that makes it, "" for a source file */
	const char *text;   /* "imported by 'a.py', made by 'b'" */
};

struct mlb_explanation {
	const char *target; /* instance */
	const char *kind;
	int fate;           /* enum mlb_fate */
	const char *reason; /* as in mlb_plan_info */
	const struct mlb_past_failure *failed; /* likewise; or NULL */
	const struct mlb_difference *difference;
	size_t n_differences;
	const struct mlb_why_input *input;
	size_t n_inputs;
	const char *text; /* all of it for people, several lines */
};
typedef int mlb_why_fn(void *ctx, const struct mlb_explanation *e); /* not 0 stops */

/* Explain each target or instance that the word names. Nothing is run but fingerprints. */
MLB_API int mlb_why(struct mlb_project *p, const char *word, mlb_why_fn *fn, void *ctx,
		    struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
