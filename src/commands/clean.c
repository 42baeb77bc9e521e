#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "all", "the outputs of all targets" },
	{ "dead", NULL },
	{ "dry-run", "say what would be removed" },
	{ "quiet", "do not list what is removed" },
	{ "yes", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_clean = {
	.name = "clean",
	.summary = "remove outputs that the cache can give back",
	.usage = "[TARGET...]",
	.about = "Remove the outputs of the targets, of all of them (--all), or what no target\n"
		 "makes any more (--dead). Outputs that the cache cannot give back are removed\n"
		 "only after asking.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

/* What was found, before anything is removed. */
struct found {
	struct app *app;
	struct tabular lost;    /* what the cache cannot give back */
	struct mlb_strvec path; /* of all of it */
	uint32_t n_lost;
	uint64_t size;
	bool remove_lost;
	uint32_t removed;
};

static int
look(void *ctx, const struct mlb_clean_item *i)
{
	struct found *f = ctx;
	struct mlb_buf size = MLB_BUF_INIT(64);

	mlb_strvec_push(&f->path, i->path);
	if (!i->recoverable) {
		f->n_lost++;
		mlb_add_size(&size, i->size);
		tabular_add(&f->lost, PAINT_BOLD, i->path);
		tabular_add(&f->lost, PAINT_PLAIN, mlb_buf_str(&size));
		tabular_add(&f->lost, PAINT_DIM, i->node);
		tabular_end_row(&f->lost);
	}
	mlb_buf_release(&size);
	return 0;
}

static int
take(void *ctx, const struct mlb_clean_item *i)
{
	struct found *f = ctx;
	struct out *out = &f->app->out;

	if (!i->recoverable && !f->remove_lost)
		return 0;
	/* Only what was seen, and asked about, the first time. */
	if (!mlb_strvec_has(&f->path, i->path))
		return 0;
	f->removed++;
	f->size += i->size;
	if (!f->app->opt.quiet) {
		out_adds(out, f->app->opt.dry_run ? "would remove " : "removed ");
		out_clean(out, i->path);
		out_adds(out, "\n");
	}
	return f->app->opt.dry_run ? 0 : 1;
}

static bool
person_says_yes(struct app *app, uint32_t n)
{
	char answer[16];

	out_addf(&app->err, "Remove %s too? [y/N] ", n == 1 ? "it" : "them");
	out_flush(&app->err);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* May what the cache cannot give back be removed? Without a terminal there is nobody to ask. */
static int
ask(struct found *f, struct mlb_err *err)
{
	struct app *app = f->app;

	f->remove_lost = app->opt.yes || app->opt.dry_run;
	if (!f->n_lost || f->remove_lost)
		return 0;
	out_addf(&app->err, "the cache cannot give back %s:\n",
		 f->n_lost == 1 ? "this output" : "these outputs");
	tabular_print(&f->lost, &app->err, "  ");
	if (!isatty(STDIN_FILENO) || !app->err.tty)
		return mlb_err_set(err, MLB_EINVALID,
				   "nothing was removed: '--yes' removes them too");
	f->remove_lost = person_says_yes(app, f->n_lost);
	return 0;
}

static int
check(const struct app *app, struct mlb_err *err)
{
	unsigned ways = (app->n_words != 0) + (unsigned)app->opt.all + (unsigned)app->opt.dead;

	if (ways == 1)
		return 0;
	return mlb_err_set(err, MLB_EINVALID, "%s: name targets, or give '--all' or '--dead'",
			   ways ? "that is too much at once" : "say what is to be removed");
}

static void
summary(const struct found *f)
{
	struct out *out = &f->app->err;

	out_flush(&f->app->out); /* what was removed stands before how much it was */
	if (!f->path.n) {
		out_adds(out, "there is nothing to remove\n");
		return;
	}
	out_addf(out, "%s %u output%s, ", f->app->opt.dry_run ? "would remove" : "removed",
		 f->removed, f->removed == 1 ? "" : "s");
	mlb_add_size(&out->buf, f->size);
	out_adds(out, "\n");
}

static int
run(struct app *app, struct mlb_err *err)
{
	enum mlb_clean_what what = app->opt.all    ? MLB_CLEAN_ALL
				   : app->opt.dead ? MLB_CLEAN_DEAD
						   : MLB_CLEAN_TARGETS;
	struct found f = { .app = app };
	int rc = check(app, err);

	if (!rc)
		rc = cmd_open(app, err);
	if (rc)
		return rc;
	tabular_init(&f.lost, &app->err);
	rc = mlb_clean(app->project, what, app->word, app->n_words, look, &f, err);
	mlb_strvec_sort(&f.path, true);
	if (rc >= 0)
		rc = ask(&f, err);
	if (rc >= 0 && f.path.n)
		rc = mlb_clean(app->project, what, app->word, app->n_words, take, &f, err);
	if (rc >= 0 && !app->opt.quiet)
		summary(&f);
	tabular_release(&f.lost);
	mlb_strvec_release(&f.path);
	return rc < 0 ? rc : 0;
}
