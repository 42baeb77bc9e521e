/* A command that makes a file it names without declaring it. */
#ifndef ENGINE_UNDECLARED_H
#define ENGINE_UNDECLARED_H

#include "engine/builder.h"

/* The path of a file that was absent when the graph was compiled, is a word of the command, and is there now; NULL. */
const char *mlb_undeclared_output(struct mlb_work *w);

#endif
