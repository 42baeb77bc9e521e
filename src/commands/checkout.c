#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/checkout.h"
#include "commands/jsonline.h"
#include "commands/progress.h"
#include "commands/signals.h"
#include "commands/text.h"
#include "commands/ui.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "force", "replace also what no cache has, instead of moving it aside" },
	{ "json", NULL },
	{ "link", NULL },
	{ "quiet", "print what is wrong only" },
	{ "rev", NULL },
	{ "verbose", "name each output" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_checkout = {
	.name = "checkout",
	.summary = "put into the workspace what the lock names",
	.usage = "[TARGET...]",
	.about =
		"Put the outputs that mlbuild.lock names (all of them, or those of the targets)\n"
		"into the workspace, from the cache. Nothing is run. What you edited and no cache\n"
		"has is moved to .mlbuild/aside, and files that no target owns are left alone.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

struct view {
	struct ui ui;
	struct progress progress;
	char verb[64];
};

static void
take(void *ctx, const struct mlb_event *e)
{
	struct view *v = ctx;
	struct app *app = v->ui.app;

	if (app->opt.json) {
		ui_json.event(&v->ui, e);
		return;
	}
	if (e->type == MLB_EV_PROGRESS) {
		(void)snprintf(v->verb, sizeof(v->verb), "checking out %" PRIu64 " files,",
			       e->files);
		progress_show(&v->progress, e->bytes, e->total_bytes);
		return;
	}
	if ((e->type == MLB_EV_RESTORED && !app->opt.verbose) ||
	    (app->opt.quiet && e->type != MLB_EV_BLOCKED))
		return;
	progress_clear(&v->progress);
	if (e->type == MLB_EV_RESTORED) {
		lines_mark(&app->err.buf, &v->ui.lines, PAINT_GOOD, "restored");
		text_clean(&app->err.buf, e->text, e->len, 0, app->err.utf8);
		out_adds(&app->err, "\n");
	} else {
		lines_event(&app->err.buf, &v->ui.lines, e);
	}
	out_flush(&app->err);
}

static void
print_json(struct app *app, const struct mlb_checkout_report *r)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "event", "done");
	jsonline_int(&l, "placed", r->placed);
	jsonline_int(&l, "current", r->current);
	jsonline_int(&l, "missing", r->missing);
	jsonline_int(&l, "files", r->files);
	jsonline_int(&l, "bytes", r->bytes);
	jsonline_int(&l, "removed", r->removed);
	jsonline_int(&l, "kept", r->kept);
	jsonline_str(&l, "aside", r->aside);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_end(&l);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
summary(struct app *app, const struct mlb_checkout_report *r)
{
	struct mlb_buf b = MLB_BUF_INIT(1024);

	if (!r->placed && !r->missing && !r->removed && !r->kept) {
		mlb_buf_addf(&b, "everything is in place (%u output%s)", r->current,
			     plural(r->current));
	} else {
		mlb_buf_addf(&b, "checked out %u output%s (%" PRIu64 " file%s, ", r->placed,
			     plural(r->placed), r->files, plural(r->files));
		mlb_add_size(&b, r->bytes);
		mlb_buf_addc(&b, ')');
		if (r->current)
			mlb_buf_addf(&b, ", %u in place", r->current);
		if (r->removed)
			mlb_buf_addf(&b, ", %" PRIu64 " file%s removed", r->removed,
				     plural(r->removed));
	}
	mlb_buf_adds(&b, ", ");
	mlb_add_duration(&b, r->duration);
	out_addf(&app->err, "%s\n", mlb_buf_str(&b));
	mlb_buf_release(&b);
}

/* Did it get as far as doing something? */
static bool
has_report(int code)
{
	return code == 0 || code == MLB_EFAILED;
}

int
checkout_run(struct app *app, struct mlb_err *err)
{
	struct view v = { .ui = { .app = app } };
	struct mlb_checkout_report report;
	struct mlb_checkout c = {
		.word = app->word,
		.n_words = app->n_words,
		.rev = app->opt.rev,
		.link = app->opt.link,
		.force = app->opt.force,
		.command_line = "mlbuild checkout",
		.on_event = take,
		.ctx = &v,
	};
	int rc;

	progress_begin(&v.progress, &app->err, v.verb, !app->opt.quiet && !app->opt.json);
	v.ui.lines = (struct lines){ .color = app->err.color,
				     .utf8 = app->err.utf8,
				     .verbose = app->opt.verbose };
	signals_begin(app->project, true);
	rc = mlb_checkout(app->project, &c, &report, err);
	signals_end();
	progress_clear(&v.progress);
	if (has_report(rc) && app->opt.json)
		print_json(app, &report);
	else if (has_report(rc) && !app->opt.quiet)
		summary(app, &report);
	else if (report.kept && app->opt.quiet)
		out_addf(&app->err, "note: %" PRIu64 " file%s that no cache has moved to '%s'\n",
			 report.kept, report.kept == 1 ? "" : "s", report.aside);
	mlb_checkout_report_release(&report);
	return rc;
}

static int
run(struct app *app, struct mlb_err *err)
{
	int rc = cmd_open(app, err);

	return rc ? rc : checkout_run(app, err);
}
