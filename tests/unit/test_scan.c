/* The scan: every kind of path, and what changes it. Labels: tsan */
#include "scan_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ------------------------------------------------------------ every kind of path */

static void
test_kinds(void **state)
{
	static const char *const path[] = { "absent", "dangling", "dir",  "file",
					    "link",   "loop",     "pipe", "run" };
	struct mlb_scan s;
	struct project p;
	size_t dirty;

	open_project(&p, state);
	put_file("file", "one");
	put_file("run", "two");
	chmod("run", 0755);
	mkdir("dir", 0777);
	put_file("dir/x", "three");
	assert_int_equal(symlink("nowhere", "dangling") | symlink("file", "link") |
				 symlink("loop", "loop"),
			 0);
	assert_int_equal(mkfifo("pipe", 0666), 0);
	scan(&s, &p, path, NULL, 8);
	assert_int_equal(s.state[0].kind, MLB_P_ABSENT);
	assert_int_equal(s.state[1].kind, MLB_P_BAD);
	assert_string_equal(mlb_scan_problem(&s, 1), "'dangling' is a link to nothing");
	assert_tree(&p, &s.state[2], "dir");
	assert_content(&s.state[3], MLB_P_FILE, "one");
	assert_content(&s.state[4], MLB_P_FILE, "one");
	assert_int_equal(s.state[5].kind, MLB_P_BAD);
	assert_non_null(strstr(mlb_scan_problem(&s, 5), "'loop'"));
	assert_int_equal(s.state[6].kind, MLB_P_BAD);
	assert_content(&s.state[7], MLB_P_EXEC, "two");
	assert_string_equal(mlb_scan_problem(&s, 7), "");
	save(&s);
	mlb_scan_release(&s);
	settle_time();
	scan_and_save(&p, path, 8, &dirty);
	assert_int_equal(scan_and_save(&p, path, 8, &dirty), 3); /* what is bad is never known */
	assert_int_equal(dirty, 3);
	close_project(&p);
}

/* What changes and what does not, for a file that is known. */
static void
test_changes(void **state)
{
	static const char *const path[] = { "a", "b" };
	struct timespec times[2];
	struct mlb_scan s;
	struct project p;
	struct stat st;
	size_t dirty;

	open_project(&p, state);
	put_file("a", "one");
	put_file("b", "unchanged");
	settle_time();
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 2);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	assert_int_equal(dirty, 0);

	settle_time();
	assert_int_equal(utimensat(AT_FDCWD, "a", NULL, 0), 0); /* touch */
	settle_time();
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	assert_int_equal(dirty, 1);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	assert_int_equal(dirty, 0);

	assert_int_equal(stat("a", &st), 0); /* same size and mtime, other content */
	put_file("a", "two");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, "a", times, 0), 0);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 1);

	chmod("a", 0755);
	scan(&s, &p, path, NULL, 2);
	assert_true(s.state[0].changed);
	assert_content(&s.state[0], MLB_P_EXEC, "two");
	save(&s);
	mlb_scan_release(&s);

	unlink("a");
	scan(&s, &p, path, NULL, 2);
	assert_int_equal(s.state[0].kind, MLB_P_ABSENT);
	assert_true(s.state[0].changed);
	save(&s);
	mlb_scan_release(&s);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	close_project(&p);
}

/* Written twice within one tick of the clock, with the same size: seen all the same. */
static void
test_racy(void **state)
{
	static const char *const path[] = { "dir", "file" };
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	mkdir("dir", 0777);
	for (unsigned i = 0; i < 200; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%08u", i);
		put_file("dir/x", text);
		put_file("file", text);
		if (i % 3 == 0)
			usleep(i % 7 * 500);
		scan(&s, &p, path, NULL, 2);
		assert_content(&s.state[1], MLB_P_FILE, text);
		assert_tree(&p, &s.state[0], "dir");
		assert_true(s.state[0].changed);
		save(&s);
		mlb_scan_release(&s);
	}
	close_project(&p);
}

/* The number of links and the time of change of a cache object are ours to change. */
static void
test_hard_links(void **state)
{
	static const char *const path[] = { "dir", "file" };
	struct project p;
	size_t dirty;

	open_project(&p, state);
	mkdir("dir", 0777);
	put_file("file", "content");
	put_file("dir/x", "other");
	assert_int_equal(link("file", "object") | link("dir/x", "object2"), 0);
	settle_time();
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 2);
	settle_time();
	assert_int_equal(link("object", "more") | link("object2", "more2"), 0);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	assert_int_equal(dirty, 0);
	close_project(&p);
}

static void
test_wants(void **state)
{
	static const char *const path[] = { "./.", "./dir", "absent", "dir", "file" };
	static const uint8_t want[] = { MLB_WANT_LISTING, MLB_WANT_LISTING, MLB_WANT_EXISTS,
					MLB_WANT_EXISTS, MLB_WANT_EXISTS };
	struct mlb_digest before;
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	mkdir("dir", 0777);
	put_file("dir/x", "x");
	put_file("file", "x");
	settle_time();
	scan(&s, &p, path, want, 5);
	assert_int_equal(s.state[0].kind, MLB_P_LISTING);
	assert_int_equal(s.state[1].kind, MLB_P_LISTING);
	assert_int_equal(s.state[2].kind, MLB_P_ABSENT);
	assert_int_equal(s.state[3].kind, MLB_P_TREE);
	assert_int_equal(s.state[4].kind, MLB_P_FILE);
	assert_true(mlb_digest_is_zero(&s.state[4].digest));
	before = s.state[1].digest;
	save(&s);
	mlb_scan_release(&s);

	put_file("dir/x", "content does not matter");
	settle_time();
	scan(&s, &p, path, want, 5);
	for (size_t i = 0; i < 5; i++)
		assert_false(s.state[i].changed);
	mlb_scan_release(&s);

	put_file("dir/y", "");
	unlink("file");
	put_file("absent", "no more");
	scan(&s, &p, path, want, 5);
	assert_true(s.state[1].changed && s.state[2].changed && s.state[4].changed);
	assert_false(s.state[3].changed);
	unlink("dir/y");
	save(&s);
	mlb_scan_release(&s);
	scan(&s, &p, path, want, 5);
	assert_true(mlb_digest_equal(&s.state[1].digest, &before));
	mlb_scan_release(&s);
	close_project(&p);
}

/* Wanting less of a path does not cost those who want more what is known. */
static void
test_want_keeps_digest(void **state)
{
	static const char *const path[] = { "file" };
	static const uint8_t exists[] = { MLB_WANT_EXISTS };
	struct mlb_scan s;
	struct project p;
	size_t dirty;

	open_project(&p, state);
	put_file("file", "x");
	settle_time();
	scan_and_save(&p, path, 1, &dirty);
	scan(&s, &p, path, exists, 1);
	save(&s);
	mlb_scan_release(&s);
	assert_int_equal(scan_and_save(&p, path, 1, &dirty), 0);
	assert_int_equal(dirty, 0);
	close_project(&p);
}

/* ------------------------------------------------------------ one path at a time */

static void
test_again(void **state)
{
	static const char *const path[] = { "file", "tree" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest digest;
	struct mlb_scan s;
	struct project p;
	bool changed;

	open_project(&p, state);
	mkdir("tree", 0777);
	put_file("tree/x", "x");
	put_file("file", "one");
	settle_time();
	scan(&s, &p, path, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_ok(mlb_scan_again(&s, i, &changed, &err));
		assert_false(changed);
		assert_false(mlb_scan_moved(&s, i));
	}
	put_file("file", "two");
	put_file("tree/x", "y");
	assert_true(mlb_scan_moved(&s, 0));
	for (size_t i = 0; i < 2; i++) {
		assert_ok(mlb_scan_again(&s, i, &changed, &err));
		assert_true(changed);
	}
	assert_content(&s.state[0], MLB_P_FILE, "two");
	assert_tree(&p, &s.state[1], "tree");
	assert_int_equal(unlink("file"), 0);
	assert_ok(mlb_scan_again(&s, 0, &changed, &err));
	assert_true(changed && s.state[0].kind == MLB_P_ABSENT);
	put_file("file", "told");
	digest_of(&digest, "told");
	assert_ok(mlb_scan_set(&s, 0, MLB_P_FILE, &digest, 4, &err));
	assert_content(&s.state[0], MLB_P_FILE, "told");
	assert_false(mlb_scan_moved(&s, 0));
	settle_time();
	save(&s);
	mlb_scan_release(&s);
	scan(&s, &p, path, NULL, 1);
	assert_false(s.state[0].changed || s.state[0].dirty);
	mlb_scan_release(&s);
	close_project(&p);
}

/* A directory that we were told of, and that lost its files since, is not what we were told. */
static void
test_set_tree(void **state)
{
	static const char *const path[] = { "tree" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest digest;
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	mkdir("tree", 0777);
	put_file("tree/x", "x");
	assert_ok(mlb_tree_store(&digest, NULL, "tree", NULL, &err));
	assert_ok(mlb_scan_init(&s, p.root, path, NULL, 1, p.db, 2, &err));
	assert_ok(mlb_scan_set(&s, 0, MLB_P_TREE, &digest, 1, &err));
	assert_true(mlb_digest_equal(&s.state[0].digest, &digest));
	save(&s);
	mlb_scan_release(&s);
	settle_time();
	scan(&s, &p, path, NULL, 1);
	assert_false(s.state[0].changed);
	assert_tree(&p, &s.state[0], "tree");
	mlb_scan_release(&s);
	unlink("tree/x");
	scan(&s, &p, path, NULL, 1);
	assert_true(s.state[0].changed);
	assert_tree(&p, &s.state[0], "tree");
	mlb_scan_release(&s);
	close_project(&p);
}

/* What a worker is at is not written down, and not forgotten either. */
static void
test_lent(void **state)
{
	const char *const path[] = { "a", "b" };
	struct project p;
	struct mlb_scan s;
	size_t dirty;

	open_project(&p, state);
	put_file("a", "1");
	put_file("b", "2");
	scan(&s, &p, path, NULL, 2);
	assert_true(s.state[0].dirty);
	mlb_scan_lend(&s, 0, true);
	save(&s);
	assert_true(s.state[0].dirty);
	assert_false(s.state[1].dirty);
	mlb_scan_lend(&s, 0, false);
	save(&s);
	assert_false(s.state[0].dirty);
	mlb_scan_release(&s);
	assert_int_equal(scan_and_save(&p, path, 2, &dirty), 0);
	close_project(&p);
}

static void
test_bad_trees(void **state)
{
	static const char *const path[] = { "bad", "good" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_scan s;
	struct project p;
	bool changed;

	open_project(&p, state);
	mkdir("bad", 0777);
	mkdir("good", 0777);
	put_file("good/x", "x");
	assert_int_equal(symlink("../good/x", "bad/link"), 0);
	scan(&s, &p, path, NULL, 2);
	assert_int_equal(s.state[0].kind, MLB_P_BAD);
	assert_non_null(strstr(mlb_scan_problem(&s, 0), "'bad/link'"));
	assert_non_null(strstr(mlb_scan_problem(&s, 0), "leaves"));
	assert_tree(&p, &s.state[1], "good");
	unlink("bad/link");
	assert_ok(mlb_scan_again(&s, 0, &changed, &err));
	assert_true(changed);
	assert_tree(&p, &s.state[0], "bad");
	mlb_scan_release(&s);
	close_project(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_kinds), scratch_test(test_changes),
		scratch_test(test_racy),  scratch_test(test_hard_links),
		scratch_test(test_wants), scratch_test(test_want_keeps_digest),
		scratch_test(test_again), scratch_test(test_set_tree),
		scratch_test(test_lent),  scratch_test(test_bad_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
