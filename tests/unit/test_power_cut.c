/*
 * The power goes before every call by which objects and result records are
 * written, in turn, and comes back: what was reported done is there, nothing
 * else reads as valid, and no record is there without the objects it names.
 */
#include "cas_fixture.h"
#include "faulty_io.h"
#include "no_sync.h"
#include "power_cut.h"
#include "store/result.h"

#define LARGE (150 * 1024)
#define ROUNDS 3

struct part {
	char *data;
	size_t len;
	struct mlb_digest digest;
};

static struct part part[ROUNDS][2]; /* what each round stores */
static struct mlb_digest key[ROUNDS];

static int
make_parts(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		mlb_sha256_of(&key[round], &round, sizeof(round));
		for (unsigned i = 0; i < 2; i++) {
			struct part *p = &part[round][i];

			p->len = i ? LARGE : 200;
			p->data = noise(p->len, 2 * round + i + 1);
			mlb_sha256_of(&p->digest, p->data, p->len);
		}
	}
	return 0;
}

static int
free_parts(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < 2; i++)
			free(part[round][i].data);
	return 0;
}

struct cache {
	struct store s;
	struct mlb_results *results;
};

static bool
open_cache(struct cache *c, const char *db, const struct mlb_io *io)
{
	memset(c, 0, sizeof(*c));
	assert_int_equal(mlb_db_open(&c->s.db, db, NULL), 0);
	return mlb_cas_open_io(&c->s.cas, CACHE, c->s.db, io, NULL) == 0 &&
	       mlb_results_open_io(&c->results, CACHE, c->s.db, io, NULL) == 0;
}

static void
close_cache(struct cache *c)
{
	mlb_results_close(c->results);
	close_store(&c->s);
}

static bool
find_record(struct cache *c, unsigned round)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;
	int rc = mlb_results_find(c->results, &r, &arena, &key[round], NULL);

	assert_true(rc == 0 || rc == MLB_ENOTFOUND || rc == MLB_ESYSTEM);
	mlb_arena_release(&arena);
	return rc == 0;
}

/* Store what a round stores, and say what it was. The record is looked up, as a build may. */
static bool
put_round(struct cache *c, unsigned round)
{
	struct mlb_output out[2];
	struct mlb_result r = { .key = key[round],
				.output = out,
				.n_outputs = 2,
				.started = round,
				.platform = "",
				.pin = "",
				.params = "",
				.run = "" };
	int rc = 0;

	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		const struct part *p = &part[round][i];
		struct mlb_digest d;

		out[i] = (struct mlb_output){ "x", MLB_O_FILE, p->digest, p->len };
		rc = mlb_cas_put(c->s.cas, &d, p->data, p->len, NULL);
		if (rc == 0)
			assert_true(mlb_digest_equal(&d, &p->digest));
	}
	if (rc == 0)
		rc = mlb_results_add(c->results, &r, NULL);
	if (rc == 0)
		find_record(c, round);
	return rc == 0;
}

static bool
try_commit_all(struct cache *c)
{
	if (mlb_store_sync(c->s.cas, c->results, NULL) || mlb_db_begin(c->s.db, NULL))
		return false;
	if (mlb_cas_index(c->s.cas, NULL) == 0 && mlb_results_index(c->results, NULL) == 0 &&
	    mlb_db_commit(c->s.db, NULL) == 0)
		return true;
	mlb_db_rollback(c->s.db);
	return false;
}

static void
work(const char *db, const struct mlb_io *io, bool done[ROUNDS])
{
	struct cache c;

	if (open_cache(&c, db, io))
		for (unsigned i = 0; i < ROUNDS; i++)
			done[i] |= put_round(&c, i) && try_commit_all(&c);
	close_cache(&c);
}

static void
check(const char *db, const bool done[ROUNDS])
{
	struct cache c;

	assert_true(open_cache(&c, db, &mlb_io_os));
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool record = find_record(&c, round);

		assert_true(record || !done[round]);
		for (unsigned i = 0; i < 2; i++) {
			const struct part *p = &part[round][i];

			if (record || mlb_cas_has(c.s.cas, &p->digest))
				expect_data(&c.s, &p->digest, p->data, p->len);
			else
				expect_absent(&c.s, &p->digest);
		}
	}
	close_cache(&c);
}

static void
start_over(void)
{
	static const char *const db[] = { "state.db", "state.db-wal", "state.db-shm", "fresh.db" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(db); i++)
		unlink(db[i]);
	assert_int_equal(mlb_fs_remove_tree("cache", NULL), 0);
}

/*
 * With the database as it was left, and without.  The power goes a second time
 * in the middle of going on: a later call each time.
 */
static bool
cut_at(long n, enum cut how, bool lose_db, uint64_t seed)
{
	bool done[ROUNDS] = { false }, cut;
	struct cut_disk disk;

	for (int time = 0; time < 2; time++) {
		disk_on(&disk, time ? n / 2 + 1 : n, seed + (uint64_t)time);
		work("state.db", &disk.io, done);
		if (time == 0)
			cut = disk.off;
		disk_cut(&disk, how);
		if (lose_db) {
			unlink("state.db");
			unlink("state.db-wal");
			unlink("state.db-shm");
		}
		check("state.db", done);
		check("fresh.db", done);
		unlink("fresh.db");
	}
	work("state.db", &mlb_io_os, done);
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_true(done[i]);
	check("state.db", done);
	start_over();
	return cut;
}

/* Before each call where MLBUILD_FAULTS is "all", else before every third. */
static void
cut_at_each(enum cut how, bool lose_db)
{
	const char *faults = getenv("MLBUILD_FAULTS");
	bool all = faults && strcmp(faults, "all") == 0;
	long n = all ? 1 : 1 + (long)(how + lose_db) % 3;

	while (cut_at(n, how, lose_db, (uint64_t)n)) {
		for (uint64_t i = 1; all && how == CUT_SOME && i < 10; i++)
			cut_at(n, how, lose_db, (uint64_t)n + 1000 * i);
		n += all ? 1 : 3;
	}
	assert_true(n > 50);
}

static void
what_was_reported_survives_a_death(void **state)
{
	(void)state;
	cut_at_each(CUT_NOTHING, false);
	cut_at_each(CUT_NOTHING, true);
}

static void
what_was_reported_survives_the_loss_of_the_rest(void **state)
{
	(void)state;
	cut_at_each(CUT_ALL, false);
	cut_at_each(CUT_ALL, true);
}

static void
names_without_bytes_are_nothing(void **state)
{
	(void)state;
	cut_at_each(CUT_BYTES, false);
	cut_at_each(CUT_BYTES, true);
}

static void
whatever_else_is_left_does_no_harm(void **state)
{
	(void)state;
	cut_at_each(CUT_SOME, false);
	cut_at_each(CUT_SOME, true);
}

/* Not the power, but one call, or all from one on: a batch of which the objects fail takes its records along. */
static void
no_record_without_its_objects_when_calls_fail(void **state)
{
	struct faulty_io f;

	(void)state;
	for (int for_good = 0; for_good < 2; for_good++) {
		long n = 0;

		do {
			bool done[ROUNDS] = { false };

			faulty_init(&f, ++n, for_good, EIO);
			work("state.db", &f.io, done);
			check("state.db", done);
			check("fresh.db", done);
			work("state.db", &mlb_io_os, done);
			for (unsigned i = 0; i < ROUNDS; i++)
				assert_true(done[i]);
			check("state.db", done);
			start_over();
		} while (f.failed);
		assert_true(n > 50);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_was_reported_survives_a_death),
		scratch_test(what_was_reported_survives_the_loss_of_the_rest),
		scratch_test(names_without_bytes_are_nothing),
		scratch_test(whatever_else_is_left_does_no_harm),
		scratch_test(no_record_without_its_objects_when_calls_fail),
	};

	return cmocka_run_group_tests(tests, make_parts, free_parts);
}
