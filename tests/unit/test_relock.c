/* mlbuild.lock after a build, before one, and between branches. */
#include "base/hex.h"
#include "engine/project.h"
#include "engine_fixture.h"

static void
make_project(const char *word)
{
	char *ini = mlb_asprintf("[feature a]\nrun = echo %s > ${out}\nout = a.txt\n"
				 "[model b]\nrun = cat ${a} > ${out}\nout = b.txt\n"
				 "[model c]\nrun = echo c > ${out}\nout = c.txt\n",
				 word);

	put_file("mlbuild.ini", ini);
	free(ini);
}

static char *
lock_text(void)
{
	return file_text("mlbuild.lock");
}

static void
written_once(void **state)
{
	char *first, *second;

	(void)state;
	make_project("one");
	build_ok("b");
	assert_string_equal(last.report.changed, "mlbuild.lock");
	first = lock_text();
	expect_contains(first, "feature a");
	expect_contains(first, "model b");
	assert_null(strstr(first, "model c")); /* not built yet */
	build_ok("b");
	assert_string_equal(last.report.changed ? last.report.changed : "", "");
	assert_int_equal(build_opt("b", .force = true), 0); /* the same bytes again */
	second = lock_text();
	assert_string_equal(first, second);
	free(second);
	build_ok("c");
	second = lock_text();
	expect_contains(second, "model c");
	expect_contains(second, "model b"); /* others stay */
	free(first);
	free(second);
}

static void
dead_targets_leave(void **state)
{
	char *text;

	(void)state;
	make_project("one");
	build_ok("");
	put_file("mlbuild.ini", "[feature a]\nrun = echo one > ${out}\nout = a.txt\n");
	build_ok("");
	expect_ran("");
	assert_string_equal(last.report.changed, "mlbuild.lock");
	text = lock_text();
	assert_null(strstr(text, "model"));
	expect_contains(text, "feature a");
	free(text);
}

static void
a_failed_target_keeps_its_block(void **state)
{
	char *before, *after;

	(void)state;
	make_project("one");
	build_ok("");
	before = lock_text();
	make_project("two; false");
	assert_int_equal(build(""), MLB_EFAILED);
	after = lock_text();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Another branch's lock with its ini: what it names comes from the cache, nothing runs. */
static void
another_branch(void **state)
{
	char *one, *two, *text;

	(void)state;
	make_project("one");
	build_ok("b");
	one = lock_text();
	make_project("two");
	build_ok("b");
	two = lock_text();
	assert_string_not_equal(one, two);

	make_project("one");
	put_file("mlbuild.lock", one);
	build_ok("b");
	expect_ran("");
	assert_file("b.txt", "one\n");
	assert_string_equal(last.report.changed, "");
	/* The lock alone decides, even where no result record is left. */
	sh("rm -f .mlbuild/state.db* .mlbuild/graph");
	make_project("two");
	put_file("mlbuild.lock", two);
	assert_int_equal(build_opt("b", .locked = true), 0);
	expect_ran("");
	assert_file("b.txt", "two\n");
	text = lock_text();
	assert_string_equal(text, two);
	free(text);
	free(one);
	free(two);
}

/* For one key the lock's outputs are the result, not those of the local cache. */
static void
the_lock_comes_first(void **state)
{
	char *lock, *first, *second;

	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = date +%s%N > ${out}\nout = a.txt\n"
				"[model b]\nrun = cat ${a} > ${out}\nout = b.txt\n");
	build_ok("b");
	lock = lock_text();
	first = file_text("a.txt");
	assert_int_equal(build_opt("a", .force = true), 0);
	build_ok("b");
	second = file_text("a.txt");
	assert_string_not_equal(first, second);
	put_file("mlbuild.lock", lock); /* a colleague's */
	build_ok("a b");
	expect_ran("");
	assert_file("a.txt", first);
	assert_file("b.txt", first);
	free(lock);
	free(first);
	free(second);
}

static void
conflict_markers(void **state)
{
	char *one, *two, *both, *after;

	(void)state;
	make_project("one");
	build_ok("b");
	one = lock_text();
	make_project("two");
	build_ok("b");
	two = lock_text();
	/* As git leaves it: the whole body differs. */
	both = mlb_asprintf("%.*s<<<<<<< HEAD\n%s=======\n%s>>>>>>> other\n",
			    (int)(strchr(one, '\n') + 1 - one), one, strchr(one, '\n') + 1,
			    strchr(two, '\n') + 1);
	sh("chmod -R u+w .mlbuild; rm -f .mlbuild/state.db* .mlbuild/graph b.txt");
	for (int i = 0; i < 2; i++) {
		make_project(i ? "one" : "two");
		put_file("mlbuild.lock", both);
		build_ok("b");
		expect_ran("");
		assert_file("b.txt", i ? "one\n" : "two\n");
		assert_string_equal(last.report.changed, "mlbuild.lock");
		after = lock_text();
		assert_string_equal(after, i ? one : two); /* the markers are gone */
		free(after);
	}
	free(one);
	free(two);
	free(both);
}

static void
locked(void **state)
{
	char *before, *after;

	(void)state;
	make_project("one");
	build_ok("b");
	before = lock_text();
	assert_int_equal(build_opt("b", .locked = true), 0);
	make_project("two");
	assert_int_equal(build_opt("b", .locked = true), MLB_ESTALE);
	expect_contains(last.err.text, "mlbuild.lock");
	expect_ran("");
	after = lock_text();
	assert_string_equal(before, after);
	free(after);
	assert_file("b.txt", "one\n");
	/* What the lock does not have at all. */
	make_project("one");
	assert_int_equal(build_opt("c", .locked = true), MLB_ESTALE);
	assert_false(mlb_fs_exists("c.txt"));
	/* Known to the cache, but not to the lock: as stale. */
	build_ok("c");
	put_file("mlbuild.lock", before);
	assert_int_equal(build_opt("c", .locked = true), MLB_ESTALE);
	/* Lost bytes of what the lock has are made again. */
	sh("chmod -R u+w .mlbuild/cache; rm -rf .mlbuild/cache a.txt b.txt");
	assert_int_equal(build_opt("b", .locked = true), 0);
	expect_ran("a b");
	after = lock_text();
	assert_string_equal(before, after);
	free(after);
	free(before);
}

static void
locked_without_a_lock(void **state)
{
	(void)state;
	make_project("one");
	assert_int_equal(build_opt("b", .locked = true), MLB_ESTALE);
	assert_false(mlb_fs_exists("mlbuild.lock"));
	assert_false(mlb_fs_exists("a.txt"));
}

static void
a_broken_lock(void **state)
{
	(void)state;
	make_project("one");
	put_file("mlbuild.lock", "what is this\n");
	assert_int_equal(build("b"), MLB_EINVALID);
	expect_contains(last.err.text, "mlbuild.lock:1: ");
	assert_file("mlbuild.lock", "what is this\n");
}

static void
sources_and_metrics(void **state)
{
	char *text;

	(void)state;
	put_file("raw.txt", "raw\n");
	put_file("mlbuild.ini",
		 "[dataset raw]\npath = raw.txt\n"
		 "[model m]\nrun = cp ${raw} ${out}; echo '{}' > ${metrics}\nout = m.txt\nmetrics = m.json\n"
		 "[check c]\nrun = test -s ${m}\n[task t]\nrun = true\n");
	build_ok("m c t");
	text = lock_text();
	expect_contains(text, "dataset raw");
	expect_contains(text, "raw.txt");
	expect_contains(text, "m.json");
	assert_null(strstr(text, "check"));
	assert_null(strstr(text, "task"));
	free(text);
}

/* One block for a matrix; rows of instances that were not asked for stay. */
static void
matrix(void **state)
{
	struct mlb_table_row *row;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf table = MLB_BUF_INIT(MLB_MIB);
	struct mlb_lockfile lock;
	struct mlb_project *p;
	const struct mlb_lock_block *b;
	char *text;
	size_t n;

	(void)state;
	put_file(
		"mlbuild.ini",
		"[model fit]\nmatrix.k = 1..3\nrun = echo ${matrix:k} > ${out}\nout = fit-${matrix:k}.txt\n");
	build_ok("fit@k=3");
	build_ok("fit@k=1");
	text = lock_text();
	assert_int_equal(count_in(text, "model fit"), 1);
	mlb_lockfile_init(&lock);
	assert_ok(mlb_lockfile_parse(&lock, text, strlen(text), &err));
	b = mlb_lockfile_get(&lock, "fit");
	assert_non_null(b);
	assert_int_equal(b->n_outputs, 0);
	p = open_project();
	assert_ok(mlb_project_load(p, &err));
	assert_ok(mlb_project_cache(p, &err));
	assert_ok(mlb_cas_read(p->cas, &table, &b->table, &err));
	assert_ok(mlb_table_parse(&row, &n, &arena, mlb_buf_str(&table), table.len, &err));
	assert_int_equal(n, 2);
	assert_string_equal(row[0].name, "fit@k=1");
	assert_string_equal(row[1].name, "fit@k=3");
	assert_string_equal(row[1].output[0].path, "fit-3.txt");
	mlb_project_close(p);
	mlb_lockfile_release(&lock);
	mlb_arena_release(&arena);
	mlb_buf_release(&table);
	free(text);
	sh("rm -f .mlbuild/state.db* fit-3.txt");
	assert_int_equal(build_opt("fit@k=3", .locked = true), 0);
	expect_ran("");
	assert_file("fit-3.txt", "3\n");
	assert_int_equal(build_opt("fit@k=2", .locked = true), MLB_ESTALE);
	/* An instance that the ini no longer has leaves the table. */
	put_file(
		"mlbuild.ini",
		"[model fit]\nmatrix.k = 1..2\nrun = echo ${matrix:k} > ${out}\nout = fit-${matrix:k}.txt\n");
	build_ok("fit");
	expect_ran("fit@k=2");
}

static void
frozen(void **state)
{
	char *before, *after;

	(void)state;
	put_file("raw.txt", "1\n");
	put_file("mlbuild.ini",
		 "[dataset raw]\npath = raw.txt\n"
		 "[dataset snap]\nrun = cp ${raw} ${out}\nout = snap.txt\nfrozen = yes\n"
		 "[model m]\nrun = cp ${snap} ${out}\nout = m.txt\n");
	build_ok("m");
	expect_ran("snap m");
	put_file("raw.txt", "2\n");
	build_ok("m");
	expect_ran("");
	unlink("snap.txt");
	build_ok("snap");
	assert_file("snap.txt", "1\n");
	before = lock_text();
	assert_int_equal(build_opt("snap", .update = true), 0);
	expect_ran("snap");
	assert_file("snap.txt", "2\n");
	after = lock_text();
	assert_string_not_equal(before, after);
	build_ok("m");
	expect_ran("m");
	/* A second update of unchanged inputs runs again: its stamp is another. */
	assert_int_equal(build_opt("snap", .update = true), 0);
	expect_ran("snap");
	build_ok("m");
	expect_ran("");
	free(before);
	free(after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(written_once),
		engine_test(dead_targets_leave),
		engine_test(a_failed_target_keeps_its_block),
		engine_test(another_branch),
		engine_test(the_lock_comes_first),
		engine_test(conflict_markers),
		engine_test(locked),
		engine_test(locked_without_a_lock),
		engine_test(a_broken_lock),
		engine_test(sources_and_metrics),
		engine_test(matrix),
		engine_test(frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
