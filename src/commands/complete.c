/*
 * `mlbuild __complete WORD...`: what could stand in the place of the last WORD, one
 * per line, with a tab and a description where there is one. ":files" and ":dirs"
 * leave it to the shell. It never fails and never says anything else.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/cmd.h"
#include "mlbuild/sys/stage.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_complete = {
	.name = "__complete",
	.summary = "",
	.usage = "[WORD...]",
	.about = "For completion scripts.",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.max_words = CMD_ANY,
	.raw_after = 1,
	.hidden = true,
	.run = run,
};

/* What stands before the word that is being typed. */
struct line {
	struct app *app;
	const char *cur;             /* the word */
	const struct cmd *cmd;       /* NULL: not named yet */
	const struct opt_def *value; /* cur is this option's value */
	bool dashes;                 /* "--" stood before */
	size_t n_words;
};

static void
candidate(struct line *l, const char *prefix, const char *word, const char *about)
{
	struct out *out = &l->app->out;
	size_t len = strlen(prefix);

	if (strncmp(l->cur, prefix, MLB_MIN(strlen(l->cur), len)) != 0 ||
	    (strlen(l->cur) > len && !mlb_str_starts(word, l->cur + len)))
		return;
	out_addf(out, "%s%s", prefix, word);
	if (about && *about)
		out_addf(out, "\t%s", about);
	out_adds(out, "\n");
}

/* The option whose value the next word is, if arg leaves it open. */
static const struct opt_def *
open_option(const char *arg)
{
	const struct opt_def *def = NULL;

	if (arg[0] != '-' || !arg[1])
		return NULL;
	if (arg[1] == '-') {
		def = strchr(arg, '=') ? NULL : opt_by_name(arg + 2, strlen(arg + 2));
		return def && def->type != OPT_FLAG ? def : NULL;
	}
	for (const char *c = arg + 1; *c; c++) {
		def = opt_by_letter(*c);
		if (def && def->type != OPT_FLAG)
			return c[1] ? NULL : def;
	}
	return NULL;
}

static void
read_line(struct line *l)
{
	struct app *app = l->app;
	size_t last = app->n_words - 1;

	for (size_t i = 0; i < last; i++) {
		const char *arg = app->word[i];

		if (l->value) {
			if (l->value->letter == 'C' && chdir(arg) != 0)
				return; /* then there is no project to look into */
			l->value = NULL;
		} else if (!l->dashes && strcmp(arg, "--") == 0) {
			l->dashes = true;
		} else if (!l->dashes && arg[0] == '-' && arg[1]) {
			l->value = open_option(arg);
		} else if (l->n_words++ == 0 && !l->dashes) {
			l->cmd = cmd_find(arg);
		}
	}
	l->cur = app->word[last];
}

static int
param(void *ctx, const struct mlb_param_info *i)
{
	struct line *l = ctx;
	char *word = mlb_asprintf("%s=", i->name);

	candidate(l, "", word, i->value);
	free(word);
	return 0;
}

static void
targets(struct line *l)
{
	char *names = NULL;

	if (cmd_open(l->app, NULL) != 0 || mlb_complete(l->app->project, l->cur, &names, NULL) != 0)
		return;
	out_adds(&l->app->out, names);
	if (*names && !mlb_str_ends(names, "\n"))
		out_adds(&l->app->out, "\n");
	mlb_free(names);
}

static int
experiment(void *ctx, const struct mlb_experiment *x)
{
	char *id = mlb_asprintf("%.8s", x->id);
	struct mlb_buf params = MLB_BUF_INIT(1 << 16);

	for (size_t i = 0; i < x->n_params; i++)
		mlb_buf_addf(&params, "%s%s=%s", i ? " " : "", x->param[i].name, x->param[i].value);
	candidate(ctx, "", x->name[0] ? x->name : id, mlb_buf_str(&params));
	mlb_buf_release(&params);
	free(id);
	return 0;
}

static void
experiments(struct line *l)
{
	if (cmd_open(l->app, NULL) == 0)
		(void)mlb_experiments(l->app->project, experiment, l, NULL);
}

/* prefix: "--color=", or "" where the value is a word of its own. */
static void
values(struct line *l, const struct opt_def *def, const char *prefix)
{
	struct out *out = &l->app->out;

	for (const char *const *c = def->choice; c && *c; c++)
		candidate(l, prefix, *c, NULL);
	if (def->value == VALUE_FILE || (def->value == VALUE_PARAM && l->cur[0] == '@'))
		out_adds(out, ":files\n");
	else if (def->value == VALUE_DIR)
		out_adds(out, ":dirs\n");
	else if (def->value == VALUE_PARAM && cmd_open(l->app, NULL) == 0)
		(void)mlb_params(l->app->project, param, l, NULL);
}

static void
options(struct line *l)
{
	const struct cmd *cmd = l->cmd ? l->cmd : &cmd_build;
	const char *equals = strchr(l->cur, '=');

	if (equals && mlb_str_starts(l->cur, "--")) {
		const struct opt_def *def = opt_by_name(l->cur + 2, (size_t)(equals - l->cur) - 2);
		char *prefix = mlb_strndup(l->cur, (size_t)(equals - l->cur) + 1);

		if (def && def->choice)
			values(l, def, prefix);
		free(prefix);
		return;
	}
	for (size_t i = 0; i < opt_table_len; i++) {
		const struct opt_def *def = &opt_table[i];
		char *word;

		if (!cmd_takes(cmd, def->name))
			continue;
		word = mlb_asprintf("--%s", def->name);
		candidate(l, "", word, def->help);
		free(word);
	}
}

static void
commands(struct line *l)
{
	for (const struct cmd *const *c = cmd_table; *c; c++)
		if (!(*c)->hidden)
			candidate(l, "", (*c)->name, (*c)->summary);
}

static void
words(struct line *l)
{
	if (!l->cmd) {
		if (!l->n_words && !l->dashes)
			commands(l);
		targets(l);
		return;
	}
	switch (l->cmd->words) {
	case WORDS_NONE:
		break;
	case WORDS_TARGETS:
		targets(l);
		break;
	case WORDS_FILES:
		out_adds(&l->app->out, ":files\n");
		break;
	case WORDS_DIRS:
		out_adds(&l->app->out, ":dirs\n");
		break;
	case WORDS_COMMANDS:
		commands(l);
		break;
	case WORDS_SHELLS:
		candidate(l, "", "bash", NULL);
		candidate(l, "", "fish", NULL);
		candidate(l, "", "zsh", NULL);
		break;
	case WORDS_EXPERIMENTS:
		experiments(l);
		break;
	case WORDS_STAGES:
		for (const struct mlb_stage *const *s = mlb_stages(); l->n_words == 1 && *s; s++)
			candidate(l, "", (*s)->name, (*s)->summary);
		break;
	}
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct line l = { .app = app };

	(void)err;
	if (!app->n_words)
		return 0;
	app->said = false; /* no notes */
	read_line(&l);
	if (!l.cur)
		return 0;
	if (l.value)
		values(&l, l.value, "");
	else if (!l.dashes && l.cur[0] == '-')
		options(&l);
	else
		words(&l);
	return 0;
}
