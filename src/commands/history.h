/* How an entry of the log is shown; what a run did is shown by `show` too. */
#ifndef COMMANDS_HISTORY_H
#define COMMANDS_HISTORY_H

#include "commands/out.h"
#include "mlbuild.h"

void history_json(struct out *out, const struct mlb_log_entry *e); /* one line */
/* The entry's line, and below it what changed; verbose: all that was done. */
void history_print(struct out *out, const struct mlb_log_entry *e, bool verbose);

#endif
