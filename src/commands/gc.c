#include <stdlib.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/progress.h"
#include "commands/signals.h"

#define KEEP_DAYS 30

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "dry-run", "list what would go, and remove nothing" },
	{ "json", NULL },
	{ "keep-days", NULL },
	{ "quiet", "do not list what goes" },
	{ "size", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_gc = {
	.name = "gc",
	.summary = "remove from the cache what nothing needs",
	.usage = "",
	.about = "Remove from the cache what nothing needs. What the locks of this work tree, of\n"
		 "branches and tags name stays, and so does what pins, other projects that share\n"
		 "the cache, and results of the last 30 days need; and whatever is not older than\n"
		 "an hour (a day, if the cache is shared).",
	.option = options,
	.project = true,
	.run = run,
};

struct collecting {
	struct app *app;
	struct progress progress;
};

static const char *const kinds[] = {
	[MLB_GC_RESULT] = "result",       [MLB_GC_OBJECT] = "object", [MLB_GC_PACK] = "pack",
	[MLB_GC_TEMPORARY] = "temporary", [MLB_GC_PIN] = "pin",       [MLB_GC_PROJECT] = "project",
};

static void
print_json(struct app *app, const struct mlb_gc_info *i)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "what", kinds[i->what]);
	jsonline_str(&l, "path", i->path);
	jsonline_str(&l, "name", i->name);
	jsonline_int(&l, "bytes", i->bytes);
	if (i->what == MLB_GC_RESULT)
		jsonline_time(&l, "used", i->used);
	jsonline_bool(&l, "rewritten", i->rewritten);
	jsonline_bool(&l, "waits", i->waits);
	jsonline_end(&l);
}

static void
print_text(struct app *app, const struct mlb_gc_info *i)
{
	struct out *out = &app->out;
	const char *verb = i->waits       ? "set aside"
			   : i->rewritten ? (app->opt.dry_run ? "would rewrite" : "rewrote")
					  : (app->opt.dry_run ? "would remove" : "removed");

	out_addf(out, "%s %s ", verb, kinds[i->what]);
	out_clean(out, i->name[0] ? i->name : i->path);
	if (i->what == MLB_GC_RESULT && i->name[0] && i->path[0]) {
		out_adds(out, " (");
		out_clean(out, i->path);
		out_adds(out, ")");
	}
	if (i->bytes) {
		out_adds(out, ", ");
		mlb_add_size(&out->buf, i->bytes);
	}
	out_adds(out, "\n");
}

static int
take(void *ctx, const struct mlb_gc_info *i)
{
	struct collecting *c = ctx;

	if (c->app->opt.quiet)
		return 0;
	progress_clear(&c->progress);
	if (c->app->opt.json)
		print_json(c->app, i);
	else
		print_text(c->app, i);
	return out_closed(&c->app->out);
}

static void
tell_wait(void *ctx, const char *whom)
{
	struct collecting *c = ctx;

	out_adds(&c->app->err, "waiting for another gc (");
	out_clean(&c->app->err, whom);
	out_adds(&c->app->err, ")\n");
	out_flush(&c->app->err);
}

static void
show(void *ctx, uint64_t done, uint64_t total)
{
	struct collecting *c = ctx;

	progress_show(&c->progress, done, total);
}

static void
waiting(struct out *out, const struct mlb_gc_report *r)
{
	out_addf(out, "set aside %llu object%s (", (unsigned long long)r->waiting_objects,
		 r->waiting_objects == 1 ? "" : "s");
	mlb_add_size(&out->buf, r->waiting_bytes);
	out_addf(out, "): %u %s the cache (", r->users,
		 r->users == 1 ? "process uses" : "processes use");
	out_clean(out, r->user ? r->user : "");
	out_addf(out, "); the first gc after %s removes them\n",
		 r->users == 1 ? "it has ended" : "they have ended");
}

static void
summary(struct app *app, const struct mlb_gc_report *r)
{
	struct out *out = &app->err;

	out_addf(out, "%s %llu objects (", app->opt.dry_run ? "would remove" : "removed",
		 (unsigned long long)r->gone_objects);
	mlb_add_size(&out->buf, r->gone_bytes);
	out_addf(out, ") and %llu results; %llu objects (", (unsigned long long)r->results,
		 (unsigned long long)r->kept_objects);
	mlb_add_size(&out->buf, r->kept_bytes);
	out_adds(out, ") are needed");
	if (r->dead_bytes) {
		out_adds(out, ", ");
		mlb_add_size(&out->buf, r->dead_bytes);
		out_adds(out, " beside them in packs are not");
	}
	out_adds(out, "\n");
	if (r->waiting_objects)
		waiting(out, r);
}

static int
read_options(struct mlb_gc *opt, const struct app *app, struct mlb_err *err)
{
	const struct opt_def *days = opt_by_name("keep-days", 9);

	opt->dry_run = app->opt.dry_run;
	opt->keep_days = opt_given(&app->opt, days) ? app->opt.keep_days : KEEP_DAYS;
	if (app->opt.size && (!mlb_parse_size(app->opt.size, &opt->size) || !opt->size))
		return mlb_err_set(err, MLB_EINVALID,
				   "'--size' needs a size such as 500M or 20G, not '%s'",
				   app->opt.size);
	return 0;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct collecting c = { .app = app };
	struct mlb_gc opt = {
		.on_item = take, .on_progress = show, .on_wait = tell_wait, .ctx = &c
	};
	struct mlb_gc_report report = { 0 };
	int rc = read_options(&opt, app, err);

	if (!rc)
		rc = cmd_open(app, err);
	if (rc)
		return rc;
	progress_begin(&c.progress, &app->err, "reading", !app->opt.quiet && !app->opt.json);
	signals_begin(app->project, false);
	rc = mlb_gc(app->project, &opt, &report, err);
	signals_end();
	progress_clear(&c.progress);
	if (!rc && !app->opt.json && (!app->opt.quiet || report.waiting_objects))
		summary(app, &report);
	mlb_gc_report_release(&report);
	return rc;
}
