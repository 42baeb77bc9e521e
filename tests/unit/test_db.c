/* The database: transactions, broken files set aside, what may not be written. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "os/fs.h"
#include "store/db.h"
#include "store/state.h"

static unsigned n_syncs;

/* These take the place of the C library's, also for SQLite. */
__attribute__((visibility("default"))) int fdatasync(int fd);
__attribute__((visibility("default"))) int fsync(int fd);

int
fdatasync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static struct mlb_db *
open_db(void)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = NULL;

	assert_ok(mlb_db_open(&db, "state.db", &err));
	return db;
}

static void
set(struct mlb_db *db, const char *name, const char *value)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_meta_set(db, name, value, strlen(value), &err));
}

static void
expect(struct mlb_db *db, const char *name, const char *value)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(2 * MLB_MIB);

	assert_ok(mlb_meta_get(db, name, &got, &err));
	assert_string_equal(mlb_buf_str(&got), value);
	mlb_buf_release(&got);
}

static void
a_new_one_is_reset_and_then_not(void **state)
{
	struct mlb_db *db = open_db();

	(void)state;
	assert_true(mlb_db_was_reset(db));
	expect(db, "a", "");
	set(db, "a", "1");
	set(db, "a", "2");
	expect(db, "a", "2");
	mlb_db_close(db);
	db = open_db();
	assert_false(mlb_db_was_reset(db));
	expect(db, "a", "2");
	mlb_db_close(db);
	mlb_db_close(NULL);
}

static void
transactions_are_counted(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = open_db();
	uint64_t commits = mlb_db_commits(db), rollbacks = mlb_db_rollbacks(db);

	(void)state;
	assert_ok(mlb_db_begin(db, &err));
	set(db, "a", "1");
	assert_ok(mlb_db_commit(db, &err));
	assert_int_equal(mlb_db_commits(db), commits + 1);
	assert_ok(mlb_db_begin(db, &err));
	set(db, "a", "2");
	mlb_db_rollback(db);
	expect(db, "a", "1");
	assert_int_equal(mlb_db_commits(db), commits + 1);
	assert_int_equal(mlb_db_rollbacks(db), rollbacks + 1);
	mlb_db_rollback(db); /* nothing to undo */
	assert_err(mlb_db_commit(db, &err), MLB_ESYSTEM, "state.db");
	assert_err(mlb_db_exec(db, "no such words", &err), MLB_ESYSTEM, "syntax");
	mlb_db_close(db);
}

static void
every_type_comes_back(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = open_db();
	struct mlb_digest d, got;
	struct mlb_stmt *s, *same;
	size_t len;
	bool row;

	(void)state;
	mlb_sha256_of(&d, "x", 1);
	assert_ok(mlb_db_prepare(&s, db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", &err));
	assert_ok(mlb_db_prepare(&same, db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", &err));
	assert_ptr_equal(s, same);
	mlb_stmt_text(s, 1, "a\0b", 3);
	mlb_stmt_blob(s, 2, "", 0);
	mlb_stmt_int(s, 3, INT64_MIN);
	mlb_stmt_double(s, 4, 0.1);
	mlb_stmt_null(s, 5);
	mlb_stmt_digest(s, 6, &d);
	mlb_stmt_text(s, 7, NULL, 0);
	assert_ok(mlb_stmt_step(s, &row, &err));
	assert_true(row);
	assert_memory_equal(mlb_column_text(s, 0, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_non_null(mlb_column_blob(s, 1, &len));
	assert_int_equal(len, 0);
	assert_false(mlb_column_is_null(s, 1));
	assert_true(mlb_column_int(s, 2) == INT64_MIN);
	assert_true(mlb_column_double(s, 3) == 0.1);
	assert_true(mlb_column_is_null(s, 4));
	assert_string_equal(mlb_column_text(s, 4, NULL), "");
	mlb_column_digest(s, 5, &got);
	assert_true(mlb_digest_equal(&got, &d));
	mlb_column_digest(s, 0, &got);
	assert_true(mlb_digest_is_zero(&got));
	assert_string_equal(mlb_column_text(s, 6, &len), "");
	assert_false(mlb_column_is_null(s, 6));
	assert_ok(mlb_stmt_step(s, &row, &err));
	assert_false(row);
	mlb_stmt_reset(s);
	mlb_db_close(db);
}

/* So that what is wrong in the file is read from the file. */
static void
empty_journal(struct mlb_db *db)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", &err));
}

/* Whatever is in the file: it is set aside and a new one is made. */
static void
opens_anew(const char *what)
{
	struct mlb_db *db = open_db();

	if (!mlb_db_was_reset(db))
		print_error("not reset: %s\n", what);
	assert_true(mlb_db_was_reset(db));
	set(db, "a", "1");
	empty_journal(db);
	mlb_db_close(db);
	assert_true(mlb_fs_exists("state.db.broken"));
	db = open_db();
	assert_false(mlb_db_was_reset(db));
	expect(db, "a", "1");
	mlb_db_close(db);
	assert_int_equal(unlink("state.db.broken"), 0);
}

static void
other_files_are_set_aside(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db;

	(void)state;
	put_file("state.db", "this is no database, and longer than a header of one would be: "
			     "one hundred bytes at least are needed for that");
	opens_anew("text");

	db = open_db();
	assert_ok(mlb_db_exec(db, "PRAGMA user_version = 7", &err));
	mlb_db_close(db);
	opens_anew("another version");

	db = open_db();
	assert_ok(mlb_db_exec(db, "DROP TABLE meta", &err));
	mlb_db_close(db);
	opens_anew("tables are missing");

	db = open_db();
	assert_ok(mlb_db_exec(db, "PRAGMA user_version = 0", &err));
	mlb_db_close(db);
	opens_anew("somebody else's");
}

static void
smash(const char *path, off_t from, size_t len)
{
	int fd = open(path, O_WRONLY);
	char *noise = mlb_alloc(len);

	memset(noise, 0xa5, len);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, noise, len, from), (ssize_t)len);
	close(fd);
	free(noise);
}

static void
damage_is_noticed_when_it_is_opened(void **state)
{
	struct mlb_db *db = open_db();

	(void)state;
	empty_journal(db);
	mlb_db_close(db);
	smash("state.db", 0, 16);
	opens_anew("header");
	smash("state.db", 100, 4000);
	opens_anew("schema");
	assert_int_equal(truncate("state.db", 100), 0);
	opens_anew("cut");
	assert_int_equal(truncate("state.db", 8192), 0);
	opens_anew("cut at a page");
	assert_int_equal(truncate("state.db", 0), 0); /* an empty file is a new database */
	db = open_db();
	assert_true(mlb_db_was_reset(db));
	mlb_db_close(db);
}

static void
damage_is_noticed_when_it_is_used(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(100000);
	struct mlb_db *db = open_db();
	struct mlb_stat st;
	char name[32];
	int rc = 0;

	(void)state;
	assert_ok(mlb_db_begin(db, &err));
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		set(db, name, "some value that takes a little room in the page");
	}
	assert_ok(mlb_db_commit(db, &err));
	empty_journal(db);
	mlb_db_close(db);
	/* The schema stays whole. */
	assert_ok(mlb_fs_lstat(&st, "state.db", &err));
	smash("state.db", 20 * 8192, (size_t)st.size - (size_t)20 * 8192);
	db = open_db();
	assert_false(mlb_db_was_reset(db));
	for (int i = 0; i < 3000 && rc == 0; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		rc = mlb_meta_get(db, name, &got, NULL);
	}
	assert_int_equal(rc, MLB_ECORRUPT);
	mlb_buf_release(&got);
	mlb_db_close(db);
	assert_true(mlb_fs_exists("state.db.broken"));
	assert_false(mlb_fs_exists("state.db"));
	db = open_db();
	assert_true(mlb_db_was_reset(db));
	mlb_db_close(db);
}

/* A journal that stays behind must not be played into the new database. */
static void
journals_are_set_aside_too(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = open_db();
	int status;
	pid_t pid;

	(void)state;
	empty_journal(db);
	mlb_db_close(db);
	pid = fork();
	if (pid == 0) {
		db = open_db();
		set(db, "a", "1");
		_exit(0); /* as if killed: the journal stays */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(mlb_fs_exists("state.db-wal"));
	smash("state.db", 0, 8192);
	db = open_db();
	assert_true(mlb_db_was_reset(db));
	expect(db, "a", "");
	mlb_db_close(db);
	assert_true(mlb_fs_exists("state.db.broken-wal"));
	assert_ok(mlb_fs_unlink("state.db.broken", &err));
}

static unsigned
syncs_of(struct mlb_db *db, int (*begin)(struct mlb_db *, struct mlb_err *), bool commit)
{
	struct mlb_err err = MLB_ERR_INIT;
	unsigned before = n_syncs;

	assert_ok(begin(db, &err));
	set(db, "a", commit ? "committed" : "undone");
	if (commit)
		assert_ok(mlb_db_commit(db, &err));
	else
		mlb_db_rollback(db);
	return n_syncs - before;
}

static void
only_durable_transactions_are_synced(void **state)
{
	struct mlb_db *db = open_db();

	(void)state;
	syncs_of(db, mlb_db_begin_durable, true); /* and the head of a new journal */
	assert_int_equal(syncs_of(db, mlb_db_begin, true), 0);
	assert_int_equal(syncs_of(db, mlb_db_begin_durable, true), 1);
	assert_int_equal(syncs_of(db, mlb_db_begin, true), 0);
	assert_int_equal(syncs_of(db, mlb_db_begin_durable, false), 0);
	assert_int_equal(syncs_of(db, mlb_db_begin, true), 0);
	expect(db, "a", "committed");
	mlb_db_close(db);
}

static uint64_t
journal_size(void)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stat st = { .size = 0 };

	assert_ok(mlb_fs_lstat(&st, "state.db-wal", &err));
	return st.size;
}

/* What a small build wrote stays in the journal: closing it costs no sync. */
static void
a_small_journal_is_left_to_the_next(void **state)
{
	char *much = mlb_alloc(MLB_MIB + 1);
	struct mlb_db *db = open_db();
	unsigned before;

	(void)state;
	memset(much, 'x', MLB_MIB);
	much[MLB_MIB] = '\0';
	mlb_db_close(db);
	db = open_db();
	set(db, "a", "1");
	before = n_syncs;
	mlb_db_close(db);
	assert_int_equal(n_syncs, before);
	assert_true(journal_size() > 0);
	db = open_db();
	expect(db, "a", "1");
	set(db, "a", much);
	mlb_db_close(db);
	assert_true(n_syncs > before);
	assert_int_equal(journal_size(), 0);
	db = open_db();
	expect(db, "a", much);
	mlb_db_close(db);
	free(much);
}

static void
what_a_killed_process_committed_is_there(void **state)
{
	struct mlb_db *db;
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct mlb_err err = MLB_ERR_INIT;

		db = open_db();
		assert_ok(mlb_db_begin(db, &err));
		set(db, "a", "1");
		assert_ok(mlb_db_commit(db, &err));
		assert_ok(mlb_db_begin(db, &err));
		set(db, "a", "2");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	db = open_db();
	assert_false(mlb_db_was_reset(db));
	expect(db, "a", "1");
	mlb_db_close(db);
}

/* Someone deletes it, and not the journal that a killed process left. */
static void
a_deleted_one_does_not_come_back_from_its_journal(void **state)
{
	struct mlb_db *db;
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		db = open_db();
		set(db, "a", "1");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(unlink("state.db"), 0);
	assert_true(mlb_fs_exists("state.db-wal"));
	db = open_db();
	assert_true(mlb_db_was_reset(db));
	expect(db, "a", "");
	set(db, "b", "2");
	mlb_db_close(db);
	db = open_db();
	assert_false(mlb_db_was_reset(db));
	expect(db, "a", "");
	expect(db, "b", "2");
	mlb_db_close(db);
}

/* Eight processes find it broken, or absent, at once: one makes it, and nobody loses what another wrote. */
static void
many_processes_make_one(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		struct mlb_db *db;
		pid_t pid[8];

		unlink("state.db");
		unlink("state.db-wal");
		unlink("state.db-shm");
		if (round % 2)
			put_file("state.db",
				 "this is no database, and longer than a header of one "
				 "would be: one hundred bytes at least are needed for that");
		for (int i = 0; i < 8; i++) {
			pid[i] = fork();
			if (pid[i] == 0) {
				char name[2] = { (char)('a' + i), 0 };
				struct mlb_err err = MLB_ERR_INIT;

				if (mlb_db_open(&db, "state.db", &err) ||
				    mlb_meta_set(db, name, "1", 1, &err)) {
					fprintf(stderr, "%s\n", err.text);
					_exit(1);
				}
				mlb_db_close(db);
				_exit(0);
			}
		}
		for (int i = 0; i < 8; i++) {
			int status;

			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			assert_int_equal(status, 0);
		}
		db = open_db();
		for (int i = 0; i < 8; i++)
			expect(db, (char[2]){ (char)('a' + i), 0 }, "1");
		mlb_db_close(db);
	}
}

/* As a user who may not write there. */
static void
what_cannot_be_written_is_said(void **state)
{
	struct mlb_db *db = open_db();
	int status;
	pid_t pid;

	set(db, "a", "1");
	mlb_db_close(db);
	assert_int_equal(chmod("state.db", 0444), 0);
	assert_int_equal(chmod(".", 0555), 0);
	pid = fork();
	if (pid == 0) {
		struct mlb_err err = MLB_ERR_INIT;
		int rc;

		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(3);
		rc = mlb_db_open(&db, "state.db", &err);
		if (rc != MLB_ESYSTEM || !strstr(err.text, "state.db"))
			_exit(1);
		mlb_err_release(&err);
		rc = mlb_db_open(&db, "other.db", &err);
		_exit(rc == MLB_ESYSTEM && strstr(err.text, "other.db") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(status, 0);
	(void)state;
}

static void
a_place_that_is_not_there_is_said(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db;

	(void)state;
	assert_err(mlb_db_open(&db, "no/such/place/state.db", &err), MLB_ESYSTEM,
		   "no/such/place/state.db");
	assert_err(mlb_db_open(&db, ".", &err), MLB_ESYSTEM, "'.'");
}

static struct mlb_db *
open_copy(const char *path)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_db *db = NULL;

	assert_ok(mlb_db_open_copy(&db, path, &err));
	assert_true(mlb_db_is_copy(db));
	return db;
}

static void
a_copy_is_read_and_changes_nothing(void **state)
{
	struct mlb_db *db = open_db(), *copy;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	set(db, "a", "1");
	copy = open_copy("state.db"); /* what is in the journal only counts */
	expect(copy, "a", "1");
	set(copy, "a", "2");
	expect(copy, "a", "2");
	expect(db, "a", "1");
	mlb_db_close(copy);
	assert_ok(mlb_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", &err));
	mlb_db_close(db);
	assert_int_equal(unlink("state.db-wal"), 0);
	assert_int_equal(unlink("state.db-shm"), 0);
	copy = open_copy("state.db");
	expect(copy, "a", "1");
	mlb_db_close(copy);
}

static void
a_copy_of_nothing_is_empty(void **state)
{
	static const char *const path[] = { "state.db", "odd.db" };

	(void)state;
	put_file("odd.db", "no database, and long enough not to be taken for an empty one");
	for (size_t i = 0; i < MLB_ARRAY_LEN(path); i++) {
		struct mlb_db *copy = open_copy(path[i]);

		expect(copy, "a", "");
		set(copy, "a", "1");
		expect(copy, "a", "1");
		mlb_db_close(copy);
	}
	assert_int_not_equal(access("state.db", F_OK), 0);
	assert_int_equal(access("odd.db", F_OK), 0);
}

/* Several make one new database at once, and one of them dies over it: its journal is played back by the others. */
static void
a_death_over_a_new_database_stops_nobody(void **state)
{
	enum { PROCESSES = 5, ROUNDS = 60 };

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char *path = mlb_asprintf("new%u.db", round);
		pid_t pid[PROCESSES];

		for (int p = 0; p < PROCESSES; p++) {
			pid[p] = fork();
			if (pid[p] == 0) {
				struct mlb_err err = MLB_ERR_INIT;
				struct mlb_db *db;
				int rc = mlb_db_open(&db, path, &err);

				if (rc)
					print_error("%s\n", err.text);
				_exit(rc ? 1 : 0);
			}
		}
		usleep(round * 7919 % 4000);
		kill(pid[0], SIGKILL);
		for (int p = 0; p < PROCESSES; p++) {
			int status;

			assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
			assert_true(status == 0 || p == 0);
		}
		free(path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_new_one_is_reset_and_then_not),
		scratch_test(transactions_are_counted),
		scratch_test(every_type_comes_back),
		scratch_test(other_files_are_set_aside),
		scratch_test(damage_is_noticed_when_it_is_opened),
		scratch_test(damage_is_noticed_when_it_is_used),
		scratch_test(journals_are_set_aside_too),
		scratch_test(only_durable_transactions_are_synced),
		scratch_test(a_small_journal_is_left_to_the_next),
		scratch_test(what_a_killed_process_committed_is_there),
		scratch_test(a_deleted_one_does_not_come_back_from_its_journal),
		scratch_test(many_processes_make_one),
		scratch_test(a_copy_is_read_and_changes_nothing),
		scratch_test(a_copy_of_nothing_is_empty),
		scratch_test(what_cannot_be_written_is_said),
		scratch_test(a_place_that_is_not_there_is_said),
		scratch_test(a_death_over_a_new_database_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
