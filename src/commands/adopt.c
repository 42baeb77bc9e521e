#include "commands/note.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_adopt = {
	.name = "adopt",
	.summary = "take outputs as they are, without running anything",
	.usage = "TARGET",
	.about = "Take the outputs of TARGET that are on disk as the result of what its action is\n"
		 "now: after a change that you know to be cosmetic, or when the record of a long\n"
		 "run was lost.",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.words = WORDS_TARGETS,
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
		rc = mlb_adopt(app->project, app->word[0], &note, err);
	note_print(app, note);
	return rc;
}
