/* The object store shared by threads, processes and projects. Labels: tsan */
#include "cas_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LARGE (300 * 1024)

/* ---------------------------------------------------------- threads */

#define THREADS 4
#define PER_THREAD 300

static struct store shared;
static atomic_int running;

/* Every thread puts objects of its own and objects that all put, small and large, and reads what is there. */
static void *
put_and_read(void *arg)
{
	uint64_t me = (uint64_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < PER_THREAD; i++) {
		uint64_t seed = i % 3 ? i : i * 1000 + me;
		size_t len = i % 50 == 7 ? LARGE : 50 + (size_t)(seed % 2000);
		char *data = noise(len, seed);
		struct mlb_digest d = put(&shared, data, len);

		expect_data(&shared, &d, data, len);
		free(data);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void *
keep_syncing(void *arg)
{
	(void)arg;
	while (atomic_load(&running))
		if (mlb_cas_sync(shared.cas, NULL))
			return "failed";
	return NULL;
}

static void
threads_put_read_and_sync(void **state)
{
	pthread_t thread[THREADS], syncer;
	struct mlb_err err = MLB_ERR_INIT;
	void *failed;

	(void)state;
	shared = open_store("state.db");
	atomic_store(&running, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, put_and_read, (void *)i), 0);
	assert_int_equal(pthread_create(&syncer, NULL, keep_syncing, NULL), 0);
	/* The owner of the database meanwhile writes rows of what is durable. */
	while (atomic_load(&running)) {
		assert_ok(mlb_db_begin(shared.db, &err));
		assert_ok(mlb_cas_index(shared.cas, &err));
		assert_ok(mlb_db_commit(shared.db, &err));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	pthread_join(syncer, &failed);
	assert_null(failed);
	commit(&shared);
	close_store(&shared);
	shared = open_store("state.db");
	for (uint64_t me = 0; me < THREADS; me++)
		for (uint64_t i = 0; i < PER_THREAD; i++) {
			uint64_t seed = i % 3 ? i : i * 1000 + me;
			size_t len = i % 50 == 7 ? LARGE : 50 + (size_t)(seed % 2000);
			char *data = noise(len, seed);
			struct mlb_digest d;

			mlb_sha256_of(&d, data, len);
			expect_data(&shared, &d, data, len);
			free(data);
		}
	close_store(&shared);
}

#define FILL_EACH                                                                                  \
	300 /* objects of 100,000 bytes: together enough for two full packs, and for waiting to pay */

static void *
fill(void *arg)
{
	uint64_t me = (uint64_t)(uintptr_t)arg;

	put_many(&shared, me * FILL_EACH, (me + 1) * FILL_EACH);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Are those packs sealed whose bytes are what their names say? How many. */
static unsigned
check_sealed(void)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	unsigned sealed = 0;

	assert_ok(mlb_fs_list(&list, CACHE "/packs", &err));
	for (size_t i = 0; i < list.n; i++) {
		char *path = mlb_asprintf(CACHE "/packs/%s", list.v[i].name);
		char hex[MLB_HEX_LEN + 1];
		struct mlb_digest digest;

		assert_ok(mlb_fs_hash(&digest, NULL, path, &err));
		mlb_digest_hex(hex, &digest);
		if (strncmp(list.v[i].name, "open-", 5) != 0) {
			assert_memory_equal(list.v[i].name, hex, MLB_HEX_LEN);
			sealed++;
		}
		free(path);
	}
	mlb_dirents_release(&list);
	return sealed;
}

/* Threads that put much append to packs of their own, and seal them. */
static void
threads_fill_packs(void **state)
{
	pthread_t thread[THREADS];
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	shared = open_store("state.db");
	atomic_store(&running, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, fill, (void *)i), 0);
	while (atomic_load(&running))
		assert_ok(mlb_cas_sync(shared.cas, &err));
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	expect_many(&shared, 0, THREADS * FILL_EACH);
	commit(&shared);
	close_store(&shared);
	assert_true(check_sealed() >= 1);
	shared = open_store("state.db");
	expect_many(&shared, 0, THREADS * FILL_EACH);
	close_store(&shared);
	/* And without the database, from the packs. */
	shared = open_store("other.db");
	expect_many(&shared, 0, THREADS * FILL_EACH);
	close_store(&shared);
}

/* ---------------------------------------------------------- processes */

/* With one database, or each with its own, and none at all at the end. */
static void
processes(bool one_db)
{
	enum { PROCESSES = 6, OBJECTS = 200 };
	pid_t pid[PROCESSES];
	struct store s;

	for (int p = 0; p < PROCESSES; p++) {
		pid[p] = fork();
		if (pid[p] == 0) {
			char db[32];

			snprintf(db, sizeof(db), "state%d.db", one_db ? 0 : p);
			for (int round = 0; round < 3; round++) {
				s = open_store(db);
				for (int i = 0; i < OBJECTS; i++) {
					char text[64];

					/* A third of them are everybody's. */
					snprintf(text, sizeof(text), "%d %d %d", i % 3 ? p : -1,
						 round, i);
					put_text(&s, text);
				}
				if (!try_commit(&s))
					_exit(1);
				close_store(&s);
			}
			_exit(0);
		}
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status;

		assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
		assert_int_equal(status, 0);
	}
	for (int fresh = 0; fresh < 2; fresh++) {
		s = open_store(fresh ? "fresh.db" : "state0.db");
		for (int p = -1; p < PROCESSES; p++)
			for (int round = 0; round < 3; round++)
				for (int i = 0; i < OBJECTS; i++) {
					char text[64];
					struct mlb_digest d;

					if ((i % 3 == 0) != (p == -1))
						continue;
					snprintf(text, sizeof(text), "%d %d %d", p, round, i);
					mlb_sha256_of(&d, text, strlen(text));
					expect_text(&s, &d, text);
				}
		close_store(&s);
	}
}

static void
processes_with_one_database(void **state)
{
	(void)state;
	processes(true);
}

static void
processes_with_their_own_databases(void **state)
{
	(void)state;
	processes(false);
}

/* Another project goes on with the pack that we know as open, seals it, and with that gives it another name. */
static void
a_pack_that_another_project_sealed(void **state)
{
	struct store ours = open_store("ours.db"), theirs;
	struct mlb_digest a = put_text(&ours, "ours"), b;
	char open[512];

	(void)state;
	commit(&ours);
	close_store(&ours);
	theirs = open_store("theirs.db");
	expect_text(&theirs, &a, "ours");
	b = put_text(&theirs, "theirs");
	ours = open_store("ours.db");
	put_many(&theirs, 0, 600);
	commit(&theirs);
	close_store(&theirs);
	find_file(open, CACHE "/packs", "open-");
	expect_text(&ours, &a, "ours"); /* by a name that is gone */
	expect_text(&ours, &b, "theirs");
	put_text(&ours, "more");
	commit(&ours);
	close_store(&ours);
	ours = open_store("ours.db");
	expect_text(&ours, &a, "ours");
	expect_text(&ours, &b, "theirs");
	expect_many(&ours, 0, 10);
	close_store(&ours);
}

/* A large object that another project stored is hashed before its first use. */
static void
what_another_project_stored_is_verified(void **state)
{
	struct store theirs = open_store("theirs.db"), ours = open_store("ours.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *good = noise(LARGE, 1), *bad = noise(LARGE, 2), *path;
	struct mlb_digest g = put(&theirs, good, LARGE), b = put(&theirs, bad, LARGE);
	uint64_t size;

	(void)state;
	commit(&theirs);
	close_store(&theirs);
	path = loose_path(&b);
	assert_int_equal(chmod(path, 0644), 0);
	flip(path, 5);
	assert_true(mlb_cas_has(ours.cas, &g));
	assert_ok(mlb_cas_link(ours.cas, &g, "good", false, MLB_LINK_COPY, &err));
	assert_err(mlb_cas_link(ours.cas, &b, "bad", false, MLB_LINK_COPY, &err), MLB_ECORRUPT,
		   "quarantine");
	assert_false(mlb_fs_exists("bad"));
	assert_false(mlb_fs_exists(path));
	write_file("source", bad, LARGE);
	assert_ok(mlb_cas_put_file(ours.cas, &b, &size, "source", &err));
	assert_ok(mlb_cas_link(ours.cas, &b, "bad", false, MLB_LINK_COPY, &err));
	commit(&ours);
	close_store(&ours);
	free(path);
	free(good);
	free(bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(threads_put_read_and_sync),
		scratch_test(threads_fill_packs),
		scratch_test(processes_with_one_database),
		scratch_test(processes_with_their_own_databases),
		scratch_test(a_pack_that_another_project_sealed),
		scratch_test(what_another_project_stored_is_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
