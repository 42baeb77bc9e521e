#include "commands/note.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_init = {
	.name = "init",
	.summary = "begin a project: write a commented mlbuild.ini",
	.usage = "[DIR]",
	.about = "Write an mlbuild.ini with comments into DIR (default: here). The lock file of\n"
		 "the Python environment, if there is one, becomes an input of every target.\n"
		 "DIR is made if it does not exist; nothing is ever overwritten.",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.words = WORDS_DIRS,
	.max_words = 1,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	char *note = NULL;
	int rc = mlb_init(app->n_words ? app->word[0] : ".", &note, err);

	note_print(app, note);
	return rc;
}
