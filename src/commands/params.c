#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/sides.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "csv", NULL }, { "json", NULL }, { "md", NULL }, { "param", NULL }, CMD_OPTIONS_END,
};

const struct cmd cmd_params = {
	.name = "params",
	.summary = "parameters, also of several revisions",
	.usage = "[REV...] [[--] NAME...]",
	.about = "List the parameters, their values, and the files that set them. With REVs\n"
		 "those of these revisions side by side; with one REV, of that and the\n"
		 "workspace. A REV may be a range (main~5..main), or the word workspace. A NAME\n"
		 "is a parameter or a quoted glob; behind '--' every word is one.",
	.option = options,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

MLB_VEC_NAMED(words, const char *);

struct list {
	struct app *app;
	struct words name, rev;
	struct tabular table;
	uint32_t n;
};

static bool
picked(const struct list *l, const char *name)
{
	for (size_t i = 0; i < l->name.n; i++)
		if (fnmatch(l->name.v[i], name, 0) == 0)
			return true;
	return l->name.n == 0;
}

static int
take(void *ctx, const struct mlb_param_info *i)
{
	struct list *l = ctx;
	struct jsonline line;

	if (!picked(l, i->name))
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
list_params(struct list *l, struct mlb_err *err)
{
	int rc;

	tabular_init(&l->table, &l->app->out);
	rc = mlb_params(l->app->project, take, l, err);
	tabular_print(&l->table, &l->app->out, "");
	tabular_release(&l->table);
	return rc;
}

static int
compare_params(struct list *l, struct mlb_err *err)
{
	struct sides s = { .app = l->app, .only = l->name.v, .n_only = l->name.n };
	int rc;

	if (l->app->opt.param.n)
		return mlb_err_set(err, MLB_EINVALID,
				   "'-p' makes a variant of the workspace: it has no place beside "
				   "revisions");
	rc = mlb_compare_params(l->app->project, l->rev.v, l->rev.n, sides_print, &s, err);
	l->n = (uint32_t)s.n_shown;
	return rc;
}

/* ---------------------------------------------------------- which words are what */

struct question {
	const char *word;
	bool yes;
};

static int
is_param(void *ctx, const struct mlb_param_info *i)
{
	struct question *q = ctx;

	q->yes = fnmatch(q->word, i->name, 0) == 0;
	return q->yes;
}

/* A parameter's name comes first; a branch that is called like one can be written as refs/heads/NAME. */
static int
sort_words(struct list *l, struct mlb_err *err)
{
	size_t plain =
		MLB_MIN(l->app->opt.plain ? l->app->opt.plain - l->app->said : 0, l->app->n_words);

	for (size_t i = 0; i < l->app->n_words; i++) {
		struct question q = { l->app->word[i], i >= plain };
		int rc = q.yes ? 0 : mlb_params(l->app->project, is_param, &q, err);

		if (rc)
			return rc;
		if (q.yes)
			mlb_vec_push(&l->name, q.word);
		else if (strcmp(q.word, "workspace") == 0 || mlb_str_starts(q.word, "HEAD") ||
			 mlb_is_revision(l->app->project, q.word))
			mlb_vec_push(&l->rev, q.word);
		else
			return mlb_err_set(err, MLB_ENOTFOUND,
					   "no parameter or revision '%s': 'mlbuild params' lists "
					   "the parameters",
					   q.word);
	}
	return 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct list l = { .app = app };
	int rc = sides_check(app, err);

	if (rc == 0)
		rc = cmd_open(app, err);
	if (rc == 0)
		rc = sort_words(&l, err);
	if (rc == 0)
		rc = l.rev.n || app->opt.csv || app->opt.md ? compare_params(&l, err)
							    : list_params(&l, err);
	if (rc >= 0 && l.name.n && !l.n)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "no parameter '%s': 'mlbuild params' lists them", l.name.v[0]);
	mlb_vec_release(&l.name);
	mlb_vec_release(&l.rev);
	return rc < 0 ? rc : 0;
}
