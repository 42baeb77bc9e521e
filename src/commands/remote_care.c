#include "commands/remote_care.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "commands/jsonline.h"
#include "commands/progress.h"
#include "commands/signals.h"
#include "commands/ui.h"

enum { MAX_LINE = 4096, KEEP_DAYS = 30 };

struct view {
	struct ui ui;
	struct progress progress;
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
		progress_show(&v->progress, e->bytes, e->total_bytes);
		return;
	}
	progress_clear(&v->progress);
	lines_event(&app->err.buf, &v->ui.lines, e);
	out_flush(&app->err);
}

static struct mlb_remote_care
begin(struct app *app, struct view *v, const char *verb)
{
	*v = (struct view){ .ui = { .app = app } };
	progress_begin(&v->progress, &app->err, verb, !app->opt.json);
	v->ui.lines = (struct lines){ .color = app->err.color, .utf8 = app->err.utf8 };
	signals_begin(app->project, true);
	return (struct mlb_remote_care){
		.name = app->word[1],
		.keep_days = app->opt.keep_days ? app->opt.keep_days : KEEP_DAYS,
		.dry_run = app->opt.dry_run,
		.percent = app->opt.sample,
		.on_event = take,
		.ctx = v,
	};
}

static void
end(struct view *v)
{
	signals_end();
	progress_clear(&v->progress);
}

static void
add_part(struct mlb_buf *b, const char *what, uint64_t n, uint64_t bytes)
{
	if (!n)
		return;
	mlb_buf_addf(b, "%s%s %" PRIu64 " pack%s (", b->len ? ", " : "", what, n,
		     n == 1 ? "" : "s");
	mlb_add_size(b, bytes);
	mlb_buf_addc(b, ')');
}

int
remote_du(struct app *app, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_LINE);
	struct mlb_remote_usage u;
	struct jsonline l;
	int rc = mlb_remote_usage(app->project, app->word[1], &u, err);

	if (rc == 0 && app->opt.json) {
		jsonline_begin(&l, &app->out);
		jsonline_int(&l, "packs", u.packs);
		jsonline_int(&l, "packs_bytes", u.packs_bytes);
		jsonline_int(&l, "objects", u.objects);
		jsonline_int(&l, "objects_bytes", u.objects_bytes);
		jsonline_int(&l, "records", u.records);
		jsonline_int(&l, "rest_bytes", u.rest_bytes);
		jsonline_int(&l, "condemned_bytes", u.condemned_bytes);
		jsonline_int(&l, "pushes", u.pushes);
		jsonline_int(&l, "clones", u.clones);
		jsonline_end(&l);
	} else if (rc == 0) {
		mlb_add_size(&b, u.packs_bytes + u.rest_bytes);
		mlb_buf_addf(&b, " in %" PRIu64 " pack%s: %" PRIu64 " object%s of ", u.packs,
			     u.packs == 1 ? "" : "s", u.objects, u.objects == 1 ? "" : "s");
		mlb_add_size(&b, u.objects_bytes);
		mlb_buf_addf(&b, ", %" PRIu64 " result%s, for %" PRIu64 " clone%s", u.records,
			     u.records == 1 ? "" : "s", u.clones, u.clones == 1 ? "" : "s");
		if (u.condemned_bytes) {
			mlb_buf_adds(&b, "; ");
			mlb_add_size(&b, u.condemned_bytes);
			mlb_buf_adds(&b, " will go with the next gc");
		}
		out_addf(&app->out, "%s\n", mlb_buf_str(&b));
	}
	mlb_buf_release(&b);
	return rc;
}

int
remote_verify(struct app *app, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_LINE);
	struct mlb_remote_verified r;
	struct mlb_remote_care c;
	struct view v;
	struct jsonline l;
	int rc;

	c = begin(app, &v, "reading");
	rc = mlb_remote_verify(app->project, &c, &r, err);
	end(&v);
	if (rc != 0 && rc != MLB_ECORRUPT)
		return rc;
	if (app->opt.json) {
		jsonline_begin(&l, &app->out);
		jsonline_str(&l, "event", "done");
		jsonline_int(&l, "packs", r.packs);
		jsonline_int(&l, "objects", r.objects);
		jsonline_int(&l, "bytes", r.bytes);
		jsonline_int(&l, "bad_packs", r.bad_packs);
		jsonline_int(&l, "bad_objects", r.bad_objects);
		jsonline_seconds(&l, "seconds", r.duration);
		jsonline_end(&l);
	} else {
		mlb_buf_addf(&b, "read %" PRIu64 " pack%s with %" PRIu64 " object%s (", r.packs,
			     r.packs == 1 ? "" : "s", r.objects, r.objects == 1 ? "" : "s");
		mlb_add_size(&b, r.bytes);
		mlb_buf_adds(&b, "), ");
		if (rc == 0)
			mlb_buf_adds(&b, "all right, ");
		else
			mlb_buf_addf(&b, "%" PRIu64 " pack%s and %" PRIu64 " object%s wrong, ",
				     r.bad_packs, r.bad_packs == 1 ? "" : "s", r.bad_objects,
				     r.bad_objects == 1 ? "" : "s");
		mlb_add_duration(&b, r.duration);
		out_addf(&app->err, "%s\n", mlb_buf_str(&b));
	}
	mlb_buf_release(&b);
	return rc;
}

static void
gc_summary(struct app *app, const struct mlb_remote_collected *r)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_LINE);
	time_t next = (time_t)r->next;
	char when[64] = "";
	struct tm tm;

	add_part(&b, app->opt.dry_run ? "would remove" : "removed", r->removed, r->removed_bytes);
	add_part(&b, app->opt.dry_run ? "would set apart" : "set apart", r->condemned,
		 r->condemned_bytes);
	add_part(&b, "waiting", r->waiting, r->waiting_bytes);
	if (r->rescued)
		mlb_buf_addf(&b, "%s%" PRIu64 " needed again", b.len ? ", " : "", r->rescued);
	if (!b.len)
		mlb_buf_addf(&b, "nothing to remove: all %" PRIu64 " pack%s needed", r->packs,
			     r->packs == 1 ? " is" : "s are");
	mlb_buf_adds(&b, ", ");
	mlb_add_duration(&b, r->duration);
	if (r->next && localtime_r(&next, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm))
		mlb_buf_addf(&b, "; what is set apart goes with a gc after %s", when);
	out_addf(&app->err, "%s\n", mlb_buf_str(&b));
	mlb_buf_release(&b);
}

int
remote_gc(struct app *app, struct mlb_err *err)
{
	struct mlb_remote_collected r;
	struct mlb_remote_care c;
	struct view v;
	struct jsonline l;
	int rc;

	c = begin(app, &v, "collecting");
	rc = mlb_remote_gc(app->project, &c, &r, err);
	end(&v);
	if (rc)
		return rc;
	if (!app->opt.json) {
		gc_summary(app, &r);
		return 0;
	}
	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "event", "done");
	jsonline_int(&l, "packs", r.packs);
	jsonline_int(&l, "bytes", r.bytes);
	jsonline_int(&l, "condemned", r.condemned);
	jsonline_int(&l, "condemned_bytes", r.condemned_bytes);
	jsonline_int(&l, "waiting", r.waiting);
	jsonline_int(&l, "waiting_bytes", r.waiting_bytes);
	jsonline_int(&l, "removed", r.removed);
	jsonline_int(&l, "removed_bytes", r.removed_bytes);
	jsonline_int(&l, "rescued", r.rescued);
	jsonline_seconds(&l, "seconds", r.duration);
	jsonline_end(&l);
	return 0;
}
