#include <stdlib.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_key = {
	.name = "key",
	.summary = "keys that results are signed with",
	.usage = "new NAME | list",
	.about = "'new' makes a key of yours: what you push is signed with it where [trust]\n"
		 "keys lists its public half. 'list' shows your keys, and those that the project\n"
		 "trusts.",
	.option = options,
	.words = WORDS_NONE,
	.min_words = 1,
	.max_words = 2,
	.run = run,
};

static int
new_key(struct app *app, struct mlb_err *err)
{
	char *file = NULL, *line = NULL;
	int rc = mlb_key_new(&file, &line, app->word[1], err);

	if (rc)
		return rc;
	out_clean(&app->out, line);
	out_adds(&app->out, "\n");
	out_adds(&app->err, "its public half is '");
	out_clean(&app->err, file);
	out_adds(&app->err, "': commit a copy of it, and name that in [trust] keys\n");
	free(file);
	free(line);
	return 0;
}

struct list {
	struct app *app;
	struct tabular table;
	bool any;
};

static const char *
use_of(const struct mlb_key_info *k)
{
	if (k->signs)
		return "signs what you push";
	if (k->own)
		return k->trusted ? "yours, trusted" : "yours";
	return "trusted";
}

static void
print_json(struct out *out, const struct mlb_key_info *k)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "name", k->name);
	jsonline_str(&l, "id", k->id);
	jsonline_str(&l, "file", k->file);
	jsonline_bool(&l, "own", k->own);
	jsonline_bool(&l, "trusted", k->trusted);
	jsonline_bool(&l, "signs", k->signs);
	jsonline_end(&l);
}

static int
take(void *ctx, const struct mlb_key_info *k)
{
	struct list *l = ctx;

	l->any = true;
	if (l->app->opt.json) {
		print_json(&l->app->out, k);
		return 0;
	}
	tabular_add(&l->table, PAINT_BOLD, k->name);
	tabular_add(&l->table, PAINT_DIM, k->id);
	tabular_add(&l->table, k->signs ? PAINT_GOOD : PAINT_PLAIN, use_of(k));
	tabular_add(&l->table, PAINT_DIM, k->file);
	tabular_end_row(&l->table);
	return 0;
}

static int
list_keys(struct app *app, struct mlb_err *err)
{
	struct list l = { .app = app };
	int rc = cmd_open(app, err);

	if (rc == MLB_ENOTFOUND) { /* outside of a project one has keys all the same */
		mlb_err_release(err);
		rc = 0;
	}
	if (rc)
		return rc;
	tabular_init(&l.table, &app->out);
	rc = mlb_keys(app->project, take, &l, err);
	if (rc == 0)
		tabular_print(&l.table, &app->out, "");
	if (rc == 0 && !l.any)
		out_adds(&app->err, "there are no keys: 'mlbuild key new NAME' makes one\n");
	tabular_release(&l.table);
	return rc;
}

static int
run(struct app *app, struct mlb_err *err)
{
	if (strcmp(app->word[0], "new") == 0 && app->n_words == 2)
		return new_key(app, err);
	if (strcmp(app->word[0], "new") == 0)
		return mlb_err_set(err, MLB_EINVALID, "a key needs a name: mlbuild key new NAME");
	if (strcmp(app->word[0], "list") == 0 && app->n_words == 1)
		return list_keys(app, err);
	return mlb_err_set(err, MLB_EINVALID, "'%s': mlbuild key new NAME, or mlbuild key list",
			   app->word[app->n_words - 1]);
}
