#include "commands/build.h"

#include <string.h>

#include "base/text.h"
#include "commands/plan.h"
#include "commands/ui.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "downstream", NULL }, { "dry-run", NULL },
	{ "force", NULL },      { "into", NULL },
	{ "jobs", NULL },       { "json", NULL },
	{ "keep-going", NULL }, { "locked", NULL },
	{ "offline", NULL },    { "only", NULL },
	{ "param", NULL },      { "quiet", NULL },
	{ "trace", NULL },      { "verbose", "show commands and all that they print" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_build = {
	.name = "build",
	.summary = "make targets; what 'mlbuild TARGET' does",
	.usage = "[TARGET...]",
	.about = "Make the targets and what they need: run what is stale, in parallel, restore\n"
		 "what the cache has, leave alone what is up to date. A TARGET is a name, an\n"
		 "instance (fit@fold=0), a quoted glob, a kind, or the path of an output;\n"
		 "without any, the project's default is built.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static struct mlb_build
from_options(const struct app *app)
{
	return (struct mlb_build){
		.word = app->word,
		.n_words = app->n_words,
		.jobs = app->opt.jobs,
		.keep_going = app->opt.keep_going,
		.force = app->opt.force,
		.locked = app->opt.locked,
		.only = app->opt.only,
		.offline = app->opt.offline,
		.downstream = app->opt.downstream,
		.into = app->opt.into,
		.trace = app->opt.trace,
	};
}

static int
check(const struct app *app, struct mlb_err *err)
{
	const char *needs = app->opt.force        ? "--force"
			    : app->opt.only       ? "--only"
			    : app->opt.downstream ? "--downstream"
						  : NULL;

	if (needs && !app->n_words)
		return mlb_err_set(err, MLB_EINVALID, "'%s' needs the names of targets", needs);
	if (app->opt.into && !app->opt.param.n)
		return mlb_err_set(err, MLB_EINVALID,
				   "'--into' is for variants: give '-p NAME=VALUE' too");
	return 0;
}

static int
dry_run(struct app *app, const struct mlb_build *b, struct mlb_err *err)
{
	struct plan_view view;
	int rc;

	plan_view_init(&view, app);
	view.future = true;
	view.all = app->opt.verbose;
	rc = mlb_plan_build(app->project, b, plan_view_take, &view, err);
	if ((rc >= 0 || rc == MLB_ESTALE) && !app->opt.json)
		plan_view_print(&view);
	plan_view_release(&view);
	return rc < 0 ? rc : 0;
}

/* The command line, as a person would type it, for the record of the run. */
void
build_command_line(struct mlb_buf *b, const struct app *app)
{
	mlb_buf_adds(b, "mlbuild");
	for (int i = 1; i < app->argc; i++) {
		mlb_buf_addc(b, ' ');
		mlb_add_shell_word(b, app->argv[i]);
	}
}

/* Did the build get as far as telling what it did? */
static bool
has_report(int code)
{
	return code == 0 || code == MLB_EFAILED || code == MLB_ECHECK || code == MLB_ESTALE ||
	       code == MLB_EINTERRUPTED;
}

int
build_run(struct app *app, const struct mlb_build *options_given, struct mlb_err *err)
{
	struct mlb_build b = *options_given;
	struct mlb_buf line = MLB_BUF_INIT(1 << 20);
	struct mlb_report report;
	struct ui ui;
	int rc;

	memset(&report, 0, sizeof(report));
	build_command_line(&line, app);
	b.command_line = mlb_buf_str(&line);
	b.on_event = ui_event;
	b.ctx = &ui;
	ui_begin(&ui, app);
	rc = mlb_build(app->project, &b, &report, err);
	ui_end(&ui);
	if (has_report(rc))
		ui_summary(&ui, &report, rc);
	/* The display has told which targets failed; the library's own words would say it again. */
	if ((ui.failed.n && (rc == MLB_EFAILED || rc == MLB_ECHECK)) ||
	    (rc == MLB_EINTERRUPTED && !app->opt.quiet))
		mlb_err_release(err);
	ui_release(&ui);
	mlb_report_release(&report);
	mlb_buf_release(&line);
	return rc;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct mlb_build b = from_options(app);
	int rc = check(app, err);

	if (!rc)
		rc = cmd_open(app, err);
	if (rc)
		return rc;
	return app->opt.dry_run ? dry_run(app, &b, err) : build_run(app, &b, err);
}
