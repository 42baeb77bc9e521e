/* What the files show*.c share. Not for others. */
#ifndef ENGINE_SHOW_H
#define ENGINE_SHOW_H

#include "engine/lineage.h"

/* The present results of what a word means, with lineage and commits where `history` is set. MLB_ENOTFOUND. */
int mlb_show_now(struct mlb_project *p, const char *word, bool history,
		 int (*fn)(void *ctx, const struct mlb_artifact *a), void *ctx, struct mlb_err *err);

#endif
