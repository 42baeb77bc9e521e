/*
 * A project in a scratch directory, driven through the public header. Each call
 * opens the project anew, as one invocation of the program does. What the last
 * build told is kept in `last`.
 */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include <stdarg.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "mlbuild.h"
#include "os/fs.h"
#include "unit.h"

struct told {
	enum mlb_event_type type;
	char *node, *text, *reason; /* reason: of the failure, "" without */
	char *log;                  /* tail of the failure's log */
	uint32_t total, finished;
	uint64_t duration, expected;
};

struct outcome {
	int rc;
	struct mlb_err err;
	struct mlb_report report;
	MLB_VEC(struct told) told;
	struct mlb_project *cancel_on_start; /* cancelled at the first START */
	char text[8192];                     /* what names() returned last */
};

static struct outcome last;

static inline void
forget(void)
{
	for (size_t i = 0; i < last.told.n; i++) {
		free(last.told.v[i].node);
		free(last.told.v[i].text);
		free(last.told.v[i].reason);
		free(last.told.v[i].log);
	}
	mlb_vec_release(&last.told);
	mlb_report_release(&last.report);
	mlb_err_release(&last.err);
	memset(&last, 0, sizeof(last));
}

static inline void
hear(void *ctx, const struct mlb_event *e)
{
	struct told t = { .type = e->type, .total = e->total, .finished = e->finished, .duration = e->duration };

	(void)ctx;
	t.expected = e->expected;
	t.node = mlb_strdup(e->node);
	t.text = mlb_strndup(e->text, e->len);
	t.reason = mlb_strdup(e->failure ? e->failure->reason : "");
	t.log = mlb_strdup(e->failure && e->failure->log_tail ? e->failure->log_tail : "");
	mlb_vec_push(&last.told, t);
	if (e->type == MLB_EV_START && last.cancel_on_start) {
		mlb_cancel(last.cancel_on_start);
		last.cancel_on_start = NULL;
	}
}

/* ---------------------------------------------------------- the project */

/* Not in a repository, with a home of its own and no jobserver. */
static inline int
engine_setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	setenv("HOME", *state, 1);
	setenv("GIT_CEILING_DIRECTORIES", *state, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("MAKEFLAGS");
	if (mkdir("p", 0777) || chdir("p"))
		return -1;
	return 0;
}

static inline int
engine_teardown(void **state)
{
	forget();
	return scratch_teardown(state);
}

#define engine_test(f) cmocka_unit_test_setup_teardown(f, engine_setup, engine_teardown)

static inline struct mlb_project *
open_project(void)
{
	struct mlb_open open = { .dir = "." };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;

	assert_ok(mlb_project_open(&p, &open, &err));
	return p;
}

/* What a shell command prints; it must succeed. The caller frees. */
static inline char *
run_shell(const char *command)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	char part[4096];
	size_t n;
	int rc;
	FILE *f = (popen)(command, "r");

	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		mlb_buf_add(&out, part, n);
	rc = pclose(f);
	if (rc)
		print_error("%s: %d\n", command, rc);
	assert_int_equal(rc, 0);
	return mlb_buf_detach(&out);
}

static inline void
sh(const char *command)
{
	free(run_shell(command));
}

/* A whole file; the caller frees. */
static inline char *
file_text(const char *path)
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_fs_read(&text, path, &err));
	return mlb_buf_detach(&text);
}

/* How often these words stand in a text. */
static inline unsigned
count_in(const char *text, const char *words)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, words)); at += strlen(words))
		n++;
	return n;
}

static inline void
expect_contains(const char *text, const char *words)
{
	if (!strstr(text, words))
		print_error("no '%s' in: %s\n", words, text);
	assert_non_null(strstr(text, words));
}

/* ---------------------------------------------------------- building */

#define MAX_WORDS 16

/* Words separated by blanks; `copy` holds them. */
static inline size_t
split_words(const char *words, char copy[512], const char *word[MAX_WORDS])
{
	size_t n = 0;
	char *save = NULL;

	snprintf(copy, 512, "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w && n < MAX_WORDS; w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	return n;
}

/* With an open project; options but words and events from b. */
static inline int
build_in(struct mlb_project *p, const char *words, struct mlb_build b)
{
	const char *word[MAX_WORDS];
	struct mlb_project *cancel = last.cancel_on_start;
	char copy[512];

	forget();
	last.cancel_on_start = cancel;
	b.word = word;
	b.n_words = split_words(words, copy, word);
	b.on_event = hear;
	last.rc = mlb_build(p, &b, &last.report, &last.err);
	return last.rc;
}

static inline int
build_with(const char *words, struct mlb_build b)
{
	struct mlb_project *p = open_project();
	int rc = build_in(p, words, b);

	mlb_project_close(p);
	return rc;
}

#define build_opt(words, ...) build_with(words, (struct mlb_build){ .jobs = 1, __VA_ARGS__ })

static inline int
build(const char *words)
{
	return build_opt(words, .keep_going = false);
}

/* Expects success and shows the message otherwise. */
static inline void
build_ok(const char *words)
{
	if (build(words))
		print_error("build %s: %d %s\n", words, last.rc, last.err.text ? last.err.text : "");
	for (size_t i = 0; i < last.told.n && last.rc; i++)
		print_error("%d %s %s\n", last.told.v[i].type, last.told.v[i].node, last.told.v[i].text);
	assert_int_equal(last.rc, 0);
}

/* Nodes of the events of one type, in order, separated by blanks. */
static inline const char *
names(enum mlb_event_type type)
{
	size_t len = 0;

	last.text[0] = '\0';
	for (size_t i = 0; i < last.told.n; i++)
		if (last.told.v[i].type == type)
			len += (size_t)snprintf(last.text + len, sizeof(last.text) - len, "%s%s", len ? " " : "",
						last.told.v[i].node);
	return last.text;
}

static inline unsigned
count(enum mlb_event_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < last.told.n; i++)
		n += last.told.v[i].type == type;
	return n;
}

/* The first event of a type about a node; it must be there. */
static inline const struct told *
event(enum mlb_event_type type, const char *node)
{
	for (size_t i = 0; i < last.told.n; i++)
		if (last.told.v[i].type == type && strcmp(last.told.v[i].node, node) == 0)
			return &last.told.v[i];
	print_error("no event %d about '%s'\n", type, node);
	assert_true(false);
	return NULL;
}

static inline bool
noted(const char *words)
{
	for (size_t i = 0; i < last.told.n; i++)
		if (last.told.v[i].type == MLB_EV_NOTE && strstr(last.told.v[i].text, words))
			return true;
	return false;
}

#define expect_ran(list) assert_string_equal(names(MLB_EV_START), list)

/* ---------------------------------------------------------- planning */

struct plan_lines {
	struct mlb_buf text;
};

static inline int
add_plan_line(void *ctx, const struct mlb_plan_info *i)
{
	static const char *const fate[] = { "current", "restore", "run", "maybe", "blocked", "no" };
	struct plan_lines *l = ctx;

	mlb_buf_addf(&l->text, "%s %s", i->name, fate[i->fate]);
	if (i->reason[0])
		mlb_buf_addf(&l->text, ": %s", i->reason);
	mlb_buf_addc(&l->text, '\n');
	return 0;
}

/* "model run: input src/train.py changed" a line, in the order of the plan. The caller frees. */
static inline char *
plan_text(const char *words, struct mlb_build b)
{
	struct plan_lines l = { MLB_BUF_INIT(MLB_MIB) };
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;
	const char *word[MAX_WORDS];
	char copy[512];

	b.word = word;
	b.n_words = split_words(words, copy, word);
	assert_ok(mlb_plan_build(p, &b, add_plan_line, &l, &err));
	mlb_project_close(p);
	return mlb_buf_detach(&l.text);
}

static inline void
expect_plan_of(const char *words, struct mlb_build b, const char *want)
{
	char *got = plan_text(words, b);

	assert_string_equal(got, want);
	free(got);
}

#define expect_plan(words, want) expect_plan_of(words, (struct mlb_build){ .jobs = 1 }, want)

#endif
