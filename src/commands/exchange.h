/* What push, fetch and pull show of themselves. */
#ifndef COMMANDS_EXCHANGE_H
#define COMMANDS_EXCHANGE_H

#include "commands/cmd.h"

typedef int exchange_fn(struct mlb_project *p, const struct mlb_exchange *x,
			struct mlb_exchange_report *report, struct mlb_err *err);

/* With the options of the command line; verb: "pushing", done: "pushed". Opens the project. */
int exchange_run(struct app *app, exchange_fn *fn, const char *verb, const char *done,
		 struct mlb_err *err);

#endif
