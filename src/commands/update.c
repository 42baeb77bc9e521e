#include "commands/build.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "jobs", NULL },       { "json", NULL },
	{ "keep-going", NULL }, { "quiet", NULL },
	{ "trace", NULL },      { "verbose", "show commands and all that they print" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_update = {
	.name = "update",
	.summary = "make frozen targets anew",
	.usage = "TARGET...",
	.about = "Make frozen targets (frozen = yes) anew and write their new stamp into\n"
		 "mlbuild.lock: this is how data that is fetched from elsewhere gets newer.",
	.option = options,
	.words = WORDS_TARGETS,
	.min_words = 1,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	const struct mlb_build b = {
		.word = app->word,
		.n_words = app->n_words,
		.jobs = app->opt.jobs,
		.keep_going = app->opt.keep_going,
		.trace = app->opt.trace,
		.update = true,
	};
	int rc = cmd_open(app, err);

	return rc ? rc : build_run(app, &b, err);
}
