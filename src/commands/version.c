#include "base/json.h"
#include "commands/cmd.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_version = {
	.name = "version",
	.summary = "the version of mlbuild",
	.usage = "",
	.about = "Print the version.",
	.option = (const struct cmd_option[]){ { "json", NULL }, CMD_OPTIONS_END },
	.run = run,
};

static int
run(struct app *app, struct mlb_err *err)
{
	struct mlb_json j;

	(void)err;
	if (!app->opt.json) {
		out_addf(&app->out, "mlbuild %s\n", mlb_version());
		return 0;
	}
	mlb_json_init(&j, &app->out.buf);
	mlb_json_object(&j);
	mlb_json_key(&j, "version");
	mlb_json_str(&j, mlb_version());
	mlb_json_end_object(&j);
	out_adds(&app->out, "\n");
	return 0;
}
