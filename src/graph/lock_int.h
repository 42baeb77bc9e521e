/*
 * Texts and outputs as lines of the lock file and of table objects (lock_line.c);
 * private to lockfile.c, lock_write.c and table.c.
 */
#ifndef GRAPH_LOCK_INT_H
#define GRAPH_LOCK_INT_H

#include "graph/lockfile.h"

#define MLB_LOCK_HEADER "# mlbuild.lock "
#define MLB_LOCK_VERSION "1"
#define MLB_LOCK_END "# end"

/* One block, from its header to the next one's; MLB_EINVALID. (lockfile.c) */
int mlb_lock_parse_block(struct mlb_lockfile *l, const char *text, size_t len, struct mlb_err *err);
void mlb_lock_add_block(struct mlb_buf *out, const struct mlb_lock_block *b); /* lock_write.c */
/* The text of one that was opened, with the blocks of the map in the place of its own. (lock_find.c) */
void mlb_lock_patch(struct mlb_buf *out, const struct mlb_lockfile *l);

/* Bytes that a line cannot hold, and '\' itself, as \xHH. */
void mlb_lock_add_text(struct mlb_buf *out, const char *s);
/* The reverse; NULL if it is not such a text. From the arena. */
const char *mlb_lock_text(struct mlb_arena *a, const char *s, size_t len);
/* A normal path below the project, not "." itself. */
bool mlb_lock_good_path(const char *path);

/* "KIND DIGEST SIZE PATH" */
void mlb_lock_add_output(struct mlb_buf *out, const struct mlb_lock_output *o);
bool mlb_lock_output(struct mlb_lock_output *o, struct mlb_arena *a, const char *s, size_t len);

/* What the line "sum = …" says of a block: of its header and its lines. */
uint64_t mlb_lock_sum(uint64_t sum, const char *line, size_t len);

/* Copy the scratch outputs to an array of just that size. */
MLB_VEC_NAMED(mlb_lock_outputs, struct mlb_lock_output);
struct mlb_lock_output *mlb_lock_keep(struct mlb_arena *a, const struct mlb_lock_outputs *from);

#endif
