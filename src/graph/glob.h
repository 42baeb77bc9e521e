/* Globs: * ? [a-z] within a component, ** across; bytewise; a leading dot must be named. */
#ifndef GRAPH_GLOB_H
#define GRAPH_GLOB_H

#include "base/buf.h"
#include "base/vec.h"
#include "mlbuild/err.h"

bool mlb_glob_is(const char *s);                              /* has a glob character */
bool mlb_glob_match(const char *pattern, const char *path);   /* the whole path */
bool mlb_glob_reaches(const char *pattern, const char *dir);  /* it may match something below dir */

/* The directory of the components that have no glob character, "." without: "a/b" for "a/b/x*.csv". Replaces out. */
void mlb_glob_base(struct mlb_buf *out, const char *pattern);
/* Append text so that it matches itself alone. */
void mlb_glob_escape(struct mlb_buf *out, const char *text);

/*
 * Files below root that match, sorted: the walk goes only where the pattern can
 * match. Directories looked into, and the fixed paths that are absent, are
 * appended to dirs (may be NULL), sorted too. .git, .mlbuild and __pycache__ are
 * never entered; ** does not follow links. keep (may be NULL) is asked about each
 * match and, with a '/' at the end, about each directory before it is entered.
 */
int mlb_glob_files(struct mlb_strvec *out, struct mlb_strvec *dirs, const char *root, const char *pattern,
		   bool (*keep)(void *ctx, const char *path), void *ctx, struct mlb_err *err);

#endif
