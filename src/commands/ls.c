#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "param", NULL },
	{ "recursive", NULL },
	{ "rev", NULL },
	{ "verbose", "also owners, tags and where targets are declared" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_ls = {
	.name = "ls",
	.summary = "the targets, or what an artifact consists of",
	.usage = "[WORD...]",
	.about = "List the targets of the project (those of a kind, or that a quoted glob\n"
		 "matches): kind, name, outputs, what they are. For TARGET[:OUT][/PATH] list what\n"
		 "the artifact consists of by mlbuild.lock: type, size, digest, path; from the\n"
		 "cache.",
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

	/* Those of the first instance; the others have as many of their own. */
	for (size_t i = 0; i < t->n_outputs / MLB_MAX(t->instances, 1U); i++)
		mlb_buf_addf(&b, "%s%s", i ? " " : "", t->output[i]);
	if (t->instances > 1 && t->n_outputs)
		mlb_buf_adds(&b, " ...");
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

/* ------------------------------------------------------------ an artifact's contents */

static int
take_content(void *ctx, const struct mlb_content *c)
{
	struct list *l = ctx;
	struct tabular *table = &l->table;
	struct jsonline j;

	if (!l->app->opt.json) {
		tabular_add(table, PAINT_BUSY, c->kind);
		tabular_addf(table, PAINT_PLAIN, "%" PRIu64, c->size);
		tabular_add(table, PAINT_DIM, c->digest);
		tabular_add(table, PAINT_PLAIN, c->path);
		tabular_end_row(table);
		return 0;
	}
	jsonline_begin(&j, &l->app->out);
	jsonline_str(&j, "target", c->target);
	jsonline_str(&j, "type", c->kind);
	jsonline_int(&j, "size", c->size);
	jsonline_str(&j, "digest", c->digest);
	jsonline_str(&j, "path", c->path);
	jsonline_end(&j);
	return out_closed(&l->app->out);
}

static int
list_contents(struct list *l, struct mlb_err *err)
{
	struct app *app = l->app;
	int rc = 0;

	for (size_t i = 0; i < app->n_words && rc == 0; i++)
		rc = mlb_contents(app->project, app->word[i], app->opt.rev, app->opt.recursive,
				  take_content, l, err);
	return rc;
}

/* Does the word pick targets to be listed: is it a kind or a glob? */
static bool
picks(const char *word)
{
	static const char *const kinds[] = { "dataset", "feature", "model",
					     "report",  "check",   "task" };
	bool kind = strpbrk(word, "*?[") != NULL;

	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds); i++)
		kind |= strcmp(word, kinds[i]) == 0;
	return kind;
}

static bool
wants_contents(const struct app *app)
{
	if (app->opt.rev || app->opt.recursive)
		return true;
	for (size_t i = 0; i < app->n_words; i++)
		if (!picks(app->word[i]))
			return true;
	return false;
}

static int
list_targets(struct list *l, struct mlb_err *err)
{
	struct app *app = l->app;
	int rc = mlb_targets(app->project, take, l, err);

	for (size_t i = 0; i < app->n_words && rc >= 0 && !out_closed(&app->out); i++)
		if (!l->used[i])
			rc = mlb_err_set(err, MLB_ENOTFOUND, "no target, kind or glob '%s'",
					 app->word[i]);
	return rc < 0 ? rc : 0;
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
	if ((app->opt.rev || app->opt.recursive) && !app->n_words)
		rc = mlb_err_set(err, MLB_EINVALID, "'--%s' needs the name of a target",
				 app->opt.rev ? "rev" : "recursive");
	else
		rc = wants_contents(app) ? list_contents(&list, err) : list_targets(&list, err);
	if (rc == 0)
		tabular_print(&list.table, &app->out, "");
	tabular_release(&list.table);
	free(list.used);
	return rc;
}
