#include "commands/note.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "name", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_add = {
	.name = "add",
	.summary = "declare a file or directory as a dataset",
	.usage = "PATH",
	.about =
		"Append a dataset section for PATH to mlbuild.ini; all that stands there stays as\n"
		"it is.",
	.option = options,
	.words = WORDS_FILES,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	char *note = NULL;
	int rc = cmd_open(app, err);

	if (!rc)
		rc = mlb_add(app->project, app->word[0], app->opt.name, &note, err);
	note_print(app, note);
	return rc;
}
