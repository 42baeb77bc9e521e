/* The object store: put, read, link and index. Labels: tsan */
#include "cas_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/vec.h"

#define LARGE (300 * 1024)

static uint64_t
packed_bytes(void)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t sum = 0;

	assert_ok(mlb_fs_list(&list, CACHE "/packs", &err));
	for (size_t i = 0; i < list.n; i++) {
		char path[512];
		struct mlb_stat st;

		snprintf(path, sizeof(path), CACHE "/packs/%s", list.v[i].name);
		assert_ok(mlb_fs_lstat(&st, path, &err));
		sum += st.size;
	}
	mlb_dirents_release(&list);
	return sum;
}

/* ---------------------------------------------------------- one process */

static void
small_and_large_come_back(void **state)
{
	struct store s = open_store("state.db");
	char *big = noise(LARGE, 1), *path;
	struct mlb_digest empty = put(&s, "", 0), a = put_text(&s, "hello"),
			  b = put(&s, big, LARGE), c;
	struct mlb_stat st;

	(void)state;
	c = put(&s, big, MLB_CAS_SMALL - 1);
	for (int round = 0; round < 4; round++) {
		expect_text(&s, &a, "hello");
		expect_text(&s, &empty, "");
		expect_data(&s, &b, big, LARGE);
		expect_data(&s, &c, big, MLB_CAS_SMALL - 1);
		if (round < 2)
			commit(&s);
		if (round == 2) {
			close_store(&s);
			s = open_store("state.db");
			assert_false(mlb_db_was_reset(s.db));
		}
	}
	path = loose_path(&b);
	assert_int_equal(mlb_fs_lstat(&st, path, NULL), 0);
	assert_int_equal(st.size, LARGE);
	assert_string_equal(mlb_cas_dir(s.cas), CACHE);
	c = put_text(&s, "another");
	mlb_cas_has(s.cas, &c);
	free(path);
	free(big);
	close_store(&s);
	mlb_cas_close(NULL);
}

static void
what_is_there_is_not_written_again(void **state)
{
	struct store s = open_store("state.db");
	char *big = noise(LARGE, 2), *path;
	struct mlb_digest d;
	struct mlb_stat before, after;
	uint64_t bytes;

	(void)state;
	put_text(&s, "hello");
	put_text(&s, "hello");
	d = put(&s, big, LARGE);
	commit(&s);
	bytes = packed_bytes();
	assert_int_equal(bytes, 16 + 52 + 5);
	path = loose_path(&d);
	assert_int_equal(mlb_fs_lstat(&before, path, NULL), 0);
	for (int round = 0; round < 3; round++) {
		put_text(&s, "hello");
		put(&s, big, LARGE);
		commit(&s);
		if (round == 1) {
			close_store(&s);
			s = open_store("state.db");
		}
	}
	assert_int_equal(packed_bytes(), bytes);
	assert_int_equal(mlb_fs_lstat(&after, path, NULL), 0);
	assert_true(mlb_stat_same(&before, &after));
	free(path);
	free(big);
	close_store(&s);
}

static void
files_are_put(void **state)
{
	static const size_t sizes[] = {
		0, 1, 4096, MLB_CAS_SMALL - 1, MLB_CAS_SMALL, MLB_CAS_SMALL + 1, 3000000
	};
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d, want;
	uint64_t size;

	(void)state;
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0666), 0);
	for (size_t i = 0; i < MLB_ARRAY_LEN(sizes); i++) {
		char *data = noise(sizes[i], i);

		write_file("file", data, sizes[i]);
		mlb_sha256_of(&want, data, sizes[i]);
		for (int again = 0; again < 3; again++) {
			size = 12345;
			assert_ok(mlb_cas_put_file(s.cas, &d, &size, again ? "link" : "file", &err));
			assert_true(mlb_digest_equal(&d, &want));
			assert_int_equal(size, sizes[i]);
			expect_data(&s, &d, data, sizes[i]);
			if (again == 1)
				commit(&s);
		}
		assert_ok(mlb_cas_put_file(s.cas, &d, NULL, "file", &err));
		free(data);
	}
	assert_err(mlb_cas_put_file(s.cas, &d, &size, "absent", &err), MLB_ESYSTEM, "absent");
	assert_err(mlb_cas_put_file(s.cas, &d, &size, "fifo", &err), MLB_EINVALID, "fifo");
	assert_err(mlb_cas_put_file(s.cas, &d, &size, ".", &err), MLB_EINVALID, "regular");
	close_store(&s);
	/* No temporary file stays. */
	{
		struct mlb_dirents list = MLB_VEC_INIT;

		assert_ok(mlb_fs_list(&list, CACHE "/tmp", &err));
		assert_int_equal(list.n, 0);
		mlb_dirents_release(&list);
	}
}

/* Another file of a size that is known: hashed first, and stored all the same. */
static void
equal_size_is_not_equal_content(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d[3];

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		char *data = noise(LARGE, i);

		write_file("file", data, LARGE);
		assert_ok(mlb_cas_put_file(s.cas, &d[i], NULL, "file", &err));
		if (i)
			commit(&s);
		free(data);
	}
	for (uint64_t i = 0; i < 3; i++) {
		char *data = noise(LARGE, i);

		expect_data(&s, &d[i], data, LARGE);
		free(data);
	}
	close_store(&s);
}

static atomic_bool stop;

static void *
keep_writing(void *arg)
{
	int fd = open(arg, O_WRONLY);

	for (unsigned i = 0; !atomic_load(&stop); i++)
		if (pwrite(fd, &i, sizeof(i), 0) < 0)
			break;
	close(fd);
	return NULL;
}

static void
what_changes_while_it_is_read_is_said(void **state)
{
	static const size_t sizes[] = { MLB_CAS_SMALL - 1, 64 << 20 };
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *data = noise(sizes[i], i);
		pthread_t thread;
		struct mlb_digest d;
		int rc = 0;

		write_file("file", data, sizes[i]);
		atomic_store(&stop, false);
		assert_int_equal(pthread_create(&thread, NULL, keep_writing, "file"), 0);
		/* Sooner or later a tick of the file system's clock falls between. */
		for (int tries = 0; tries < 100000 && rc == 0; tries++) {
			mlb_err_release(&err);
			rc = mlb_cas_put_file(s.cas, &d, NULL, "file", &err);
		}
		atomic_store(&stop, true);
		pthread_join(thread, NULL);
		assert_int_equal(rc, MLB_ESYSTEM);
		assert_non_null(strstr(err.text, "changed while it was read"));
		mlb_err_release(&err);
		free(data);
	}
	close_store(&s);
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
linking_makes_files(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *big = noise(LARGE, 1);
	struct mlb_digest small = put_text(&s, "hello"), large = put(&s, big, LARGE), got;
	mode_t old = umask(027);

	(void)state;
	close_store(&s); /* what umask is, is asked once */
	s = open_store("state.db");
	small = put_text(&s, "hello");
	large = put(&s, big, LARGE);
	for (int round = 0; round < 2; round++) {
		assert_ok(mlb_cas_link(s.cas, &small, "a", false, MLB_LINK_COPY, &err));
		assert_ok(mlb_cas_link(s.cas, &small, "b", true, MLB_LINK_HARD, &err));
		assert_ok(mlb_cas_link(s.cas, &large, "c", false, MLB_LINK_COPY, &err));
		assert_ok(mlb_cas_link(s.cas, &large, "d", true, MLB_LINK_HARD, &err));
		assert_file("a", "hello");
		assert_file("b", "hello");
		assert_ok(mlb_fs_hash(&got, NULL, "c", &err));
		assert_true(mlb_digest_equal(&got, &large));
		assert_ok(mlb_fs_hash(&got, NULL, "d", &err));
		assert_true(mlb_digest_equal(&got, &large));
		assert_int_equal(mode_of("a"), 0640);
		assert_int_equal(mode_of("b"), 0750);
		assert_int_equal(mode_of("c"), 0640);
		assert_int_equal(mode_of("d"), 0750);
		put_file("a", "something else");
		commit(&s);
	}
	assert_err(mlb_cas_link(s.cas, &small, "no/such/dir", false, MLB_LINK_COPY, &err),
		   MLB_ESYSTEM, "no/such/dir");
	assert_err(mlb_cas_link(s.cas, &large, "no/such/dir", false, MLB_LINK_COPY, &err),
		   MLB_ESYSTEM, "no/such");
	assert_err(mlb_cas_link(s.cas, &small, ".", false, MLB_LINK_COPY, &err), MLB_ESYSTEM,
		   "'.'");
	umask(old);
	free(big);
	close_store(&s);
}

/* Runs fn as a user without special rights; its result is the exit code. */
static void
as_nobody(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (geteuid() == 0 &&
		    (chown(".", 65534, 65534) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
hard_links(void)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	size_t len = 2 * 1024 * 1024;
	char *big = noise(len, 1), *path;
	struct mlb_digest large = put(&s, big, len), less = put(&s, big, LARGE);
	struct stat a, b;

	commit(&s);
	path = loose_path(&large);
	for (int i = 0; i < 3; i++) /* also onto itself */
		assert_ok(mlb_cas_link(s.cas, &large, "hard", false, MLB_LINK_HARD, &err));
	assert_int_equal(stat(path, &a), 0);
	assert_int_equal(stat("hard", &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(b.st_nlink, 2);
	assert_int_equal(b.st_mode & 0222, 0);
	assert_ok(mlb_cas_link(s.cas, &large, "copy", false, MLB_LINK_COPY, &err));
	assert_ok(mlb_cas_link(s.cas, &large, "exec", true, MLB_LINK_HARD, &err));
	assert_ok(mlb_cas_link(s.cas, &less, "less", false, MLB_LINK_HARD, &err));
	assert_int_equal(stat("copy", &b), 0);
	assert_int_equal(b.st_nlink, 1);
	assert_true(b.st_mode & 0200);
	assert_int_equal(stat("exec", &b), 0);
	assert_int_equal(b.st_nlink, 1);
	assert_int_equal(stat("less", &b), 0);
	assert_int_equal(b.st_nlink, 1);

	/* Someone writes through the link: noticed by its stat, and not linked again. */
	assert_int_equal(chmod("hard", 0644), 0);
	flip("hard", 1000);
	assert_err(mlb_cas_link(s.cas, &large, "again", false, MLB_LINK_HARD, &err), MLB_ECORRUPT,
		   "quarantine");
	assert_false(mlb_fs_exists("again"));
	assert_false(mlb_cas_has(s.cas, &large));
	put(&s, big, len);
	assert_ok(mlb_cas_link(s.cas, &large, "again", false, MLB_LINK_HARD, &err));
	assert_true(mlb_cas_has(s.cas, &large));
	free(path);
	free(big);
	close_store(&s);
	return 0;
}

static void
hard_links_where_they_are_safe(void **state)
{
	struct store s;
	struct mlb_err err = MLB_ERR_INIT;
	size_t len = 2 * 1024 * 1024;
	struct stat st;

	(void)state;
	as_nobody(hard_links);
	if (geteuid() == 0) {
		char *big = noise(len, 7);
		struct mlb_digest d;

		s = open_store("state.db");
		d = put(&s, big, len);
		assert_ok(mlb_cas_link(s.cas, &d, "root", false, MLB_LINK_HARD, &err));
		assert_int_equal(stat("root", &st), 0);
		assert_int_equal(st.st_nlink, 1);
		free(big);
		close_store(&s);
	}
}

/* ---------------------------------------------------------- the index */

/* The table of objects as text, by names of packs. */
static char *
dump(struct store *s)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_GIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stmt *st;
	bool row;

	assert_ok(mlb_db_prepare(
		&st, s->db,
		"SELECT hex(digest), name, offset, size, stored FROM objects JOIN packs"
		" ON id = pack ORDER BY digest",
		&err));
	for (;;) {
		assert_ok(mlb_stmt_step(st, &row, &err));
		if (!row)
			break;
		mlb_buf_addf(&out, "%s %s %lld %lld %lld\n", mlb_column_text(st, 0, NULL),
			     mlb_column_text(st, 1, NULL), (long long)mlb_column_int(st, 2),
			     (long long)mlb_column_int(st, 3), (long long)mlb_column_int(st, 4));
	}
	mlb_stmt_reset(st);
	return mlb_buf_detach(&out);
}

static void
reindexing_gives_the_same(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *before, *after, sealed[512];
	struct mlb_digest hello = put_text(&s, "hello");

	(void)state;
	put_many(&s, 0, 600); /* 60 MB */
	commit(&s);
	put_many(&s, 600, 700);
	commit(&s);
	find_file(sealed, CACHE "/packs", "open");
	assert_true(sealed[0]);
	before = dump(&s);
	assert_int_equal(strncmp(strchr(before, ' '), " packs/", 7), 0);
	assert_ok(mlb_cas_reindex(s.cas, &err));
	after = dump(&s);
	assert_string_equal(before, after);
	free(after);
	expect_text(&s, &hello, "hello");
	close_store(&s);

	/* The same without the process that wrote it, and without the database. */
	s = open_store("state.db");
	assert_ok(mlb_cas_reindex(s.cas, &err));
	after = dump(&s);
	assert_string_equal(before, after);
	free(after);
	close_store(&s);
	assert_int_equal(unlink("state.db"), 0);
	s = open_store("state.db");
	assert_true(mlb_db_was_reset(s.db));
	after = dump(&s);
	assert_string_equal(before, after);
	expect_many(&s, 590, 610);
	expect_text(&s, &hello, "hello");
	free(after);
	free(before);
	close_store(&s);
}

static void
full_packs_are_sealed_and_rows_name_them(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	unsigned sealed = 0, open = 0;
	char *rows;

	(void)state;
	put_many(&s, 0, 1100); /* 110 MB: two full ones and a rest */
	expect_many(&s, 0, 3);
	expect_many(&s, 500, 503);
	expect_many(&s, 1097, 1100);
	commit(&s);
	assert_ok(mlb_fs_list(&list, CACHE "/packs", &err));
	for (size_t i = 0; i < list.n; i++) {
		sealed += strlen(list.v[i].name) == 69;
		open += strncmp(list.v[i].name, "open-", 5) == 0;
	}
	assert_int_equal(sealed, 2);
	assert_int_equal(open, 1);
	rows = dump(&s);
	for (size_t i = 0; i < list.n; i++)
		assert_non_null(strstr(rows, list.v[i].name));
	free(rows);
	expect_many(&s, 0, 1100);
	close_store(&s);
	s = open_store("state.db");
	expect_many(&s, 0, 1100);
	close_store(&s);
	mlb_dirents_release(&list);
}

/* Else a large directory would need more descriptors than there are. */
static void
full_packs_do_not_wait_for_a_sync(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	unsigned sealed = 0;

	(void)state;
	put_many(&s, 0, 2100); /* 210 MB: four full ones and a rest */
	assert_ok(mlb_fs_list(&list, CACHE "/packs", &err));
	for (size_t i = 0; i < list.n; i++)
		sealed += strlen(list.v[i].name) == 69;
	assert_int_equal(sealed, 4);
	mlb_dirents_release(&list);
	expect_many(&s, 0, 3);
	expect_many(&s, 2097, 2100);
	commit(&s);
	close_store(&s);
	s = open_store("state.db");
	expect_many(&s, 0, 2100);
	close_store(&s);
}

static void
a_rolled_back_transaction_loses_nothing(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest a = put_text(&s, "a"), b;
	char *rows;

	(void)state;
	assert_ok(mlb_cas_sync(s.cas, &err));
	assert_ok(mlb_db_begin(s.db, &err));
	assert_ok(mlb_cas_index(s.cas, &err));
	mlb_db_rollback(s.db);
	expect_text(&s, &a, "a");
	b = put_text(&s, "b");
	commit(&s);
	commit(&s);
	rows = dump(&s);
	assert_int_equal(strlen(rows) > 2 * 64, 1);
	free(rows);
	close_store(&s);
	s = open_store("state.db");
	expect_text(&s, &a, "a");
	expect_text(&s, &b, "b");
	close_store(&s);
}

/* Only what was synced before a call of index gets rows. */
static void
unsynced_objects_get_no_rows(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *rows;

	(void)state;
	put_text(&s, "a");
	assert_ok(mlb_db_begin(s.db, &err));
	assert_ok(mlb_cas_index(s.cas, &err));
	assert_ok(mlb_db_commit(s.db, &err));
	rows = dump(&s);
	assert_string_equal(rows, "");
	free(rows);
	commit(&s);
	rows = dump(&s);
	assert_string_not_equal(rows, "");
	free(rows);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(small_and_large_come_back),
		scratch_test(what_is_there_is_not_written_again),
		scratch_test(files_are_put),
		scratch_test(equal_size_is_not_equal_content),
		scratch_test(what_changes_while_it_is_read_is_said),
		scratch_test(linking_makes_files),
		scratch_test(hard_links_where_they_are_safe),
		scratch_test(reindexing_gives_the_same),
		scratch_test(full_packs_are_sealed_and_rows_name_them),
		scratch_test(full_packs_do_not_wait_for_a_sync),
		scratch_test(a_rolled_back_transaction_loses_nothing),
		scratch_test(unsynced_objects_get_no_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
