/* A first word that is no target: the nearest command, or ours for another tool's word. */
#ifndef COMMANDS_FOREIGN_H
#define COMMANDS_FOREIGN_H

#include "commands/cmd.h"

/* Sets app->hint if there is something to say about the first word. */
void foreign_hint(struct app *app);

#endif
