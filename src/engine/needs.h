/* What this project needs of its cache, written down for whoever collects there (store/roots.h). */
#ifndef ENGINE_NEEDS_H
#define ENGINE_NEEDS_H

#include "engine/project.h"
#include "store/roots.h"

/* All that a block of a lock names, added to out. */
void mlb_needs_of_block(struct mlb_roots *out, const struct mlb_lock_block *b);
/* The same of a whole lock. */
void mlb_needs_of_lock(struct mlb_roots *out, const struct mlb_lockfile *lock);

/*
 * The same of a text that this version cannot read: any 64 hexadecimal digits are
 * taken for a digest of anything, so that nothing is lost that someone else named.
 */
void mlb_needs_of_text(struct mlb_roots *out, const char *text, size_t len);

/*
 * Add what a lock names, and those of branches and tags if one of them has moved, to
 * the project's file; it is only written if something of that is new.
 */
int mlb_needs_add(struct mlb_project *p, const struct mlb_lockfile *lock, struct mlb_err *err);
/* Add these, which are added to, in the same way. */
int mlb_needs_add_roots(struct mlb_project *p, struct mlb_roots *now, struct mlb_err *err);
/* A build was here, also if it had nothing to add: gc asks when that was. */
void mlb_needs_touch(struct mlb_project *p);
/* Put these in the place of what the file says. */
int mlb_needs_set(struct mlb_project *p, struct mlb_roots *roots, struct mlb_err *err);

/* Is the name in roots/ that of one which is being written, or whose writer died? Then it is no project's yet. */
bool mlb_needs_is_temporary(const char *name);
bool mlb_needs_readable(const char *path);   /* is it a whole file of roots? */
char *mlb_needs_path(struct mlb_project *p); /* of the file; owned by the caller */
/* This machine's name; "" if it has none. Owned by the caller. */
char *mlb_needs_host(void);

#endif
