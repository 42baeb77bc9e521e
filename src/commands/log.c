#include <string.h>
#include <time.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/lines.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "limit", NULL },
	{ "verbose", "also what each run did" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_log = {
	.name = "log",
	.summary = "the runs, newest first",
	.usage = "[TARGET]",
	.about = "List the runs that built something, newest first; with TARGET those that built\n"
		 "or restored it.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = 1,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	struct tabular table;
	uint32_t n;
};

static void
print_json(struct out *out, const struct mlb_run_info *r)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "run", r->id);
	jsonline_time(&l, "started", r->started);
	jsonline_seconds(&l, "seconds", r->duration);
	jsonline_str(&l, "command_line", r->words);
	jsonline_str(&l, "commit", r->commit);
	mlb_json_key(&l.j, "exit");
	if (r->status < 0)
		mlb_json_null(&l.j);
	else
		mlb_json_int(&l.j, r->status);
	jsonline_int(&l, "built", r->built);
	jsonline_int(&l, "restored", r->restored);
	jsonline_int(&l, "failed", r->failed);
	jsonline_str(&l, "actions", r->actions);
	jsonline_end(&l);
}

static void
add_outcome(struct tabular *t, int status)
{
	switch (status) {
	case -1:
		tabular_add(t, PAINT_WARN, "cut short");
		break;
	case 0:
		tabular_add(t, PAINT_GOOD, "ok");
		break;
	case 3:
		tabular_add(t, PAINT_BAD, "check: no");
		break;
	case 130:
		tabular_add(t, PAINT_WARN, "interrupted");
		break;
	default:
		tabular_add(t, PAINT_BAD, "failed");
		break;
	}
}

static void
add_actions(struct tabular *t, const char *actions)
{
	while (actions && *actions) {
		size_t len = strcspn(actions, "\n");

		tabular_addf(t, PAINT_DIM, "  %.*s", (int)len, actions);
		tabular_end_row(t);
		actions += len + (actions[len] == '\n');
	}
}

static int
take(void *ctx, const struct mlb_run_info *r)
{
	struct list *l = ctx;
	struct tabular *t = &l->table;
	struct mlb_buf took = MLB_BUF_INIT(64);
	time_t started = (time_t)(r->started / 1000000000);
	char when[64] = "";
	struct tm tm;

	l->n++;
	if (l->app->opt.json) {
		print_json(&l->app->out, r);
		return out_closed(&l->app->out);
	}
	if (localtime_r(&started, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	lines_duration(&took, r->duration);
	tabular_add(t, PAINT_BOLD, r->id);
	tabular_add(t, PAINT_PLAIN, when);
	tabular_add(t, PAINT_PLAIN, mlb_buf_str(&took));
	add_outcome(t, r->status);
	tabular_addf(t, PAINT_PLAIN, "%u built", r->built);
	tabular_addf(t, PAINT_PLAIN, "%u restored", r->restored);
	tabular_addf(t, PAINT_DIM, "%.8s", r->commit);
	tabular_add(t, PAINT_PLAIN, r->words);
	tabular_end_row(t);
	if (l->app->opt.verbose) {
		tabular_print(t, &l->app->out, "");
		tabular_release(t);
		tabular_init(t, &l->app->out);
		add_actions(t, r->actions);
		tabular_print(t, &l->app->out, "");
		tabular_release(t);
		tabular_init(t, &l->app->out);
	}
	mlb_buf_release(&took);
	return out_closed(&l->app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct list list = { .app = app };
	unsigned limit = app->opt.limit ? app->opt.limit : 20;
	int rc = cmd_open(app, err);

	if (rc)
		return rc;
	tabular_init(&list.table, &app->out);
	rc = mlb_runs(app->project, app->n_words ? app->word[0] : NULL, limit, take, &list, err);
	tabular_print(&list.table, &app->out, "");
	tabular_release(&list.table);
	if (rc >= 0 && !list.n && !app->opt.json)
		out_adds(&app->err, "no runs yet\n");
	return rc < 0 ? rc : 0;
}
