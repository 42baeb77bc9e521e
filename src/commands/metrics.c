#include <string.h>

#include "commands/sides.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "csv", NULL },
	{ "json", NULL },
	{ "md", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_metrics = {
	.name = "metrics",
	.summary = "metrics of one or several revisions",
	.usage = "[REV...] [-- NAME...]",
	.about = "Print the metrics of all targets, of several revisions side by side. Without\n"
		 "REV those of the workspace; with one REV, that and the workspace. A REV may be\n"
		 "a range (main~5..main), or the word workspace. A NAME is a quoted glob over\n"
		 "metrics (accuracy), targets (model) or both (model.accuracy).",
	.option = options,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	size_t revs = MLB_MIN(app->opt.plain ? app->opt.plain - app->said : 0, app->n_words);
	struct sides s = { .app = app, .metrics = true };
	int rc = sides_check(app, err);

	if (rc == 0)
		rc = cmd_open(app, err);
	if (rc)
		return rc;
	s.only = app->word + revs;
	s.n_only = app->n_words - revs;
	rc = mlb_compare_metrics(app->project, app->word, revs, sides_print, &s, err);
	if (rc)
		return rc;
	if (!s.n_shown && s.n_only)
		return mlb_err_set(err, MLB_ENOTFOUND, "no metric is called '%s' there", s.only[0]);
	if (!s.n_shown)
		out_adds(&app->err, "no metrics there: a target's 'metrics' key names its file\n");
	return 0;
}
