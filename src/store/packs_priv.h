/* What packs.c and packs_write.c share. Not for others. */
#ifndef STORE_PACKS_PRIV_H
#define STORE_PACKS_PRIV_H

#include "store/packs.h"

/* Whether the row of a file is in the table as it should be. */
enum { MLB_ROW_STALE = 0, MLB_ROW_WRITTEN /* in a transaction that is not known to be committed */, MLB_ROW_GOOD };

int mlb_packs_load(struct mlb_packs *p, struct mlb_err *err); /* reads the table */
struct mlb_packfile *mlb_packs_add(struct mlb_packs *p, const char *name);
void mlb_packs_drop_last(struct mlb_packs *p); /* takes back an add that nobody has seen */
struct mlb_packfile *mlb_packs_by_name(struct mlb_packs *p, const char *name); /* NULL */
int mlb_packs_forget(struct mlb_packs *p, struct mlb_err *err); /* rows, and all files but those in use */
void mlb_packs_wait(struct mlb_packs *p, const struct mlb_packfile *f); /* until nobody appends to it */
int mlb_packs_open_fd(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err);

/* What changed then may change again now, and show the same mtime. */
bool mlb_packs_racy(int64_t mtime);

/* Is there an open pack that has more than we know of it, and that is not ours? */
bool mlb_packs_grown(struct mlb_packs *p);

#endif
