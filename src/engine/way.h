/* What stands in the way of an output: a file where it needs a directory, a directory where it is a file. */
#ifndef ENGINE_WAY_H
#define ENGINE_WAY_H

#include "engine/builder.h"

/*
 * Make way for an output of this kind (enum mlb_g_okind) in the workspace: a
 * file in the place of one of its parents goes, to .mlbuild/aside/ where the
 * cache does not have it. Refused where git tracks what stands there. What is at
 * the path itself is the caller's: it is only looked at for that.
 */
int mlb_make_way(struct mlb_builder *b, const char *path, uint8_t kind, struct mlb_err *err);

#endif
