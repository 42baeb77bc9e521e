#include <fnmatch.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "param", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_params = {
	.name = "params",
	.summary = "the parameters and where they come from",
	.usage = "[NAME...]",
	.about = "List the parameters, their values, and the files that set them. A NAME may be a\n"
		 "quoted glob.",
	.option = options,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	struct tabular table;
	uint32_t n;
};

static bool
picked(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_words; i++)
		if (fnmatch(app->word[i], name, 0) == 0)
			return true;
	return app->n_words == 0;
}

static int
take(void *ctx, const struct mlb_param_info *i)
{
	struct list *l = ctx;
	struct jsonline line;

	if (!picked(l->app, i->name))
		return 0;
	l->n++;
	if (l->app->opt.json) {
		jsonline_begin(&line, &l->app->out);
		jsonline_str(&line, "name", i->name);
		jsonline_str(&line, "value", i->value);
		jsonline_str(&line, "file", i->file);
		jsonline_int(&line, "line", i->line);
		jsonline_end(&line);
		return out_closed(&l->app->out);
	}
	tabular_add(&l->table, PAINT_BOLD, i->name);
	tabular_add(&l->table, PAINT_PLAIN, i->value);
	if (i->line)
		tabular_addf(&l->table, PAINT_DIM, "%s:%u", i->file, i->line);
	else
		tabular_add(&l->table, PAINT_DIM, i->file);
	tabular_end_row(&l->table);
	return 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct list list = { .app = app };
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	tabular_init(&list.table, &app->out);
	rc = mlb_params(app->project, take, &list, err);
	tabular_print(&list.table, &app->out, "");
	tabular_release(&list.table);
	if (rc < 0)
		return rc;
	if (app->n_words && !list.n)
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "no parameter '%s': 'mlbuild params' lists them", app->word[0]);
	return 0;
}
