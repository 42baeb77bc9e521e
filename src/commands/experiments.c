#include <string.h>

#include "commands/cmd.h"
#include "commands/experiment_table.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "csv", NULL },    { "failed", NULL }, { "json", NULL },
	{ "remove", NULL }, { "rename", NULL }, { "reverse", NULL },
	{ "sort", NULL },   { "top", NULL },    CMD_OPTIONS_END,
};

const struct cmd cmd_experiments = {
	.name = "experiments",
	.summary = "what sweeps and variants gave, side by side",
	.usage = "[ID...]",
	.about =
		"List the experiments: what sweeps and builds with -p gave, with their parameters\n"
		"and metrics; those of colleagues too, once git has fetched them. An ID is the\n"
		"beginning of an experiment's id, or its name.",
	.option = options,
	.words = WORDS_EXPERIMENTS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

struct listing {
	struct app *app;
	struct xtable table;
	MLB_VEC(const char *) failed; /* ids of those, in the table's arena */
	size_t left_out;              /* failed ones */
};

static bool
picked(const struct app *app, const struct mlb_experiment *x)
{
	for (size_t i = 0; i < app->n_words; i++)
		if (strcmp(app->word[i], x->name) == 0 ||
		    strncmp(app->word[i], x->id, strlen(app->word[i])) == 0)
			return true;
	return app->n_words == 0;
}

static int
take(void *ctx, const struct mlb_experiment *x)
{
	struct listing *l = ctx;
	bool failed = strcmp(x->status, "done") != 0;

	if (failed)
		mlb_vec_push(&l->failed, mlb_arena_strdup(&l->table.arena, x->id));
	if (!picked(l->app, x))
		return 0;
	if (failed && !l->app->opt.failed && !l->app->n_words)
		l->left_out++;
	else
		xtable_add(&l->table, x);
	return 0;
}

static int
nothing_there(const struct listing *l, struct mlb_err *err)
{
	struct app *app = l->app;

	if (l->table.row.n)
		return 0;
	if (app->n_words)
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "there is no experiment '%s': 'mlbuild experiments' lists them",
				   app->word[0]);
	if (!l->left_out)
		out_adds(&app->err, "no experiments yet: 'mlbuild sweep -p NAME=VALUE,VALUE' makes "
				    "some; 'git fetch origin \"refs/mlbuild/experiments/*:"
				    "refs/mlbuild/experiments/*\"' gets those of others\n");
	return 0;
}

static int
show(struct listing *l, struct mlb_err *err)
{
	struct app *app = l->app;
	int rc = nothing_there(l, err);

	if (rc == 0 && (app->opt.sort || app->opt.reverse))
		rc = xtable_sort(&l->table, app->opt.sort ? app->opt.sort : "time",
				 app->opt.reverse, err);
	if (rc)
		return rc;
	if (app->opt.top)
		xtable_top(&l->table, app->opt.top);
	if (app->opt.json)
		xtable_json(&l->table, &app->out);
	else if (app->opt.csv)
		xtable_csv(&l->table, &app->out);
	else
		xtable_print(&l->table, &app->out);
	if (l->left_out && !app->opt.json && !app->opt.csv)
		out_addf(&app->err, "%zu failed: --failed shows them\n", l->left_out);
	return 0;
}

static int
remove_all(struct listing *l, struct mlb_err *err)
{
	struct app *app = l->app;
	int rc = 0;

	for (size_t i = 0; i < app->n_words && rc == 0; i++)
		rc = mlb_experiment_remove(app->project, app->word[i], err);
	if (app->opt.failed && !app->n_words)
		for (size_t i = 0; i < l->failed.n && rc == 0; i++)
			rc = mlb_experiment_remove(app->project, l->failed.v[i], err);
	return rc;
}

static int
check(const struct app *app, struct mlb_err *err)
{
	if (app->opt.remove && app->opt.rename)
		return mlb_err_set(err, MLB_EINVALID, "give '--remove' or '--rename', not both");
	if (app->opt.remove && !app->n_words && !app->opt.failed)
		return mlb_err_set(err, MLB_EINVALID,
				   "'--remove' needs the ids of experiments, or '--failed'");
	if (app->opt.rename && app->n_words != 2)
		return mlb_err_set(err, MLB_EINVALID,
				   "'--rename' needs the id of an experiment and its new name");
	return 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct listing l = { .app = app };
	int rc = check(app, err);

	if (rc == 0)
		rc = cmd_open(app, err);
	if (rc)
		return rc;
	xtable_init(&l.table);
	if (app->opt.rename) {
		rc = mlb_experiment_rename(app->project, app->word[0], app->word[1], err);
	} else {
		rc = mlb_experiments(app->project, take, &l, err);
		if (rc == 0)
			rc = app->opt.remove ? remove_all(&l, err) : show(&l, err);
	}
	mlb_vec_release(&l.failed);
	xtable_release(&l.table);
	return rc;
}
