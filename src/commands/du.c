#include <inttypes.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "verbose", "also bytes, and numbers of objects" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_du = {
	.name = "du",
	.summary = "what takes the space in the cache",
	.usage = "[TARGET...]",
	.about = "Print how much of the cache each target and kind takes: in all, for results\n"
		 "older than that of mlbuild.lock, for what no other needs (unique), and for what\n"
		 "others need too (shared). Then what nothing names, and the size of the cache.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

struct view {
	struct app *app;
	struct tabular table;
	int last; /* enum mlb_usage_what of the line before, -1: none */
};

static const char *const names[] = {
	[MLB_USAGE_TARGET] = "target",
	[MLB_USAGE_KIND] = "kind",
	[MLB_USAGE_UNREFERENCED] = "unreferenced",
	[MLB_USAGE_TOTAL] = "total",
};

static void
print_json(struct out *out, const struct mlb_usage *u)
{
	bool group = u->what == MLB_USAGE_TARGET || u->what == MLB_USAGE_KIND;
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "what", names[u->what]);
	if (u->what == MLB_USAGE_TARGET)
		jsonline_str(&l, "target", u->name);
	if (group)
		jsonline_str(&l, "kind", u->kind);
	jsonline_int(&l, "size", u->size);
	if (group) {
		jsonline_int(&l, "older", u->older);
		jsonline_int(&l, "unique", u->unique);
		jsonline_int(&l, "shared", u->shared);
	}
	jsonline_int(&l, "objects", u->objects);
	jsonline_end(&l);
}

static void
add_size(struct view *v, uint64_t bytes)
{
	struct mlb_buf b = MLB_BUF_INIT(64);

	mlb_add_size(&b, bytes);
	if (v->app->opt.verbose)
		mlb_buf_addf(&b, " (%" PRIu64 ")", bytes);
	tabular_add(&v->table, PAINT_PLAIN, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

static void
add_heading(struct view *v)
{
	static const char *const heading[] = { "SIZE", "OLDER", "UNIQUE", "SHARED" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(heading); i++)
		tabular_add(&v->table, PAINT_DIM, heading[i]);
	if (v->app->opt.verbose)
		tabular_add(&v->table, PAINT_DIM, "OBJECTS");
	tabular_add(&v->table, PAINT_DIM, "");
	tabular_end_row(&v->table);
}

/* In a shared cache there are results of other projects, and nobody here knows of which targets. */
static void
add_target(struct view *v, const struct mlb_usage *u)
{
	if (u->name[0])
		tabular_addf(&v->table, PAINT_PLAIN, "%s %s", u->kind[0] ? u->kind : "(gone)",
			     u->name);
	else
		tabular_add(&v->table, PAINT_PLAIN, "(results of no target known here)");
}

static void
add_group(struct view *v, const struct mlb_usage *u)
{
	if (v->last != (int)u->what && v->last >= 0) {
		tabular_add(&v->table, PAINT_PLAIN, "");
		tabular_end_row(&v->table);
	}
	if (v->last != (int)u->what)
		add_heading(v);
	v->last = (int)u->what;
	add_size(v, u->size);
	add_size(v, u->older);
	add_size(v, u->unique);
	add_size(v, u->shared);
	if (v->app->opt.verbose)
		tabular_addf(&v->table, PAINT_PLAIN, "%" PRIu64, u->objects);
	if (u->what == MLB_USAGE_TARGET)
		add_target(v, u);
	else
		tabular_addf(&v->table, PAINT_PLAIN, "all of kind %s",
			     u->kind[0] ? u->kind : "(unknown here)");
	tabular_end_row(&v->table);
}

static int
take(void *ctx, const struct mlb_usage *u)
{
	struct view *v = ctx;
	struct out *out = &v->app->out;

	if (v->app->opt.json) {
		print_json(out, u);
		return out_closed(out);
	}
	if (u->what == MLB_USAGE_TARGET || u->what == MLB_USAGE_KIND) {
		add_group(v, u);
		return 0;
	}
	if (u->what == MLB_USAGE_UNREFERENCED) {
		tabular_print(&v->table, out, "");
		out_adds(out, "\nno result of this project names ");
	} else {
		out_adds(out, "the cache takes ");
	}
	mlb_add_size(&out->buf, u->size);
	if (v->app->opt.verbose)
		out_addf(out, " (%" PRIu64 ")", u->size);
	out_addf(out, ", %" PRIu64 " object%s\n", u->objects, u->objects == 1 ? "" : "s");
	return 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct view v = { .app = app, .last = -1 };
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	tabular_init(&v.table, &app->out);
	rc = mlb_du(app->project, app->word, app->n_words, take, &v, err);
	if (rc == 0 && app->n_words && !app->opt.json)
		tabular_print(&v.table, &app->out, "");
	tabular_release(&v.table);
	return rc;
}
