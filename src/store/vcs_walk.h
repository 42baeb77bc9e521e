/*
 * Going through git's history with one file in view: which commits changed it.
 * Where history is cut off (a shallow clone) it begins there.
 */
#ifndef STORE_VCS_WALK_H
#define STORE_VCS_WALK_H

#include "store/vcs.h"

/* A commit on the way. Ids are in hex; that of a file is its content's, "" where it is not there. */
struct mlb_vcs_step {
	const char *commit;
	const char *author;  /* name */
	const char *subject; /* first line of the message */
	int64_t time;        /* when it was committed, ns since 1970 */
	const char *file;    /* here */
	const char *const *parent;
	const char *const *before; /* the file in each parent */
	size_t n_before;
	bool changed;        /* no parent has the file as it is here */
};
typedef int mlb_vcs_step_fn(void *ctx, const struct mlb_vcs_step *s, struct mlb_err *err); /* not 0 stops */

/*
 * All commits that these revisions (n 0: HEAD, branches and tags) reach, newest
 * first by when they were committed; of those of one second, what was met first:
 * in a line of history children come before parents in any case. path is the file to look at,
 * relative to the project. Returns what fn did. A repository without a commit
 * has no steps.
 */
int mlb_vcs_walk(struct mlb_vcs *v, const char *const *rev, size_t n, const char *path, mlb_vcs_step_fn *fn,
		 void *ctx, struct mlb_err *err);

/*
 * The commits that `to` reaches and `from` does not (git's FROM..TO), oldest
 * first, appended to out; MLB_ETOOBIG if there are more than max.
 */
int mlb_vcs_range(struct mlb_vcs *v, const char *from, const char *to, size_t max, struct mlb_strvec *out,
		  struct mlb_err *err);

#endif
