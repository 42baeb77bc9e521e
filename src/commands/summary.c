/* The last lines of a build. */
#include <string.h>

#include "base/text.h"
#include "commands/jsonline.h"
#include "commands/text.h"
#include "commands/ui.h"

enum {
	MAX_NAMES = 5, /* of failed targets */
};
#define SECOND UINT64_C(1000000000)

static void
add_clean(struct out *o, const char *text)
{
	text_clean(&o->buf, text, strlen(text), 0, o->utf8);
}

/* "model is up to date (12 targets, 0.01s)" */
static void
up_to_date(struct ui *ui, const struct mlb_report *r)
{
	const struct app *app = ui->app;
	struct out *o = &ui->app->err;
	double seconds = (double)r->duration / 1e9;

	if (app->n_words == 0 && r->current == 0) {
		out_adds(o, CMD_NO_TARGETS);
		return;
	}
	if (app->n_words == 1)
		add_clean(o, app->word[0]);
	else
		out_adds(o, app->n_words ? "all of these" : "everything");
	out_addf(o, " %s up to date (%u target%s, %.*fs)\n", app->n_words > 1 ? "are" : "is",
		 r->current, r->current == 1 ? "" : "s", seconds < 10 ? 2 : 0, seconds);
}

static void
count(struct mlb_buf *b, uint32_t n, const char *what)
{
	if (n)
		mlb_buf_addf(b, "%s%u %s", b->len ? ", " : "", n, what);
}

static void
failed_names(const struct ui *ui, struct mlb_buf *b)
{
	if (!ui->failed.n)
		return;
	mlb_buf_adds(b, " (");
	for (size_t i = 0; i < ui->failed.n && i < MAX_NAMES; i++) {
		mlb_buf_adds(b, i ? ", " : "");
		text_clean(b, ui->failed.v[i], strlen(ui->failed.v[i]), 0, ui->lines.utf8);
	}
	if (ui->failed.n > MAX_NAMES)
		mlb_buf_adds(b, ", ...");
	mlb_buf_addc(b, ')');
}

/* With -k, and where nothing failed, all was made that could be: nothing was stopped. */
static bool
went_on(const struct ui *ui, const struct mlb_report *r)
{
	return ui->app->opt.keep_going || (r->failed == 0 && r->blocked + r->checks_no > 0);
}

static void
verdict(struct ui *ui, const struct mlb_report *r, int code)
{
	struct out *o = &ui->app->err;
	struct mlb_buf b = MLB_BUF_INIT(1 << 16);

	count(&b, r->failed, "failed");
	if (r->checks_no)
		count(&b, r->checks_no, r->checks_no == 1 ? "check says no" : "checks say no");
	failed_names(ui, &b);
	count(&b, r->blocked, "blocked");
	count(&b, r->built, "built");
	count(&b, r->restored, "restored");
	if (r->fetched) {
		mlb_buf_addf(&b, " (%u fetched, ", r->fetched);
		mlb_add_size(&b, r->fetched_bytes);
		mlb_buf_addc(&b, ')');
	}
	count(&b, r->current, "up to date");
	if (code == 0)
		paint_adds(&o->buf, o->color, PAINT_GOOD, "done");
	else if (code == MLB_EINTERRUPTED)
		paint_adds(&o->buf, o->color, PAINT_WARN, "interrupted");
	else
		paint_adds(&o->buf, o->color, PAINT_BAD, went_on(ui, r) ? "incomplete" : "stopped");
	out_addf(o, b.len ? ": %s in " : "%s after ", mlb_buf_str(&b));
	lines_duration(&o->buf, r->duration);
	if (r->saved >= SECOND) {
		out_adds(o, " (");
		lines_duration(&o->buf, r->saved);
		out_adds(o, " saved)");
	}
	out_adds(o, "\n");
	mlb_buf_release(&b);
}

static void
print_artifacts(struct out *out, const char *lines)
{
	if (lines && *lines) {
		out_clean(out, lines);
		if (!mlb_str_ends(lines, "\n"))
			out_adds(out, "\n");
	}
}

/* "a b" as an array of strings. */
static void
json_words(struct jsonline *l, const char *key, const char *words)
{
	mlb_json_key(&l->j, key);
	mlb_json_array(&l->j);
	while (words && *words) {
		size_t len = strcspn(words, " ");

		mlb_json_strn(&l->j, words, len);
		words += len + (words[len] == ' ');
	}
	mlb_json_end_array(&l->j);
}

/* "NODE PATH" lines as an array of objects. Names have no spaces. */
static void
json_artifacts(struct jsonline *l, const char *lines)
{
	mlb_json_key(&l->j, "artifacts");
	mlb_json_array(&l->j);
	while (lines && *lines) {
		size_t len = strcspn(lines, "\n"), name = strcspn(lines, " \n");

		mlb_json_object(&l->j);
		mlb_json_key(&l->j, "target");
		mlb_json_strn(&l->j, lines, name);
		mlb_json_key(&l->j, "path");
		mlb_json_strn(&l->j, lines + name + (name < len), len - name - (name < len));
		mlb_json_end_object(&l->j);
		lines += len + (lines[len] == '\n');
	}
	mlb_json_end_array(&l->j);
}

static void
json_summary(struct out *out, const struct mlb_report *r, int code)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "event", "done");
	jsonline_int(&l, "exit", (uint64_t)mlb_exit_code(code));
	jsonline_int(&l, "built", r->built);
	jsonline_int(&l, "restored", r->restored);
	jsonline_int(&l, "fetched", r->fetched);
	jsonline_int(&l, "fetched_bytes", r->fetched_bytes);
	jsonline_int(&l, "current", r->current);
	jsonline_int(&l, "failed", r->failed);
	jsonline_int(&l, "blocked", r->blocked);
	jsonline_int(&l, "checks_no", r->checks_no);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_seconds(&l, "saved", r->saved);
	jsonline_raw(&l, "metrics", r->metrics);
	json_words(&l, "changed", r->changed);
	json_artifacts(&l, r->artifacts);
	jsonline_str(&l, "run", r->run ? r->run : "");
	if (r->experiment)
		jsonline_str(&l, "experiment", r->experiment);
	jsonline_end(&l);
}

/* Outside of git it is told what was written; in it, what there is to commit. */
static void
print_changed(struct out *o, const struct mlb_report *r)
{
	const char *names = r->to_commit ? r->to_commit : r->changed;

	if (!names || !*names)
		return;
	out_adds(o, "changed: ");
	add_clean(o, names);
	if (r->to_commit)
		out_addf(o, ": commit %s", strchr(names, ' ') ? "them" : "it");
	out_adds(o, "\n");
}

void
ui_summary(struct ui *ui, const struct mlb_report *r, int code)
{
	struct app *app = ui->app;
	bool idle = r->built + r->restored == 0;

	if (app->opt.json) {
		json_summary(&app->out, r, code);
		return;
	}
	if (!app->opt.quiet && code == 0 && idle)
		up_to_date(ui, r);
	else if (!app->opt.quiet)
		verdict(ui, r, code);
	if (!app->opt.quiet)
		print_changed(&app->err, r);
	out_flush(&app->err);
	/* What could be made in spite of a failure (-k) is as good as in any other build. */
	if (!idle || (r->artifacts && *r->artifacts)) {
		metrics_print(&app->out, r->metrics);
		print_artifacts(&app->out, r->artifacts);
	}
	if (r->experiment && !app->opt.quiet) {
		out_flush(&app->out);
		out_addf(&app->err,
			 "kept as experiment %.8s: 'mlbuild experiments' compares, "
			 "'mlbuild apply %.8s' takes it over\n",
			 r->experiment, r->experiment);
	}
}
