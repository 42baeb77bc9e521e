/*
 * Many from one: keys per file, commands per batch, one collection.
 *
 * Labels: tsan
 */
#include <inttypes.h>

#include "engine_fixture.h"

static void
make_project(const char *batch)
{
	char *ini = mlb_asprintf(
		"[dataset raw]\npath = src/\n"
		"[feature up]\neach = ${raw}/**/*.txt\n"
		"run = %s\n"
		"out = up/${each:stem}.up\n%s\n"
		"[report all]\nrun = cat $(find ${up} -type f | sort) > ${out}\nout = all.txt\n",
		batch ? "for f in ${each}; do tr a-z A-Z < $f > up/$(basename $f .txt).up; done; "
			"echo \"${each}\" >> ../calls"
		      : "tr a-z A-Z < ${each} > ${out}; echo ${each} >> ../calls",
		batch ? batch : "");

	put_file("mlbuild.ini", ini);
	free(ini);
}

static void
make_files(void)
{
	assert_int_equal(mkdir("src", 0777), 0);
	assert_int_equal(mkdir("src/sub", 0777), 0);
	put_file("src/b.txt", "b\n");
	put_file("src/a.txt", "a\n");
	put_file("src/sub/c.txt", "c\n");
	put_file("src/other.csv", "no\n");
	put_file("../calls", "");
}

static void
one_command_per_file(void **state)
{
	(void)state;
	make_files();
	make_project(NULL);
	build_ok("all");
	assert_file("all.txt", "A\nB\nC\n");
	assert_file("../calls",
		    "src/a.txt\nsrc/b.txt\nsrc/sub/c.txt\n"); /* in the order of their names */
	expect_ran("up up up all");
	build_ok("all");
	expect_ran("");
	/* One changed, one added: those two. */
	put_file("src/b.txt", "bb\n");
	put_file("src/aa.txt", "aa\n");
	put_file("../calls", "");
	expect_plan(
		"all",
		"raw current\nup run: 2 of 4 files to make\nall maybe: reads 'up', which will run\n");
	build_ok("all");
	assert_file("../calls", "src/aa.txt\nsrc/b.txt\n");
	assert_file("all.txt", "A\nAA\nBB\nC\n");
}

static void
removed_leaves_the_collection(void **state)
{
	(void)state;
	make_files();
	make_project(NULL);
	build_ok("all");
	unlink("src/b.txt");
	put_file("../calls", "");
	build_ok("all");
	assert_file("../calls", "");
	assert_false(mlb_fs_exists("up/b.up"));
	assert_true(mlb_fs_exists("up/a.up"));
	assert_file("all.txt", "A\nC\n");
	/* Back again: from the cache. */
	put_file("src/b.txt", "b\n");
	build_ok("all");
	assert_file("../calls", "");
	assert_file("up/b.up", "B\n");
	assert_file("all.txt", "A\nB\nC\n");
	expect_ran("");
}

static void
deleted_and_foreign_files(void **state)
{
	char *kept;

	(void)state;
	make_files();
	make_project(NULL);
	build_ok("all");
	unlink("up/c.up");
	put_file("up/mine.txt", "mine\n");
	put_file("../calls", "");
	build_ok("up");
	assert_file("../calls", "");
	assert_file("up/c.up", "C\n");
	assert_false(mlb_fs_exists("up/mine.txt"));
	kept = run_shell("cat .mlbuild/aside/*/up/mine.txt");
	assert_string_equal(kept, "mine\n");
	free(kept);
	assert_int_equal(last.report.restored, 1);
}

static void
lost_bytes(void **state)
{
	(void)state;
	make_files();
	make_project(NULL);
	build_ok("all");
	sh("rm -rf .mlbuild/cache");
	/* It is all in place. */
	build_ok("all");
	assert_int_equal(last.told.n, 0);
	/* One file more, one output less. */
	sh("rm -rf .mlbuild/cache up/b.up");
	put_file("src/d.txt", "d\n");
	put_file("../calls", "");
	build_ok("all");
	assert_file("../calls", "src/b.txt\nsrc/d.txt\n");
	assert_file("all.txt", "A\nB\nC\nD\n");
	/* The lock alone says that these files are the result. */
	sh("rm -rf .mlbuild/cache .mlbuild/state.db*");
	build_ok("all");
	expect_ran("");
	assert_file("../calls", "src/b.txt\nsrc/d.txt\n");
	unlink("src/d.txt");
	build_ok("all");
	expect_ran("all");
	sh("rm -rf .mlbuild/cache up");
	put_file("../calls", "");
	build_ok("up");
	assert_file("../calls", "src/a.txt\nsrc/b.txt\nsrc/sub/c.txt\n");
	assert_file("up/a.up", "A\n");
}

static void
batches(void **state)
{
	(void)state;
	assert_int_equal(mkdir("src", 0777), 0);
	put_file("../calls", "");
	for (int i = 0; i < 10; i++) {
		char *path = mlb_asprintf("src/%d.txt", i);

		put_file(path, "x\n");
		free(path);
	}
	make_project("batch = 4");
	build_ok("up");
	assert_file(
		"../calls",
		"src/0.txt src/1.txt src/2.txt src/3.txt\nsrc/4.txt src/5.txt src/6.txt src/7.txt\n"
		"src/8.txt src/9.txt\n");
	put_file("src/10.txt", "x\n");
	put_file("../calls", "");
	build_ok("up");
	expect_ran("up");
	assert_file("../calls", "src/10.txt\n");
	/* Keys are per file: another batch size makes nothing stale. */
	make_project("batch = 100");
	build_ok("up");
	expect_ran("");
}

static void
a_file_that_fails(void **state)
{
	(void)state;
	make_files();
	make_project(NULL);
	put_file("mlbuild.ini", "[dataset raw]\npath = src/\n[feature up]\neach = ${raw}/**/*.txt\n"
				"run = grep -v b ${each} > ${out}\nout = up/${each:stem}.up\n");
	assert_int_equal(build_opt("up", .keep_going = true), MLB_EFAILED);
	assert_int_equal(count(MLB_EV_FAILED), 1);
	assert_int_equal(last.report.failed, 1);
	put_file("src/b.txt", "fine\n");
	/* What went well the first time is not done again. */
	build_ok("up");
	assert_int_equal(count(MLB_EV_START), 1);
	assert_file("up/a.up", "a\n");
	assert_file("up/b.up", "fine\n");
}

static void
same_output_twice(void **state)
{
	struct mlb_build none = { .jobs = 1 };

	(void)state;
	make_files();
	make_project(NULL);
	put_file("src/sub/a.txt", "a\n");
	assert_int_equal(build_with("up", none), MLB_EINVALID);
	expect_contains(last.err.text,
			"'up/a.up' from 'src/a.txt' and 'up/a.up' from 'src/sub/a.txt'");
}

static void
no_files(void **state)
{
	(void)state;
	assert_int_equal(mkdir("src", 0777), 0);
	put_file("src/only.csv", "");
	put_file("../calls", "");
	make_project(NULL);
	put_file("mlbuild.ini", "[dataset raw]\npath = src/\n[feature up]\neach = ${raw}/**/*.txt\n"
				"run = cp ${each} ${out}\nout = up/${each:stem}.up\n");
	build_ok("up");
	expect_ran("");
	assert_true(mlb_fs_exists("up"));
	build_ok("up");
	assert_int_equal(last.told.n, 0);
}

/* The pattern alone says which files of a tree it is about: no command holds it. */
static void
another_pattern(void **state)
{
	(void)state;
	make_files();
	put_file("src/d.md", "d\n");
	make_project(NULL);
	build_ok("all");
	build_ok("all");
	assert_int_equal(last.told.n, 0);
	sh("sed -i 's/[*].txt/[abd].*/' mlbuild.ini");
	build_ok("all");
	expect_ran("up all");
	assert_file("all.txt", "A\nB\nD\n");
	build_ok("all");
	assert_int_equal(last.told.n, 0);
}

/* What is remembered of the whole holds only while everything in it does. */
static void
remembered_whole(void **state)
{
	(void)state;
	make_files();
	make_project(NULL);
	build_ok("all");
	expect_plan("all", "raw current\nup current\nall current\n");
	put_file("up/b.up", "tampered\n");
	expect_plan("up", "raw current\nup restore: its files are not all in place\n");
	build_ok("all");
	assert_file("up/b.up", "B\n");
	put_file("src/b.txt", "bb\n");
	put_file("../calls", "");
	build_ok("all");
	put_file("src/b.txt", "b\n");
	build_ok("all");
	assert_file("../calls", "src/b.txt\n");
	assert_file("all.txt", "A\nB\nC\n");
	/* The lock of another commit. */
	sh("cp mlbuild.lock now");
	sh("sed '/feature up/,/sum/d' now > mlbuild.lock");
	build_ok("all");
	assert_file("../calls", "src/b.txt\n");
	sh("cmp mlbuild.lock now");
	build_ok("all");
	assert_int_equal(last.told.n, 0);
}

/* A glob of the project itself, without a target that feeds it. */
static void
project_glob(void **state)
{
	(void)state;
	make_files();
	put_file("mlbuild.ini",
		 "[feature up]\neach = src/*.txt\nrun = cp ${each} ${out}\nout = up/${each:name}\n");
	build_ok("up");
	assert_int_equal(count(MLB_EV_START), 2);
	assert_file("up/a.txt", "a\n");
	put_file("src/z.txt", "z\n");
	build_ok("up");
	assert_int_equal(count(MLB_EV_START), 1);
	assert_file("up/z.txt", "z\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(one_command_per_file),
		engine_test(removed_leaves_the_collection),
		engine_test(deleted_and_foreign_files),
		engine_test(lost_bytes),
		engine_test(batches),
		engine_test(a_file_that_fails),
		engine_test(same_output_twice),
		engine_test(no_files),
		engine_test(another_pattern),
		engine_test(remembered_whole),
		engine_test(project_glob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
