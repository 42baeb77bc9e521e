/*
 * Every call by which the store writes is made to fail in turn, once and for
 * good: what was reported done is there afterwards, nothing else is served.
 */
#include "cas_fixture.h"
#include "faulty_io.h"
#include "no_sync.h"

#define LARGE (200 * 1024)
#define ROUNDS 3

/* What a round puts: a small object and a large one; the last round what the first one did. */
static void
content(char **data, size_t *len, unsigned round, unsigned which)
{
	*len = which ? LARGE : 100 + round % (ROUNDS - 1);
	*data = noise(*len, 10 * (round % (ROUNDS - 1)) + which);
}

static int
put_round(struct mlb_cas *cas, unsigned round)
{
	int rc = 0;

	for (unsigned which = 0; which < 2 && rc == 0; which++) {
		struct mlb_digest d;
		char *data;
		size_t len;

		content(&data, &len, round, which);
		rc = mlb_cas_put(cas, &d, data, len, NULL);
		free(data);
	}
	return rc;
}

/* done: of each round whether it was reported done. */
static void
work(const char *db, const struct mlb_io *io, bool done[ROUNDS])
{
	struct store s;

	memset(done, 0, ROUNDS * sizeof(*done));
	assert_int_equal(mlb_db_open(&s.db, db, NULL), 0);
	if (mlb_cas_open_io(&s.cas, CACHE, s.db, io, NULL) == 0) {
		for (unsigned i = 0; i < ROUNDS; i++)
			done[i] = put_round(s.cas, i) == 0 && try_commit(&s);
		mlb_cas_close(s.cas);
	}
	mlb_db_close(s.db);
}

/* What was reported is there; what was not, is either whole or said to be absent. */
static void
check(const char *db, const bool *done)
{
	struct store s = open_store(db);

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned which = 0; which < 2; which++) {
			struct mlb_digest d;
			char *data;
			size_t len;

			content(&data, &len, round, which);
			mlb_sha256_of(&d, data, len);
			if (done[round] || mlb_cas_has(s.cas, &d))
				expect_data(&s, &d, data, len);
			else
				expect_absent(&s, &d);
			free(data);
		}
	close_store(&s);
}

/* It goes on: all rounds can be done now. */
static void
go_on(const char *db)
{
	bool done[ROUNDS];

	work(db, &mlb_io_os, done);
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_true(done[i]);
	check(db, done);
}

static void
start_over(void)
{
	static const char *const db[] = { "state.db", "state.db-wal", "state.db-shm", "fresh.db" };
	struct mlb_err err = MLB_ERR_INIT;

	for (size_t i = 0; i < MLB_ARRAY_LEN(db); i++)
		unlink(db[i]);
	assert_ok(mlb_fs_remove_tree("cache", &err));
}

static void
fail_each(bool for_good, bool part, int error)
{
	struct faulty_io f;
	long n = 0;

	do {
		bool done[ROUNDS];

		faulty_init(&f, ++n, for_good, error);
		f.part = part;
		work("state.db", &f.io, done);
		check("state.db", done);
		check("fresh.db", done);
		go_on("state.db");
		start_over();
	} while (f.failed);
	assert_true(n > 30);
}

static void
each_call_fails_once(void **state)
{
	(void)state;
	fail_each(false, false, EIO);
	fail_each(false, true, ENOSPC);
}

static void
each_call_fails_and_all_after_it(void **state)
{
	(void)state;
	fail_each(true, false, EIO);
	fail_each(true, true, ENOSPC);
	fail_each(true, false, EMFILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_call_fails_once),
		scratch_test(each_call_fails_and_all_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
