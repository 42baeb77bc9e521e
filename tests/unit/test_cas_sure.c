/* Before bytes are given up because the store has them: has it? */
#include "cas_fixture.h"

#include <sys/stat.h>

#define LARGE (300 * 1024)

/* Rot: other bytes under the same stat. */
static void
rot(const char *path, long at)
{
	struct timespec times[2];
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(chmod(path, 0644), 0);
	flip(path, at);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct store
open_again(struct store *s)
{
	commit(s);
	close_store(s);
	return open_store("state.db");
}

static void
what_is_right_is_sure(void **state)
{
	struct store s = open_store("state.db");
	char *big = noise(LARGE, 1);
	struct mlb_digest a = put_text(&s, "hello"), b = put(&s, big, LARGE), none;

	(void)state;
	mlb_sha256_of(&none, "none", 4);
	for (int round = 0; round < 2; round++) {
		assert_true(mlb_cas_sure(s.cas, &a));
		assert_true(mlb_cas_sure(s.cas, &b));
		assert_false(mlb_cas_sure(s.cas, &none));
		s = open_again(&s);
	}
	free(big);
	close_store(&s);
}

static void
what_is_damaged_is_not(void **state)
{
	struct store s = open_store("state.db");
	char *big = noise(LARGE, 1), *path, pack[512];
	struct mlb_digest a = put_text(&s, "hello"), b = put(&s, big, LARGE);

	(void)state;
	s = open_again(&s);
	path = loose_path(&b);
	find_file(pack, CACHE "/packs", "");
	write_file(path, "", 0);
	flip(pack, 16 + 52);
	assert_true(mlb_cas_has(s.cas, &a));
	assert_true(mlb_cas_has(s.cas, &b));
	assert_false(mlb_cas_sure(s.cas, &a));
	assert_false(mlb_cas_sure(s.cas, &b));
	expect_absent(&s, &a);
	expect_absent(&s, &b);
	put_text(&s, "hello");
	put(&s, big, LARGE);
	assert_true(mlb_cas_sure(s.cas, &a));
	assert_true(mlb_cas_sure(s.cas, &b));
	free(path);
	free(big);
	close_store(&s);
}

/* Good bytes that are offered again take the place of what has rotted. */
static void
good_bytes_replace_rot(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	char *big = noise(LARGE, 1), *path;
	struct mlb_digest d = put(&s, big, LARGE), again;

	(void)state;
	path = loose_path(&d);
	s = open_again(&s);
	rot(path, 1000);
	put(&s, big, LARGE);
	expect_data(&s, &d, big, LARGE);
	s = open_again(&s);
	rot(path, 1000);
	write_file("big", big, LARGE);
	assert_ok(mlb_cas_put_file(s.cas, &again, NULL, "big", &err));
	assert_true(mlb_digest_equal(&d, &again));
	expect_data(&s, &d, big, LARGE);
	free(path);
	free(big);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_right_is_sure),
		scratch_test(what_is_damaged_is_not),
		scratch_test(good_bytes_replace_rot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
