/* Running a build with its display: for `build` and `update`. */
#ifndef COMMANDS_BUILD_H
#define COMMANDS_BUILD_H

#include "commands/cmd.h"

/* Build with these options (events, context and command line are filled in) in the open project. */
int build_run(struct app *app, const struct mlb_build *options_given, struct mlb_err *err);

/* The command line, as a person would type it, for the record of the run. */
void build_command_line(struct mlb_buf *b, const struct app *app);

#endif
