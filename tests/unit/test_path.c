#include "unit.h"

#include "os/path.h"

#define MAX 100000

static void
normalize_makes_canonical(void **state)
{
	static const char *const pairs[][2] = {
		{ "a", "a" },          { "a/b", "a/b" },   { "./a", "a" },
		{ "a//b/", "a/b" },    { "a/./b", "a/b" }, { "a/../b", "b" },
		{ "a/b/../..", "." },  { ".", "." },       { "./", "." },
		{ "a/b/../c", "a/c" }, { "...", "..." },   { "a/..b", "a/..b" },
		{ ".a", ".a" },        { "a/.", "a" },     { "a b", "a b" },
	};
	struct mlb_buf b = MLB_BUF_INIT(MAX);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(pairs); i++) {
		assert_ok(mlb_path_normalize(&b, pairs[i][0], &err));
		assert_string_equal(mlb_buf_str(&b), pairs[i][1]);
	}
	assert_err(mlb_path_normalize(&b, "/etc", &err), MLB_EINVALID, "absolute");
	assert_err(mlb_path_normalize(&b, "..", &err), MLB_EINVALID, "leaves");
	assert_err(mlb_path_normalize(&b, "a/../../b", &err), MLB_EINVALID, "a/../../b");
	assert_err(mlb_path_normalize(&b, "", &err), MLB_EINVALID, "empty");
	mlb_buf_release(&b);
	mlb_buf_init(&b, 3);
	assert_err(mlb_path_normalize(&b, "abcd", &err), MLB_ETOOBIG, "path");
	mlb_buf_release(&b);
}

static void
join(void **state)
{
	static const char *const triples[][3] = {
		{ "/a", "b", "/a/b" },   { "/a/", "b", "/a/b" }, { "/", "b", "/b" },
		{ "/a", "/b", "/b" },    { "/a", ".", "/a" },    { ".", "b", "b" },
		{ "", "b", "b" },        { "/a", "", "/a" },     { ".", ".", "." },
		{ "a", "b/c", "a/b/c" },
	};
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(triples); i++) {
		mlb_path_join(&b, triples[i][0], triples[i][1]);
		assert_string_equal(mlb_buf_str(&b), triples[i][2]);
	}
	mlb_buf_release(&b);
}

static void
absolute(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX);
	struct mlb_err err = MLB_ERR_INIT;
	char *cwd = getcwd(NULL, 0);
	char *want = mlb_asprintf("%s/x/y", cwd);

	(void)state;
	assert_ok(mlb_path_absolute(&b, "x//./y/z/..", &err));
	assert_string_equal(mlb_buf_str(&b), want);
	assert_ok(mlb_path_absolute(&b, ".", &err));
	assert_string_equal(mlb_buf_str(&b), cwd);
	assert_ok(mlb_path_absolute(&b, "/a/../../b/./", &err));
	assert_string_equal(mlb_buf_str(&b), "/b");
	assert_ok(mlb_path_absolute(&b, "/..", &err));
	assert_string_equal(mlb_buf_str(&b), "/");
	assert_ok(mlb_path_absolute(&b, "/", &err));
	assert_string_equal(mlb_buf_str(&b), "/");
	assert_ok(mlb_path_absolute(&b, "/a/../..x/../../..", &err));
	assert_string_equal(mlb_buf_str(&b), "/");
	free(want);
	free(cwd);
	mlb_buf_release(&b);
}

static void
parts(void **state)
{
	static const char *const rows[][4] = {
		/* path, base, dir, stem */
		{ "a/b/c.txt", "c.txt", "a/b", "c" },
		{ "c", "c", ".", "c" },
		{ "/c", "c", "/", "c" },
		{ "d/x.tar.gz", "x.tar.gz", "d", "x.tar" },
		{ ".bashrc", ".bashrc", ".", ".bashrc" },
		{ "a.b/c", "c", "a.b", "c" },
	};
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(rows); i++) {
		assert_string_equal(mlb_path_base(rows[i][0]), rows[i][1]);
		mlb_path_dir(&b, rows[i][0]);
		assert_string_equal(mlb_buf_str(&b), rows[i][2]);
		mlb_path_stem(&b, rows[i][0]);
		assert_string_equal(mlb_buf_str(&b), rows[i][3]);
	}
	mlb_buf_release(&b);
}

static void
inside(void **state)
{
	(void)state;
	assert_true(mlb_path_inside("a/b", "a"));
	assert_true(mlb_path_inside("a", "a"));
	assert_false(mlb_path_inside("ab", "a"));
	assert_false(mlb_path_inside("a", "a/b"));
	assert_true(mlb_path_inside("a", "."));
	assert_true(mlb_path_inside("/x", "/"));
	assert_false(mlb_path_inside("/x", "."));
	assert_true(mlb_path_inside("/x/y", "/x"));
}

static void
relative(void **state)
{
	static const char *const triples[][3] = {
		/* path, from dir, result */
		{ "data/x", "src", "../data/x" },
		{ "data/x", ".", "data/x" },
		{ "data/x", "data", "x" },
		{ "data", "data", "." },
		{ "data", "data/x", ".." },
		{ "a/b/c", "a/d/e", "../../b/c" },
		{ "ab", "a", "../ab" },
		{ "a", "ab", "../a" },
		{ "a/bc", "a/b", "../bc" },
		{ ".", "a/b", "../.." },
		{ ".", ".", "." },
		{ "a", "a/b/c", "../.." },
	};
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(triples); i++) {
		mlb_path_relative(&b, triples[i][0], triples[i][1]);
		assert_string_equal(mlb_buf_str(&b), triples[i][2]);
	}
	mlb_buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalize_makes_canonical),
		cmocka_unit_test(join),
		cmocka_unit_test(absolute),
		cmocka_unit_test(parts),
		cmocka_unit_test(inside),
		cmocka_unit_test(relative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
