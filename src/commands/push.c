#include "commands/exchange.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "all-pins", NULL },
	{ "dry-run", "count what would be sent, and send nothing" },
	{ "json", NULL },
	{ "quiet", "print what is wrong only" },
	{ "remote", "to that one (default: the first with write = yes)" },
	{ "rev", "what the mlbuild.lock of that commit names (repeatable)" },
	{ "verbose", "say more" },
	{ "with-inputs", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_push = {
	.name = "push",
	.summary = "send to a remote what the lock names",
	.usage = "[TARGET...]",
	.about = "Send what mlbuild.lock names (all of it, or what the targets have) and the\n"
		 "remote lacks: outputs, results, logs. Nothing is sent twice, whoever sent it\n"
		 "first.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	return exchange_run(app, mlb_push, "pushing", "pushed", err);
}
