#include "commands/opt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"

static const char *const colors[] = { "always", "auto", "never", NULL };
static const char *const links[] = { "copy", "hardlink", "reflink", NULL };
static const char *const services[] = { "github", "gitlab", NULL };
static const char *const formats[] = { "dot", "json", "mermaid", "text", NULL };

#define FLAG(name, letter, field, help)                                                            \
	{                                                                                          \
		name, letter, OPT_FLAG, offsetof(struct opts, field), NULL, help, VALUE_ANY, NULL  \
	}
#define VALUE(name, letter, type, field, arg, value, help)                                         \
	{                                                                                          \
		name, letter, type, offsetof(struct opts, field), arg, help, value, NULL           \
	}
#define CHOICE(name, field, arg, choices, help)                                                    \
	{                                                                                          \
		name, 0, OPT_CHOICE, offsetof(struct opts, field), arg, help, VALUE_ANY, choices   \
	}

/* In alphabetical order. `given` in struct opts has a bit for each: at most 64. */
const struct opt_def opt_table[] = {
	FLAG("action", 0, action, "print the canonical action text, whose SHA-256 is the key"),
	FLAG("all", 0, all, "all targets"),
	FLAG("all-pins", 0, all_pins, "also what the locks of all pins name"),
	CHOICE("ci", ci, "SERVICE", services, "write a workflow for github or gitlab"),
	CHOICE("color", color, "WHEN", colors, "colours: auto (on a terminal), always or never"),
	FLAG("command", 0, command, "print the resolved command, to be run by hand"),
	FLAG("csv", 0, csv, "print CSV"),
	FLAG("dead", 0, dead, "outputs that no target makes any more"),
	VALUE("directory", 'C', OPT_TEXT, directory, "DIR", VALUE_DIR, "go to DIR first"),
	FLAG("downstream", 0, downstream, "also everything that reads the named targets"),
	FLAG("dry-run", 'n', dry_run, "say what would be done and why, and do nothing"),
	FLAG("exit-code", 0, exit_code, "exit with 4 if anything is stale"),
	FLAG("failed", 0, failed, "those that failed too; with --remove, all of those"),
	FLAG("force", 'f', force, "run the named targets even if they are up to date"),
	CHOICE("format", format, "FORMAT", formats, "text, dot, mermaid or json"),
	FLAG("help", 'h', help, "say how the command is used"),
	FLAG("hooks", 0, hooks, "have git run 'mlbuild checkout' after 'git switch'"),
	VALUE("into", 0, OPT_TEXT, into, "DIR", VALUE_DIR, "with -p: put the artifacts into DIR"),
	VALUE("jobs", 'j', OPT_NUMBER, jobs, "N", VALUE_ANY,
	      "run at most N commands at once (default: one per processor)"),
	FLAG("json", 0, json, "print one JSON object per line"),
	VALUE("keep-days", 0, OPT_COUNT, keep_days, "N", VALUE_ANY,
	      "keep results that were of use in the last N days (default: 30)"),
	FLAG("keep-going", 'k', keep_going, "go on with what does not depend on a failed target"),
	VALUE("limit", 0, OPT_NUMBER, limit, "N", VALUE_ANY, "show at most N runs (default: 20)"),
	CHOICE("link", link, "HOW", links,
	       "reflink (else copy), copy, or hardlink where it is safe"),
	FLAG("local", 0, local, "into .mlbuild/config.ini, which is not committed"),
	FLAG("locked", 0, locked, "fail with exit code 4 instead of changing mlbuild.lock"),
	FLAG("md", 0, md, "print a table in markdown"),
	VALUE("name", 0, OPT_TEXT, name, "NAME", VALUE_ANY,
	      "name of the target (default: from the path)"),
	FLAG("offline", 0, offline, "ask no remote"),
	FLAG("only", 0, only, "the named targets alone, with their inputs as they are"),
	FLAG("output", 0, output, "print what the command printed"),
	VALUE("param", 'p', OPT_LIST, param, "K=V|@FILE", VALUE_PARAM,
	      "a variant: set a parameter, or those of a file (repeatable)"),
	FLAG("params-only", 0, params_only, "write the parameters; the next build makes the rest"),
	FLAG("quiet", 'q', quiet, "print failures and results only"),
	VALUE("random", 0, OPT_NUMBER, random, "N", VALUE_ANY,
	      "build N of the combinations, drawn by --seed"),
	FLAG("rebuild", 0, rebuild, "run every stage again, without the cache, and compare"),
	FLAG("recursive", 'R', recursive, "all files below directories"),
	VALUE("remote", 'r', OPT_TEXT, remote, "NAME", VALUE_ANY, "that remote alone"),
	FLAG("remove", 0, remove, "forget the experiments named"),
	FLAG("rename", 0, rename, "give the experiment a name; an empty one takes it away"),
	FLAG("repair", 0, repair, "mend what can be mended; what is damaged is set aside"),
	VALUE("rev", 0, OPT_LIST, revs, "REV", VALUE_ANY, "what the mlbuild.lock of a commit names"),
	FLAG("reverse", 0, reverse, "sort the other way round"),
	VALUE("sample", 0, OPT_NUMBER, sample, "N", VALUE_ANY, "read N percent, at random"),
	VALUE("seed", 0, OPT_COUNT, seed, "S", VALUE_ANY,
	      "with --random: what the draw depends on (default: 0)"),
	VALUE("size", 0, OPT_TEXT, size, "SIZE", VALUE_ANY,
	      "keep the cache below SIZE (20G): what was of use last stays"),
	VALUE("sort", 0, OPT_TEXT, sort, "KEY", VALUE_ANY,
	      "metrics.NAME, params.NAME, time, duration or id; best or newest first"),
	VALUE("tolerance", 0, OPT_LIST, tolerance, "NAME=NUMBER", VALUE_ANY,
	      "numbers of that name may differ by NUMBER, or NUMBER% (repeatable)"),
	VALUE("top", 0, OPT_NUMBER, top, "N", VALUE_ANY, "show the first N"),
	VALUE("trace", 0, OPT_TEXT, trace, "FILE", VALUE_FILE, "write Chrome trace events to FILE"),
	FLAG("twice", 0, twice, "build twice and name the stages that are not deterministic"),
	FLAG("verbose", 'v', verbose, "say more"),
	FLAG("version", 0, version, "print the version"),
	FLAG("with-inputs", 0, with_inputs, "also what the targets are made from"),
	FLAG("yes", 'y', yes, "ask nothing: remove also what the cache cannot give back"),
};
const size_t opt_table_len = MLB_ARRAY_LEN(opt_table);

const struct opt_def *
opt_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < opt_table_len; i++)
		if (strncmp(opt_table[i].name, name, len) == 0 && !opt_table[i].name[len])
			return &opt_table[i];
	return NULL;
}

const struct opt_def *
opt_by_letter(char letter)
{
	for (size_t i = 0; letter && i < opt_table_len; i++)
		if (opt_table[i].letter == letter)
			return &opt_table[i];
	return NULL;
}

bool
opt_given(const struct opts *o, const struct opt_def *def)
{
	return o->given >> (def - opt_table) & 1;
}

void
opt_release(struct opts *o)
{
	mlb_vec_release(&o->param);
	mlb_vec_release(&o->revs);
	mlb_vec_release(&o->tolerance);
	mlb_vec_release(&o->word);
}

static int
set_number(unsigned *field, const struct opt_def *def, const char *value, struct mlb_err *err)
{
	uint64_t n;

	unsigned least = def->type == OPT_NUMBER;

	if (!mlb_parse_u64(value, &n) || n < least || n > INT_MAX)
		return mlb_err_set(err, MLB_EINVALID, "'--%s' needs a number from %u up, not '%s'",
				   def->name, least, value);
	*field = (unsigned)n;
	return 0;
}

static int
set_choice(const char **field, const struct opt_def *def, const char *value, struct mlb_err *err)
{
	struct mlb_buf valid = MLB_BUF_INIT(1024);
	int rc;

	for (const char *const *c = def->choice; *c; c++) {
		if (strcmp(*c, value) == 0) {
			*field = *c;
			return 0;
		}
	}
	for (const char *const *c = def->choice; *c; c++)
		mlb_buf_addf(&valid, "%s%s", !valid.len ? "" : c[1] ? ", " : " or ", *c);
	rc = mlb_err_set(err, MLB_EINVALID, "'--%s' does not know '%s': %s", def->name, value,
			 mlb_buf_str(&valid));
	mlb_buf_release(&valid);
	return rc;
}

static int
set(struct opts *o, const struct opt_def *def, const char *value, struct mlb_err *err)
{
	void *field = (char *)o + def->offset;

	o->given |= (uint64_t)1 << (def - opt_table);
	if (def->type == OPT_FLAG) {
		*(bool *)field = true;
		return 0;
	}
	if (!value)
		return mlb_err_set(err, MLB_EINVALID, "'--%s' needs a value: %s", def->name,
				   def->arg);
	switch (def->type) {
	case OPT_FLAG:
		break;
	case OPT_TEXT:
		*(const char **)field = value;
		return 0;
	case OPT_NUMBER:
	case OPT_COUNT:
		return set_number(field, def, value, err);
	case OPT_CHOICE:
		return set_choice(field, def, value, err);
	case OPT_LIST:
		mlb_vec_push((struct opt_list *)field, value);
		return 0;
	}
	return 0;
}

/* What is being read: argv[at], and the arguments behind it for values. */
struct reader {
	int argc;
	char *const *argv;
	int at;
};

/* The value of an option that stands in the next argument. */
static int
next_value(struct reader *r, const char **value, const struct opt_def *def, struct mlb_err *err)
{
	if (r->at + 1 >= r->argc)
		return mlb_err_set(err, MLB_EINVALID, "'%s' needs a value: %s", r->argv[r->at],
				   def->arg);
	*value = r->argv[++r->at];
	return 0;
}

static int
unknown_long(const char *name, size_t len, struct mlb_err *err)
{
	const char *names[64];
	char *word = mlb_strndup(name, len);
	const char *near;
	int rc;

	for (size_t i = 0; i < opt_table_len; i++)
		names[i] = opt_table[i].name;
	near = mlb_nearest(word, names, opt_table_len);
	/* What was begun but not ended is far off by count of letters: --dry. */
	for (size_t i = 0; !near && len > 1 && i < opt_table_len; i++)
		if (strncmp(names[i], word, len) == 0)
			near = names[i];
	if (near)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "there is no option '--%s': did you mean '--%s'?", word, near);
	else
		rc = mlb_err_set(err, MLB_EINVALID, "there is no option '--%s': see 'mlbuild help'",
				 word);
	free(word);
	return rc;
}

static int
read_long(struct opts *o, struct reader *r, struct mlb_err *err)
{
	const char *arg = r->argv[r->at] + 2;
	size_t len = strcspn(arg, "=");
	const struct opt_def *def = opt_by_name(arg, len);
	const char *value = arg[len] ? arg + len + 1 : NULL;

	if (!def)
		return unknown_long(arg, len, err);
	if (def->type == OPT_FLAG && value)
		return mlb_err_set(err, MLB_EINVALID, "'--%s' takes no value", def->name);
	if (def->type != OPT_FLAG && !value) {
		int rc = next_value(r, &value, def, err);

		if (rc)
			return rc;
	}
	return set(o, def, value, err);
}

/* -k, -kn, -j4, -j 4, -knj4 */
static int
read_short(struct opts *o, struct reader *r, struct mlb_err *err)
{
	for (const char *c = r->argv[r->at] + 1; *c; c++) {
		const struct opt_def *def = opt_by_letter(*c);
		const char *value = NULL;
		int rc = 0;

		if (!def)
			return mlb_err_set(err, MLB_EINVALID,
					   "there is no option '-%c' (in '%s'): see 'mlbuild help'",
					   *c, r->argv[r->at]);
		if (def->type != OPT_FLAG) {
			value = c + 1;
			if (!*value)
				rc = next_value(r, &value, def, err);
		}
		if (!rc)
			rc = set(o, def, value, err);
		if (rc || value)
			return rc;
	}
	return 0;
}

int
opt_parse(struct opts *o, int argc, char *const *argv, opt_raw_fn *raw_after, struct mlb_err *err)
{
	struct reader r = { .argc = argc, .argv = argv, .at = 1 };
	bool raw = false, dashes = false;

	memset(o, 0, sizeof(*o));
	o->color = "auto";
	for (; r.at < argc; r.at++) {
		const char *arg = argv[r.at];
		int rc = 0;

		raw = raw || raw_after(&o->word);
		if (raw || dashes || arg[0] != '-' || !arg[1]) {
			mlb_vec_push(&o->word, arg);
			o->plain += !dashes;
		} else if (strcmp(arg, "--") == 0) {
			dashes = true;
		} else {
			rc = arg[1] == '-' ? read_long(o, &r, err) : read_short(o, &r, err);
		}
		if (rc)
			return rc;
	}
	o->rev = o->revs.n ? o->revs.v[o->revs.n - 1] : NULL;
	return 0;
}
