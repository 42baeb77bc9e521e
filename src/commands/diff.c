#include <stdlib.h>
#include <string.h>

#include "commands/cmd.h"
#include "commands/differences.h"
#include "commands/diffmd.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "exit-code", "exit with 4 if anything differs" },
	{ "json", NULL },
	{ "md", "print tables in markdown, for a comment on a change" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_diff = {
	.name = "diff",
	.summary = "what differs between two revisions",
	.usage = "[REV [REV]]",
	.about = "Print the targets, inputs, parameters and metrics that differ between two\n"
		 "revisions, or one and the workspace (default: HEAD and the workspace). A REV\n"
		 "is anything git understands, or the id of a run or experiment, or a digest.",
	.option = options,
	.max_words = 2,
	.project = true,
	.run = run,
};

struct view {
	struct app *app;
	struct tabular table; /* of the target at hand */
	struct diffmd md;
	bool any;
	bool params;  /* their headline was printed */
	char *shown;  /* what was printed of the last target, if it is an instance; owned */
	size_t alike; /* instances of it since of which the same is true */
};

/* ---------------------------------------------------------- JSON */

static void
point_json(struct jsonline *l, const char *key, const struct mlb_point *at)
{
	mlb_json_key(&l->j, key);
	mlb_json_object(&l->j);
	jsonline_str(l, "name", at->name);
	jsonline_str(l, "commit", at->commit);
	jsonline_str(l, "subject", at->subject);
	mlb_json_end_object(&l->j);
}

static void
target_json(struct out *out, const struct mlb_target_change *t)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "what", "target");
	jsonline_str(&l, "target", t->target);
	jsonline_str(&l, "kind", t->kind);
	jsonline_str(&l, "change", t->what);
	jsonline_str(&l, "reason", t->reason);
	jsonline_int(&l, "files_added", t->files_added);
	jsonline_int(&l, "files_removed", t->files_removed);
	jsonline_int(&l, "files_changed", t->files_changed);
	differences_json(&l, "changes", t->difference, t->n_differences);
	jsonline_end(&l);
}

/* ---------------------------------------------------------- text */

static void
add_row(struct view *v, const struct mlb_change *d, bool with_what)
{
	struct mlb_buf change = MLB_BUF_INIT(1 << 20), delta = MLB_BUF_INIT(256);
	bool bytes = d->what == MLB_DIFF_ACTION && strcmp(d->name, "command") == 0;

	if (bytes) /* two commands in a row would be hard to read */
		mlb_buf_adds(&change, "changed");
	else
		difference_change(&change, d, v->app->out.utf8);
	difference_delta(&delta, d);
	if (with_what)
		tabular_add(&v->table, PAINT_DIM, difference_what(d));
	tabular_add(&v->table, PAINT_PLAIN, d->name);
	tabular_add(&v->table, PAINT_PLAIN, mlb_buf_str(&change));
	tabular_add(&v->table, PAINT_BOLD, mlb_buf_str(&delta));
	tabular_end_row(&v->table);
	mlb_buf_release(&delta);
	mlb_buf_release(&change);
}

static void
print_table(struct view *v)
{
	tabular_print(&v->table, &v->app->out, "  ");
	tabular_release(&v->table);
	tabular_init(&v->table, &v->app->out);
}

/* Of an instance, all but the bytes of inputs and outputs: what the others may share. */
static char *
what_is_shared(const struct mlb_target_change *t)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);
	size_t base = strcspn(t->target, "@");

	if (!t->target[base])
		return NULL;
	mlb_buf_addf(&b, "%.*s %s %s", (int)base, t->target, t->what, t->reason);
	for (size_t i = 0; i < t->n_differences; i++) {
		const struct mlb_change *d = &t->difference[i];

		mlb_buf_addf(&b, "\n%s ", difference_what(d));
		if (d->what == MLB_DIFF_PARAM || d->what == MLB_DIFF_METRIC)
			mlb_buf_addf(&b, "%s %s %s", d->name, d->before ? d->before : "",
				     d->after ? d->after : "");
		else if (d->what == MLB_DIFF_ACTION)
			mlb_buf_adds(&b, d->name);
	}
	return mlb_buf_detach(&b);
}

static void
end_alike(struct view *v)
{
	if (v->alike)
		out_addf(&v->app->out, "  and %zu more instance%s alike\n", v->alike,
			 v->alike == 1 ? "" : "s");
	v->alike = 0;
}

/* Is it an instance of which all that matters was printed with the one before? */
static bool
is_alike(struct view *v, const struct mlb_target_change *t)
{
	char *shared = what_is_shared(t);
	bool alike = shared && v->shown && strcmp(shared, v->shown) == 0;

	v->alike += alike;
	if (!alike)
		end_alike(v);
	free(v->shown);
	v->shown = shared;
	return alike;
}

static void
target_text(struct view *v, const struct mlb_target_change *t)
{
	struct out *out = &v->app->out;

	print_table(v); /* of the parameters */
	if (is_alike(v, t))
		return;
	paint_adds(&out->buf, out->color, PAINT_BOLD, t->target);
	out_addf(out, "  %s  %s", t->kind, t->what);
	if (t->files_added || t->files_removed || t->files_changed)
		out_addf(out, ": files %u added, %u removed, %u changed", t->files_added,
			 t->files_removed, t->files_changed);
	if (*t->reason) {
		out_adds(out, "  (a build would make it: ");
		out_clean(out, t->reason);
		out_adds(out, ")");
	}
	out_adds(out, "\n");
	for (size_t i = 0; i < t->n_differences; i++)
		add_row(v, &t->difference[i], true);
	print_table(v);
}

/* ---------------------------------------------------------- what is told */

static void
take_sides(void *ctx, const struct mlb_point *from, const struct mlb_point *to)
{
	struct view *v = ctx;
	struct out *out = &v->app->out;
	struct jsonline l;

	if (v->app->opt.json) {
		jsonline_begin(&l, out);
		jsonline_str(&l, "what", "sides");
		point_json(&l, "from", from);
		point_json(&l, "to", to);
		jsonline_end(&l);
	} else if (v->app->opt.md) {
		diffmd_begin(&v->md, out, from, to);
	} else {
		for (int i = 0; i < 2; i++) {
			const struct mlb_point *p = i ? to : from;

			out_adds(out, i ? "to    " : "from  ");
			out_clean(out, p->name);
			if (*p->commit) {
				out_addf(out, "  %.8s  ", p->commit);
				out_clean(out, p->subject);
			}
			out_adds(out, "\n");
		}
	}
}

static int
take_param(void *ctx, const struct mlb_change *d)
{
	struct view *v = ctx;
	struct jsonline l;

	if (v->app->opt.json) {
		jsonline_begin(&l, &v->app->out);
		jsonline_str(&l, "what", "param");
		difference_json(&l, d);
		jsonline_end(&l);
	} else if (v->app->opt.md) {
		diffmd_param(&v->md, d);
	} else {
		if (!v->params)
			paint_adds(&v->app->out.buf, v->app->out.color, PAINT_BOLD, "parameters\n");
		v->params = true;
		add_row(v, d, false);
	}
	return out_closed(&v->app->out);
}

static int
take_target(void *ctx, const struct mlb_target_change *t)
{
	struct view *v = ctx;

	if (v->app->opt.json)
		target_json(&v->app->out, t);
	else if (v->app->opt.md)
		diffmd_target(&v->md, t);
	else
		target_text(v, t);
	return out_closed(&v->app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct view v = { .app = app };
	struct mlb_diff d = {
		.from = app->n_words > 0 ? app->word[0] : NULL,
		.to = app->n_words > 1 ? app->word[1] : NULL,
		.on_sides = take_sides,
		.on_param = take_param,
		.on_target = take_target,
		.ctx = &v,
	};
	int rc;

	if (app->opt.json && app->opt.md)
		return mlb_err_set(err, MLB_EINVALID, "'--json' and '--md' exclude each other");
	rc = cmd_open(app, err);
	if (rc)
		return rc;
	tabular_init(&v.table, &app->out);
	rc = mlb_diff(app->project, &d, &v.any, err);
	if (rc == 0 && !app->opt.json && !app->opt.md) {
		print_table(&v);
		end_alike(&v);
	}
	if (rc == 0 && app->opt.md)
		diffmd_end(&v.md, v.any);
	else if (rc == 0 && !v.any && !app->opt.json)
		out_adds(&app->err, "nothing differs\n");
	if (rc == 0 && v.any && app->opt.exit_code)
		app->exit_code = 4;
	diffmd_release(&v.md);
	free(v.shown);
	tabular_release(&v.table);
	return rc;
}
