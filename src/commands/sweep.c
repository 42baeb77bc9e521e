#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "commands/build.h"
#include "commands/cmd.h"
#include "commands/experiment_table.h"
#include "commands/jsonline.h"
#include "commands/live.h"
#include "commands/metrics_lines.h"
#include "commands/text.h"
#include "commands/ui.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "jobs", NULL },
	{ "json", NULL },
	{ "param", "values to try: NAME=1,2,5, NAME=1..5, or @FILE (repeatable)" },
	{ "quiet", NULL },
	{ "random", NULL },
	{ "reverse", NULL },
	{ "seed", NULL },
	{ "sort", "what the table at the end is sorted by: metrics.NAME, params.NAME" },
	{ "top", "show the first N of it (default: 20)" },
	{ "verbose", "show commands and all that they print" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_sweep = {
	.name = "sweep",
	.summary = "build many combinations of parameters",
	.usage = "-p NAME=VALUE,VALUE... [TARGET...]",
	.about =
		"Build the targets for all combinations of the values given, at once as far as\n"
		"the machine goes. What combinations have in common is made once; what failed\n"
		"does not stop the others; and the same command again makes only what is missing.\n"
		"Each becomes an experiment: see 'mlbuild experiments' and 'mlbuild apply'.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

enum { MAX_LINE = 1 << 16, TOP = 20 };

struct show {
	struct app *app;
	struct ui ui;
	struct xtable table;
	uint64_t began;  /* monotonic ns */
	uint32_t cached; /* ended before anything ran */
	bool ran;
	char *metric; /* whose best is told: a column's name; NULL: not known yet */
	double best;
};

/* ---------------------------------------------------------- one combination */

static void
first_metric(void *ctx, const char *node, const char *name, const char *text MLB_UNUSED,
	     double number)
{
	struct show *s = ctx;

	if (!s->metric && !isnan(number))
		s->metric = mlb_asprintf("%s.%s", node, name);
}

/* The metric that is told: --sort's, else the first there is. */
static const struct xcell *
its_metric(struct show *s, const struct xcolumn **column)
{
	const char *key = s->app->opt.sort;
	struct xrow *last = &s->table.row.v[s->table.row.n - 1];
	size_t at;

	if (!s->metric && key && mlb_str_starts(key, "metrics."))
		s->metric = mlb_strdup(key + 8);
	if (!s->metric)
		metrics_each(last->x.metrics, first_metric, s);
	*column = s->metric ? xtable_metric(&s->table, s->metric, &at) : NULL;
	return *column && at < last->n_metrics && last->metric[at].text ? &last->metric[at] : NULL;
}

static void
tell_best(struct show *s, const struct xcolumn *c, double number)
{
	bool less = metric_is_loss(c->metric);
	struct mlb_buf b = MLB_BUF_INIT(MAX_LINE);

	if (isnan(number) || (!isnan(s->best) && (less ? number >= s->best : number <= s->best)))
		return;
	s->best = number;
	mlb_buf_addf(&b, "%s %s %.6g", less ? "lowest" : "highest", c->metric, number);
	ui_fact(&s->ui, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

static void
add_metrics(void *ctx, const char *node MLB_UNUSED, const char *name, const char *text,
	    double number MLB_UNUSED)
{
	mlb_buf_addf(ctx, "  %s %s", name, text);
}

/* "     done  model.C=0.1 seed=3  accuracy 0.97  (3/15)" */
static void
tell_end(struct show *s, const struct mlb_sweep_event *e)
{
	struct mlb_buf line = MLB_BUF_INIT(MAX_LINE), text = MLB_BUF_INIT(MAX_LINE);
	bool done = strcmp(e->experiment->status, "done") == 0;

	mlb_buf_adds(&text, e->label);
	if (done)
		metrics_each(e->experiment->metrics, add_metrics, &text);
	else
		mlb_buf_addf(&text, "  %s", e->experiment->reason);
	mlb_buf_addf(&text, "  (%u/%u)", e->finished, e->total);
	lines_mark(&line, &s->ui.lines, done ? PAINT_GOOD : PAINT_BAD,
		   done                                       ? "done"
		   : strcmp(e->experiment->status, "no") == 0 ? "says no"
							      : "failed");
	text_clean(&line, mlb_buf_str(&text), text.len, 0, s->ui.lines.utf8);
	mlb_buf_addc(&line, '\n');
	ui_line(&s->ui, mlb_buf_str(&line));
	mlb_buf_release(&text);
	mlb_buf_release(&line);
}

/* By what those took that were not at hand. */
static void
tell_left(struct show *s, const struct mlb_sweep_event *e)
{
	uint32_t made = e->finished - s->cached;
	struct mlb_event plan = { .type = MLB_EV_PLAN,
				  .node = "",
				  .kind = "",
				  .file = "",
				  .text = "",
				  .by = "",
				  .total = e->total,
				  .finished = e->finished };

	if (made)
		plan.expected = (live_now() - s->began) / made * (e->total - e->finished);
	if (!s->app->opt.json)
		ui_event(&s->ui, &plan);
}

static void
json_end(struct show *s, const struct mlb_sweep_event *e)
{
	struct jsonline l;

	jsonline_begin(&l, &s->app->out);
	jsonline_str(&l, "event", "combination");
	jsonline_str(&l, "combination", e->label);
	jsonline_str(&l, "id", e->experiment->id);
	jsonline_str(&l, "status", e->experiment->status);
	jsonline_str(&l, "reason", e->experiment->reason);
	jsonline_raw(&l, "metrics", e->experiment->metrics);
	jsonline_int(&l, "finished", e->finished);
	jsonline_int(&l, "total", e->total);
	jsonline_end(&l);
}

static void
ended(struct show *s, const struct mlb_sweep_event *e)
{
	const struct xcolumn *column;
	const struct xcell *cell;

	if (!s->ran)
		s->cached = e->finished;
	xtable_add(&s->table, e->experiment);
	if (s->app->opt.json) {
		json_end(s, e);
		return;
	}
	tell_end(s, e);
	cell = its_metric(s, &column);
	if (cell)
		tell_best(s, column, cell->number);
	tell_left(s, e);
}

/* What happens to a target, with the combination that it is of. */
static void
of_target(struct show *s, const struct mlb_sweep_event *e)
{
	struct mlb_event event = *e->event;
	char *node = NULL;

	if (event.type == MLB_EV_BLOCKED && event.by[0] && !s->app->opt.verbose && !s->app->opt.json)
		return; /* that only follows */
	if (event.type == MLB_EV_START && !s->ran) {
		s->ran = true;
		s->began = live_now();
	}
	event.total = e->total;
	event.finished = e->finished;
	s->ui.label = e->label[0] ? e->label : NULL;
	if (!s->app->opt.json && e->label[0]) {
		node = mlb_asprintf("%s%s[%s]", event.node, event.node[0] ? " " : "", e->label);
		event.node = node;
	}
	ui_event(&s->ui, &event);
	s->ui.label = NULL;
	free(node);
}

static void
on_event(void *ctx, const struct mlb_sweep_event *e)
{
	struct show *s = ctx;

	if (e->type == MLB_SWEEP_TARGET)
		of_target(s, e);
	else if (e->type == MLB_SWEEP_END)
		ended(s, e);
	else
		tell_left(s, e);
}

/* ---------------------------------------------------------- all of them */

static void
json_summary(struct app *app, const struct mlb_sweep_report *r, int code)
{
	struct jsonline l;

	jsonline_begin(&l, &app->out);
	jsonline_str(&l, "event", "done");
	jsonline_int(&l, "exit", (uint64_t)mlb_exit_code(code));
	jsonline_int(&l, "total", r->total);
	jsonline_int(&l, "done", r->done);
	jsonline_int(&l, "failed", r->failed);
	jsonline_int(&l, "checks_no", r->refused);
	jsonline_int(&l, "built", r->built);
	jsonline_int(&l, "restored", r->restored);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_str(&l, "run", r->run ? r->run : "");
	jsonline_end(&l);
}

static void
print_verdict(struct app *app, const struct mlb_sweep_report *r, int code)
{
	struct out *o = &app->err;
	uint32_t left = r->total - r->done - r->failed - r->refused;

	if (code == 0)
		paint_adds(&o->buf, o->color, PAINT_GOOD, "done");
	else
		paint_adds(&o->buf, o->color, code == MLB_EINTERRUPTED ? PAINT_WARN : PAINT_BAD,
			   code == MLB_EINTERRUPTED ? "interrupted" : "incomplete");
	out_addf(o, ": %u of %u combinations", r->done, r->total);
	if (r->failed)
		out_addf(o, ", %u failed", r->failed);
	if (r->refused)
		out_addf(o, ", checks said no to %u", r->refused);
	if (left)
		out_addf(o, ", %u left", left);
	out_addf(o, ", %u command%s run in ", r->built, r->built == 1 ? "" : "s");
	lines_duration(&o->buf, r->duration);
	out_adds(o, "\n");
}

/* What to do with it; the best is in the first row. */
static void
print_next(struct show *s, const struct mlb_sweep_report *r, int code)
{
	struct out *o = &s->app->err;
	const struct xrow *best = s->table.row.n ? &s->table.row.v[0] : NULL;

	if (code == MLB_EINTERRUPTED || r->done + r->failed + r->refused < r->total)
		out_adds(o, "the same command again makes what is missing\n");
	else if (r->failed)
		out_adds(o, "'mlbuild experiments --failed' says why\n");
	if (best && strcmp(best->x.status, "done") == 0)
		out_addf(o, "'mlbuild apply %.8s' makes the first one the workspace\n", best->x.id);
}

static int
summary(struct show *s, const struct mlb_sweep_report *r, int code, struct mlb_err *err)
{
	struct app *app = s->app;
	const char *key = app->opt.sort;
	char *metric = NULL;
	int rc;

	if (app->opt.json) {
		json_summary(app, r, code);
		return 0;
	}
	if (!app->opt.quiet)
		print_verdict(app, r, code);
	out_flush(&app->err);
	if (!key && s->metric)
		key = metric = mlb_asprintf("metrics.%s", s->metric);
	rc = xtable_sort(&s->table, key ? key : "id", app->opt.reverse, err);
	free(metric);
	if (rc)
		return rc;
	if (s->table.row.n > (app->opt.top ? app->opt.top : TOP))
		out_addf(&app->err, "the first %u of %zu:\n", app->opt.top ? app->opt.top : TOP,
			 s->table.row.n);
	out_flush(&app->err);
	xtable_top(&s->table, app->opt.top ? app->opt.top : TOP);
	xtable_print(&s->table, &app->out);
	out_flush(&app->out);
	if (!app->opt.quiet)
		print_next(s, r, code);
	return 0;
}

/* The project itself, without the values. */
static int
open_project(struct app *app, struct mlb_err *err)
{
	struct opt_list param = app->opt.param;
	int rc;

	app->opt.param = (struct opt_list)MLB_VEC_INIT;
	rc = cmd_open(app, err);
	app->opt.param = param;
	return rc;
}

static bool
has_report(int code)
{
	return code == 0 || code == MLB_EFAILED || code == MLB_ECHECK || code == MLB_EINTERRUPTED;
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct show s = { .app = app, .best = (double)NAN };
	struct mlb_buf line = MLB_BUF_INIT(1 << 20);
	struct mlb_sweep_report report;
	struct mlb_sweep sweep = {
		.param = app->opt.param.v,
		.n_params = app->opt.param.n,
		.word = app->word,
		.n_words = app->n_words,
		.jobs = app->opt.jobs,
		.random = app->opt.random,
		.seed = app->opt.seed,
		.on_event = on_event,
		.ctx = &s,
	};
	int rc = open_project(app, err);

	if (rc)
		return rc;
	build_command_line(&line, app);
	sweep.command_line = mlb_buf_str(&line);
	xtable_init(&s.table);
	ui_begin(&s.ui, app);
	rc = mlb_sweep_run(app->project, &sweep, &report, err);
	ui_end(&s.ui);
	if (has_report(rc) && report.total) {
		struct mlb_err late = MLB_ERR_INIT;
		int shown = summary(&s, &report, rc, &late);

		if (report.done + report.failed + report.refused == report.total ||
		    rc == MLB_EINTERRUPTED)
			mlb_err_release(err); /* it has been told */
		if (rc == 0 && shown)
			rc = mlb_err_set(err, shown, "%s", late.text);
		mlb_err_release(&late);
	}
	ui_release(&s.ui);
	xtable_release(&s.table);
	free(s.metric);
	mlb_sweep_report_release(&report);
	mlb_buf_release(&line);
	return rc;
}
