/* Globs: what matches, and that the walk finds exactly what matches. */
#include "unit.h"

#include <sys/stat.h>

#include "base/vec.h"
#include "graph/glob.h"

static void
test_match(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} t[] = {
		{ "a.py", "a.py", true },
		{ "*.py", "a.py", true },
		{ "*.py", "d/a.py", false },
		{ "*.py", ".a.py", false },
		{ ".*.py", ".a.py", true },
		{ "?.py", "a.py", true },
		{ "?.py", "ab.py", false },
		{ "?", "/", false },
		{ "[ab].py", "b.py", true },
		{ "[!ab].py", "b.py", false },
		{ "[^ab].py", "c.py", true },
		{ "[a-c]x", "bx", true },
		{ "[a-c]x", "dx", false },
		{ "[]]x", "]x", true },
		{ "[*]x", "*x", true },
		{ "[*]x", "ax", false },
		{ "[x", "[x", true },
		{ "a*b*c", "aXbYbZc", true },
		{ "a*b*c", "aXbYbZ", false },
		{ "src/*.py", "src/a.py", true },
		{ "src/*.py", "src/d/a.py", false },
		{ "src/*/a.py", "src/d/a.py", true },
		{ "**", "a", true },
		{ "**", "a/b/c", true },
		{ "**", "a/.b/c", false },
		{ "src/**", "src/a/b", true },
		{ "src/**", "src", false },
		{ "src/**/a.py", "src/a.py", true },
		{ "src/**/a.py", "src/x/y/a.py", true },
		{ "src/**/a.py", "srcx/a.py", false },
		{ "**/*.jpg", "x.jpg", true },
		{ "**/*.jpg", "a/b/x.jpg", true },
		{ "**/*.jpg", "a/.b/x.jpg", false },
		{ "**/b/**/c", "a/b/x/b/y/c", true },
		{ "**/b/**/c", "a/b/x/d", false },
		{ "**/a/b", "a/a/b", true },
		{ "a/**/**/b", "a/b", true },
		{ "\xc3\xa4*", "\xc3\xa4x", true },
		{ "", "", false },
		{ "a", "", false },
		{ "*", "", false },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++) {
		if (mlb_glob_match(t[i].pattern, t[i].path) != t[i].match)
			print_error("'%s' and '%s'\n", t[i].pattern, t[i].path);
		assert_int_equal(mlb_glob_match(t[i].pattern, t[i].path), t[i].match);
	}
}

/* Patterns that make naive matchers take exponential time. */
static void
test_match_is_not_exponential(void **state)
{
	(void)state;
	assert_false(mlb_glob_match(
		"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(mlb_glob_match(
		"**/a/**/a/**/a/**/a/**/a/**/a/**/b",
		"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"));
}

static void
test_base_and_escape(void **state)
{
	static const struct {
		const char *pattern, *base;
	} t[] = { { "data/a/*.csv", "data/a" }, { "*.csv", "." },   { "a/b", "a" }, { "a?/b", "." },
		  { "a[[]1]/x/*", "a[1]/x" },   { "a/[bc]/d", "a" } };
	struct mlb_buf out = MLB_BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++) {
		mlb_glob_base(&out, t[i].pattern);
		assert_string_equal(mlb_buf_str(&out), t[i].base);
	}
	mlb_buf_clear(&out);
	mlb_glob_escape(&out, "a[1]*?");
	assert_string_equal(mlb_buf_str(&out), "a[[]1][*][?]");
	assert_true(mlb_glob_match(mlb_buf_str(&out), "a[1]*?"));
	assert_false(mlb_glob_match(mlb_buf_str(&out), "a1xx"));
	assert_true(mlb_glob_is("a*") && mlb_glob_is("a?") && mlb_glob_is("[a]"));
	assert_false(mlb_glob_is("a/b.py"));
	mlb_buf_release(&out);
}

/* ------------------------------------------------------------ walking */

static void
make_files(void)
{
	static const char *const dirs[] = { "src",      "src/pkg",         "src/pkg/deep",
					    "src/.hid", "src/__pycache__", ".git",
					    "data" };
	static const char *const files[] = { "a.py",
					     "b.txt",
					     "src/x.py",
					     "src/pkg/y.py",
					     "src/pkg/deep/z.py",
					     "src/.hid/h.py",
					     "src/__pycache__/x.py",
					     ".git/g.py",
					     "data/d.csv",
					     "data/[1].csv" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(dirs[i], 0777), 0);
	for (size_t i = 0; i < MLB_ARRAY_LEN(files); i++)
		put_file(files[i], "");
	assert_int_equal(symlink("../a.py", "src/link.py"), 0);
	assert_int_equal(symlink("..", "src/up"), 0);
	assert_int_equal(symlink("nowhere", "src/dangling.py"), 0);
}

static void
assert_files(const char *pattern, bool (*keep)(void *, const char *), const char *want,
	     const char *want_dirs)
{
	struct mlb_strvec found = MLB_VEC_INIT, dirs = MLB_VEC_INIT;
	struct mlb_buf got = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_glob_files(&found, &dirs, ".", pattern, keep, NULL, &err));
	for (size_t i = 0; i < found.n; i++)
		mlb_buf_addf(&got, "%s%s", i ? " " : "", found.v[i]);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_clear(&got);
	for (size_t i = 0; i < dirs.n; i++)
		mlb_buf_addf(&got, "%s%s", i ? " " : "", dirs.v[i]);
	if (want_dirs)
		assert_string_equal(mlb_buf_str(&got), want_dirs);
	mlb_strvec_release(&found);
	mlb_strvec_release(&dirs);
	mlb_buf_release(&got);
}

static bool
not_pkg(void *ctx, const char *path)
{
	(void)ctx;
	return strcmp(path, "src/pkg/") != 0 && strcmp(path, "a.py") != 0;
}

static void
test_walk(void **state)
{
	(void)state;
	make_files();
	assert_files("*.py", NULL, "a.py", ".");
	assert_files("src/*.py", NULL, "src/link.py src/x.py", "src");
	assert_files("src/**", NULL, "src/link.py src/pkg/deep/z.py src/pkg/y.py src/x.py",
		     "src src/pkg src/pkg/deep");
	assert_files("**/*.py", NULL, "a.py src/link.py src/pkg/deep/z.py src/pkg/y.py src/x.py",
		     ". data src src/pkg src/pkg/deep");
	assert_files("**/deep/*.py", NULL, "src/pkg/deep/z.py", NULL);
	assert_files("src/.hid/*", NULL, "src/.hid/h.py", "src/.hid");
	assert_files("s*/p*/y.py", NULL, "src/pkg/y.py", NULL);
	assert_files("data/[[]1].csv", NULL, "data/[1].csv", "data");
	assert_files("src/x.py", NULL, "src/x.py", "");
	assert_files("none/*.py", NULL, "", "none");
	assert_files("*/none.py", NULL, "", NULL);
	assert_files(".git/*", NULL, "", "");
	assert_files("src", NULL, "", "");
	assert_files("**/*.py", not_pkg, "src/link.py src/x.py", ". data src");
}

static void
test_reaches(void **state)
{
	(void)state;
	assert_true(mlb_glob_reaches("a/*.csv", "a"));
	assert_false(mlb_glob_reaches("a/*.csv", "a/b"));
	assert_true(mlb_glob_reaches("a/*/*.csv", "a/b"));
	assert_false(mlb_glob_reaches("a/*/*.csv", "b/b"));
	assert_true(mlb_glob_reaches("**/x.csv", "a/b/c"));
	assert_true(mlb_glob_reaches("a/**", "a/b/c"));
	assert_false(mlb_glob_reaches("a/**", "b"));
	assert_false(mlb_glob_reaches("**", "a/.hidden"));
	assert_false(mlb_glob_reaches("*", "a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reaches),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_is_not_exponential),
		cmocka_unit_test(test_base_and_escape),
		scratch_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
