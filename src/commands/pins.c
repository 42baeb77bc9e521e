#include <string.h>
#include <time.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "limit", "show at most N commits (default: 20, with --json all)" },
	{ "verbose", "also what a snapshot stands on, and how many results name it" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_pins = {
	.name = "pins",
	.summary = "the commits that artifacts were built from",
	.usage = "[TARGET]",
	.about = "List the commits that the results in the cache were built from, newest\n"
		 "first: those that were checked out, and the snapshots that mlbuild made where\n"
		 "the inputs were not as committed. With TARGET those of its results.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = 1,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	struct tabular table;
	unsigned left; /* that may be shown */
	bool more;
};

static const char *const kinds[] = {
	[MLB_PIN_COMMIT] = "commit",
	[MLB_PIN_SNAPSHOT] = "snapshot",
	[MLB_PIN_MISSING] = "missing",
};

static void
print_params(struct mlb_json *j, const char *params)
{
	mlb_json_key(j, "params");
	mlb_json_object(j);
	while (*params) {
		size_t len = strcspn(params, "\n"), name = strcspn(params, "=\n");
		struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);

		mlb_buf_add(&text, params, name);
		mlb_json_key(j, mlb_buf_str(&text));
		mlb_buf_clear(&text);
		if (name < len)
			mlb_buf_add(&text, params + name + 1, len - name - 1);
		mlb_json_str(j, mlb_buf_str(&text));
		mlb_buf_release(&text);
		params += len + (params[len] == '\n');
	}
	mlb_json_end_object(j);
}

static void
print_json(struct out *out, const struct mlb_pin *p)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "commit", p->commit);
	jsonline_str(&l, "kind", kinds[p->kind]);
	jsonline_str(&l, "parent", p->parent);
	jsonline_time(&l, "when", p->when);
	jsonline_int(&l, "results", p->results);
	mlb_json_key(&l.j, "targets");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < p->n_targets; i++)
		mlb_json_str(&l.j, p->target[i]);
	mlb_json_end_array(&l.j);
	print_params(&l.j, p->params);
	jsonline_str(&l, "subject", p->subject);
	jsonline_end(&l);
}

/* Words in one line. */
static void
add_words(struct tabular *t, const struct mlb_pin *p)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_MIB);

	for (size_t i = 0; i < p->n_targets; i++)
		mlb_buf_addf(&b, "%s%s", i ? " " : "", p->target[i]);
	if (!p->results)
		mlb_buf_adds(&b, "(no result)");
	tabular_add(t, p->results ? PAINT_PLAIN : PAINT_DIM, mlb_buf_str(&b));
	mlb_buf_clear(&b);
	for (const char *s = p->params; *s; s++)
		mlb_buf_addc(&b, *s != '\n' ? *s : ' ');
	tabular_add(t, PAINT_BUSY, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

static void
add_row(struct tabular *t, const struct mlb_pin *p, bool verbose)
{
	time_t at = (time_t)(p->when / 1000000000);
	char when[64] = "";
	struct tm tm;

	if (p->when && localtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	tabular_addf(t, PAINT_BOLD, "%.12s", p->commit);
	tabular_add(t, PAINT_PLAIN, when);
	tabular_add(t, p->kind == MLB_PIN_MISSING ? PAINT_WARN : PAINT_PLAIN, kinds[p->kind]);
	if (verbose) {
		tabular_addf(t, PAINT_DIM, "%.12s", p->parent);
		tabular_addf(t, PAINT_DIM, "%u result%s", p->results, p->results == 1 ? "" : "s");
	}
	add_words(t, p);
	tabular_add(t, PAINT_DIM, p->kind == MLB_PIN_COMMIT ? p->subject : "");
	tabular_end_row(t);
}

static int
take(void *ctx, const struct mlb_pin *p)
{
	struct list *l = ctx;

	if (!l->left--) {
		l->more = true;
		return 1;
	}
	if (l->app->opt.json)
		print_json(&l->app->out, p);
	else
		add_row(&l->table, p, l->app->opt.verbose);
	return out_closed(&l->app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct list list = { .app = app, .left = app->opt.limit ? app->opt.limit : 20 };
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	if (app->opt.json && !app->opt.limit)
		list.left = UINT32_MAX;
	tabular_init(&list.table, &app->out);
	rc = mlb_pins(app->project, app->n_words ? app->word[0] : NULL, take, &list, err);
	if (rc == 0)
		tabular_print(&list.table, &app->out, "");
	tabular_release(&list.table);
	return rc;
}
