#include "commands/reproduce.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/ui.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "into", "leave the result in DIR, which is absent or empty" },
	{ "jobs", NULL },
	{ "json", NULL },
	{ "quiet", "print only what is not as it was" },
	{ "rebuild", NULL },
	{ "tolerance", NULL },
	{ "twice", NULL },
	{ "verbose", "show commands, all that they print, and digests" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_reproduce = {
	.name = "reproduce",
	.summary = "get back, or make again, what a commit says",
	.usage = "[REV [TARGET...]]",
	.about = "Get back, bit for bit, the artifacts that belong to the commit REV (HEAD\n"
		 "without), or say why that is not possible: from the cache or, with --rebuild,\n"
		 "by running every stage of that commit again. All happens in a private\n"
		 "directory; workspace, index and mlbuild.lock stay as they are.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.folds_files = true,
	.run = run,
};

/* What was made of an `each` target. */
struct folded {
	char *node; /* owned */
	unsigned files;
	uint64_t duration; /* ns, of all commands */
};

struct view {
	struct ui ui;
	struct reproduce_view told;
	MLB_VEC(struct folded) folded;
};

static void
fold(struct view *v, const struct mlb_event *e)
{
	struct folded f = { NULL, e->n_files, e->duration };

	for (size_t i = 0; i < v->folded.n; i++)
		if (strcmp(v->folded.v[i].node, e->node) == 0) {
			v->folded.v[i].files += e->n_files;
			v->folded.v[i].duration += e->duration;
			return;
		}
	f.node = mlb_strdup(e->node);
	mlb_vec_push(&v->folded, f);
}

static void
tell_folded(struct view *v)
{
	struct mlb_buf line = MLB_BUF_INIT(MLB_MIB);

	for (size_t i = 0; i < v->folded.n; i++) {
		struct folded *f = &v->folded.v[i];

		mlb_buf_clear(&line);
		lines_mark(&line, &v->ui.lines, PAINT_GOOD, "built");
		mlb_buf_addf(&line, "%s, %u file%s, ", f->node, f->files, f->files == 1 ? "" : "s");
		lines_duration(&line, f->duration);
		mlb_buf_addc(&line, '\n');
		ui_line(&v->ui, mlb_buf_str(&line));
		free(f->node);
	}
	v->folded.n = 0;
	mlb_buf_release(&line);
}

static void
take_event(void *ctx, const struct mlb_event *e)
{
	struct view *v = ctx;

	if (v->ui.lines.fold && e->type == MLB_EV_BUILT && e->n_files)
		fold(v, e);
	/* The second of two buildings begins with a note. */
	if (e->type == MLB_EV_NOTE)
		tell_folded(v);
	ui_event(&v->ui, e);
}

static void
take_target(void *ctx, const struct mlb_reproduced *r)
{
	struct view *v = ctx;

	reproduce_view_take(&v->told, r);
}

static void
print_json(struct app *app, const struct mlb_reproduce_report *r)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "event", "done");
	jsonline_str(&l, "commit", r->commit);
	jsonline_int(&l, "identical", r->identical);
	jsonline_int(&l, "tolerated", r->tolerated);
	jsonline_int(&l, "expected", r->expected);
	jsonline_int(&l, "different", r->different);
	jsonline_int(&l, "impossible", r->impossible);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_end(&l);
}

static void
count(struct mlb_buf *b, uint32_t n, enum mlb_likeness like)
{
	if (n)
		mlb_buf_addf(b, "%s%u %s", b->len ? ", " : "", n, mlb_likeness_name(like));
}

static void
summary(struct app *app, const struct mlb_reproduce_report *r, int code)
{
	struct mlb_buf b = MLB_BUF_INIT(1024);

	count(&b, r->identical, MLB_LIKE_IDENTICAL);
	count(&b, r->tolerated, MLB_LIKE_TOLERATED);
	count(&b, r->expected, MLB_LIKE_EXPECTED);
	count(&b, r->different, MLB_LIKE_DIFFERENT);
	count(&b, r->impossible, MLB_LIKE_IMPOSSIBLE);
	paint_adds(&app->err.buf, app->err.color, code ? PAINT_BAD : PAINT_GOOD,
		   code             ? "not reproduced"
		   : app->opt.twice ? "deterministic"
				    : "reproduced");
	out_addf(&app->err, " %.12s: %s in ", r->commit, mlb_buf_str(&b));
	lines_duration(&app->err.buf, r->duration);
	out_adds(&app->err, "\n");
	mlb_buf_release(&b);
}

/* The workspace may have no mlbuild.ini any more: what counts is the commit's. */
static int
open_project(struct app *app, struct mlb_err *err)
{
	const struct mlb_open open = { .bare = true };

	return mlb_project_open(&app->project, &open, err);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct view v = { .folded = MLB_VEC_INIT };
	struct mlb_reproduce_report report;
	struct mlb_reproduce o = {
		.rev = app->n_words ? app->word[0] : NULL,
		.word = app->n_words ? app->word + 1 : NULL,
		.n_words = app->n_words ? app->n_words - 1 : 0,
		.rebuild = app->opt.rebuild,
		.twice = app->opt.twice,
		.tolerance = app->opt.tolerance.v,
		.n_tolerances = app->opt.tolerance.n,
		.into = app->opt.into,
		.jobs = app->opt.jobs,
		.on_event = take_event,
		.on_target = take_target,
		.ctx = &v,
	};
	int rc = open_project(app, err);

	if (rc)
		return rc;
	reproduce_view_init(&v.told, &app->out);
	v.told.json = app->opt.json;
	v.told.quiet = app->opt.quiet;
	v.told.verbose = app->opt.verbose;
	ui_begin(&v.ui, app);
	rc = mlb_reproduce(app->project, &o, &report, err);
	tell_folded(&v);
	ui_end(&v.ui);
	out_add(&app->out, mlb_buf_str(&v.told.text), v.told.text.len);
	out_flush(&app->out);
	if ((rc == 0 || rc == MLB_EFAILED) && app->opt.json)
		print_json(app, &report);
	else if ((rc == 0 || rc == MLB_EFAILED) && !app->opt.quiet)
		summary(app, &report, rc);
	/* What is told says more than the library's own words. */
	if (rc == MLB_EFAILED || (rc == MLB_EINTERRUPTED && !app->opt.quiet))
		mlb_err_release(err);
	if (rc == MLB_EINTERRUPTED && !app->opt.json)
		out_adds(&app->err, "interrupted: nothing was left behind\n");
	if (rc == MLB_ENOTFOUND && app->n_words && mlb_is_target(app->project, app->word[0]))
		app->hint = mlb_asprintf("'%s' is a target: 'mlbuild reproduce HEAD %s'",
					 app->word[0], app->word[0]);
	mlb_vec_release(&v.folded);
	ui_release(&v.ui);
	reproduce_view_release(&v.told);
	return rc;
}
