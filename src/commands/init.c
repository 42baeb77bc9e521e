#include "commands/note.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "ci", NULL },
	{ "hooks", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_init = {
	.name = "init",
	.summary = "begin a project: write a commented mlbuild.ini",
	.usage = "[DIR]",
	.about = "Write an mlbuild.ini with comments into DIR (default: here). The lock file of\n"
		 "the Python environment, if there is one, becomes an input of every target.\n"
		 "DIR is made if it does not exist; nothing is ever overwritten. With --hooks,\n"
		 "also in a project that exists, git runs 'mlbuild checkout' after 'git switch';\n"
		 "with --ci, a workflow builds, pushes and reports there.",
	.option = options,
	.words = WORDS_DIRS,
	.max_words = 1,
	.run = run,
};

static bool
is_project(const char *dir)
{
	struct mlb_open open = { .dir = dir };
	struct mlb_project *p = NULL;
	bool is = mlb_project_open(&p, &open, NULL) == 0;

	mlb_project_close(p);
	return is;
}

static int
install_hooks(struct app *app, const char *dir, struct mlb_err *err)
{
	struct mlb_open open = { .dir = dir };
	char *note = NULL;
	int rc = mlb_project_open(&app->project, &open, err);

	if (rc == 0)
		rc = mlb_install_hooks(app->project, &note, err);
	note_print(app, note);
	return rc;
}

static int
write_workflow(struct app *app, const char *dir, struct mlb_err *err)
{
	char *note = NULL;
	int rc = mlb_init_ci(dir, app->opt.ci, &note, err);

	note_print(app, note);
	return rc;
}

static int
run(struct app *app, struct mlb_err *err)
{
	const char *dir = app->n_words ? app->word[0] : ".";
	char *note = NULL;
	int rc = 0;

	if (!(app->opt.hooks || app->opt.ci) || !is_project(dir)) {
		rc = mlb_init(dir, &note, err);
		note_print(app, note);
	}
	if (rc == 0 && app->opt.ci)
		rc = write_workflow(app, dir, err);
	return rc == 0 && app->opt.hooks ? install_hooks(app, dir, err) : rc;
}
