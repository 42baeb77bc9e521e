/*
 * The program: reads the command line, finds the command, runs it, and turns its
 * result into an exit code. Everything else is in one file per command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "commands/cmd.h"
#include "commands/foreign.h"
#include "commands/text.h"

static bool
raw_after(const struct opt_list *words)
{
	const struct cmd *cmd = words->n ? cmd_find(words->v[0]) : NULL;

	return cmd && cmd->raw_after && words->n >= cmd->raw_after;
}

static void
choose(struct app *app)
{
	const struct opt_list *word = &app->opt.word;

	app->word = word->v;
	app->n_words = word->n;
	app->cmd = app->opt.plain ? cmd_find(word->v[0]) : NULL;
	app->said = app->cmd != NULL;
	if (app->said) {
		app->word++;
		app->n_words--;
	} else {
		app->cmd = &cmd_build;
	}
}

static int
check_usage(struct app *app, struct mlb_err *err)
{
	const struct cmd *cmd = app->cmd;

	for (size_t i = 0; i < opt_table_len; i++)
		if (opt_given(&app->opt, &opt_table[i]) && !cmd_takes(cmd, opt_table[i].name))
			return mlb_err_set(
				err, MLB_EINVALID,
				"'mlbuild %s' does not take '--%s': see 'mlbuild %s --help'",
				cmd->name, opt_table[i].name, cmd->name);
	if (app->opt.verbose && app->opt.quiet)
		return mlb_err_set(err, MLB_EINVALID,
				   "'--verbose' and '--quiet' exclude each other");
	if (app->n_words < cmd->min_words)
		return mlb_err_set(err, MLB_EINVALID, "'mlbuild %s' needs more: mlbuild %s %s",
				   cmd->name, cmd->name, cmd->usage);
	if (app->n_words > cmd->max_words)
		return mlb_err_set(err, MLB_EINVALID, "'%s' is too much: mlbuild %s%s%s",
				   app->word[cmd->max_words], cmd->name, *cmd->usage ? " " : "",
				   cmd->usage);
	return 0;
}

static void
start_output(struct app *app)
{
	out_init(&app->out, STDOUT_FILENO, app->opt.color ? app->opt.color : "auto");
	out_init(&app->err, STDERR_FILENO, app->opt.color ? app->opt.color : "auto");
}

static int
enter(const struct app *app, struct mlb_err *err)
{
	if (app->opt.directory && chdir(app->opt.directory) != 0)
		return mlb_err_set(err, MLB_EINVALID, "cannot enter '%s' (option -C)",
				   app->opt.directory);
	return 0;
}

/* A word that is neither a command nor a target was meant to be a command. */
static int
help(struct app *app, struct mlb_err *err)
{
	int rc;

	if (!app->opt.word.n) {
		help_overview(&app->out);
		return 0;
	}
	if (!app->said) {
		const struct mlb_open open = { 0 };

		rc = enter(app, err);
		if (rc)
			return rc;
		if (mlb_project_open(&app->project, &open, NULL) != 0 ||
		    !mlb_is_target(app->project, app->word[0]))
			return help_unknown(app->word[0], err);
	}
	help_print(&app->out, app->cmd);
	return 0;
}

static int
dispatch(struct app *app, struct mlb_err *err)
{
	int rc = opt_parse(&app->opt, app->argc, app->argv, raw_after, err);

	start_output(app);
	if (rc)
		return rc;
	choose(app);
	if (app->opt.help)
		return help(app, err);
	if (app->opt.version)
		return cmd_version.run(app, err);
	rc = check_usage(app, err);
	if (rc)
		return rc;
	rc = enter(app, err);
	if (rc == 0)
		rc = app->cmd->run(app, err);
	if (rc == MLB_ENOTFOUND && app->cmd == &cmd_build && !app->said && app->n_words)
		foreign_hint(app);
	return rc;
}

int
cmd_open(struct app *app, struct mlb_err *err)
{
	const struct mlb_open open = { .param = app->opt.param.v, .n_params = app->opt.param.n };
	int rc = mlb_project_open(&app->project, &open, err);

	if (rc) {
		if (rc == MLB_ENOTFOUND && err && err->text && !strstr(err->text, "mlbuild init"))
			app->hint = mlb_strdup("'mlbuild init' begins a project in this directory");
		return rc;
	}
	if (app->said && !app->opt.quiet && mlb_is_target(app->project, app->cmd->name))
		out_addf(
			&app->err,
			"note: '%s' is a target too; this is the command ('mlbuild build %s' builds it)\n",
			app->cmd->name, app->cmd->name);
	return 0;
}

static void
say_error(struct app *app, const struct mlb_err *err, int exit_code)
{
	if (!err->text || !*err->text)
		return;
	if (app->opt.json) {
		struct mlb_json j;

		mlb_json_init(&j, &app->out.buf);
		mlb_json_object(&j);
		mlb_json_key(&j, "event");
		mlb_json_str(&j, "error");
		mlb_json_key(&j, "exit");
		mlb_json_int(&j, exit_code);
		mlb_json_key(&j, "text");
		mlb_json_str(&j, err->text);
		mlb_json_end_object(&j);
		out_adds(&app->out, "\n");
	}
	paint_adds(&app->err.buf, app->err.color, PAINT_BAD, "mlbuild:");
	out_adds(&app->err, " ");
	out_clean(&app->err, err->text);
	out_adds(&app->err, "\n");
	if (app->hint) {
		out_adds(&app->err, "         ");
		out_clean(&app->err, app->hint);
		out_adds(&app->err, "\n");
	}
}

static int
finish(struct app *app, int rc, struct mlb_err *err)
{
	int exit_code = app->exit_code ? app->exit_code : mlb_exit_code(rc);

	say_error(app, err, exit_code);
	mlb_err_release(err);
	out_flush(&app->err);
	rc = out_finish(&app->out, "standard output", err);
	if (rc) {
		say_error(app, err, 1);
		mlb_err_release(err);
		out_flush(&app->err);
		if (!exit_code)
			exit_code = mlb_exit_code(rc);
	}
	return exit_code;
}

/* A closed descriptor 0, 1 or 2 would be given to the next file that is opened, and be printed into. */
static void
fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct app app = { .argc = argc, .argv = argv };
	struct mlb_err err = MLB_ERR_INIT;
	int rc, exit_code;

	fill_standard_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* then a limit of size is an error like a full disk */
	rc = dispatch(&app, &err);
	exit_code = finish(&app, rc, &err);
	mlb_project_close(app.project);
	opt_release(&app.opt);
	out_release(&app.out);
	out_release(&app.err);
	free(app.hint);
	return exit_code;
}
