/*
 * Errors of one load, collected so that all of them are reported at once:
 * one line each, "FILE:LINE: what is wrong, and what to do".
 *
 * Lines come out file by file in the order the files were first named, and by
 * line number within a file, whatever the order in which they were found. What
 * was added twice comes out once.
 */
#ifndef GRAPH_DIAG_H
#define GRAPH_DIAG_H

#include "base/vec.h"
#include "mlbuild/err.h"

struct mlb_diag_line {
	char *text;     /* owned */
	unsigned file;  /* index into file */
	unsigned line;  /* 0: of the whole file */
	unsigned order; /* of arrival */
};

struct mlb_diag {
	struct mlb_strvec file;
	MLB_VEC(struct mlb_diag_line) line;
	size_t dropped; /* beyond MLB_DIAG_MAX */
};

#define MLB_DIAG_INIT { MLB_VEC_INIT, MLB_VEC_INIT, 0 }
#define MLB_DIAG_MAX 1000 /* what nobody reads is only counted */

void mlb_diag_add(struct mlb_diag *d, const char *file, unsigned line, const char *fmt, ...) MLB_PRINTF(4, 5);

/*
 * Add an error's text at a place, and empty the error. Without a file (NULL) the
 * text names its place itself, "FILE:LINE: …", or has none.
 */
void mlb_diag_take(struct mlb_diag *d, const char *file, unsigned line, struct mlb_err *from);

bool mlb_diag_any(const struct mlb_diag *d);

/* Copy the lines of another one behind ours. */
void mlb_diag_append(struct mlb_diag *d, const struct mlb_diag *from);

/* 0 if nothing was added, else MLB_EINVALID with all lines. */
int mlb_diag_finish(struct mlb_diag *d, struct mlb_err *err);
void mlb_diag_release(struct mlb_diag *d);

#endif
