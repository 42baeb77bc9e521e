#include <string.h>

#include "commands/cmd.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_help = {
	.name = "help",
	.summary = "how commands are used",
	.usage = "[COMMAND]",
	.about = "Print the list of commands, or how one of them is used. 'man mlbuild' and\n"
		 "'man mlbuild-COMMAND' say more.",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.words = WORDS_COMMANDS,
	.max_words = 1,
	.run = run,
};

/* "  -j, --jobs N        text": texts begin in the same column, and end with the 80th. */
enum { TEXT_COLUMN = 26, TEXT_WIDTH = 80 - TEXT_COLUMN };

/* What is too long for a line goes on below; the cursor is in TEXT_COLUMN. */
static void
print_text(struct out *out, const char *text)
{
	while (strlen(text) > TEXT_WIDTH) {
		int n = TEXT_WIDTH;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			break;
		out_addf(out, "%.*s\n%*s", n, text, TEXT_COLUMN, "");
		text += n + 1;
	}
	out_addf(out, "%s\n", text);
}

static void
print_option(struct out *out, const struct cmd_option *o)
{
	const struct opt_def *def = opt_by_name(o->name, strlen(o->name));
	size_t len = 6 + 2 + strlen(def->name) + (def->arg ? 1 + strlen(def->arg) : 0);

	if (def->letter)
		out_addf(out, "  -%c, ", def->letter);
	else
		out_adds(out, "      ");
	out_addf(out, "--%s", def->name);
	if (def->arg)
		out_addf(out, " %s", def->arg);
	if (len + 2 > TEXT_COLUMN) {
		out_adds(out, "\n");
		len = 0;
	}
	out_addf(out, "%*s", (int)(TEXT_COLUMN - len), "");
	print_text(out, o->help ? o->help : def->help);
}

static void
print_options(struct out *out, const char *heading, const struct cmd_option *list)
{
	if (!list->name)
		return;
	out_adds(out, "\n");
	paint_adds(&out->buf, out->color, PAINT_BOLD, heading);
	out_adds(out, "\n");
	for (; list->name; list++)
		print_option(out, list);
}

void
help_print(struct out *out, const struct cmd *cmd)
{
	const char *space = cmd->usage[0] ? " " : "";

	paint_adds(&out->buf, out->color, PAINT_BOLD, "Usage:");
	out_addf(out, " mlbuild %s%s%s%s\n", cmd->name, cmd->option->name ? " [OPTION...]" : "",
		 space, cmd->usage);
	if (cmd == &cmd_build)
		out_adds(out, "       mlbuild [OPTION...] [TARGET...]\n");
	out_addf(out, "\n%s\n", cmd->about);
	print_options(out, "Options:", cmd->option);
	out_adds(out, "\nOptions of every command: -C DIR, --color WHEN, --help, --version.\n");
	if (!cmd->hidden)
		out_addf(out, "More: man mlbuild-%s\n", cmd->name);
}

void
help_overview(struct out *out)
{
	paint_adds(&out->buf, out->color, PAINT_BOLD, "Usage:");
	out_adds(out, " mlbuild [OPTION...] [TARGET...]\n"
		      "       mlbuild COMMAND [OPTION...] [WORD...]\n"
		      "\n"
		      "mlbuild makes the datasets, features and models of a project: only what is\n"
		      "stale, in parallel, and never what has been made before.\n"
		      "\n");
	paint_adds(&out->buf, out->color, PAINT_BOLD, "Commands:");
	out_adds(out, "\n");
	for (const struct cmd *const *c = cmd_table; *c; c++)
		if (!(*c)->hidden)
			out_addf(out, "  %-12s%s\n", (*c)->name, (*c)->summary);
	print_options(out, "Options of every command:", cmd_common_options);
	out_adds(out,
		 "\nA first word that is no command is a target: 'mlbuild model' means\n"
		 "'mlbuild build model'. 'mlbuild help COMMAND' lists the options of a command;\n"
		 "'man mlbuild' says more.\n");
}

int
help_unknown(const char *word, struct mlb_err *err)
{
	const char *near = cmd_nearest(word);

	if (near)
		return mlb_err_set(err, MLB_EINVALID,
				   "there is no command '%s': did you mean '%s'?", word, near);
	return mlb_err_set(err, MLB_EINVALID, "there is no command '%s': see 'mlbuild help'", word);
}

static int
run(struct app *app, struct mlb_err *err)
{
	const struct cmd *cmd;

	if (!app->n_words) {
		help_overview(&app->out);
		return 0;
	}
	cmd = cmd_find(app->word[0]);
	if (cmd) {
		help_print(&app->out, cmd);
		return 0;
	}
	return help_unknown(app->word[0], err);
}
