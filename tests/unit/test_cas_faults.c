/*
 * The object store when things go wrong: crashes, torn and flipped bytes, syncs
 * and writes that fail.  Nothing wrong is ever served, and it goes on afterwards.
 */
#include "cas_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/hex.h"

#define LARGE (300 * 1024)

/* ---------------------------------------------------------- system calls that fail when told to */

static int fail_sync;   /* how many syncs from now on fail; negative: the -nth from now does */
static int fail_pwrite; /* the same for pwrite; all but the last of several write a part */
static bool skip_sync;  /* where nothing but time depends on it */
static void (*during_sync)(void);

static bool
fails(int *counter)
{
	if (*counter > 0) {
		--*counter;
		return true;
	}
	return *counter < 0 && ++*counter == 0;
}

/* These take the place of the C library's in this program, also for what it is linked with. */
int fdatasync(int fd);
int fsync(int fd);
ssize_t pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);

static int
sync_or_fail(long number, int fd)
{
	void (*then)(void) = during_sync;

	during_sync = NULL;
	if (then)
		then();
	if (fails(&fail_sync)) {
		errno = EIO;
		return -1;
	}
	return skip_sync ? 0 : (int)syscall(number, fd);
}

int
fdatasync(int fd)
{
	return sync_or_fail(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return sync_or_fail(SYS_fsync, fd);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	int left = fail_pwrite;

	if (fails(&fail_pwrite)) {
		if (left > 1 && len > 1)
			return (ssize_t)syscall(SYS_pwrite64, fd, data, len / 2, at);
		errno = ENOSPC;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return pwrite(fd, data, len, at);
}

/* ---------------------------------------------------------- damage */

static void
bit_flips_in_a_pack_are_never_served(void **state)
{
	static const char *const text[] = { "one", "the second object", "and a third" };
	struct mlb_digest d[3];
	struct store s = open_store("state.db");
	struct mlb_stat st;
	char pack[512];

	(void)state;
	skip_sync = true;
	for (int i = 0; i < 3; i++)
		d[i] = put_text(&s, text[i]);
	commit(&s);
	close_store(&s);
	find_file(pack, CACHE "/packs", "open-");
	assert_int_equal(mlb_fs_lstat(&st, pack, NULL), 0);
	for (uint64_t at = 0; at < st.size; at++) {
		find_file(pack, CACHE "/packs", "open-");
		flip(pack, (long)at);
		for (int fresh = 0; fresh < 2; fresh++) {
			s = open_store(fresh ? "fresh.db" : "state.db");
			for (int i = 0; i < 3; i++)
				read_never_gives_wrong_bytes(&s, &d[i], text[i]);
			/* What is put again is there again, in this process and in the next. */
			for (int i = 0; i < 3; i++) {
				put_text(&s, text[i]);
				expect_text(&s, &d[i], text[i]);
			}
			if (fresh) {
				close_store(&s);
				assert_int_equal(unlink("fresh.db"), 0);
				continue;
			}
			commit(&s);
			close_store(&s);
			s = open_store("state.db");
			for (int i = 0; i < 3; i++)
				expect_text(&s, &d[i], text[i]);
			close_store(&s);
		}
		/* Begin again with a pack of the same bytes. */
		assert_int_equal(unlink("state.db"), 0);
		do {
			unlink(pack);
			find_file(pack, CACHE "/packs", "");
		} while (pack[0]);
		s = open_store("state.db");
		for (int i = 0; i < 3; i++)
			put_text(&s, text[i]);
		commit(&s);
		close_store(&s);
	}
	skip_sync = false;
}

static void
a_pack_that_was_cut_anywhere(void **state)
{
	static const char *const text[] = { "one", "the second object", "and a third" };
	struct store s = open_store("state.db");
	struct mlb_buf bytes = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d[3], extra;
	char pack[512];

	(void)state;
	skip_sync = true;
	for (int i = 0; i < 3; i++)
		d[i] = put_text(&s, text[i]);
	commit(&s);
	close_store(&s);
	find_file(pack, CACHE "/packs", "open-");
	assert_ok(mlb_fs_read(&bytes, pack, &err));
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		size_t end = 16;

		assert_ok(mlb_fs_write(pack, bytes.data, bytes.len, false, &err));
		assert_int_equal(truncate(pack, (off_t)cut), 0);
		s = open_store("state.db");
		extra = put_text(&s, "appended after the cut");
		for (int i = 0; i < 3; i++) {
			end += 52 + strlen(text[i]);
			if (end <= cut)
				expect_text(&s, &d[i], text[i]);
			else
				read_never_gives_wrong_bytes(&s, &d[i], text[i]);
		}
		for (int i = 0; i < 3; i++) {
			put_text(&s, text[i]);
			expect_text(&s, &d[i], text[i]);
		}
		commit(&s);
		expect_text(&s, &extra, "appended after the cut");
		close_store(&s);
		s = open_store("state.db");
		for (int i = 0; i < 3; i++)
			expect_text(&s, &d[i], text[i]);
		close_store(&s);
		assert_int_equal(unlink("state.db"), 0);
	}
	mlb_buf_release(&bytes);
	skip_sync = false;
}

static void
damaged_large_objects_go_to_quarantine(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);
	char *big = noise(LARGE, 1), hex[MLB_HEX_LEN + 1], path[512], quarantine[512];
	struct mlb_digest d = put(&s, big, LARGE);
	struct timespec times[2];
	struct stat st;

	(void)state;
	mlb_digest_hex(hex, &d);
	snprintf(path, sizeof(path), CACHE "/objects/%.2s/%s", hex, hex + 2);
	snprintf(quarantine, sizeof(quarantine), CACHE "/quarantine/%s", hex);
	for (int how = 0; how < 3; how++) {
		commit(&s);
		/* With the same size and times: only hashing finds it. */
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(chmod(path, 0644), 0);
		flip(path, 1000 * how);
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		if (how == 1) {
			close_store(&s);
			s = open_store("state.db");
		}
		if (how == 2)
			assert_err(mlb_cas_link(s.cas, &d, "to", false, MLB_LINK_COPY, &err),
				   MLB_ECORRUPT, hex);
		else
			assert_err(mlb_cas_read(s.cas, &got, &d, &err), MLB_ECORRUPT, "quarantine");
		assert_false(mlb_fs_exists("to"));
		assert_true(mlb_fs_exists(quarantine));
		assert_int_equal(unlink(quarantine), 0);
		expect_absent(&s, &d);
		put(&s, big, LARGE);
		expect_data(&s, &d, big, LARGE);
	}
	/* Removed by hand. */
	commit(&s);
	assert_int_equal(unlink(path), 0);
	expect_absent(&s, &d);
	put(&s, big, LARGE);
	expect_data(&s, &d, big, LARGE);
	mlb_buf_release(&got);
	free(big);
	close_store(&s);
}

/* A row that points elsewhere serves nothing. */
static void
rows_that_lie(void **state)
{
	static const char *const lie[] = {
		"UPDATE objects SET offset = offset + 1",
		"UPDATE objects SET offset = -1",
		"UPDATE objects SET offset = 16",
		"UPDATE objects SET pack = 77",
		"UPDATE objects SET pack = 0",
		"UPDATE objects SET size = 1, stored = 1",
		"UPDATE packs SET indexed = 20",
		"UPDATE packs SET indexed = 1000000",
		"UPDATE packs SET name = 'packs/open-0000000000000000.pack'",
		"UPDATE packs SET name = 'packs/../../../state.db'",
		"UPDATE packs SET id = id + 1000",
		"DELETE FROM packs",
	};
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(lie); i++) {
		struct store s = open_store("state.db");
		struct mlb_digest a = put_text(&s, "first"), b = put_text(&s, "second"), c;
		char *third = mlb_asprintf("third %zu", i);

		commit(&s);
		assert_ok(mlb_db_exec(s.db, lie[i], &err));
		close_store(&s);
		s = open_store("state.db");
		read_never_gives_wrong_bytes(&s, &a, "first");
		read_never_gives_wrong_bytes(&s, &b, "second");
		c = put_text(&s, third);
		put_text(&s, "first");
		put_text(&s, "second");
		commit(&s);
		close_store(&s);
		s = open_store("state.db");
		expect_text(&s, &a, "first");
		expect_text(&s, &b, "second");
		expect_text(&s, &c, third);
		close_store(&s);
		free(third);
	}
}

/* ---------------------------------------------------------- failing syncs */

static void
a_failed_sync_drops_the_batch(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *big = noise(LARGE, 4);
	struct mlb_digest before = put_text(&s, "before"), small, large;

	(void)state;
	commit(&s);
	for (int round = 0; round < 6; round++) {
		char text[32];

		snprintf(text, sizeof(text), "round %d", round);
		small = put_text(&s, text);
		big[0] = (char)round; /* one that is not there yet */
		if (round % 2)
			large = put(&s, big, LARGE);
		/* With a large object: its own, its directory's, or the pack's. */
		fail_sync = round % 2 ? -(round / 2 + 1) : 1;
		assert_err(mlb_cas_sync(s.cas, &err), MLB_ESYSTEM, "Input/output error");
		fail_sync = 0;
		assert_false(mlb_cas_has(s.cas, &small));
		expect_text(&s, &before, "before");
		/* Not a row of them. */
		commit(&s);
		assert_false(mlb_cas_has(s.cas, &small));
		small = put_text(&s, text);
		if (round % 2)
			large = put(&s, big, LARGE);
		commit(&s);
		expect_text(&s, &small, text);
		if (round % 2)
			expect_data(&s, &large, big, LARGE);
		close_store(&s);
		s = open_store("state.db");
		expect_text(&s, &small, text);
		expect_text(&s, &before, "before");
	}
	free(big);
	close_store(&s);
}

static struct store during;

static void
put_meanwhile(void)
{
	put_text(&during, "meanwhile");
}

static void
ask_meanwhile(void)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, "first", 5);
	assert_true(mlb_cas_has(during.cas, &d));
}

/* What was put, or relied upon, while a sync failed is lost with it: whoever syncs next is told. */
static void
what_a_failed_sync_took_with_it_is_said(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;

	(void)state;
	for (int how = 0; how < 2; how++) {
		during = open_store("state.db");
		d = put_text(&during, "first");
		during_sync = how ? ask_meanwhile : put_meanwhile;
		fail_sync = 1;
		assert_err(mlb_cas_sync(during.cas, &err), MLB_ESYSTEM, "Input/output error");
		assert_false(mlb_cas_has(during.cas, &d));
		put_text(&during, "later");
		assert_err(mlb_cas_sync(during.cas, &err), MLB_ESYSTEM, "lost");
		assert_ok(mlb_cas_sync(during.cas, &err));
		mlb_sha256_of(&d, "later", 5);
		expect_text(&during, &d, "later");
		close_store(&during);
		/* With success nothing is lost. */
		during = open_store("state.db");
		put_text(&during, how ? "first" : "second");
		during_sync = how ? ask_meanwhile : put_meanwhile;
		assert_ok(mlb_cas_sync(during.cas, &err));
		assert_ok(mlb_cas_sync(during.cas, &err));
		close_store(&during);
	}
}

static void
sealing_that_fails_is_tried_again(void **state)
{
	struct store s = open_store("state.db");
	char sealed[512];

	(void)state;
	for (uint64_t i = 0; i < 520; i++) {
		char *data = noise(100000, i);

		put(&s, data, 100000);
		free(data);
	}
	/* No room for the index: the objects are whole all the same. */
	fail_pwrite = -2;
	commit(&s);
	assert_int_equal(fail_pwrite, 0);
	for (char c = '0'; c <= 'f'; c++) {
		find_file(sealed, CACHE "/packs", (char[2]){ c, 0 });
		assert_string_equal(sealed, "");
	}
	commit(&s);
	close_store(&s);
	s = open_store("state.db");
	for (uint64_t i = 0; i < 520; i++) {
		char *data = noise(100000, i);
		struct mlb_digest d;

		mlb_sha256_of(&d, data, 100000);
		expect_data(&s, &d, data, 100000);
		free(data);
	}
	close_store(&s);
}

/* ---------------------------------------------------------- no room */

static void
a_full_disk_is_said_and_survived(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct rlimit limit, old;
	struct mlb_digest before = put_text(&s, "before"), d;
	char *data = noise(100000, 5), *big = noise(LARGE, 6);
	bool failed = false;

	(void)state;
	commit(&s);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 250000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_err(mlb_cas_put(s.cas, &d, big, LARGE, &err), MLB_ESYSTEM, "tmp/");
	for (uint64_t i = 0; i < 30 && !failed; i++) {
		int rc;

		memcpy(data, &i, sizeof(i));
		rc = mlb_cas_put(s.cas, &d, data, 100000, &err);
		failed = rc != 0;
		if (rc)
			assert_int_equal(rc, MLB_ESYSTEM);
		mlb_err_release(&err);
	}
	assert_true(failed);
	assert_err(mlb_cas_sync(s.cas, &err), MLB_ESYSTEM, "packs/");
	assert_false(mlb_cas_has(s.cas, &d));
	expect_text(&s, &before, "before");
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	d = put(&s, data, 100000);
	commit(&s);
	expect_data(&s, &d, data, 100000);
	expect_text(&s, &before, "before");
	close_store(&s);
	free(data);
	free(big);
	{
		struct mlb_dirents list = MLB_VEC_INIT;

		assert_ok(mlb_fs_list(&list, CACHE "/tmp", &err));
		assert_int_equal(list.n, 0);
		mlb_dirents_release(&list);
	}
}

static void
a_cache_that_vanishes_is_said(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest a = put_text(&s, "a"), b;

	(void)state;
	commit(&s);
	close_store(&s);
	s = open_store("state.db");
	assert_int_equal(rename("cache", "gone"), 0);
	assert_err(mlb_cas_put(s.cas, &b, "b", 1, &err), MLB_ESYSTEM, "packs");
	read_never_gives_wrong_bytes(&s, &a, "a");
	assert_int_equal(rename("gone", "cache"), 0);
	close_store(&s);
	s = open_store("state.db");
	expect_text(&s, &a, "a");
	b = put_text(&s, "b");
	commit(&s);
	expect_text(&s, &b, "b");
	close_store(&s);
}

static void
packs_removed_by_hand_are_missed(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_digest a = put_text(&s, "a");
	char pack[512];

	(void)state;
	commit(&s);
	close_store(&s);
	find_file(pack, CACHE "/packs", "open-");
	assert_int_equal(unlink(pack), 0);
	s = open_store("state.db");
	expect_absent(&s, &a);
	put_text(&s, "a");
	expect_text(&s, &a, "a");
	commit(&s);
	close_store(&s);
	s = open_store("state.db");
	expect_text(&s, &a, "a");
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(bit_flips_in_a_pack_are_never_served),
		scratch_test(a_pack_that_was_cut_anywhere),
		scratch_test(damaged_large_objects_go_to_quarantine),
		scratch_test(rows_that_lie),
		scratch_test(a_failed_sync_drops_the_batch),
		scratch_test(what_a_failed_sync_took_with_it_is_said),
		scratch_test(sealing_that_fails_is_tried_again),
		scratch_test(a_full_disk_is_said_and_survived),
		scratch_test(a_cache_that_vanishes_is_said),
		scratch_test(packs_removed_by_hand_are_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
