/* What happens to each node, and why: the plan, held against what a build then does. */
#include <utime.h>

#include "engine_fixture.h"

static const char ini[] = "[params]\n"
			  "n = 3\n"
			  "[dataset raw]\n"
			  "path = raw.txt\n"
			  "[feature clean]\n"
			  "run = sed s/x/y/ ${raw} > ${out}\n"
			  "out = clean.txt\n"
			  "[feature head]\n"
			  "run = head -n ${params:n} ${clean} > ${out}\n"
			  "out = head.txt\n"
			  "[model model]\n"
			  "run = cat ${head} conf.txt > ${out}\n"
			  "out = model.txt\n";

static void
make_project(void)
{
	put_file("mlbuild.ini", ini);
	put_file("raw.txt", "x1\nx2\nx3\nx4\n");
	put_file("conf.txt", "conf\n");
}

/* The text with every `from` replaced. */
static void
rewrite(const char *path, const char *from, const char *to)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	char *text = file_text(path), *at = text, *hit;

	assert_non_null(strstr(text, from));
	for (; (hit = strstr(at, from)); at = hit + strlen(from)) {
		mlb_buf_add(&out, at, (size_t)(hit - at));
		mlb_buf_adds(&out, to);
	}
	mlb_buf_adds(&out, at);
	put_file(path, mlb_buf_str(&out));
	mlb_buf_release(&out);
	free(text);
}

static const char all_current[] = "raw current\nclean current\nhead current\nmodel current\n";

static void
first_and_second(void **state)
{
	(void)state;
	make_project();
	expect_plan(
		"model",
		"raw current\nclean run: not built yet\nhead run: not built yet\nmodel run: not built yet\n");
	assert_false(mlb_fs_exists("clean.txt")); /* planning makes nothing */
	assert_false(mlb_fs_exists("mlbuild.lock"));
	build_ok("model");
	expect_ran("clean head model");
	assert_file("model.txt", "y1\ny2\ny3\nconf\n");
	expect_plan("model", all_current);
	build_ok("model");
	expect_ran("");
	assert_int_equal(last.told.n, 0); /* nothing to tell, not even a plan */
	assert_int_equal(last.report.current, 4);
	assert_string_equal(last.report.run ? last.report.run : "", "");
}

static void
touch_and_comments_change_nothing(void **state)
{
	struct utimbuf old = { 1000000000, 1000000000 };
	char *text;

	(void)state;
	make_project();
	build_ok("model");
	assert_int_equal(utime("raw.txt", &old), 0);
	assert_int_equal(utime("clean.txt", &old), 0);
	expect_plan("model", all_current);
	text = mlb_asprintf("; a comment\n\n%s", ini);
	put_file("mlbuild.ini", text);
	free(text);
	expect_plan("model", all_current);
	build_ok("model");
	expect_ran("");
}

static void
what_changed(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	put_file("conf.txt", "other\n");
	expect_plan("model",
		    "raw current\nclean current\nhead current\nmodel run: input conf.txt changed\n");
	build_ok("model");
	expect_ran("model");

	rewrite("mlbuild.ini", "n = 3", "n = 2");
	expect_plan("model",
		    "raw current\nclean current\nhead run: param n: '3' -> '2', and 1 more\n"
		    "model maybe: reads 'head', which will run\n");
	build_ok("model");
	expect_ran("head model");

	rewrite("mlbuild.ini", "s/x/y/", "s/x/z/");
	expect_plan(
		"model",
		"raw current\nclean run: command: 's/x/y/' -> 's/x/z/'\nhead maybe: reads 'clean', which will run\n"
		"model maybe: reads 'head', which may run\n");
	build_ok("model");
	assert_file("model.txt", "z1\nz2\nother\n");

	put_file("raw.txt", "x9\n");
	expect_plan("clean", "raw current\nclean run: input raw.txt changed\n");
	build_ok("model");
	expect_ran("clean head model");
}

static void
early_cutoff(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	put_file("raw.txt", "x1\nx2\nx3\nx4 and more\n"); /* head does not see the fourth line */
	build_ok("model");
	expect_ran("clean head");
	assert_int_equal(last.report.built, 2);
	assert_int_equal(last.report.current, 2);
	/* And back again: nothing runs, the outputs come from the cache. */
	put_file("raw.txt", "x1\nx2\nx3\nx4\n");
	build_ok("clean model");
	expect_ran("");
	assert_string_equal(names(MLB_EV_RESTORED), "clean");
	assert_file("clean.txt", "y1\ny2\ny3\ny4\n");
}

static void
deleted_outputs(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	unlink("model.txt");
	expect_plan(
		"model",
		"raw current\nclean current\nhead current\nmodel restore: 'model.txt' is absent\n");
	build_ok("model");
	expect_ran("");
	assert_string_equal(names(MLB_EV_RESTORED), "model");
	assert_int_equal(last.report.restored, 1);

	/* An intermediate that is absent but known is up to date... */
	unlink("clean.txt");
	unlink("head.txt");
	expect_plan("model", all_current);
	build_ok("model");
	assert_false(mlb_fs_exists("clean.txt"));
	assert_false(mlb_fs_exists("head.txt"));
	/* ...until something that has to run reads it, and only that one returns. */
	put_file("conf.txt", "new\n");
	build_ok("model");
	expect_ran("model");
	assert_string_equal(names(MLB_EV_RESTORED), "head");
	assert_false(mlb_fs_exists("clean.txt"));
	assert_file("model.txt", "y1\ny2\ny3\nnew\n");
}

static void
tampered_outputs(void **state)
{
	char *kept;

	(void)state;
	make_project();
	build_ok("model");
	put_file("model.txt", "mine\n");
	expect_plan(
		"model",
		"raw current\nclean current\nhead current\nmodel restore: 'model.txt' is another version\n");
	build_ok("model");
	expect_ran("");
	assert_file("model.txt", "y1\ny2\ny3\nconf\n");
	assert_true(noted("the cache does not have what was at 'model.txt'"));
	kept = run_shell("cat .mlbuild/aside/*/model.txt"); /* unknown bytes are never deleted */
	assert_string_equal(kept, "mine\n");
	free(kept);
	/* An intermediate is mended too. */
	put_file("head.txt", "mine\n");
	build_ok("model");
	expect_ran("");
	assert_file("head.txt", "y1\ny2\ny3\n");
}

static void
lost_bytes(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	sh("chmod -R u+w .mlbuild/cache; rm -rf .mlbuild/cache");
	expect_plan("model", all_current); /* nothing has to be fetched */
	unlink("model.txt");
	expect_plan("model", "raw current\nclean current\nhead current\n"
			     "model run: 'model.txt' is absent, and the cache does not have it\n");
	build_ok("model");
	expect_ran("model");
	assert_file("model.txt", "y1\ny2\ny3\nconf\n");
	assert_int_equal(count(MLB_EV_NOTE), 0);
	/* Everything gone but the lock: what is needed is made again, from the front. */
	sh("chmod -R u+w .mlbuild; rm -rf .mlbuild clean.txt head.txt model.txt");
	build_ok("model");
	expect_ran("clean head model");
	assert_string_equal(last.report.changed, "");
}

static void
lost_state(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	sh("rm -f .mlbuild/state.db* .mlbuild/graph mlbuild.lock model.txt head.txt");
	build_ok("model");
	expect_ran("");
	assert_string_equal(names(MLB_EV_RESTORED), "model");
	assert_string_equal(last.report.changed, "mlbuild.lock");
}

static void
missing_inputs(void **state)
{
	(void)state;
	make_project();
	unlink("raw.txt");
	expect_plan("model",
		    "raw blocked: its path 'raw.txt' is missing: put it there, or correct 'path'\n"
		    "clean blocked: 'raw' cannot be had\nhead blocked: 'clean' cannot be had\n"
		    "model blocked: 'head' cannot be had\n");
	assert_int_equal(build("model"), MLB_EFAILED);
	assert_int_equal(last.report.blocked, 4);
	assert_string_equal(names(MLB_EV_BLOCKED), "raw clean head model");
}

/* A source that git does not have, but the lock and the cache do. */
static void
absent_source_returns(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	unlink("raw.txt");
	expect_plan("model", all_current);
	put_file("conf.txt", "new\n");
	build_ok("model");
	expect_ran("model");
	assert_false(mlb_fs_exists("raw.txt"));
	build_ok("raw");
	assert_string_equal(names(MLB_EV_RESTORED), "raw");
	assert_file("raw.txt", "x1\nx2\nx3\nx4\n");
}

static void
options(void **state)
{
	(void)state;
	make_project();
	build_ok("model");
	expect_plan_of("head", (struct mlb_build){ .force = true },
		       "raw current\nclean current\nhead run: asked for by --force\n");
	assert_int_equal(build_opt("head", .force = true), 0);
	expect_ran("head");
	rewrite("mlbuild.ini", "s/x/y/", "s/x/z/");
	/* --only takes what is there. */
	assert_int_equal(build_opt("head", .only = true), 0);
	expect_ran("");
	assert_int_equal(build_opt("clean", .downstream = true), 0);
	expect_ran("clean head model");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(first_and_second), engine_test(touch_and_comments_change_nothing),
		engine_test(what_changed),     engine_test(early_cutoff),
		engine_test(deleted_outputs),  engine_test(tampered_outputs),
		engine_test(lost_bytes),       engine_test(lost_state),
		engine_test(missing_inputs),   engine_test(absent_source_returns),
		engine_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
