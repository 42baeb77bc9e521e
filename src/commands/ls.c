#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "param", NULL },
	{ "verbose", "also owners, tags and where targets are declared" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_ls = {
	.name = "ls",
	.summary = "the targets: kinds, names, outputs",
	.usage = "[WORD...]",
	.about = "List the targets of the project: kind, name, what they are, and their outputs.\n"
		 "A WORD is a name, a kind or a quoted glob.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	struct tabular table;
	bool *used; /* by word: it picked something */
};

static bool
picked(const struct list *l, const struct mlb_target_info *t)
{
	bool any = l->app->n_words == 0;

	for (size_t i = 0; i < l->app->n_words; i++) {
		const char *word = l->app->word[i];

		if (strcmp(word, t->kind) == 0 || fnmatch(word, t->name, 0) == 0)
			any = l->used[i] = true;
	}
	return any;
}

static void
print_json(struct out *out, const struct mlb_target_info *t)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "target", t->name);
	jsonline_str(&l, "kind", t->kind);
	jsonline_str(&l, "desc", t->desc);
	jsonline_str(&l, "owner", t->owner);
	jsonline_str(&l, "tags", t->tags);
	jsonline_str(&l, "file", t->file);
	jsonline_int(&l, "line", t->line);
	jsonline_int(&l, "instances", t->instances);
	jsonline_bool(&l, "source", t->source);
	mlb_json_key(&l.j, "outputs");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < t->n_outputs; i++)
		mlb_json_str(&l.j, t->output[i]);
	mlb_json_end_array(&l.j);
	jsonline_end(&l);
}

static void
add_outputs(struct tabular *table, const struct mlb_target_info *t)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);

	for (size_t i = 0; i < t->n_outputs; i++)
		mlb_buf_addf(&b, "%s%s", i ? " " : "", t->output[i]);
	tabular_add(table, PAINT_PLAIN, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

static int
take(void *ctx, const struct mlb_target_info *t)
{
	struct list *l = ctx;
	struct tabular *table = &l->table;

	if (!picked(l, t))
		return 0;
	if (l->app->opt.json) {
		print_json(&l->app->out, t);
		return out_closed(&l->app->out);
	}
	tabular_add(table, PAINT_BUSY, t->kind);
	if (t->instances > 1)
		tabular_addf(table, PAINT_BOLD, "%s (%u)", t->name, t->instances);
	else
		tabular_add(table, PAINT_BOLD, t->name);
	add_outputs(table, t);
	if (l->app->opt.verbose) {
		tabular_add(table, PAINT_PLAIN, t->owner ? t->owner : "");
		tabular_add(table, PAINT_PLAIN, t->tags ? t->tags : "");
		tabular_addf(table, PAINT_DIM, "%s:%u", t->file, t->line);
	}
	tabular_add(table, PAINT_DIM, t->desc);
	tabular_end_row(table);
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
	list.used = mlb_calloc(app->n_words + 1, sizeof(*list.used));
	rc = mlb_targets(app->project, take, &list, err);
	if (rc >= 0) {
		rc = 0;
		tabular_print(&list.table, &app->out, "");
	}
	for (size_t i = 0; i < app->n_words && !rc && !out_closed(&app->out); i++)
		if (!list.used[i])
			rc = mlb_err_set(err, MLB_ENOTFOUND, "no target, kind or glob '%s'",
					 app->word[i]);
	tabular_release(&list.table);
	free(list.used);
	return rc;
}
