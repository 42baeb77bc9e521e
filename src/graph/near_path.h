/* What may have been meant by a path that is not there. */
#ifndef GRAPH_NEAR_PATH_H
#define GRAPH_NEAR_PATH_H

#include "base/arena.h"

/*
 * The path below root that is there and most like it, or one of the n others
 * that is nearer; NULL: nothing is. Never the path itself. From the arena.
 */
const char *mlb_near_path(struct mlb_arena *a, const char *root, const char *path, const char *const *other, size_t n);

/* Where a symbolic link leads to that leads nowhere; NULL: it is none. From the arena. */
const char *mlb_dangling(struct mlb_arena *a, const char *root, const char *path);

#endif
