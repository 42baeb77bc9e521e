#include "commands/exchange.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "commands/jsonline.h"
#include "commands/progress.h"
#include "commands/signals.h"
#include "commands/ui.h"

enum { MAX_LINE = 64 * 1024 };

struct view {
	struct ui ui;
	struct progress progress;
	char verb[64];
	const char *doing;
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
		(void)snprintf(v->verb, sizeof(v->verb), "%s %" PRIu64 " object%s,", v->doing,
			       e->files, e->files == 1 ? "" : "s");
		progress_show(&v->progress, e->bytes, e->total_bytes);
		return;
	}
	if (app->opt.quiet && e->type != MLB_EV_BLOCKED)
		return;
	progress_clear(&v->progress);
	lines_event(&app->err.buf, &v->ui.lines, e);
	out_flush(&app->err);
}

static void
print_json(struct app *app, const struct mlb_exchange_report *r)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "event", "done");
	jsonline_str(&l, "remote", r->remote);
	jsonline_int(&l, "objects", r->objects);
	jsonline_int(&l, "bytes", r->bytes);
	jsonline_int(&l, "moved_objects", r->moved_objects);
	jsonline_int(&l, "moved", r->moved);
	jsonline_int(&l, "there", r->there);
	jsonline_int(&l, "saved_parts", r->saved_parts);
	jsonline_int(&l, "saved_zstd", r->saved_zstd);
	jsonline_int(&l, "resumed", r->resumed);
	jsonline_int(&l, "records", r->records);
	jsonline_int(&l, "missing", r->missing);
	jsonline_int(&l, "damaged", r->damaged);
	jsonline_int(&l, "requests", r->requests);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_end(&l);
}

static void
add_saved(struct mlb_buf *b, uint64_t bytes, const char *how)
{
	if (!bytes)
		return;
	mlb_buf_adds(b, ", ");
	mlb_add_size(b, bytes);
	mlb_buf_addf(b, " less by %s", how);
}

/* "pushed 12 objects (3.4 MiB) to team (s3://…), 7 were there, 1.2 MiB less by compression, 0.4s" */
static void
summary(struct app *app, const struct mlb_exchange_report *r, const char *done)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_LINE);
	bool sent = *done == 'p';

	if (!r->moved_objects && !r->missing) {
		mlb_buf_addf(&b, "everything is %s already (%" PRIu64 " object%s)",
			     sent ? "there" : "here", r->objects, r->objects == 1 ? "" : "s");
	} else {
		mlb_buf_addf(&b, "%s%s %" PRIu64 " object%s (",
			     app->opt.dry_run ? "would have " : "", done, r->moved_objects,
			     r->moved_objects == 1 ? "" : "s");
		mlb_add_size(&b, r->moved);
		mlb_buf_addf(&b, ") %s %s", sent ? "to" : "from", r->remote);
		if (r->there)
			mlb_buf_addf(&b, ", %" PRIu64 " %s %s", r->there,
				     r->there == 1 ? "was" : "were", sent ? "there" : "here");
		if (r->resumed)
			mlb_buf_addf(&b, ", %" PRIu64 " sent before an interruption", r->resumed);
		add_saved(&b, r->saved_parts,
			  sent ? "parts that were there" : "parts that were here");
		add_saved(&b, r->saved_zstd, "compression");
		if (r->damaged)
			mlb_buf_addf(&b, ", %" PRIu64 " damaged there", r->damaged);
	}
	mlb_buf_adds(&b, ", ");
	mlb_add_duration(&b, r->duration);
	mlb_buf_addc(&b, '\n');
	out_clean(&app->err, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

int
exchange_run(struct app *app, exchange_fn *fn, const char *verb, const char *done,
	     struct mlb_err *err)
{
	struct view v = { .ui = { .app = app }, .doing = verb };
	struct mlb_exchange_report report = { 0 };
	const struct mlb_exchange x = {
		.word = app->word,
		.n_words = app->n_words,
		.remote = app->opt.remote,
		.rev = app->opt.revs.v,
		.n_revs = app->opt.revs.n,
		.all_pins = app->opt.all_pins,
		.with_inputs = app->opt.with_inputs,
		.dry_run = app->opt.dry_run,
		.on_event = take,
		.ctx = &v,
	};
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	if (app->opt.with_inputs && (!app->n_words || app->opt.revs.n))
		return mlb_err_set(err, MLB_EINVALID,
				   "'--with-inputs' needs the names of targets, and goes by "
				   "mlbuild.ini as it is: not with '--rev'");
	progress_begin(&v.progress, &app->err, v.verb, !app->opt.quiet && !app->opt.json);
	v.ui.lines = (struct lines){ .color = app->err.color,
				     .utf8 = app->err.utf8,
				     .verbose = app->opt.verbose };
	signals_begin(app->project, true);
	rc = fn(app->project, &x, &report, err);
	signals_end();
	progress_clear(&v.progress);
	if (report.remote && (rc == 0 || rc == MLB_EFAILED)) {
		if (app->opt.json)
			print_json(app, &report);
		else if (!app->opt.quiet)
			summary(app, &report, done);
	}
	mlb_exchange_report_release(&report);
	return rc;
}
