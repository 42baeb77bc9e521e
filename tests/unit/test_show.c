/* What was recorded, told again: artifacts, runs, and why something is stale. */
#include "engine_fixture.h"

static const char ini[] =
	"[dataset raw]\n"
	"path = raw.txt\n"
	"[feature d]\n"
	"run = cp ${raw} ${out}/x\n"
	"out = d/\n"
	"[model m]\n"
	"run = echo said; cat ${d}/x > ${out}; echo '{\"acc\": 0.25}' > ${metrics}\n"
	"out = m.txt\n"
	"metrics = m.json\n";

static void
make_project(void)
{
	put_file("mlbuild.ini", ini);
	put_file("raw.txt", "raw\n");
}

/* Everything about an artifact that is the same on every machine, and a few signs of the rest. */
static int
add_artifact(void *ctx, const struct mlb_artifact *a)
{
	struct mlb_buf *out = ctx;

	mlb_buf_addf(out,
		     "%s %s known=%d key=%zu dir=%s\ncommand %s\nlog %s\nfailed %s\nmetrics %s\n",
		     a->kind, a->node, a->known, strlen(a->key), a->dir, a->command, a->log,
		     a->failed_log, a->metrics);
	for (size_t i = 0; i < a->n_outputs; i++)
		mlb_buf_addf(out, "%s %s %d\n", a->output[i].kind, a->output[i].path,
			     (int)a->output[i].size);
	if (a->known && a->key[0]) {
		assert_true(a->started > 0);
		assert_true(a->duration > 0);
		assert_true(a->max_rss > 0);
		assert_true(a->platform[0] != '\0');
		assert_true(a->run[0] != '\0');
		expect_contains(a->action, "mlbuild-action 1\n");
	}
	return 0;
}

static void
expect_show(const char *word, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_show(p, word, add_artifact, &got, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_project_close(p);
	mlb_buf_release(&got);
}

#define M_COMMAND "command echo said; cat d/x > m.txt; echo '{\"acc\": 0.25}' > m.json\n"

static void
artifacts(void **state)
{
	(void)state;
	make_project();
	expect_show("m", "model m known=0 key=0 dir=.\ncommand \nlog \nfailed \nmetrics \n");
	build_ok("m");
	expect_show("m", "model m known=1 key=64 dir=.\n" M_COMMAND
			 "log said\n\nfailed \nmetrics {\"acc\":0.25}\n"
			 "file m.txt 4\nmetrics m.json 14\n");
	expect_show(
		"d",
		"feature d known=1 key=64 dir=.\ncommand cp raw.txt d/x\nlog \nfailed \nmetrics \ntree d 4\n");
	expect_show(
		"raw",
		"dataset raw known=1 key=0 dir=.\ncommand \nlog \nfailed \nmetrics \nfile raw.txt 4\n");
	/* By the path of an output, and where it is absent. */
	unlink("m.txt");
	expect_show(
		"m.json",
		"model m known=1 key=64 dir=.\n" M_COMMAND
		"log said\n\nfailed \nmetrics {\"acc\":0.25}\nfile m.txt 4\nmetrics m.json 14\n");
}

static void
failures(void **state)
{
	char *text;

	(void)state;
	make_project();
	build_ok("m");
	text = mlb_asprintf(
		"%s[report r]\nrun = echo oops >&2; test -e go && touch ${out}\nout = r.txt\n",
		ini);
	put_file("mlbuild.ini", text);
	free(text);
	assert_int_equal(build("r"), MLB_EFAILED);
	expect_show(
		"r",
		"report r known=0 key=64 dir=.\ncommand echo oops >&2; test -e go && touch r.txt\nlog \n"
		"failed oops\n\nmetrics \n");
	assert_int_equal(mkdir("go", 0777), 0);
	build_ok("r");
	/* Mended: the failure is of no interest any more. */
	expect_show(
		"r",
		"report r known=1 key=64 dir=.\ncommand echo oops >&2; test -e go && touch r.txt\n"
		"log oops\n\nfailed \nmetrics \nfile r.txt 0\n");
}

static void
each_target(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_project *p;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(mkdir("src", 0777), 0);
	put_file("src/a.txt", "a\n");
	put_file("mlbuild.ini",
		 "[feature up]\neach = src/*.txt\nrun = cp ${each} ${out}\nout = up/${each:name}\n");
	build_ok("up");
	p = open_project();
	assert_ok(mlb_show(p, "up", add_artifact, &got, &err));
	expect_contains(mlb_buf_str(&got), "command cp src/a.txt up/a.txt\n");
	assert_null(strchr(mlb_buf_str(&got), '\001'));
	mlb_project_close(p);
	mlb_buf_release(&got);
}

static int
add_run(void *ctx, const struct mlb_log_entry *e)
{
	struct mlb_buf *out = ctx;

	/* Without durations. */
	assert_int_equal(e->what, MLB_LOG_RUN);
	mlb_buf_addf(out, "%s status=%d %u %u %u:", e->words, e->status, e->built, e->restored,
		     e->failed);
	for (size_t i = 0; i < e->n_actions; i++)
		mlb_buf_addf(out, " %s %s", e->action[i].target, e->action[i].what);
	mlb_buf_addc(out, '\n');
	assert_true(e->time > 0);
	assert_true(e->id[0] != '\0');
	return 0;
}

static void
expect_runs(const char *word, unsigned limit, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_log(p, word, limit, add_run, &got, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_project_close(p);
	mlb_buf_release(&got);
}

static void
runs(void **state)
{
	struct mlb_project *p;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	expect_runs(NULL, 10, "");
	assert_int_equal(build_opt("m", .command_line = "first"), 0);
	assert_int_equal(build_opt("m", .command_line = "nothing"), 0); /* is no run */
	unlink("m.txt");
	assert_int_equal(build_opt("m", .command_line = "second"), 0);
	put_file("raw.txt", "other\n");
	assert_int_equal(build_opt("d", .command_line = "third"), 0);
	expect_runs(NULL, 10,
		    "third status=0 1 0 0: d built\nsecond status=0 0 1 0: m restored\n"
		    "first status=0 2 0 0: d built m built\n");
	expect_runs(NULL, 1, "third status=0 1 0 0: d built\n");
	expect_runs("m", 1, "second status=0 0 1 0: m restored\n");
	expect_runs("d", 10, "third status=0 1 0 0: d built\nfirst status=0 2 0 0: d built\n");
	p = open_project();
	assert_err(mlb_log(p, "nobody", 10, add_run, NULL, &err), MLB_ENOTFOUND, "nobody");
	mlb_project_close(p);
}

static void
runs_that_failed(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = false\nout = a.txt\n[check c]\nrun = false\n");
	assert_int_equal(build_opt("a", .command_line = "first"), MLB_EFAILED);
	assert_int_equal(build_opt("c", .command_line = "second"), MLB_ECHECK);
	expect_runs(NULL, 10, "second status=3 0 0 0: c no\nfirst status=1 0 0 1: a failed\n");
}

static int
find_text(void *ctx, const struct mlb_explanation *e)
{
	const char *want = *(const char **)ctx;

	expect_contains(e->text, want);
	return 0;
}

static void
expect_why(const char *word, const char *want)
{
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_why(p, word, find_text, &want, &err));
	mlb_project_close(p);
}

static void
why(void **state)
{
	(void)state;
	make_project();
	expect_why("m", "m will run: not built yet\n");
	build_ok("m");
	expect_why("m", "m is up to date\n");
	put_file("raw.txt", "other\n");
	expect_why("d", "d will run: input raw.txt changed\n");
	expect_why("m", "m may run: reads 'd', which will run\n");
	unlink("m.txt");
	put_file("raw.txt", "raw\n");
	expect_why("m", "m will be restored: 'm.txt' is absent\n");
}

/* A build that only restored, then a build by the program's fresh state: durations are kept. */
static void
durations_survive(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[model m]\nrun = sleep 0.2; touch ${out}\nout = m.txt\n");
	build_ok("m");
	unlink("m.txt");
	build_ok("m");
	assert_string_equal(names(MLB_EV_RESTORED), "m");
	assert_true(last.report.saved >= 150000000);
	assert_int_equal(build_opt("m", .force = true), 0);
	assert_true(event(MLB_EV_START, "m")->expected >= 150000000);
	assert_true(event(MLB_EV_PLAN, "")->expected >= 150000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(artifacts),         engine_test(failures),
		engine_test(each_target),       engine_test(runs),
		engine_test(runs_that_failed),  engine_test(why),
		engine_test(durations_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
