#include <string.h>

#include "commands/checkout.h"
#include "commands/exchange.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "force", "replace also what no cache has, instead of moving it aside" },
	{ "json", NULL },
	{ "link", NULL },
	{ "quiet", "print what is wrong only" },
	{ "remote", "from that remote (default: all that may be read, in their order)" },
	{ "rev", "what the mlbuild.lock of that commit names" },
	{ "verbose", "name each output" },
	{ "with-inputs", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_pull = {
	.name = "pull",
	.summary = "get from remotes what the lock names, into the workspace",
	.usage = "[TARGET...]",
	.about = "Get what mlbuild.lock names (all of it, or what the targets have) into the\n"
		 "cache, as 'mlbuild fetch', and put it into the workspace, as 'mlbuild\n"
		 "checkout'. Nothing is run.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

/* Names for checkout: those that a build would look at, but for what has no outputs in the lock. */
static int
take_name(void *ctx, const struct mlb_plan_info *i)
{
	struct mlb_strvec *names = ctx;

	if (strcmp(i->kind, "check") != 0 && strcmp(i->kind, "task") != 0)
		mlb_strvec_push(names, i->name);
	return 0;
}

static int
place(struct app *app, struct mlb_err *err)
{
	struct mlb_strvec names = MLB_VEC_INIT;
	int rc = 0;

	if (app->opt.with_inputs) {
		rc = mlb_plan(app->project, app->word, app->n_words, take_name, &names, err);
		app->word = (const char *const *)names.v;
		app->n_words = names.n;
	}
	if (rc == 0)
		rc = checkout_run(app, err);
	mlb_strvec_release(&names);
	return rc;
}

/* What could be had is put in place, also where something is missing. */
static int
run(struct app *app, struct mlb_err *err)
{
	struct mlb_err missing = MLB_ERR_INIT;
	int rc = exchange_run(app, mlb_fetch, "fetching", "fetched", &missing), placed;

	if (rc && rc != MLB_EFAILED) {
		*err = missing;
		return rc;
	}
	placed = place(app, err);
	if (placed == 0 && rc)
		*err = missing;
	else
		mlb_err_release(&missing);
	return placed ? placed : rc;
}
