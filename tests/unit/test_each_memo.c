/* What is remembered of every file: a damaged memo is found out anew, and never read beyond its end. */
#include "engine_fixture.h"
#include "store/state.h"

static void
make_project(void)
{
	assert_int_equal(mkdir("src", 0777), 0);
	put_file("src/a.txt", "a\n");
	put_file("src/b.txt", "b\n");
	put_file("../calls", "");
	put_file("mlbuild.ini", "[feature up]\neach = src/*.txt\n"
				"run = tr a-z A-Z < ${each} > ${out}; echo ${each} >> ../calls\n"
				"out = up/${each:stem}.up\n");
	build_ok("up");
}

static struct mlb_db *
open_db(void)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db;

	assert_ok(mlb_db_open(&db, ".mlbuild/state.db", &err));
	return db;
}

static void
set_memo(const char *data, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = open_db();

	assert_ok(mlb_db_begin(db, &err));
	assert_ok(mlb_meta_set(db, "each up", data, len, &err));
	assert_ok(mlb_db_commit(db, &err));
	mlb_db_close(db);
}

static void
get_memo(struct mlb_buf *out)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = open_db();

	assert_ok(mlb_meta_get(db, "each up", out, &err));
	mlb_db_close(db);
}

/* One more file, so that the memo is read; nothing but it may run. */
static void
expect_one(const char *name)
{
	char *path = mlb_asprintf("src/%s.txt", name), *line = mlb_asprintf("%s\n", path);

	put_file(path, "x\n");
	put_file("../calls", "");
	build_ok("up");
	assert_file("../calls", line);
	assert_file("up/a.up", "A\n");
	assert_file("up/b.up", "B\n");
	free(line);
	free(path);
}

static void
cut_short_anywhere(void **state)
{
	struct mlb_buf memo = MLB_BUF_INIT(MLB_MIB);
	const size_t at[] = { 0, 1, 31, 32, 33, 36, 40, 46, 78, 110, 113, 118, 127, 159 };

	(void)state;
	make_project();
	get_memo(&memo);
	assert_true(memo.len > 32 + 2 * 120); /* what is cut below is in it */
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%zu", i);
		set_memo(memo.data, at[i]);
		expect_one(name);
	}
	mlb_buf_release(&memo);
}

static void
lengths_that_lie(void **state)
{
	struct mlb_buf memo = MLB_BUF_INIT(MLB_MIB);

	(void)state;
	make_project();
	get_memo(&memo);
	memset(memo.data + 32, 0xff, 4); /* of the first path */
	set_memo(memo.data, memo.len);
	expect_one("c");
	mlb_buf_release(&memo);
}

/* Of another command: no key of it may be used. */
static void
another_command(void **state)
{
	(void)state;
	make_project();
	sh("sed -i 's/tr a-z A-Z/tr a-y A-Y/' mlbuild.ini");
	put_file("../calls", "");
	build_ok("up");
	assert_file("../calls", "src/a.txt\nsrc/b.txt\n");
}

/* Without its bytes a file is made again, and no other. */
static void
one_lost(void **state)
{
	(void)state;
	make_project();
	sh("rm -rf .mlbuild/cache up/b.up");
	put_file("../calls", "");
	build_ok("up");
	assert_file("../calls", "src/b.txt\n");
	assert_file("up/b.up", "B\n");
	assert_false(noted("it is kept as"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(cut_short_anywhere),
		engine_test(lengths_that_lie),
		engine_test(another_command),
		engine_test(one_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
