/*
 * A repository of its own for the files of a commit in a private directory, so
 * that git, and what asks git, sees there what it would see in a clone: HEAD is the
 * commit, and the same files are tracked and ignored. It borrows the objects of
 * the repository that it was made from, and is gone with its directory.
 */
#ifndef STORE_VCS_MIRROR_H
#define STORE_VCS_MIRROR_H

#include "store/vcs.h"

/* The directory that all work trees of the repository share, as a rule .git; NULL: not found. Owned. */
char *mlb_vcs_shared_dir(struct mlb_vcs *v);

/* Make it in `top`, a directory that exists and has no .git. Files are not written, but .gitignore files above the project. */
int mlb_vcs_mirror(struct mlb_vcs *v, const char *commit, const char *top, struct mlb_err *err);

/* mlb_vcs_open of a project in it, whatever GIT_DIR and the like say. */
int mlb_vcs_mirror_open(struct mlb_vcs **out, const char *project_dir, struct mlb_err *err);

#endif
