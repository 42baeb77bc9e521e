/* The object store when its processes die, or end while others go on: what was told is there. */
#include "cas_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/pack.h"

#define LARGE (300 * 1024)

/* What was synced is there after death without a farewell, with and without its rows, with and without a database. */
static void
what_was_synced_survives_death(void **state)
{
	struct mlb_digest small, large, unsynced;
	char *big = noise(LARGE, 3);

	(void)state;
	mlb_sha256_of(&small, "synced", 6);
	mlb_sha256_of(&large, big, LARGE);
	mlb_sha256_of(&unsynced, "unsynced", 8);
	for (int indexed = 0; indexed < 2; indexed++)
		for (int fresh = 0; fresh < 2; fresh++) {
			char *text = mlb_asprintf("%d %d", indexed, fresh);
			struct mlb_digest own;
			struct store s;
			int status;
			pid_t pid = fork();

			mlb_sha256_of(&own, text, strlen(text));
			if (pid == 0) {
				s = open_store("state.db");
				put_text(&s, "synced");
				put_text(&s, text);
				put(&s, big, LARGE);
				if (mlb_cas_sync(s.cas, NULL) || (indexed && !try_commit(&s)))
					_exit(1);
				put_text(&s, "unsynced");
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(status, 0);
			if (fresh) {
				unlink("state.db");
				unlink("state.db-wal");
				unlink("state.db-shm");
			}
			s = open_store("state.db");
			expect_text(&s, &small, "synced");
			expect_text(&s, &own, text);
			expect_data(&s, &large, big, LARGE);
			read_never_gives_wrong_bytes(&s, &unsynced, "unsynced");
			commit(&s);
			close_store(&s);
			free(text);
		}
	free(big);
}

/* Appending to a pack changes no directory: what was synced and has no row is found all the same. */
static void
what_was_appended_before_a_death_is_found(void **state)
{
	const struct timespec old[2] = { { .tv_sec = 1000000000, .tv_nsec = 1 },
					 { .tv_sec = 1000000000, .tv_nsec = 1 } };
	struct store s = open_store("state.db");
	struct mlb_digest late;
	pid_t pid;
	int status;

	(void)state;
	put_text(&s, "early");
	commit(&s);
	close_store(&s);
	assert_int_equal(utimensat(AT_FDCWD, CACHE "/packs", old, 0), 0);
	s = open_store("state.db");
	commit(&s); /* writes down that the directory was looked at */
	close_store(&s);
	mlb_sha256_of(&late, "late", 4);
	pid = fork();
	if (pid == 0) {
		s = open_store("state.db");
		put_text(&s, "late");
		_exit(mlb_cas_sync(s.cas, NULL) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	s = open_store("state.db");
	expect_text(&s, &late, "late");
	close_store(&s);
}

/* What another process finishes while this one is open is found when it is asked for. */
static void
what_another_process_finishes_is_found(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_digest d;

	(void)state;
	put_text(&s, "ours");
	commit(&s);
	for (int round = 0; round < 3; round++) {
		char *text = mlb_asprintf("theirs %d", round);
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			struct store other = open_store(round % 2 ? "other.db" : "another.db");

			put_text(&other, text);
			status = try_commit(&other) ? 0 : 1;
			close_store(&other);
			_exit(status);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		mlb_sha256_of(&d, text, strlen(text));
		if (round == 1)
			assert_true(mlb_cas_has(s.cas, &d));
		expect_text(&s, &d, text);
		free(text);
	}
	close_store(&s);
}

/* Puts, commits and reports what it committed, until it is killed. */
static void
work_until_killed(int report, uint64_t seed)
{
	struct store s = open_store("state.db");

	for (uint64_t i = 0;; i++) {
		uint64_t n[4];

		for (int k = 0; k < 4; k++) {
			size_t len = k == 3 && i % 5 == 0 ? LARGE : 100;
			char *data;

			n[k] = seed * 1000000 + i * 4 + (uint64_t)k;
			data = noise(len, n[k]);
			memcpy(data, &len, sizeof(len));
			put(&s, data, len);
			free(data);
		}
		if (!try_commit(&s) || write(report, n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(1);
	}
}

static uint64_t reported[100000];
static size_t n_reported;

/* So many more reports of what was committed. */
static void
read_reports(int fd, size_t n)
{
	while (n-- && n_reported + 4 <= MLB_ARRAY_LEN(reported)) {
		assert_int_equal(read(fd, &reported[n_reported], 32), 32);
		n_reported += 4;
	}
}

static void
check_reported(const char *db)
{
	struct store s = open_store(db);

	for (size_t i = 0; i < n_reported; i++) {
		uint64_t step = reported[i] % 1000000;
		size_t len = step % 4 == 3 && step / 4 % 5 == 0 ? LARGE : 100;
		char *data = noise(len, reported[i]);
		struct mlb_digest d;

		memcpy(data, &len, sizeof(len));
		mlb_sha256_of(&d, data, len);
		expect_data(&s, &d, data, len);
		free(data);
	}
	close_store(&s);
}

static void
nothing_that_was_reported_is_lost(void **state)
{
	int fd[2];

	(void)state;
	n_reported = 0;
	assert_int_equal(pipe(fd), 0);
	for (uint64_t round = 0; round < 8; round++) {
		pid_t pid[3];

		for (uint64_t p = 0; p < 3; p++) {
			pid[p] = fork();
			if (pid[p] == 0)
				work_until_killed(fd[1], round * 3 + p + 1);
		}
		read_reports(fd[0], 4);
		usleep((unsigned)(round * 7919 % 20000));
		for (int p = 0; p < 3; p++) {
			int status;

			kill(pid[p], SIGKILL);
			assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
			assert_true(WIFSIGNALED(status));
		}
	}
	close(fd[1]);
	for (ssize_t n = 32; n == 32; n_reported += n == 32 ? 4 : 0)
		n = n_reported + 4 <= MLB_ARRAY_LEN(reported)
			    ? read(fd[0], &reported[n_reported], 32)
			    : 0;
	close(fd[0]);
	assert_true(n_reported >= (size_t)8 * 4 * 4);
	check_reported("state.db");
	check_reported("fresh.db");
}

static struct store shared;
static pthread_barrier_t each_has_put;

static void *
put_for_ever(void *seed)
{
	for (uint64_t i = 0;; i++) {
		uint64_t n = (uint64_t)(uintptr_t)seed * 1000000 + i;
		char *data = noise(20000, n);

		put(&shared, data, 20000);
		free(data);
		if (i == 0)
			pthread_barrier_wait(&each_has_put);
	}
	return NULL;
}

static void
commit_among_threads(int report)
{
	pthread_t thread[4];

	shared = open_store("state.db");
	pthread_barrier_init(&each_has_put, NULL, MLB_ARRAY_LEN(thread) + 1);
	for (uintptr_t i = 0; i < MLB_ARRAY_LEN(thread); i++)
		pthread_create(&thread[i], NULL, put_for_ever, (void *)(i + 1));
	pthread_barrier_wait(&each_has_put);
	while (try_commit(&shared) && write(report, "", 1) == 1)
		;
	_exit(1);
}

static int
has_blob(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	size_t *n = ctx;

	(void)err;
	assert_true(mlb_cas_has(shared.cas, &b->digest));
	++*n;
	return 0;
}

/* What several threads appended is known to whoever comes after them, each blob of each pack. */
static void
no_blob_is_forgotten_by_a_death(void **state)
{
	size_t n = 0;

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		struct mlb_dirents list = MLB_VEC_INIT;
		char byte[8];
		int fd[2], status;
		pid_t pid;

		assert_int_equal(pipe(fd), 0);
		pid = fork();
		if (pid == 0)
			commit_among_threads(fd[1]);
		for (int k = 0; k < 3 + (int)round; k++)
			assert_int_equal(read(fd[0], byte, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(fd[0]);
		close(fd[1]);
		shared = open_store("state.db");
		assert_int_equal(mlb_fs_list(&list, CACHE "/packs", NULL), 0);
		for (size_t i = 0; i < list.n; i++) {
			char *path = mlb_asprintf(CACHE "/packs/%s", list.v[i].name);

			assert_int_equal(mlb_pack_each(path, 0, has_blob, &n, NULL), 0);
			free(path);
		}
		mlb_dirents_release(&list);
		close_store(&shared);
	}
	assert_true(n > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_was_synced_survives_death),
		scratch_test(what_was_appended_before_a_death_is_found),
		scratch_test(what_another_process_finishes_is_found),
		scratch_test(nothing_that_was_reported_is_lost),
		scratch_test(no_blob_is_forgotten_by_a_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
