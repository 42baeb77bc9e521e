#ifndef COMMANDS_CHECKOUT_H
#define COMMANDS_CHECKOUT_H

#include "commands/cmd.h"

/* mlbuild checkout by the command line's options, of the project that is open. */
int checkout_run(struct app *app, struct mlb_err *err);

#endif
