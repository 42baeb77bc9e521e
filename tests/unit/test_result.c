/* Result records: their text, and the segments they rest in. Labels: tsan */
#include "cas_fixture.h"

#include <pthread.h>
#include <sys/wait.h>

#include "base/hex.h"
#include "store/result.h"

/* ---------------------------------------------------------- text */

static struct mlb_output output[3];

static struct mlb_result
sample(void)
{
	struct mlb_result r = {
		.output = output,
		.n_outputs = 3,
		.verdict_no = true,
		.started = 1700000000123456789,
		.duration = 5,
		.max_rss = UINT64_MAX,
		.platform = "linux x",
		.pin = "0123",
		.params = "a=1\nb=\\2",
		.run = "20261121-025546-3f9a",
	};

	memset(&r.key, 0xab, sizeof(r.key));
	memset(&r.log, 0x01, sizeof(r.log));
	output[0] =
		(struct mlb_output){ .path = "models/a model.pkl", .kind = MLB_O_FILE, .size = 0 };
	output[1] = (struct mlb_output){ .path = "data/\x01\\", .kind = MLB_O_TREE, .size = 17 };
	output[2] =
		(struct mlb_output){ .path = "m.json", .kind = MLB_O_METRICS, .size = UINT64_MAX };
	memset(&output[0].digest, 0xcd, sizeof(output[0].digest));
	return r;
}

#define D "abababababababababababababababababababababababababababababababab"
#define C "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define Z "0000000000000000000000000000000000000000000000000000000000000000"
#define L "0101010101010101010101010101010101010101010101010101010101010101"
#define END "started 0\nduration 0\nmax_rss 0\n"

static void
the_text_is_this(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(10000), again = MLB_BUF_INIT(10000);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_result r = sample(), got;

	(void)state;
	mlb_result_format(&text, &r);
	assert_string_equal(mlb_buf_str(&text), "mlbuild-result 1\n"
						"key " D "\n"
						"output file " C " 0 models/a model.pkl\n"
						"output tree " Z " 17 data/\\x01\\x5c\n"
						"output metrics " Z " 18446744073709551615 m.json\n"
						"log " L "\n"
						"verdict no\n"
						"started 1700000000123456789\n"
						"duration 5\n"
						"max_rss 18446744073709551615\n"
						"platform linux x\n"
						"pin 0123\n"
						"params a=1\\x0ab=\\x5c2\n"
						"run 20261121-025546-3f9a\n");
	assert_ok(mlb_result_parse(&got, &arena, text.data, text.len, &err));
	assert_int_equal(got.n_outputs, 3);
	assert_string_equal(got.output[1].path, "data/\x01\\");
	assert_string_equal(got.params, "a=1\nb=\\2");
	assert_true(got.verdict_no);
	mlb_result_format(&again, &got);
	assert_string_equal(mlb_buf_str(&again), mlb_buf_str(&text));
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	mlb_buf_release(&again);
}

static void
the_least_record(void **state)
{
	static const char text[] = "mlbuild-result 1\nkey " D
				   "\nstarted -5\nduration 0\nmax_rss 0\n";
	struct mlb_buf again = MLB_BUF_INIT(10000);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_result got;

	(void)state;
	assert_ok(mlb_result_parse(&got, &arena, text, strlen(text), &err));
	assert_int_equal(got.n_outputs, 0);
	assert_int_equal(got.started, -5);
	assert_string_equal(got.platform, "");
	assert_string_equal(got.run, "");
	mlb_result_format(&again, &got);
	assert_string_equal(mlb_buf_str(&again), text);
	got.platform = got.pin = got.params = got.run = NULL;
	mlb_buf_clear(&again);
	mlb_result_format(&again, &got);
	assert_string_equal(mlb_buf_str(&again), text);
	mlb_arena_release(&arena);
	mlb_buf_release(&again);
}

static void
other_texts_are_refused(void **state)
{
#define HEAD "mlbuild-result 1\nkey " D "\n"
	static const char *const text[] = {
		"",
		"mlbuild-result 2\nkey " D "\n" END,
		"mlbuild-result 1\nkey abc\n" END,
		HEAD,
		HEAD END "more\n",
		HEAD END "platform \n",
		HEAD END "pin a",
		HEAD END "run a\npin b\n",
		HEAD "started 01\nduration 0\nmax_rss 0\n",
		HEAD "started -0\nduration 0\nmax_rss 0\n",
		HEAD "started 9223372036854775808\nduration 0\nmax_rss 0\n",
		HEAD "started 0\nduration 18446744073709551616\nmax_rss 0\n",
		HEAD "started 0\nduration \nmax_rss 0\n",
		HEAD "log " Z "\n" END,
		HEAD "verdict yes\n" END,
		HEAD "output file " C " 0 \n" END,
		HEAD "output file " C " 0 /etc/passwd\n" END,
		HEAD "output file " C " 0 ../x\n" END,
		HEAD "output file " C " 0 a/../x\n" END,
		HEAD "output file " C " 0 a//x\n" END,
		HEAD "output file " C " 0 a/\n" END,
		HEAD "output file " C " 0 .\n" END,
		HEAD "output link " C " 0 a\n" END,
		HEAD "output file " C " 0 a\\x41\n" END,
		HEAD "output file " C " 0 a\\x0A\n" END,
		HEAD "output file " C " 0 a\\x00\n" END,
		HEAD "output file " C " 0 a\\n\n" END,
		HEAD "output file " C " 0 a\\x0\n" END,
		HEAD "output file " C " 0 a\tb\n" END,
		HEAD "output file " C " -1 a\n" END,
		HEAD "output file  " C " 1 a\n" END,
		HEAD "output  file " C " 1 a\n" END,
		HEAD "output file " C " 1 a\r\n" END,
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(text); i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_err err = MLB_ERR_INIT;
		struct mlb_result got;

		if (mlb_result_parse(&got, &arena, text[i], strlen(text[i]), NULL) == 0)
			print_error("accepted: %s\n", text[i]);
		assert_err(mlb_result_parse(&got, &arena, text[i], strlen(text[i]), &err),
			   MLB_ECORRUPT, "damaged at byte");
		mlb_arena_release(&arena);
	}
}

/* ---------------------------------------------------------- segments */

struct records {
	struct mlb_db *db;
	struct mlb_results *r;
};

static struct records
open_records(const char *db)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct records s = { NULL, NULL };

	assert_ok(mlb_db_open(&s.db, db, &err));
	assert_ok(mlb_results_open(&s.r, CACHE, s.db, &err));
	return s;
}

static void
close_records(struct records *s)
{
	mlb_results_close(s->r);
	mlb_db_close(s->db);
}

static void
commit_records(struct records *s)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_results_sync(s->r, &err));
	assert_ok(mlb_db_begin(s->db, &err));
	assert_ok(mlb_results_index(s->r, &err));
	assert_ok(mlb_db_commit(s->db, &err));
}

static struct mlb_digest
key_of(int n)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, &n, sizeof(n));
	return d;
}

/* A record of key n that says which run it is of. */
static void
add(struct records *s, int n, const char *run, int64_t started)
{
	struct mlb_result r = {
		.key = key_of(n), .started = started, .platform = "", .pin = "", .params = ""
	};
	struct mlb_err err = MLB_ERR_INIT;

	r.run = run;
	assert_ok(mlb_results_add(s->r, &r, &err));
}

static void
expect_run(struct records *s, int n, const char *run)
{
	struct mlb_digest key = key_of(n);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_result got;

	if (!run) {
		assert_err(mlb_results_find(s->r, &got, &arena, &key, &err), MLB_ENOTFOUND,
			   "no result is known");
	} else {
		assert_ok(mlb_results_find(s->r, &got, &arena, &key, &err));
		assert_true(mlb_digest_equal(&got.key, &key));
		assert_string_equal(got.run, run);
	}
	mlb_arena_release(&arena);
}

static void
the_latest_record_is_found(void **state)
{
	struct records s = open_records("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	expect_run(&s, 1, NULL);
	add(&s, 1, "first", 100);
	expect_run(&s, 1, "first");
	expect_run(&s, 2, NULL);
	add(&s, 1, "second", 200);
	expect_run(&s, 1, "second");
	commit_records(&s);
	expect_run(&s, 1, "second");
	add(&s, 1, "third, by a clock that went back", 50);
	add(&s, 2, "other", 50);
	expect_run(&s, 1, "third, by a clock that went back");
	commit_records(&s);
	commit_records(&s);
	expect_run(&s, 1, "third, by a clock that went back");
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, "third, by a clock that went back");
	expect_run(&s, 2, "other");
	assert_ok(mlb_results_reindex(s.r, &err));
	expect_run(&s, 1, "second"); /* then nothing but the clock tells */
	expect_run(&s, 2, "other");
	close_records(&s);
	assert_int_equal(unlink("state.db"), 0);
	s = open_records("state.db");
	expect_run(&s, 1, "second");
	expect_run(&s, 2, "other");
	close_records(&s);
	mlb_results_close(NULL);
}

static void
reindexing_in_the_process_that_writes(void **state)
{
	struct records s = open_records("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	add(&s, 1, "committed", 1);
	commit_records(&s);
	add(&s, 2, "synced", 1);
	assert_ok(mlb_results_sync(s.r, &err));
	add(&s, 3, "added", 1);
	assert_ok(mlb_results_reindex(s.r, &err));
	expect_run(&s, 1, "committed");
	expect_run(&s, 2, "synced");
	expect_run(&s, 3, "added");
	commit_records(&s);
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, "committed");
	expect_run(&s, 2, "synced");
	expect_run(&s, 3, "added");
	close_records(&s);
}

static void
forgotten_records_are_gone(void **state)
{
	struct records s = open_records("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest key = key_of(1);

	(void)state;
	add(&s, 1, "a", 1);
	add(&s, 2, "b", 1);
	commit_records(&s);
	add(&s, 1, "c", 2);
	assert_ok(mlb_results_forget(s.r, &key, &err));
	expect_run(&s, 1, NULL);
	expect_run(&s, 2, "b");
	commit_records(&s);
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, NULL);
	expect_run(&s, 2, "b");
	add(&s, 1, "d", 3);
	expect_run(&s, 1, "d");
	close_records(&s);
}

static void
a_rolled_back_transaction_loses_no_record(void **state)
{
	struct records s = open_records("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	add(&s, 1, "a", 1);
	assert_ok(mlb_results_sync(s.r, &err));
	assert_ok(mlb_db_begin(s.db, &err));
	assert_ok(mlb_results_index(s.r, &err));
	mlb_db_rollback(s.db);
	expect_run(&s, 1, "a");
	commit_records(&s);
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, "a");
	close_records(&s);
}

static unsigned
count_rows(struct records *s)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stmt *st;
	unsigned n;
	bool row;

	assert_ok(mlb_db_prepare(&st, s->db, "SELECT count(*) FROM results", &err));
	assert_ok(mlb_stmt_step(st, &row, &err));
	n = (unsigned)mlb_column_int(st, 0);
	mlb_stmt_reset(st);
	return n;
}

/* A record that is added after the mark waits for the next sync, as its objects do. */
static void
the_mark_separates_batches(void **state)
{
	struct records s = open_records("state.db");

	(void)state;
	add(&s, 1, "before", 1);
	mlb_results_mark(s.r);
	add(&s, 2, "after", 1);
	commit_records(&s);
	assert_int_equal(count_rows(&s), 1);
	expect_run(&s, 1, "before");
	expect_run(&s, 2, "after");
	commit_records(&s);
	assert_int_equal(count_rows(&s), 2);
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, "before");
	expect_run(&s, 2, "after");
	close_records(&s);
}

/* A damaged record does not count; an older one of the key does. */
static void
damaged_records_do_not_count(void **state)
{
	struct records s = open_records("state.db");
	char segment[512];
	struct mlb_stat st;

	(void)state;
	add(&s, 1, "older", 1);
	commit_records(&s);
	find_file(segment, CACHE "/actions", "open-");
	assert_int_equal(mlb_fs_lstat(&st, segment, NULL), 0);
	add(&s, 1, "newer", 2);
	add(&s, 2, "other", 2);
	commit_records(&s);
	flip(segment, (long)st.size + 52 + 30);
	expect_run(&s, 1, "older");
	expect_run(&s, 2, "other");
	commit_records(&s);
	assert_int_equal(count_rows(&s), 2);
	add(&s, 1, "newest", 3);
	expect_run(&s, 1, "newest");
	commit_records(&s);
	close_records(&s);
	s = open_records("state.db");
	expect_run(&s, 1, "newest");
	expect_run(&s, 2, "other");
	close_records(&s);
	/* The segment is gone altogether. */
	assert_int_equal(unlink(segment), 0);
	s = open_records("state.db");
	expect_run(&s, 1, NULL);
	expect_run(&s, 2, NULL);
	add(&s, 1, "again", 1);
	expect_run(&s, 1, "again");
	commit_records(&s);
	close_records(&s);
}

static void
rows_that_point_to_another_record(void **state)
{
	struct records s = open_records("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	add(&s, 1, "one", 1);
	add(&s, 2, "two", 1);
	commit_records(&s);
	close_records(&s);
	s = open_records("state.db");
	assert_ok(mlb_db_exec(s.db, "UPDATE results SET offset = 16", &err));
	expect_run(&s, 1, "one");
	expect_run(&s, 2, NULL);
	assert_ok(mlb_results_reindex(s.r, &err));
	expect_run(&s, 2, "two");
	close_records(&s);
}

/* Another project that shares the cache sees what this one did, once it is durable. */
static void
records_of_other_projects_are_found(void **state)
{
	struct records ours = open_records("ours.db"), theirs;
	int status;
	pid_t pid;

	(void)state;
	add(&ours, 1, "ours", 100);
	commit_records(&ours);
	close_records(&ours);
	pid = fork();
	if (pid == 0) {
		theirs = open_records("theirs.db");
		expect_run(&theirs, 1, "ours");
		add(&theirs, 2, "theirs", 100);
		add(&theirs, 1, "theirs, later", 200);
		if (mlb_results_sync(theirs.r, NULL))
			_exit(1);
		_exit(0); /* and is killed before its rows are written */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ours = open_records("ours.db");
	add(&ours, 3, "this takes the segment, and finds what is in it", 1);
	expect_run(&ours, 1, "theirs, later");
	expect_run(&ours, 2, "theirs");
	commit_records(&ours);
	close_records(&ours);
	ours = open_records("ours.db");
	expect_run(&ours, 1, "theirs, later");
	expect_run(&ours, 2, "theirs");
	close_records(&ours);
}

static struct records threaded;

static void *
add_and_find(void *arg)
{
	int base = (int)(intptr_t)arg * 1000;

	for (int i = 0; i < 200; i++) {
		add(&threaded, base + i, "own", i);
		add(&threaded, -1 - i % 10, "everybody's", i);
		expect_run(&threaded, base + i, "own");
		expect_run(&threaded, -1 - i % 10, "everybody's");
		if (i % 50 == 49 && mlb_results_sync(threaded.r, NULL))
			return "failed";
	}
	return NULL;
}

static void
threads_add_and_find(void **state)
{
	pthread_t thread[4];
	void *failed;

	(void)state;
	threaded = open_records("state.db");
	for (intptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add_and_find, (void *)i), 0);
	for (int i = 0; i < 20; i++)
		commit_records(&threaded);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	commit_records(&threaded);
	close_records(&threaded);
	threaded = open_records("state.db");
	for (int t = 0; t < 4; t++)
		for (int i = 0; i < 200; i++)
			expect_run(&threaded, t * 1000 + i, "own");
	close_records(&threaded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_this),
		cmocka_unit_test(the_least_record),
		cmocka_unit_test(other_texts_are_refused),
		scratch_test(the_latest_record_is_found),
		scratch_test(reindexing_in_the_process_that_writes),
		scratch_test(forgotten_records_are_gone),
		scratch_test(a_rolled_back_transaction_loses_no_record),
		scratch_test(the_mark_separates_batches),
		scratch_test(damaged_records_do_not_count),
		scratch_test(rows_that_point_to_another_record),
		scratch_test(records_of_other_projects_are_found),
		scratch_test(threads_add_and_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
