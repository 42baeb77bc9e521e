#include "commands/plan.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "exit-code", NULL }, { "json", NULL },
	{ "param", NULL },     { "verbose", "list also what is up to date, and each instance" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_status = {
	.name = "status",
	.summary = "which targets are stale, and why",
	.usage = "[TARGET...]",
	.about = "Say for each target that is not up to date why, in one line. Nothing is run.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static int
exit_code(const struct plan_view *v)
{
	if (plan_view_stale(v))
		return MLB_ESTALE;
	return v->count[MLB_FATE_NO] ? MLB_ECHECK : 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct plan_view view;
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	plan_view_init(&view, app);
	view.all = app->opt.verbose;
	rc = mlb_plan(app->project, app->word, app->n_words, plan_view_take, &view, err);
	if (rc >= 0) {
		if (!app->opt.json)
			plan_view_print(&view);
		rc = app->opt.exit_code ? exit_code(&view) : 0;
	}
	plan_view_release(&view);
	return rc;
}
