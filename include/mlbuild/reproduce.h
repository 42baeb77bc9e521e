/*
 * Making again what a commit says: its artifacts, from the commit alone, in a
 * private directory. The workspace is neither read nor written, except that a
 * source which git does not have may be taken from it, if its bytes are those.
 *
 * Included by mlbuild.h. All that a callback gets is borrowed for the call.
 */
#ifndef MLBUILD_REPRODUCE_H
#define MLBUILD_REPRODUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;
struct mlb_event;

enum mlb_likeness {
	MLB_LIKE_IDENTICAL = 0, /* bit for bit */
	MLB_LIKE_TOLERATED,     /* only numbers differ, by no more than was allowed */
	MLB_LIKE_EXPECTED,      /* it differs, and its target says `deterministic = no` */
	MLB_LIKE_DIFFERENT,
	MLB_LIKE_IMPOSSIBLE /* it cannot be had, or there is nothing to compare it with */
};
MLB_API const char *mlb_likeness_name(enum mlb_likeness l); /* "identical" */

/* A value in a JSON output that is not the same. */
struct mlb_changed_value {
	const char *name; /* of the output and of the value in it: "metrics.accuracy", "metrics.roc.0" */
	const char *was, *is; /* as JSON; "" where there is none */
	double relative;      /* |is - was| / |was|; NaN where one is no number or `was` is 0 */
	bool number;          /* both are numbers */
	bool tolerated;
};

/* A file of a directory that is not the same. */
struct mlb_changed_file {
	const char *path;      /* below the directory */
	bool was, is;          /* it is in the one, in the other */
	uint64_t was_size, is_size;
	uint64_t first;        /* offset of the first byte that differs; UINT64_MAX: not known */
};

/* Two versions of one output: the one expected and the one at hand. */
struct mlb_compared {
	const char *path; /* relative to the project */
	const char *kind; /* file, exec, tree, metrics */
	enum mlb_likeness like;
	const char *was, *is;       /* hex digests; "" where there is none */
	uint64_t was_size, is_size; /* bytes */
	uint64_t first; /* of a file: offset of the first byte that differs; UINT64_MAX: not known */
	const struct mlb_changed_value *value; /* of a JSON file */
	size_t n_values;
	const struct mlb_changed_file *file; /* of a directory: some of them */
	size_t n_files;
	uint64_t files_changed; /* all of them */
};

struct mlb_reproduced {
	const char *name, *kind; /* instance */
	enum mlb_likeness like;
	bool asked;        /* named, not only needed by what was */
	bool source;       /* it has a path and nothing to run */
	const char *why;   /* lines: why it is impossible or differs, or what else is worth knowing; "" */
	const char *was_key, *key; /* hex: of the result compared with, of what was run; "" */
	uint64_t duration; /* ns its command took; 0: it was not run */
	const struct mlb_compared *output;
	size_t n_outputs;
};
typedef void mlb_reproduced_fn(void *ctx, const struct mlb_reproduced *r);

struct mlb_reproduce {
	const char *rev; /* anything git understands; NULL: HEAD */
	const char *const *word; /* targets of that commit; none: all that its lock names */
	size_t n_words;
	bool rebuild;   /* run every stage again, without the cache, and compare */
	bool twice;     /* run every stage twice and compare the one with the other */
	const char *const *tolerance; /* "[TARGET:]OUTPUT.NAME=NUMBER[%]" each */
	size_t n_tolerances;
	const char *into; /* directory that gets the artifacts, absent or empty; NULL: none */
	unsigned jobs;    /* most commands at once; 0: the number of processors */
	void (*on_event)(void *ctx, const struct mlb_event *e); /* of the builds; may be NULL */
	mlb_reproduced_fn *on_target; /* once per target, when all is done; may be NULL */
	void *ctx;
};

struct mlb_reproduce_report {
	char commit[65];   /* hex id; "" if it was not found */
	uint32_t identical, tolerated, expected, different, impossible; /* targets */
	uint64_t duration; /* ns */
};

/*
 * 0 if all is identical, within a tolerance, or different as it says of itself;
 * MLB_EFAILED otherwise, with the report filled; MLB_EINVALID and MLB_ENOTFOUND
 * for words, revisions and directories that are none; MLB_EINTERRUPTED.
 */
MLB_API int mlb_reproduce(struct mlb_project *p, const struct mlb_reproduce *r,
			  struct mlb_reproduce_report *report, struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
