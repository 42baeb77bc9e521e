#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "commands/history.h"
#include "commands/jsonline.h"
#include "commands/lineage.h"
#include "commands/lines.h"
#include "commands/tabular.h"
#include "commands/ui.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "action", NULL }, { "command", NULL },
	{ "json", NULL },   { "output", NULL },
	{ "param", NULL },  { "rev", "the target as the mlbuild.lock of a revision has it" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_show = {
	.name = "show",
	.summary = "what is known of an artifact, a run or a file",
	.usage = "TARGET|RUN|DIGEST|FILE",
	.about = "Print what is known of the present result of TARGET: where it is from (commit,\n"
		 "run, machine), outputs and their digests, metrics, command, and what it was\n"
		 "made from, down to the sources. Of a RUN what it did; of a digest, or a FILE\n"
		 "found anywhere, which commits and which run it came from.",
	.option = options,
	.words = WORDS_TARGETS,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

/* Verbatim for programs, harmless for terminals. */
static void
text(struct out *out, const char *what, bool end_line)
{
	what = what ? what : "";
	if (out->tty)
		out_clean(out, what);
	else
		out_adds(out, what);
	if (end_line && *what && !mlb_str_ends(what, "\n"))
		out_adds(out, "\n");
}

static void
print_json(struct out *out, const struct mlb_artifact *a)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "what", "artifact");
	jsonline_str(&l, "target", a->node);
	jsonline_str(&l, "kind", a->kind);
	jsonline_bool(&l, "known", a->known);
	jsonline_str(&l, "key", a->key);
	jsonline_str(&l, "command", a->command);
	jsonline_str(&l, "dir", a->dir);
	jsonline_str(&l, "action", a->action);
	jsonline_str(&l, "rev", a->rev);
	jsonline_str(&l, "blocked", a->blocked);
	if (a->known) {
		if (*a->verdict)
			jsonline_str(&l, "verdict", a->verdict);
		jsonline_str(&l, "locked_by", a->locked_by);
		jsonline_str(&l, "commit", a->commit);
		jsonline_str(&l, "run", a->run);
		jsonline_str(&l, "platform", a->platform);
		if (a->started)
			jsonline_time(&l, "started", a->started);
		else
			jsonline_raw(&l, "started", "");
		jsonline_seconds(&l, "seconds", a->duration);
		jsonline_int(&l, "max_rss", a->max_rss);
		jsonline_raw(&l, "metrics", a->metrics);
		jsonline_str(&l, "log", a->log);
		mlb_json_key(&l.j, "outputs");
		mlb_json_array(&l.j);
		for (size_t i = 0; i < a->n_outputs; i++) {
			mlb_json_object(&l.j);
			jsonline_str(&l, "path", a->output[i].path);
			jsonline_str(&l, "kind", a->output[i].kind);
			jsonline_str(&l, "digest", a->output[i].digest);
			jsonline_int(&l, "size", a->output[i].size);
			mlb_json_end_object(&l.j);
		}
		mlb_json_end_array(&l.j);
		named_values_json(&l, "params", a->n_lineage ? a->lineage[0].param : NULL,
				  a->n_lineage ? a->lineage[0].n_params : 0);
		lineage_json(&l, "lineage", a->lineage, a->n_lineage);
	}
	jsonline_str(&l, "failed_log", a->failed_log);
	jsonline_end(&l);
}

static void
fact(struct tabular *t, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	tabular_add(t, PAINT_DIM, name);
	tabular_add(t, PAINT_PLAIN, value);
	tabular_end_row(t);
}

static void
origin(struct tabular *t, const struct mlb_artifact *a)
{
	struct mlb_buf b = MLB_BUF_INIT(1024);
	time_t started = (time_t)(a->started / 1000000000);
	char when[64];
	struct tm tm;

	if (a->started && localtime_r(&started, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm)) {
		mlb_buf_addf(&b, "%s, took ", when);
		lines_duration(&b, a->duration);
		if (a->max_rss) {
			mlb_buf_adds(&b, ", ");
			mlb_add_size(&b, a->max_rss);
			mlb_buf_adds(&b, " of memory");
		}
		fact(t, *a->verdict ? "checked" : "built", mlb_buf_str(&b));
	}
	fact(t, "locked by", a->locked_by);
	fact(t, "built from", a->commit);
	fact(t, "run", a->run);
	fact(t, "platform", a->platform);
	mlb_buf_release(&b);
}

static void
outputs(struct tabular *t, const struct mlb_artifact *a)
{
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct mlb_artifact_output *o = &a->output[i];
		struct mlb_buf size = MLB_BUF_INIT(64);

		mlb_add_size(&size, o->size);
		tabular_add(t, PAINT_DIM, i ? "" : a->n_outputs == 1 ? "output" : "outputs");
		tabular_addf(t, PAINT_PLAIN, "%s  %s  %.12s", o->path, mlb_buf_str(&size),
			     o->digest);
		tabular_end_row(t);
		mlb_buf_release(&size);
	}
}

static void
command_lines(struct out *out, const char *command)
{
	if (!*command)
		return;
	paint_adds(&out->buf, out->color, PAINT_DIM, "  command\n");
	while (*command) {
		size_t len = strcspn(command, "\n");
		char *line = mlb_strndup(command, len);

		out_adds(out, "    ");
		out_clean(out, line);
		out_adds(out, "\n");
		free(line);
		command += len + (command[len] == '\n');
	}
}

/* "params  C 0.5  seed 8" */
static void
params(struct out *out, const struct mlb_lineage *l)
{
	struct tabular t;

	tabular_init(&t, out);
	for (size_t i = 0; i < l->n_params; i++) {
		tabular_add(&t, PAINT_DIM, i ? "" : "params    ");
		tabular_addf(&t, PAINT_PLAIN, "%s %s", l->param[i].name, l->param[i].value);
		tabular_end_row(&t);
	}
	tabular_print(&t, out, "  ");
	tabular_release(&t);
}

static void
print_text(struct out *out, const struct mlb_artifact *a)
{
	struct tabular t;

	paint_adds(&out->buf, out->color, PAINT_BOLD, a->node);
	out_addf(out, "%s%s%s\n", *a->kind ? "  " : "", a->kind,
		 a->known ? "" : ": no result for what it would be made from now");
	if (a->blocked && *a->blocked) {
		out_adds(out, "  blocked: ");
		out_clean(out, a->blocked);
		out_adds(out, "\n");
	}
	tabular_init(&t, out);
	if (a->known) {
		fact(&t, "says", a->verdict);
		origin(&t, a);
		outputs(&t, a);
	}
	fact(&t, "key", a->key);
	fact(&t, "dir", strcmp(a->dir, ".") == 0 ? "" : a->dir);
	tabular_print(&t, out, "  ");
	tabular_release(&t);
	if (a->known)
		metrics_print_one(out, "  ", "metrics   ", a->metrics);
	if (a->n_lineage && a->lineage[0].n_params)
		params(out, &a->lineage[0]);
	command_lines(out, a->command);
	lineage_print(out, a->lineage, a->n_lineage);
	if (a->failed_log && *a->failed_log)
		out_adds(out,
			 "  the last try failed: 'mlbuild show --output' prints what it said\n");
}

static int
take(void *ctx, const struct mlb_artifact *a)
{
	struct app *app = ctx;
	struct out *out = &app->out;

	if (app->opt.json)
		print_json(out, a);
	else if (app->opt.action)
		text(out, a->action, false); /* its SHA-256 is the key */
	else if (app->opt.command)
		text(out, a->by_hand, true);
	else if (app->opt.output)
		text(out, a->failed_log && *a->failed_log ? a->failed_log : a->log, true);
	else
		print_text(out, a);
	return out_closed(out);
}

static int
take_digest(void *ctx, const struct mlb_digest_info *d)
{
	struct app *app = ctx;

	if (app->opt.json)
		digest_json(&app->out, d);
	else if (!app->opt.action && !app->opt.command && !app->opt.output)
		digest_print(&app->out, d);
	return out_closed(&app->out);
}

static int
take_run(void *ctx, const struct mlb_log_entry *e)
{
	struct app *app = ctx;

	if (app->opt.json)
		history_json(&app->out, e);
	else
		history_print(&app->out, e, true);
	return out_closed(&app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct mlb_show s = {
		.word = app->word[0],
		.rev = app->opt.rev,
		.on_artifact = take,
		.on_digest = take_digest,
		.on_run = take_run,
		.ctx = app,
	};
	int rc;

	if (app->opt.action + app->opt.command + app->opt.json + app->opt.output > 1)
		return mlb_err_set(
			err, MLB_EINVALID,
			"'--action', '--command', '--json' and '--output' exclude each other");
	rc = cmd_open(app, err);
	if (!rc)
		rc = mlb_show_history(app->project, &s, err);
	return rc < 0 ? rc : 0;
}
