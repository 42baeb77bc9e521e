/* What the library has to say about something it did: printed as a result, then freed. */
#ifndef COMMANDS_NOTE_H
#define COMMANDS_NOTE_H

#include "commands/cmd.h"

void note_print(struct app *app, char *note);

#endif
