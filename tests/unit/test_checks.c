/* Checks and gates: yes, no and failed; what they hold back, and what they never do. */
#include "engine_fixture.h"

static void
make_project(const char *check)
{
	char *ini = mlb_asprintf("[dataset raw]\npath = raw.txt\n"
				 "[check contract]\nguards = raw\n%s\n"
				 "[feature a]\nrun = cp ${raw} ${out}\nout = a.txt\n"
				 "[model b]\nrun = cp ${a} ${out}\nout = b.txt\n"
				 "[report c]\nrun = echo c > ${out}\nout = c.txt\n",
				 check);

	put_file("mlbuild.ini", ini);
	put_file("raw.txt", "good\n");
	free(ini);
}

static void
yes(void **state)
{
	(void)state;
	make_project("run = grep -q good ${raw}");
	build_ok("b");
	expect_ran("contract a b");
	assert_string_equal(names(MLB_EV_BUILT), "contract a b");
	build_ok("b");
	expect_ran("");
	/* The check is not an input: another one makes nothing stale. */
	make_project("run = grep -q goo ${raw}");
	build_ok("b");
	expect_ran("contract");
}

static void
no(void **state)
{
	(void)state;
	make_project("run = echo seen; grep -q good ${raw}");
	put_file("raw.txt", "bad\n");
	assert_int_equal(build_opt("b c", .keep_going = true), MLB_ECHECK);
	assert_string_equal(names(MLB_EV_NO), "contract");
	expect_contains(event(MLB_EV_NO, "contract")->log, "seen");
	assert_string_equal(event(MLB_EV_BLOCKED, "a")->text, "the check 'contract' said no");
	assert_int_equal(last.report.checks_no, 1);
	assert_int_equal(last.report.blocked, 2);
	assert_int_equal(last.report.failed, 0);
	assert_file("c.txt", "c\n");
	assert_false(mlb_fs_exists("a.txt"));
	/* The verdict is remembered. */
	expect_plan("contract", "raw current\ncontract no: it said no for these inputs\n");
	assert_int_equal(build("b"), MLB_ECHECK);
	expect_ran("");
	assert_string_equal(names(MLB_EV_NO), "contract");
	put_file("raw.txt", "good\n");
	build_ok("b");
	expect_ran("contract a b");
	put_file("raw.txt", "bad\n");
	assert_int_equal(build("b"), MLB_ECHECK);
	expect_ran("");
}

/* A consumer that is up to date stays, and the exit is still the check's. */
static void
no_about_what_is_current(void **state)
{
	(void)state;
	make_project("run = grep -q good ${raw}");
	build_ok("b");
	make_project("run = grep -q better ${raw}");
	assert_int_equal(build("b"), MLB_ECHECK);
	expect_ran("contract");
	assert_int_equal(last.report.blocked, 0);
	assert_int_equal(last.report.checks_no, 1);
	assert_file("b.txt", "good\n");
	/* But nothing is put in place against it. */
	unlink("a.txt");
	unlink("b.txt");
	assert_int_equal(build("a"), MLB_ECHECK);
	assert_string_equal(names(MLB_EV_BLOCKED), "a");
	assert_false(mlb_fs_exists("a.txt"));
}

static void
failed(void **state)
{
	(void)state;
	make_project("run = kill -9 $$");
	assert_int_equal(build("b"), MLB_EFAILED);
	expect_contains(event(MLB_EV_FAILED, "contract")->reason, "killed by signal 9");
	assert_string_equal(event(MLB_EV_BLOCKED, "a")->text, "'contract' failed");
	make_project("run = exit 127");
	assert_int_equal(build("b"), MLB_EFAILED);
	assert_int_equal(last.report.failed, 1);
	make_project("run = exit 125");
	assert_int_equal(build("b"), MLB_ECHECK);
	make_project("run = sleep 60\ntimeout = 100ms");
	assert_int_equal(build("b"), MLB_EFAILED);
	/* A failure is not remembered: it runs again. */
	assert_int_equal(build("b"), MLB_EFAILED);
	expect_ran("contract");
}

static void
reports_of_a_no_stay(void **state)
{
	(void)state;
	make_project("run = echo wrong > ${out}; false\nout = contract.txt");
	assert_int_equal(build("b"), MLB_ECHECK);
	assert_file("contract.txt", "wrong\n");
	assert_int_equal(build("b"), MLB_ECHECK);
	expect_ran("");
	unlink("contract.txt");
	assert_int_equal(build("b"), MLB_ECHECK);
	expect_ran("");
	/* One that says no before it wrote its report. */
	make_project("run = test -e nowhere && touch ${out}\nout = contract.txt");
	assert_int_equal(build("b"), MLB_ECHECK);
	assert_int_equal(build("b"), MLB_ECHECK);
}

/* A gate on the model that reads the model's evaluation: its own inputs are not gated. */
static void
gate_on_a_model(void **state)
{
	static const char ini[] = "[model m]\nrun = echo %d > ${out}\nout = m.txt\n"
				  "[report eval]\nrun = cp ${m} ${out}\nout = eval.txt\n"
				  "[check gate]\nguards = m\nrun = test $(cat ${eval}) -ge 5\n"
				  "[report ship]\nrun = cp ${m} ${out}\nout = ship.txt\n";
	char *text = mlb_asprintf("%s", "");

	(void)state;
	for (int value = 4; value <= 5; value++) {
		free(text);
		text = mlb_alloc(sizeof(ini) + 16);
		snprintf(text, sizeof(ini) + 16,
			 "[model m]\nrun = echo %d > ${out}\nout = m.txt\n%s", value,
			 strstr(ini, "[report eval]"));
		put_file("mlbuild.ini", text);
		assert_int_equal(build("ship"), value == 5 ? 0 : MLB_ECHECK);
		assert_true(mlb_fs_exists("eval.txt"));
		assert_int_equal(mlb_fs_exists("ship.txt"), value == 5);
	}
	/* The model alone is asked for: its gate is heard all the same. */
	snprintf(text, sizeof(ini) + 16, "[model m]\nrun = echo %d > ${out}\nout = m.txt\n%s", 3,
		 strstr(ini, "[report eval]"));
	put_file("mlbuild.ini", text);
	assert_int_equal(build("m"), MLB_ECHECK);
	assert_file("m.txt", "3\n");
	free(text);
}

/* A check in `needs` holds back that consumer alone. */
static void
check_in_needs(void **state)
{
	(void)state;
	put_file("raw.txt", "bad\n");
	put_file("mlbuild.ini", "[dataset raw]\npath = raw.txt\n"
				"[check c]\nrun = grep -q good ${raw}\n"
				"[feature a]\nrun = cp ${raw} ${out}\nout = a.txt\nneeds = c\n"
				"[feature b]\nrun = cp ${raw} ${out}\nout = b.txt\n");
	assert_int_equal(build_opt("a b", .keep_going = true), MLB_ECHECK);
	assert_string_equal(names(MLB_EV_BLOCKED), "a");
	assert_true(mlb_fs_exists("b.txt"));
	assert_false(mlb_fs_exists("a.txt"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(yes),
		engine_test(no),
		engine_test(no_about_what_is_current),
		engine_test(failed),
		engine_test(reports_of_a_no_stay),
		engine_test(gate_on_a_model),
		engine_test(check_in_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
