/*
 * Options. One table (opt.c) drives parsing, --help, the completions and, through
 * --help, the test of the man pages. A command names the options that it takes.
 *
 * All strings are borrowed: from argv or from the table.
 */
#ifndef COMMANDS_OPT_H
#define COMMANDS_OPT_H

#include "base/vec.h"
#include "mlbuild/err.h"

MLB_VEC_NAMED(opt_list, const char *); /* borrows its strings */

struct opts {
	/* of every command */
	const char *color;
	const char *directory;
	bool help;
	bool version;
	/* of some: see the commands */
	bool action;
	bool all;
	bool all_pins;
	const char *ci;
	bool command;
	bool csv;
	bool dead;
	bool downstream;
	bool dry_run;
	bool exit_code;
	bool failed;
	bool force;
	const char *format;
	bool hooks;
	const char *into;
	unsigned jobs;
	bool json;
	unsigned keep_days;
	bool keep_going;
	unsigned limit;
	const char *link;
	bool local;
	bool locked;
	bool md;
	const char *name;
	bool offline;
	bool only;
	bool output;
	bool params_only;
	struct opt_list param;
	bool quiet;
	bool rebuild;
	unsigned random;
	bool recursive;
	const char *remote;
	bool remove;
	bool rename;
	bool repair;
	const char *rev; /* the last of revs */
	struct opt_list revs;
	bool reverse;
	unsigned sample;
	unsigned seed;
	const char *size;
	struct opt_list tolerance;
	const char *sort;
	unsigned top;
	const char *trace;
	bool twice;
	bool verbose;
	bool with_inputs;
	bool yes;

	uint64_t given;       /* bit per entry of the table */
	struct opt_list word; /* what is no option */
	size_t plain;         /* so many of the words stood before "--" */
};

enum opt_type {
	OPT_FLAG,
	OPT_TEXT,
	OPT_NUMBER /* from 1 up */,
	OPT_COUNT /* from 0 up */,
	OPT_CHOICE,
	OPT_LIST
};

/* What a value is, for completion. */
enum opt_value { VALUE_ANY, VALUE_FILE, VALUE_DIR, VALUE_PARAM };

struct opt_def {
	const char *name; /* without the dashes */
	char letter;      /* 0: none */
	enum opt_type type;
	size_t offset;    /* in struct opts */
	const char *arg;  /* what the value is called; NULL for a flag */
	const char *help; /* one line */
	enum opt_value value;
	const char *const *choice; /* OPT_CHOICE: the valid ones, NULL-terminated */
};

extern const struct opt_def opt_table[];
extern const size_t opt_table_len;

/*
 * Take the words and options of argv[1..]. Options may stand anywhere before
 * "--". raw_after (by the words so far) says whether everything from here on is a
 * word. The caller releases.
 */
typedef bool opt_raw_fn(const struct opt_list *words);
int opt_parse(struct opts *o, int argc, char *const *argv, opt_raw_fn *raw_after,
	      struct mlb_err *err);
void opt_release(struct opts *o);

const struct opt_def *opt_by_name(const char *name, size_t len);
const struct opt_def *opt_by_letter(char letter);
bool opt_given(const struct opts *o, const struct opt_def *def);

#endif
