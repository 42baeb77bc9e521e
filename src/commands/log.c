#include <stdlib.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/differences.h"
#include "commands/history.h"
#include "commands/text.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "limit", "show at most N runs and commits (default: 20)" },
	{ "verbose", "also what each did to every target" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_log = {
	.name = "log",
	.summary = "runs and versions, newest first",
	.usage = "[TARGET]",
	.about = "List the runs that built something and the commits that changed mlbuild.lock,\n"
		 "newest first, with the parameters and metrics that changed; with TARGET those\n"
		 "that built, restored or changed it.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = 1,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	uint32_t n;
};

static int
take(void *ctx, const struct mlb_log_entry *e)
{
	struct list *l = ctx;

	l->n++;
	if (l->app->opt.json)
		history_json(&l->app->out, e);
	else
		history_print(&l->app->out, e, l->app->opt.verbose);
	return out_closed(&l->app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct list list = { .app = app };
	unsigned limit = app->opt.limit ? app->opt.limit : 20;
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	rc = mlb_log(app->project, app->n_words ? app->word[0] : NULL, limit, take, &list, err);
	if (rc >= 0 && !list.n && !app->opt.json)
		out_adds(&app->err, "no runs yet, and no commit with a mlbuild.lock\n");
	return rc < 0 ? rc : 0;
}
