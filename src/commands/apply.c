#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "commands/build.h"
#include "commands/cmd.h"
#include "commands/ui.h"
#include "mlbuild/sweep.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "params-only", NULL },
	{ "quiet", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_apply = {
	.name = "apply",
	.summary = "make an experiment the workspace",
	.usage = "ID",
	.about = "Make an experiment the workspace: its parameters are written where they are\n"
		 "declared, in mlbuild.ini or a parameter file, which otherwise stay as they are;\n"
		 "its artifacts are put in place. Refuses where other inputs have changed since.\n"
		 "An ID is the beginning of an experiment's id, or its name.",
	.option = options,
	.words = WORDS_EXPERIMENTS,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

static void
tell_changed(struct app *app, const char *files)
{
	const char *first = files;

	if (!files || !*files || app->opt.quiet || app->opt.json)
		return;
	out_adds(&app->err, "parameters written in ");
	while (*files) {
		size_t len = strcspn(files, "\n");
		char *name = mlb_strndup(files, len);

		out_adds(&app->err, files == first ? "" : ", ");
		out_clean(&app->err, name);
		free(name);
		files += len + (files[len] == '\n');
	}
	out_adds(&app->err, "\n");
}

static bool
has_report(int code)
{
	return code == 0 || code == MLB_EFAILED || code == MLB_ECHECK || code == MLB_EINTERRUPTED;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct mlb_buf line = MLB_BUF_INIT(1 << 20);
	struct mlb_apply_report report;
	struct mlb_apply apply = { .id = app->word[0], .params_only = app->opt.params_only };
	struct ui ui;
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	build_command_line(&line, app);
	apply.command_line = mlb_buf_str(&line);
	apply.on_event = ui_event;
	apply.ctx = &ui;
	ui_begin(&ui, app);
	rc = mlb_apply(app->project, &apply, &report, err);
	ui_end(&ui);
	tell_changed(app, report.changed);
	if (report.changed && !apply.params_only && has_report(rc))
		ui_summary(&ui, &report.build, rc);
	else if (rc == 0 && !app->opt.quiet && !app->opt.json)
		out_adds(&app->err, "the next build makes the rest\n");
	ui_release(&ui);
	mlb_apply_report_release(&report);
	mlb_buf_release(&line);
	return rc;
}
