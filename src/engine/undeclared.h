/* A command that makes or changes a file it names without declaring it. A task may: that is what it is for. */
#ifndef ENGINE_UNDECLARED_H
#define ENGINE_UNDECLARED_H

#include "engine/builder.h"

/* Before the command starts: remember what is at the paths that it writes by '>'. */
void mlb_undeclared_before(struct mlb_work *w);

/*
 * After it: what is wrong, from the work's arena, and w->stray where that is a
 * new file; NULL if nothing is. New is a word of the command that was absent
 * when the graph was compiled; new or changed, the word after a '>'.
 */
const char *mlb_undeclared_after(struct mlb_work *w);

#endif
