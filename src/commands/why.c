#include "base/text.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "param", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_why = {
	.name = "why",
	.summary = "why one target is stale, in full",
	.usage = "TARGET",
	.about = "Explain what differs between the result at hand and what the target would be\n"
		 "made from now: commands, parameters, inputs and who brought them in.",
	.option = options,
	.words = WORDS_TARGETS,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	char *text = NULL;
	int rc = cmd_open(app, err);

	if (!rc)
		rc = mlb_why(app->project, app->word[0], &text, err);
	if (rc)
		return rc;
	if (app->opt.json) {
		struct jsonline l;

		jsonline_begin(&l, &app->out);
		jsonline_str(&l, "target", app->word[0]);
		jsonline_str(&l, "why", text);
		jsonline_end(&l);
	} else {
		out_clean(&app->out, text);
		if (!mlb_str_ends(text, "\n"))
			out_adds(&app->out, "\n");
	}
	mlb_free(text);
	return 0;
}
