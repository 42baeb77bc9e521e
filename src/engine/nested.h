/*
 * A commit's files in a private directory, below .mlbuild/reproduce/, and projects
 * that are opened there. No absolute path is in any key, so keys are what they
 * would be in a clone.
 *
 * 1. A private directory belongs to the process that holds its lock; whoever
 *    begins removes those that nobody holds.
 * 2. Nothing outside of it is written, but a cache that its projects are told to use.
 *
 * Ownership: everything is the caller's, to be ended, released or closed.
 */
#ifndef ENGINE_NESTED_H
#define ENGINE_NESTED_H

#include "engine/project.h"
#include "os/lock.h"

struct mlb_nested {
	struct mlb_project *outer; /* borrowed */
	char *dir;                 /* absolute, without links; NULL: not begun */
	char *lock_path;
	struct mlb_lock lock;
};
#define MLB_NESTED_INIT { NULL, NULL, NULL, MLB_LOCK_INIT }

int mlb_nested_begin(struct mlb_nested *n, struct mlb_project *outer, struct mlb_err *err);
void mlb_nested_end(struct mlb_nested *n); /* removes all of it; of one that was not begun too */

/* A file of the commit whose bytes git does not have. */
struct mlb_nested_absent {
	char *path;                /* relative to the project; owned */
	bool lfs;                  /* a pointer of Git LFS to this digest; else a submodule */
	struct mlb_digest digest;
	uint64_t size;
	bool exec;
};

struct mlb_nested_root {
	char *top;  /* root of a repository of its own */
	char *path; /* of the project: top, or below it; absolute */
	MLB_VEC(struct mlb_nested_absent) absent;
};
void mlb_nested_root_release(struct mlb_nested_root *r);

/* Write the files of a commit (its full id) below NAME in the private directory. */
int mlb_nested_tree(struct mlb_nested_root *out, struct mlb_nested *n, const char *commit,
		    const char *name, struct mlb_err *err);

/*
 * The files of a submodule's commit below dir, from its repository in the workspace. Not
 * found: that has no such commit, or there is none, or a submodule in it or an LFS file lacks.
 */
int mlb_nested_submodule(const char *dir, struct mlb_nested *n, const struct mlb_vcs_entry *e,
			 bool *found, struct mlb_err *err);

/* Files of Git LFS whose bytes the store, or git's own directory, has; the others stay in absent. */
int mlb_nested_lfs(struct mlb_nested_root *r, struct mlb_nested *n, struct mlb_cas *cas,
		   struct mlb_err *err);

/*
 * A source, or anything else of this digest, into dir, from the store, or from the workspace if
 * its bytes are those. MLB_ENOTFOUND (err untouched) if they are in neither.
 */
int mlb_nested_source(const char *dir, struct mlb_nested *n, struct mlb_cas *cas,
		      const char *path, const struct mlb_now *now, struct mlb_err *err);

/* Links to what [project] expose names in the workspace. */
int mlb_nested_expose(const struct mlb_nested_root *r, struct mlb_nested *n,
		      const struct mlb_config *config, struct mlb_err *err);

struct mlb_nested_open {
	const struct mlb_nested_root *root;
	const char *state_dir; /* absolute; NULL: .mlbuild of the root */
	const char *const *param;
	size_t n_params;
	enum mlb_past past;
};

/* A project there. It is cancelled and suspended with the outer one. */
int mlb_nested_project(struct mlb_project **out, struct mlb_nested *n,
		       const struct mlb_nested_open *open, struct mlb_err *err);

/* The cache of the outer project, as its files say or, where they cannot be read, those of this config. Owned. */
char *mlb_nested_cache(struct mlb_nested *n, const struct mlb_config *config);

/* Was the outer project cancelled? What asked for it is taken notice of by this. */
bool mlb_nested_cancelled(struct mlb_nested *n);

#endif
