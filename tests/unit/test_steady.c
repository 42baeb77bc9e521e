/* What the last build left up to date, and whether it still is. */
#include "engine/steady.h"
#include "engine_fixture.h"

#include <unistd.h>

/* What is said before a build of these words. */
static enum mlb_rest
rest_of(const char *words)
{
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_plan_options o = { 0 };
	struct mlb_steady said;
	enum mlb_rest rest;
	const char *word[MAX_WORDS];
	char copy[512];

	o.word = word;
	o.n_words = split_words(words, copy, word);
	assert_ok(mlb_steady_find(&rest, &said, p, &o, &err));
	mlb_project_close(p);
	return rest;
}

#define expect_rest(words, want) assert_int_equal(rest_of(words), want)

/* A clock tick later, so that nothing is looked at twice only because it is young. */
static void
put_later(const char *path, const char *text)
{
	usleep(15000);
	put_file(path, text);
}

/* s1 -> a -> b -> c; s2 -> x; b and x -> y. */
static void
make_project(void)
{
	put_file("mlbuild.ini", "[feature a]\nrun = head -c 3 s1 > ${out}\nout = a.txt\n"
				"[feature b]\nrun = cat ${a} > ${out}\nout = b.txt\n"
				"[model c]\nrun = cat ${b} > ${out}\nout = c.txt\n"
				"[feature x]\nrun = cat s2 > ${out}\nout = x.txt\n"
				"[model y]\nrun = cat ${b} ${x} > ${out}\nout = y.txt\n");
	put_file("s1", "one");
	put_file("s2", "two");
}

static void
nothing_is_decided_twice(void **state)
{
	(void)state;
	make_project();
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	assert_int_equal(last.report.built, 5);
	expect_rest("", MLB_REST_ALL);
	build_ok("");
	assert_int_equal(last.report.current, 5);
	assert_int_equal(last.told.n, 0);
	expect_rest("c", MLB_REST_NONE); /* another closure */
	build_ok("c");
	assert_int_equal(last.report.current, 3);
	expect_rest("c", MLB_REST_ALL);
	expect_rest("", MLB_REST_ALL);
	expect_rest("c b", MLB_REST_NONE); /* b would have to be put in place */
	expect_rest("c nothing", MLB_REST_NONE);
}

static void
only_what_a_change_leads_to(void **state)
{
	char *text;

	(void)state;
	make_project();
	build_ok("");
	put_later("s2", "TWO");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	expect_ran("x y");
	assert_int_equal(last.report.built, 2);
	assert_int_equal(last.report.current, 3);
	assert_int_equal(last.told.v[0].total, 5);
	text = file_text("y.txt");
	assert_string_equal(text, "oneTWO");
	free(text);
	expect_rest("", MLB_REST_ALL);
	/* Early cutoff: what comes after is decided, and is as it was. */
	put_later("s1", "one more");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	expect_ran("a");
	assert_int_equal(last.report.current, 4);
	expect_rest("", MLB_REST_ALL);
	/* Touched, not changed. */
	usleep(15000);
	sh("touch s1 s2 b.txt");
	expect_rest("", MLB_REST_ALL);
}

static void
outputs_are_looked_at(void **state)
{
	(void)state;
	make_project();
	build_ok("");
	unlink("b.txt");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	expect_ran("");
	assert_string_equal(names(MLB_EV_RESTORED), "b");
	expect_rest("", MLB_REST_ALL);
	put_later("y.txt", "tampered");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	assert_string_equal(names(MLB_EV_RESTORED), "y");
	assert_int_equal(last.report.current, 4);
}

static void
a_change_that_another_command_saw(void **state)
{
	(void)state;
	make_project();
	build_ok("");
	put_later("s1", "ONE");
	free(plan_text("", (struct mlb_build){ .jobs = 1 })); /* the stat cache knows it now */
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	/* In an order that follows how long each took. */
	assert_int_equal(last.report.built, 4);
	assert_null(strchr(names(MLB_EV_START), 'x'));
}

static void
lock_and_graph_are_looked_at(void **state)
{
	char *lock;

	(void)state;
	make_project();
	build_ok("");
	lock = file_text("mlbuild.lock");
	unlink("mlbuild.lock");
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	expect_ran("");
	expect_rest("", MLB_REST_ALL);
	put_later("mlbuild.lock", lock);
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	expect_rest("", MLB_REST_ALL);
	sh("echo '# a comment' >> mlbuild.ini");
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	expect_ran("");
	expect_rest("", MLB_REST_ALL);
	free(lock);
}

/* Intermediates that are known and not there are at rest, but not what is next to a change. */
static void
absent_intermediates(void **state)
{
	(void)state;
	make_project();
	build_ok("");
	sh("rm a.txt b.txt");
	build_ok("y");
	assert_int_equal(last.report.current, 4);
	expect_rest("y", MLB_REST_ALL);
	build_ok("y");
	assert_int_equal(last.report.current, 4);
	expect_ran("");
	expect_rest("", MLB_REST_NONE); /* of everything nothing is said: b is asked for there */
	put_later("s2", "TWO");
	expect_rest("y", MLB_REST_NONE);
	build_ok("y");
	expect_ran("x y");
}

/* The rows of the instances that rested stay in the lock's table. */
static void
instances_keep_their_rows(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature f]\nmatrix.k = 1 2 3\nrun = cat s${matrix:k} > ${out}\n"
				"out = f${matrix:k}.txt\n"
				"[model all]\nrun = cat ${f@k=*} > ${out}\nout = all.txt\n");
	put_file("s1", "1");
	put_file("s2", "2");
	put_file("s3", "3");
	build_ok("");
	put_later("s2", "two");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	expect_ran("f@k=2 all");
	sh("rm -r .mlbuild/state.db* f1.txt f2.txt f3.txt all.txt");
	assert_int_equal(build_opt("", .locked = true), 0);
	expect_ran("");
	assert_int_equal(last.report.restored, 4);
}

static void
a_check_that_says_no(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[dataset d]\nrun = cat s > ${out}\nout = d.txt\n"
				"[check ok]\nguards = d\nrun = test ! -e \"$HOME/no\" && cat ${d}\n"
				"[model m]\nrun = cat ${d} > ${out}\nout = m.txt\n");
	put_file("s", "1");
	build_ok("");
	expect_rest("", MLB_REST_ALL);
	sh("touch \"$HOME/no\"");
	build_ok("");
	assert_int_equal(build_opt("ok", .force = true), MLB_ECHECK);
	expect_rest("", MLB_REST_NONE);
	assert_int_equal(build(""), MLB_ECHECK);
	expect_rest("", MLB_REST_NONE);
	sh("rm \"$HOME/no\"");
	assert_int_equal(build_opt("ok", .force = true), 0);
	build_ok("");
	/* The gate is at rest: the one behind it runs. */
	unlink("m.txt");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	assert_int_equal(last.report.restored, 1);
	/* Moved with its input, and heard before the consumer runs. */
	sh("touch \"$HOME/no\"");
	put_later("s", "2");
	expect_rest("", MLB_REST_MOST);
	assert_int_equal(build(""), MLB_ECHECK);
	expect_ran("d ok");
}

/* Of what more than graph, lock and paths decide nothing is said. */
static void
closures_that_never_rest(void **state)
{
	(void)state;
	put_file("mlbuild.ini",
		 "[task t]\nrun = true\n"
		 "[feature e]\neach = in/*.txt\nrun = cp ${each} ${out}\n"
		 "out = e/${each:stem}.txt\n"
		 "[feature f]\nrun = echo > ${out}\nout = f.txt\nfingerprint = cat version\n"
		 "[model m]\nrun = echo > ${out}\nout = m.txt\n");
	put_file("version", "1");
	assert_int_equal(mkdir("in", 0777), 0);
	put_file("in/1.txt", "1");
	build_ok("t e f m");
	for (int i = 0; i < 2; i++) {
		build_ok("t");
		expect_ran("t");
		build_ok("e");
		build_ok("f");
		build_ok("m");
	}
	expect_rest("t", MLB_REST_NONE);
	expect_rest("e", MLB_REST_NONE);
	expect_rest("m", MLB_REST_ALL);
}

/* They are run once a build, whoever asks for what they say. */
static void
fingerprints_are_heard(void **state)
{
	char *text;

	(void)state;
	put_file("mlbuild.ini", "[feature f]\nrun = echo f > ${out}\nout = f.txt\n"
				"fingerprint = echo >> \"$HOME/asked\"; cat \"$HOME/version\"\n"
				"[model m]\nrun = cat ${f} s > ${out}\nout = m.txt\n"
				"[model n]\nrun = cat s > ${out}\nout = n.txt\n");
	put_file("s", "1");
	sh("echo 1 > \"$HOME/version\"");
	build_ok("");
	expect_rest("", MLB_REST_ALL);
	sh("rm \"$HOME/asked\"");
	build_ok("");
	expect_ran("");
	put_later("s", "2");
	build_ok("");
	assert_int_equal(last.report.built, 2);
	assert_int_equal(last.report.current, 1);
	text = run_shell("cat \"$HOME/asked\"");
	assert_string_equal(text, "\n\n");
	free(text);
	sh("echo 2 > \"$HOME/version\"");
	expect_rest("n", MLB_REST_NONE);
	expect_rest("", MLB_REST_NONE);
	build_ok("");
	expect_ran("f");
	sh("rm \"$HOME/version\"");
	assert_int_equal(build(""), MLB_EFAILED);
	expect_rest("", MLB_REST_NONE);
}

static void
a_part_is_not_the_whole(void **state)
{
	(void)state;
	make_project();
	assert_int_equal(build_opt("c", .only = false, .keep_going = true), 0);
	put_later("s1", "ONE");
	assert_int_equal(build_opt("c", .only = true), 0);
	expect_ran("");
	expect_rest("c", MLB_REST_NONE);
	build_ok("c");
	expect_ran("a b c");
	/* Failed and interrupted ones say nothing. */
	put_later("mlbuild.ini", "[feature a]\nrun = head -c 3 s1 > ${out}\nout = a.txt\n"
				 "[model c]\nrun = false\nout = c.txt\n");
	assert_int_equal(build(""), MLB_EFAILED);
	expect_rest("", MLB_REST_NONE);
	expect_rest("a", MLB_REST_NONE);
}

static void
frozen_ones_rest(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[dataset d]\nrun = cat s > ${out}\nout = d.txt\nfrozen = yes\n"
				"[model m]\nrun = cat ${d} > ${out}\nout = m.txt\n");
	put_file("s", "1");
	build_ok("");
	expect_rest("", MLB_REST_ALL);
	put_later("s", "2");
	build_ok("");
	expect_ran("");
	assert_int_equal(build_opt("d", .update = true), 0);
	expect_ran("d");
	build_ok("");
	expect_ran("m");
	expect_rest("", MLB_REST_ALL);
}

/* Somebody takes away what rests while something is built from it. */
static void
an_input_that_rested_goes_away(void **state)
{
	char *text;

	(void)state;
	put_file("mlbuild.ini",
		 "[feature a]\nrun = echo a > ${out}\nout = a.txt\n"
		 "[feature x]\nrun = cat s > ${out}; if test -e \"$HOME/rm\"; then rm [a].txt; fi\n"
		 "out = x.txt\n"
		 "[model m]\nrun = cat ${a} ${x} > ${out}\nout = m.txt\n");
	put_file("s", "1");
	build_ok("");
	sh("touch \"$HOME/rm\"");
	put_later("s", "2");
	expect_rest("", MLB_REST_MOST);
	build_ok("");
	text = file_text("m.txt");
	assert_string_equal(text, "a\n2");
	free(text);
	assert_true(mlb_fs_exists("a.txt"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(nothing_is_decided_twice),
		engine_test(only_what_a_change_leads_to),
		engine_test(outputs_are_looked_at),
		engine_test(a_change_that_another_command_saw),
		engine_test(lock_and_graph_are_looked_at),
		engine_test(absent_intermediates),
		engine_test(instances_keep_their_rows),
		engine_test(a_check_that_says_no),
		engine_test(closures_that_never_rest),
		engine_test(fingerprints_are_heard),
		engine_test(a_part_is_not_the_whole),
		engine_test(frozen_ones_rest),
		engine_test(an_input_that_rested_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
