/*
 * Values of several revisions side by side: as aligned text, markdown, CSV and
 * JSON. Up to eight revisions are columns; more are rows.
 */
#ifndef COMMANDS_SIDES_H
#define COMMANDS_SIDES_H

#include "commands/cmd.h"

struct sides {
	struct app *app;
	bool metrics;            /* they have targets; else parameters */
	const char *const *only; /* globs over names, and of metrics over targets too */
	size_t n_only;
	size_t n_shown;          /* lines, afterwards */
};

/* A mlb_side_by_side_fn; ctx is a struct sides. */
int sides_print(void *ctx, const struct mlb_side_by_side *t);

/* Not more than one of --csv, --json and --md. */
int sides_check(const struct app *app, struct mlb_err *err);

#endif
