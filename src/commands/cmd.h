/*
 * A command is one file with one const entry at its top, listed in table.c; see
 * README.md for how to add one.
 */
#ifndef COMMANDS_CMD_H
#define COMMANDS_CMD_H

#include "commands/opt.h"
#include "commands/out.h"
#include "mlbuild.h"

/* What one start of the program has. */
struct app {
	const struct cmd *cmd;
	struct opts opt;
	const char *const *word; /* behind the command; borrowed */
	size_t n_words;
	bool said;                   /* the command was named, not meant by default */
	struct out out;              /* results */
	struct out err;              /* everything else */
	struct mlb_project *project; /* after cmd_open; owned */
	char *hint;                  /* a line to print after the error, or NULL; owned */
	int exit_code;               /* not 0: the exit code, whatever else happened */
	int argc;
	char *const *argv;
};

/* One option that a command takes. */
struct cmd_option {
	const char *name;
	const char *help; /* what it means here; NULL: what the table says */
};
#define CMD_OPTIONS_END                                                                            \
	{                                                                                          \
		NULL, NULL                                                                         \
	}

/* What its words are, for completion. */
enum cmd_words {
	WORDS_NONE,
	WORDS_TARGETS,
	WORDS_FILES,
	WORDS_DIRS,
	WORDS_COMMANDS,
	WORDS_SHELLS,
	WORDS_STAGES,
	WORDS_EXPERIMENTS
};

struct cmd {
	const char *name;
	const char *summary;             /* a few words, for the list of commands */
	const char *usage;               /* its words: "[TARGET...]" */
	const char *about;               /* for --help: lines of at most 79 columns */
	const struct cmd_option *option; /* sorted; ends with CMD_OPTIONS_END */
	enum cmd_words words;
	size_t min_words, max_words; /* CMD_ANY: no limit */
	bool project;                /* it works on a project */
	size_t raw_after; /* after so many words (its name is the first) options end; 0: never */
	bool hidden;
	bool folds_files; /* it tells itself what was made of an `each` target's files */
	int (*run)(struct app *app,
		   struct mlb_err *err); /* 0 or a code; an error without text prints nothing */
};
#define CMD_ANY SIZE_MAX

/* All of them, sorted by name, NULL-terminated. */
extern const struct cmd *const cmd_table[];
const struct cmd *cmd_find(const char *name);
const char *cmd_nearest(const char *word); /* name of the nearest command or NULL */

/* Open the project that the current directory belongs to, with the options' parameters. */
int cmd_open(struct app *app, struct mlb_err *err);

/* Help, generated from the tables. */
void help_print(struct out *out, const struct cmd *cmd);
void help_overview(struct out *out);
int help_unknown(const char *word, struct mlb_err *err); /* it is no command */
/* The options that every command takes. */
extern const struct cmd_option cmd_common_options[];
bool cmd_takes(const struct cmd *cmd, const char *option);

extern const struct cmd cmd_add, cmd_adopt, cmd_apply, cmd_build, cmd_cat, cmd_checkout, cmd_clean,
	cmd_complete, cmd_completion, cmd_diff, cmd_doctor, cmd_du, cmd_experiments, cmd_fetch,
	cmd_fsck, cmd_gc, cmd_graph, cmd_help, cmd_init, cmd_key, cmd_log, cmd_ls, cmd_metrics,
	cmd_params, cmd_pins, cmd_pull, cmd_push, cmd_remote, cmd_reproduce, cmd_show, cmd_stage,
	cmd_status, cmd_sweep, cmd_update, cmd_version, cmd_why;

/* Said instead of "everything is up to date" where that is empty talk. */
#define CMD_NO_TARGETS                                                                             \
	"nothing to build: mlbuild.ini has no targets yet, or only tasks, which run when named\n"

#endif
