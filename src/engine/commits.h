/*
 * The lock files of commits: what HEAD, branches and tags say is needed.
 */
#ifndef ENGINE_COMMITS_H
#define ENGINE_COMMITS_H

#include "engine/project.h"

/* Lock files that were met, by the id of their blob: many commits have the same one. */
struct mlb_commits {
	struct mlb_project *p; /* its vcs is open */
	struct mlb_strmap seen;
	struct mlb_arena arena;
	/* lock: parsed, or NULL where this version cannot read the text. */
	void (*fn)(void *ctx, struct mlb_lockfile *lock, const char *text, size_t len);
	void *ctx;
};

void mlb_commits_release(struct mlb_commits *c);

/* fn for the lock of one revision, if it has one and it is new. */
int mlb_commits_take(struct mlb_commits *c, const char *rev, struct mlb_err *err);
/* The same of HEAD, all branches, remote ones too, and all tags; not of pins. */
int mlb_commits_take_all(struct mlb_commits *c, struct mlb_err *err);

#endif
