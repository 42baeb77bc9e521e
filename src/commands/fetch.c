#include "commands/exchange.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "all-pins", NULL },
	{ "json", NULL },
	{ "quiet", "print what is wrong only" },
	{ "remote", "from that remote (default: all that may be read, in their order)" },
	{ "rev", "what the mlbuild.lock of that commit names (repeatable)" },
	{ "verbose", "say more" },
	{ "with-inputs", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_fetch = {
	.name = "fetch",
	.summary = "get from remotes into the cache what the lock names",
	.usage = "[TARGET...]",
	.about = "Get what mlbuild.lock names (all of it, or what the targets have) into the\n"
		 "cache. The workspace stays as it is: 'mlbuild pull' puts it there, too.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	return exchange_run(app, mlb_fetch, "fetching", "fetched", err);
}
