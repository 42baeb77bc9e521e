/*
 * What a build tells, in which order, and what it leaves behind when commands fail, stop or differ.
 *
 * Labels: tsan
 */
#include <dirent.h>
#include <unistd.h>

#include "engine_fixture.h"
#include "os/clock.h"

static const char chain[] = "[dataset raw]\n"
			    "path = raw.txt\n"
			    "[feature a]\n"
			    "run = echo hello; cp ${raw} ${out}\n"
			    "out = a.txt\n"
			    "[model b]\n"
			    "run = cat ${a} conf.txt > ${out}; echo '{\"acc\": 0.5}' > ${metrics}\n"
			    "out = b.txt\n"
			    "metrics = b.json\n";

static void
make_chain(void)
{
	put_file("mlbuild.ini", chain);
	put_file("raw.txt", "raw\n");
	put_file("conf.txt", "conf\n");
}

/* Where the first event of a type about a node stands. */
static size_t
where(enum mlb_event_type type, const char *node)
{
	for (size_t i = 0; i < last.told.n; i++)
		if (last.told.v[i].type == type && strcmp(last.told.v[i].node, node) == 0)
			return i;
	print_error("no event %d about '%s'\n", type, node);
	assert_true(false);
	return 0;
}

/* What holds of the events of every build. */
static void
check_events(void)
{
	uint32_t finished = 0;
	bool planned = false;

	for (size_t i = 0; i < last.told.n; i++) {
		const struct told *t = &last.told.v[i];

		assert_true(t->finished <= t->total);
		assert_true(t->finished >= finished);
		finished = t->finished;
		if (t->type == MLB_EV_PLAN) {
			assert_false(planned);
			planned = true;
		}
		if (t->type == MLB_EV_START || t->type == MLB_EV_RESTORED)
			assert_true(planned);
		if (t->type == MLB_EV_BUILT || t->type == MLB_EV_OUTPUT || t->type == MLB_EV_FAILED)
			assert_true(where(MLB_EV_START, t->node) < i);
	}
}

static void
order_of_events(void **state)
{
	(void)state;
	make_chain();
	build_ok("b");
	check_events();
	assert_int_equal(count(MLB_EV_PLAN), 1);
	expect_ran("a b");
	assert_string_equal(names(MLB_EV_BUILT), "a b");
	assert_string_equal(event(MLB_EV_OUTPUT, "a")->text, "hello");
	expect_contains(event(MLB_EV_START, "a")->text, "cp raw.txt a.txt");
	assert_true(where(MLB_EV_START, "b") > where(MLB_EV_OUTPUT, "a"));
	assert_int_equal(event(MLB_EV_PLAN, "")->total, 3);
	assert_int_equal(last.told.v[last.told.n - 1].finished, 3);
	assert_true(event(MLB_EV_BUILT, "b")->duration > 0);
	assert_int_equal(event(MLB_EV_START, "b")->expected, 0);
	/* The second time the command's duration is known. */
	assert_int_equal(build_opt("b", .force = true), 0);
	assert_true(event(MLB_EV_START, "b")->expected > 0);
	check_events();
}

static void
report(void **state)
{
	(void)state;
	make_chain();
	build_ok("b");
	assert_int_equal(last.report.built, 2);
	assert_int_equal(last.report.current, 1);
	assert_int_equal(last.report.restored + last.report.failed + last.report.blocked +
				 last.report.checks_no,
			 0);
	assert_true(last.report.duration > 0);
	expect_contains(last.report.metrics, "\"b\"");
	expect_contains(last.report.metrics, "0.5");
	assert_string_equal(last.report.changed, "mlbuild.lock");
	assert_true(strlen(last.report.run) == strlen("20261121-025546-3f9a"));
	unlink("b.txt");
	build_ok("b");
	assert_int_equal(last.report.restored, 1);
	assert_int_equal(last.report.built, 0);
	assert_true(last.report.saved > 0);
	assert_string_equal(last.report.changed, "");
	/* Metrics are told of targets that were current all along. */
	expect_contains(last.report.metrics, "0.5");
	check_events();
}

static void
failure_leaves_the_old_output(void **state)
{
	const struct told *t;

	(void)state;
	make_chain();
	build_ok("b");
	put_file("mlbuild.ini",
		 "[dataset raw]\npath = raw.txt\n"
		 "[feature a]\nrun = echo half > ${out}; echo why >&2; exit 7\nout = a.txt\n"
		 "[model b]\nrun = cat ${a} > ${out}\nout = b.txt\n"
		 "[report c]\nrun = cp ${raw} ${out}\nout = c.txt\n");
	assert_int_equal(build_opt("b c", .keep_going = true), MLB_EFAILED);
	check_events();
	t = event(MLB_EV_FAILED, "a");
	assert_string_equal(t->reason, "exit code 7");
	expect_contains(t->log, "why");
	assert_string_equal(event(MLB_EV_BLOCKED, "b")->text, "'a' failed");
	assert_string_equal(names(MLB_EV_BUILT), "c");
	assert_int_equal(last.report.failed, 1);
	assert_int_equal(last.report.blocked, 1);
	assert_int_equal(last.report.built, 1);
	expect_contains(last.err.text, "1 failed, 1 blocked");
	assert_file("a.txt", "raw\n");
	assert_file("b.txt", "raw\nconf\n");
	assert_file(".mlbuild/failed/a/a.txt", "half\n");
	/* Failures are not remembered. */
	assert_int_equal(build("b"), MLB_EFAILED);
	expect_ran("a");
}

static void
without_keep_going_nothing_more_starts(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = false\nout = a.txt\n"
				"[feature b]\nrun = echo b > ${out}\nout = b.txt\n"
				"[feature c]\nrun = echo c > ${out}\nout = c.txt\n");
	assert_int_equal(build("a b c"), MLB_EFAILED);
	assert_int_equal(count(MLB_EV_START) + count(MLB_EV_BUILT), mlb_fs_exists("b.txt") ? 3 : 1);
	assert_int_equal(build_opt("", .keep_going = true), MLB_EFAILED);
	assert_file("b.txt", "b\n");
	assert_file("c.txt", "c\n");
}

static void
missing_output(void **state)
{
	(void)state;
	put_file(
		"mlbuild.ini",
		"[feature a]\nrun = true\nout = a.txt\n[feature d]\nrun = mkdir ${out}\nout = d.txt\n");
	assert_int_equal(build("a"), MLB_EFAILED);
	expect_contains(event(MLB_EV_FAILED, "a")->reason, "a.txt");
	assert_int_equal(build("d"), MLB_EFAILED);
	expect_contains(event(MLB_EV_FAILED, "d")->reason, "d.txt");
	assert_false(mlb_fs_exists("d.txt"));
}

static void
retries_with_backoff(void **state)
{
	uint64_t began = mlb_clock_mono(), took;

	(void)state;
	put_file("mlbuild.ini",
		 "[feature a]\n"
		 "run = cd ${scratch}; echo x >> tries; test $(wc -l < tries) = 4; cp tries $OLDPWD/${out}\n"
		 "out = a.txt\nretries = 3\nretry_delay = 50ms\n");
	/* 50, 100 and 200 ms. */
	build_ok("a");
	took = mlb_clock_mono() - began;
	expect_ran("a a a a");
	assert_int_equal(count(MLB_EV_RETRY), 3);
	assert_string_equal(event(MLB_EV_RETRY, "a")->text, "exit code 1");
	assert_int_equal(event(MLB_EV_RETRY, "a")->duration, 50000000);
	assert_true(took >= 350000000);
	assert_int_equal(last.report.built, 1);
	assert_int_equal(last.report.failed, 0);
	check_events();
	put_file(
		"mlbuild.ini",
		"[feature a]\nrun = echo x >> tries; false\nout = a.txt\nretries = 1\nretry_delay = 1ms\n");
	assert_int_equal(build("a"), MLB_EFAILED);
	assert_file("tries", "x\nx\n");
	assert_int_equal(count(MLB_EV_RETRY), 1);
	assert_int_equal(count(MLB_EV_FAILED), 1);
}

static void
timeouts(void **state)
{
	uint64_t began = mlb_clock_mono();

	(void)state;
	put_file("mlbuild.ini",
		 "[feature a]\nrun = sleep 60; touch ${out}\nout = a.txt\ntimeout = 200ms\n");
	assert_int_equal(build("a"), MLB_EFAILED);
	assert_true(mlb_clock_mono() - began < UINT64_C(20000000000));
	expect_contains(event(MLB_EV_FAILED, "a")->reason, "timed out after");
}

/* Processes whose parent we are. */
static unsigned
children(void)
{
	char *text = mlb_asprintf("/proc/self/task/%ld/children", (long)getpid()),
	     *list = file_text(text);
	unsigned n = 0;

	for (char *c = list; *c; c++)
		n += *c == ' ';
	free(text);
	free(list);
	return n;
}

static void
cancel_leaves_nothing(void **state)
{
	struct mlb_project *p;
	uint64_t began = mlb_clock_mono();

	(void)state;
	make_chain();
	build_ok("b");
	put_file("mlbuild.ini",
		 "[feature a]\nrun = echo half > ${out}; (setsid sleep 61 &) ; sleep 61\nout = a.txt\n"
		 "[model b]\nrun = cat ${a} > ${out}\nout = b.txt\n");
	p = open_project();
	last.cancel_on_start = p;
	assert_int_equal(build_in(p, "b", (struct mlb_build){ .jobs = 2 }), MLB_EINTERRUPTED);
	assert_true(mlb_clock_mono() - began < UINT64_C(20000000000));
	assert_int_equal(children(), 0);
	assert_file("a.txt", "raw\n");
	assert_int_equal(last.report.failed, 0);
	assert_int_equal(count(MLB_EV_FAILED), 0);
	expect_ran("a");
	mlb_project_close(p);
	/* The next one is not cancelled by the same. */
	put_file("mlbuild.ini", chain);
	build_ok("b");
	assert_file("b.txt", "raw\nconf\n");
}

static void
not_deterministic(void **state)
{
	char *before, *after;

	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = date +%s%N > ${out}\nout = a.txt\n"
				"[model b]\nrun = cat ${a} c.txt > ${out}\nout = b.txt\n");
	put_file("c.txt", "1\n");
	build_ok("b");
	before = file_text("a.txt");
	sh("chmod -R u+w .mlbuild/cache; rm -rf .mlbuild/cache a.txt");
	put_file("c.txt", "2\n");
	build_ok("b");
	after = file_text("a.txt");
	assert_string_not_equal(before, after);
	assert_true(noted("'a' is not deterministic"));
	expect_ran("a b");
	free(before);
	before = mlb_asprintf("%s2\n", after);
	assert_file("b.txt", before); /* the consumer read what is there now */
	build_ok("b");
	expect_ran("");
	free(before);
	free(after);
}

static void
tasks_always_run(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = echo a > ${out}\nout = a.txt\n"
				"[task t]\nrun = cat ${a} >> told.txt\n");
	build_ok("t");
	expect_ran("a t");
	build_ok("t");
	expect_ran("t");
	assert_file("told.txt", "a\na\n");
	build_ok("");
	expect_ran("");
	expect_plan("t", "a current\nt run: a task runs whenever it is named\n");
	assert_int_equal(build_opt("t", .locked = true), 0); /* it is not in the lock */
	expect_ran("t");
}

static void
an_input_edited_while_it_is_read(void **state)
{
	(void)state;
	put_file("raw.txt", "1\n");
	put_file("mlbuild.ini",
		 "[dataset raw]\npath = raw.txt\n"
		 "[feature a]\nrun = cp ${raw} ${out}; echo 2 > raw.tmp; mv raw.tmp raw.tx''t\nout = a.txt\n"
		 "retries = 2\nretry_delay = 1ms\n");
	assert_int_equal(build("a"), MLB_EFAILED);
	expect_ran("a"); /* it is not retried */
	expect_contains(event(MLB_EV_FAILED, "a")->reason, "'raw.txt' changed while it ran");
	assert_false(mlb_fs_exists("a.txt"));
}

/* Two builds by one project handle: the second sees what the first made. */
static void
one_handle_twice(void **state)
{
	struct mlb_project *p;

	(void)state;
	make_chain();
	p = open_project();
	assert_int_equal(build_in(p, "b", (struct mlb_build){ .jobs = 1 }), 0);
	expect_ran("a b");
	assert_int_equal(build_in(p, "b", (struct mlb_build){ .jobs = 1 }), 0);
	expect_ran("");
	assert_int_equal(build_in(p, "b", (struct mlb_build){ .jobs = 1, .force = true }), 0);
	expect_ran("b");
	mlb_project_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(order_of_events),
		engine_test(report),
		engine_test(failure_leaves_the_old_output),
		engine_test(without_keep_going_nothing_more_starts),
		engine_test(missing_output),
		engine_test(retries_with_backoff),
		engine_test(timeouts),
		engine_test(cancel_leaves_nothing),
		engine_test(not_deterministic),
		engine_test(tasks_always_run),
		engine_test(an_input_edited_while_it_is_read),
		engine_test(one_handle_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
