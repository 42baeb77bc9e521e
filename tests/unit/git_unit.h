/* For tests of git by libgit2, beside git itself. */
#ifndef TESTS_GIT_UNIT_H
#define TESTS_GIT_UNIT_H

#include "unit.h"

#include <stdarg.h>

#include "base/buf.h"
#include "store/vcs.h"

/* libgit2 1.5 loses the matches of its regular expressions, at each repository with extensions. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

/* What a shell command prints; it must succeed. */
static inline char *run(const char *fmt, ...) MLB_PRINTF(1, 2);

static inline char *
run(const char *fmt, ...)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	char *command, part[4096];
	size_t n;
	va_list ap;
	FILE *f;
	int rc;

	va_start(ap, fmt);
	mlb_vasprintf(&command, fmt, ap);
	va_end(ap);
	f = (popen)(command, "r");
	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		mlb_buf_add(&out, part, n);
	rc = pclose(f);
	if (rc)
		print_error("%s: %d\n", command, rc);
	assert_int_equal(rc, 0);
	free(command);
	return mlb_buf_detach(&out);
}

#define sh(...) free(run(__VA_ARGS__))

/* An empty repository "r" with a fixed author, in which we are then. */
static inline void
make_repo(void **state)
{
	setenv("HOME", *state, 1);
	setenv("XDG_CONFIG_HOME", *state, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_DATE", "1700000000 +0100", 1);
	setenv("GIT_COMMITTER_DATE", "1700000001 +0100", 1);
	unsetenv("GIT_DIR");
	unsetenv("GIT_WORK_TREE");
	unsetenv("GIT_INDEX_FILE");
	put_file(".gitconfig",
		 "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
		 "[protocol \"file\"]\nallow = always\n[advice]\ndetachedHead = false\n");
	sh("git init -q r");
	assert_int_equal(chdir("r"), 0);
}

static inline struct mlb_vcs *
open_here(void)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	char *here = getcwd(NULL, 0);
	struct mlb_vcs *v;

	assert_ok(mlb_vcs_open(&v, here, &why, &err));
	if (!v)
		print_error("%s\n", mlb_buf_str(&why));
	assert_non_null(v);
	mlb_buf_release(&why);
	free(here);
	return v;
}

static inline void
pin(struct mlb_vcs *v, const char *const *path, size_t n, char out[MLB_OID_HEX + 1])
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_vcs_pin(v, &(struct mlb_pin_spec){ .path = path, .n = n }, out, &err));
	assert_int_equal(strlen(out), MLB_OID_HEX);
}

static inline void
assert_is_head(const char *id)
{
	char *head = run("git rev-parse HEAD | tr -d '\\n'");

	assert_string_equal(head, id);
	free(head);
}

static inline void
assert_says(const char *want, char *got)
{
	assert_string_equal(got, want);
	free(got);
}

#endif
