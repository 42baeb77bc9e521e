/* mlbuild remote du, verify and gc. */
#ifndef COMMANDS_REMOTE_CARE_H
#define COMMANDS_REMOTE_CARE_H

#include "commands/cmd.h"

/* Of the project that is open; the remote is the second word. */
int remote_du(struct app *app, struct mlb_err *err);
int remote_verify(struct app *app, struct mlb_err *err);
int remote_gc(struct app *app, struct mlb_err *err);

#endif
