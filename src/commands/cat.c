#include "commands/cmd.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "rev", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_cat = {
	.name = "cat",
	.summary = "print a file of an artifact, from the cache",
	.usage = "TARGET[:OUT][/PATH]",
	.about = "Print the bytes of an output, or of the file at PATH in an output that is a\n"
		 "directory, as mlbuild.lock names it: from the cache, whatever the workspace\n"
		 "holds.",
	.option = options,
	.words = WORDS_TARGETS,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

static int
write_part(void *ctx, const void *data, size_t len)
{
	struct app *app = ctx;

	out_add(&app->out, data, len);
	return out_closed(&app->out) ? MLB_ESYSTEM : 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	int rc = cmd_open(app, err);

	if (rc == 0)
		rc = mlb_cat(app->project, app->word[0], app->opt.rev, write_part, app, err);
	/* Who reads no more has enough; what went wrong with writing is told at the end. */
	return out_closed(&app->out) ? 0 : rc;
}
