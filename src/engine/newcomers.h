/*
 * Files that came to a directory or glob of `needs` while a command ran: it may
 * have read them, and its key does not have them.
 */
#ifndef ENGINE_NEWCOMERS_H
#define ENGINE_NEWCOMERS_H

#include "engine/builder.h"

/* The first such file, or NULL; from the work's arena. */
const char *mlb_newcomer(struct mlb_work *w);

#endif
