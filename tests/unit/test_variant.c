/* Variants: -p builds in private roots and leaves workspace, ini and lock alone. */
#include <limits.h>

#include "engine_fixture.h"

static void
make_project(void)
{
	put_file("mlbuild.ini",
		 "[params]\nfile = params.yaml\nc = 1\n"
		 "[dataset raw]\npath = raw.txt\n"
		 "[feature a]\nrun = cp ${raw} ${out}\nout = a.txt\n"
		 "[model m]\nrun = cat ${a} > ${out}; echo ${params:c} >> ${out}; cat params.yaml >> ${out}; "
		 "echo '{\"c\": ${params:c}}' > ${metrics}\n"
		 "needs = params.yaml\nout = m.txt\nmetrics = m.json\n");
	put_file("params.yaml", "lr: 0.5 # mine\n");
	put_file("raw.txt", "raw\n");
}

static int
build_variant(const char *words, const char *const *param, size_t n, const char *into)
{
	struct mlb_open open = { .dir = ".", .param = param, .n_params = n };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	int rc;

	assert_ok(mlb_project_open(&p, &open, &err));
	rc = build_in(p, words, (struct mlb_build){ .jobs = 1, .into = into });
	for (size_t i = 0; i < last.told.n && rc; i++)
		print_error("%d %s %s: %s\n", last.told.v[i].type, last.told.v[i].node,
			    last.told.v[i].text, last.told.v[i].log);
	mlb_project_close(p);
	return rc;
}

static void
the_workspace_stays(void **state)
{
	static const char *const param[] = { "c=7", "lr=0.25" };
	char *before, *after;

	(void)state;
	make_project();
	build_ok("m");
	before = run_shell(
		"find . -path ./.mlbuild -prune -o -type f -print0 | sort -z | xargs -0 stat -c '%n %Y %s %i'");
	assert_int_equal(build_variant("m", param, 2, NULL), 0);
	expect_ran("m"); /* what the parameters do not touch is shared */
	after = run_shell(
		"find . -path ./.mlbuild -prune -o -type f -print0 | sort -z | xargs -0 stat -c '%n %Y %s %i'");
	assert_string_equal(before, after);
	free(before);
	free(after);
	expect_contains(last.report.metrics, "7");
	assert_string_equal(last.report.changed ? last.report.changed : "", "");
	/* "NODE PATH" a line; the script saw the variant in the file, too. */
	expect_contains(last.report.artifacts, "m /");
	before = mlb_strndup(last.report.artifacts + 2, strcspn(last.report.artifacts + 2, "\n"));
	assert_file(before, "raw\n7\nlr: 0.25 # mine\n");
	free(before);
	/* The same again: nothing runs. The workspace itself is as it was. */
	assert_int_equal(build_variant("m", param, 2, NULL), 0);
	expect_ran("");
	build_ok("m");
	expect_ran("");
	assert_file("m.txt", "raw\n1\nlr: 0.5 # mine\n");
}

static void
into(void **state)
{
	static const char *const param[] = { "c=2" };

	(void)state;
	make_project();
	assert_int_equal(build_variant("m a", param, 1, "../result"), 0);
	expect_ran("a m");
	assert_file("../result/m.txt", "raw\n2\nlr: 0.5 # mine\n");
	assert_file("../result/m.json", "{\"c\": 2}\n");
	assert_file("../result/a.txt", "raw\n");
	assert_false(mlb_fs_exists("m.txt"));
	assert_false(mlb_fs_exists("mlbuild.lock"));
	assert_int_equal(count_in(last.report.artifacts, "\n"), 2);
	/* What a variant made is in the cache for the workspace. */
	build_ok("a");
	expect_ran("");
	assert_file("a.txt", "raw\n");
}

static void
from_a_file(void **state)
{
	static const char *const param[] = { "@../dev.yaml", "c=4" };

	(void)state;
	make_project();
	put_file("../dev.yaml", "lr: 9\nc: 3\n");
	assert_int_equal(build_variant("m", param, 2, "../result"), 0);
	assert_file("../result/m.txt", "raw\n4\nlr: 9 # mine\n");
}

static void
nothing_is_left_running_or_lying(void **state)
{
	static const char *const param[] = { "c=5" };

	(void)state;
	make_project();
	assert_int_equal(build_variant("m", param, 1, NULL), 0);
	free(run_shell("test -z \"$(ls -A .mlbuild/roots 2>/dev/null)\""));
}

static void
mistakes(void **state)
{
	static const char *const wrong[] = { "c" }, *const unknown[] = { "bogus=1" };
	struct mlb_open open = { .dir = ".", .param = wrong, .n_params = 1 };
	struct mlb_build b = { .jobs = 1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p = NULL;

	(void)state;
	make_project();
	assert_err(mlb_project_open(&p, &open, &err), MLB_EINVALID,
		   "-p 'c' is neither NAME=VALUE nor @FILE");
	open.param = unknown;
	assert_ok(mlb_project_open(&p, &open, &err));
	assert_err(mlb_build(p, &b, NULL, &err), MLB_EINVALID, "bogus");
	mlb_project_close(p);
}

/* A variant that fails tells so, and leaves what the command wrote. */
static void
a_variant_that_fails(void **state)
{
	static const char *const param[] = { "c=no" };

	(void)state;
	make_project();
	put_file(
		"mlbuild.ini",
		"[params]\nc = yes\n[model m]\nrun = echo half > ${out}; test ${params:c} = yes\nout = m.txt\n");
	build_ok("m");
	assert_int_equal(build_variant("m", param, 1, NULL), MLB_EFAILED);
	assert_string_equal(event(MLB_EV_FAILED, "m")->reason, "exit code 1");
	assert_string_equal(last.report.artifacts ? last.report.artifacts : "", "");
	assert_file(".mlbuild/failed/m/m.txt", "half\n");
	assert_file("m.txt", "half\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(the_workspace_stays),
		engine_test(into),
		engine_test(from_a_file),
		engine_test(nothing_is_left_running_or_lying),
		engine_test(mistakes),
		engine_test(a_variant_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
