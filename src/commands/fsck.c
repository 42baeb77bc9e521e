#include <string.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/lines.h"
#include "commands/progress.h"
#include "commands/signals.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "quiet", "print problems only" },
	{ "repair", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_fsck = {
	.name = "fsck",
	.summary = "examine the cache: is every byte what it says it is?",
	.usage = "",
	.about =
		"Read all of the cache and hold every object against its name, every pack against\n"
		"its index, every result against the objects that it names, and state.db against\n"
		"the disk. Say what is wrong and which targets it concerns. The exit code is 1 if\n"
		"there is a problem.",
	.option = options,
	.project = true,
	.run = run,
};

struct checking {
	struct app *app;
	struct progress progress;
};

static const char *
level_word(enum mlb_finding level)
{
	return level == MLB_FINDING_PROBLEM ? "problem" : level == MLB_FINDING_NOTE ? "note" : "ok";
}

static void
print_json(struct app *app, const struct mlb_fsck_info *f)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "level", level_word(f->level));
	jsonline_str(&l, "kind", f->kind);
	jsonline_str(&l, "path", f->path);
	jsonline_str(&l, "object", f->object);
	jsonline_str(&l, "what", f->what);
	jsonline_str(&l, "mend", f->mend);
	mlb_json_key(&l.j, "targets");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < f->n_targets; i++)
		mlb_json_str(&l.j, f->target[i]);
	mlb_json_end_array(&l.j);
	jsonline_bool(&l, "repaired", f->repaired);
	jsonline_end(&l);
}

/* "problem  .mlbuild/cache/v1/objects/ab/cd…: its bytes are not those of its name" and what belongs to it. */
static void
print_text(struct app *app, const struct mlb_fsck_info *f)
{
	const struct lines lines = { .color = app->out.color, .utf8 = app->out.utf8 };
	enum paint paint = f->level == MLB_FINDING_PROBLEM ? PAINT_BAD : PAINT_WARN;
	struct out *out = &app->out;

	lines_mark(&out->buf, &lines, paint, level_word(f->level));
	out_clean(out, f->path[0] ? f->path : f->object);
	out_adds(out, ": ");
	out_clean(out, f->what);
	out_adds(out, "\n");
	if (f->path[0] && f->object[0] && strncmp(f->kind, "object", 6) != 0) {
		lines_mark(&out->buf, &lines, PAINT_PLAIN, "");
		out_addf(out, "object %s\n", f->object);
	}
	if (f->n_targets) {
		lines_mark(&out->buf, &lines, PAINT_PLAIN, "");
		out_adds(out, f->n_targets == 1 ? "target" : "targets");
		for (size_t i = 0; i < f->n_targets; i++) {
			out_adds(out, i ? ", " : " ");
			out_clean(out, f->target[i]);
		}
		out_adds(out, "\n");
	}
	if (f->mend[0]) {
		lines_mark(&out->buf, &lines, PAINT_PLAIN, "");
		out_clean(out, f->mend);
		out_adds(out, "\n");
	}
}

static int
take(void *ctx, const struct mlb_fsck_info *f)
{
	struct checking *c = ctx;

	if (c->app->opt.quiet && f->level != MLB_FINDING_PROBLEM)
		return 0;
	progress_clear(&c->progress);
	if (c->app->opt.json)
		print_json(c->app, f);
	else
		print_text(c->app, f);
	return out_closed(&c->app->out);
}

static void
tell_wait(void *ctx, const char *whom)
{
	struct checking *c = ctx;

	out_adds(&c->app->err, "waiting for another mlbuild here (");
	out_clean(&c->app->err, whom);
	out_adds(&c->app->err, ")\n");
	out_flush(&c->app->err);
}

static void
show(void *ctx, uint64_t done, uint64_t total)
{
	struct checking *c = ctx;

	progress_show(&c->progress, done, total);
}

static void
summary(struct app *app, const struct mlb_fsck_report *r)
{
	struct out *out = &app->err;

	out_addf(out, "%llu objects and %llu results in ", (unsigned long long)r->objects,
		 (unsigned long long)r->records);
	mlb_add_size(&out->buf, r->bytes);
	out_addf(out, ": %u problem%s, %u note%s", r->problems, r->problems == 1 ? "" : "s",
		 r->notes, r->notes == 1 ? "" : "s");
	if (app->opt.repair)
		out_addf(out, ", %u repaired", r->repaired);
	out_adds(out, "\n");
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct checking c = { .app = app };
	const struct mlb_fsck opt = { .repair = app->opt.repair,
				      .on_finding = take,
				      .on_progress = show,
				      .on_wait = tell_wait,
				      .ctx = &c,
				      .command_line = "mlbuild fsck" };
	struct mlb_fsck_report report;
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	progress_begin(&c.progress, &app->err, "checking", !app->opt.quiet && !app->opt.json);
	signals_begin(app->project, false);
	rc = mlb_fsck(app->project, &opt, &report, err);
	signals_end();
	progress_clear(&c.progress);
	if (rc)
		return rc;
	if (!app->opt.quiet && !app->opt.json)
		summary(app, &report);
	/* No text: the findings have said it. */
	return report.problems > report.repaired ? MLB_EFAILED : 0;
}
