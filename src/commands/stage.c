#include "mlbuild/sys/stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "commands/cmd.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_stage = {
	.name = "stage",
	.summary = "run a built-in stage by hand",
	.usage = "[NAME [ARGUMENT...]]",
	.about = "Run a built-in stage, what 'use = NAME' in mlbuild.ini runs, with the same\n"
		 "arguments. Without a NAME, list the stages. What stands behind NAME is the\n"
		 "stage's; options of mlbuild come before it.",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.words = WORDS_STAGES,
	.max_words = CMD_ANY,
	.raw_after = 2,
	.run = run,
};

static int
list(struct app *app)
{
	struct tabular table;

	tabular_init(&table, &app->out);
	for (const struct mlb_stage *const *s = mlb_stages(); *s; s++) {
		tabular_add(&table, PAINT_BOLD, (*s)->name);
		tabular_add(&table, PAINT_PLAIN, (*s)->summary);
		tabular_end_row(&table);
	}
	if (!table.cell.n)
		out_adds(&app->err, "there are no built-in stages in this version\n");
	tabular_print(&table, &app->out, "");
	tabular_release(&table);
	return 0;
}

static int
unknown(const char *name, struct mlb_err *err)
{
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	const char *near;
	int rc;

	for (const struct mlb_stage *const *s = mlb_stages(); *s; s++)
		mlb_vec_push(&names, (*s)->name);
	near = mlb_nearest(name, names.v, names.n);
	if (near)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no built-in stage '%s': did you mean '%s'?", name, near);
	else if (names.n)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no built-in stage '%s': 'mlbuild stage' lists them",
				 name);
	else
		rc = mlb_err_set(
			err, MLB_ENOTFOUND,
			"there is no built-in stage '%s': this version has none yet; 'run =' takes any command",
			name);
	mlb_vec_release(&names);
	return rc;
}

static int
run(struct app *app, struct mlb_err *err)
{
	const struct mlb_stage *stage;
	char **argv;
	int code;

	if (!app->n_words)
		return list(app);
	stage = mlb_stage_find(app->word[0]);
	if (!stage) {
		if (strcmp(app->word[0], "list") == 0) /* dvc stage list */
			app->hint = mlb_strdup("'mlbuild ls' lists the targets");
		return unknown(app->word[0], err);
	}
	/* The stage is given the end of argv: NAME and what stands behind it. */
	argv = mlb_calloc(app->n_words + 1, sizeof(*argv));
	for (size_t i = 0; i < app->n_words; i++)
		argv[i] = mlb_strdup(app->word[i]);
	out_flush(&app->err);
	code = stage->run((int)app->n_words, argv);
	for (size_t i = 0; i < app->n_words; i++)
		free(argv[i]);
	free(argv);
	app->exit_code = code;
	return code ? MLB_EFAILED : 0;
}
