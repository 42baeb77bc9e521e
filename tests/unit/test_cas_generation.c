/* The number that tells that nothing was removed from the cache. */
#include "cas_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#define FILE_OF_IT CACHE "/generation"

static void
it_stays_while_nothing_is_removed(void **state)
{
	struct store s = open_store("state.db"), other = open_store("other.db");
	uint64_t first = mlb_cas_generation(s.cas);

	(void)state;
	assert_true(first != 0);
	put_text(&s, "hello");
	commit(&s);
	assert_true(mlb_cas_generation(s.cas) == first);
	assert_true(mlb_cas_generation(other.cas) == first);
	close_store(&s);
	s = open_store("state.db");
	assert_true(mlb_cas_generation(s.cas) == first);
	close_store(&s);
	close_store(&other);
}

static void
raising_tells_every_process(void **state)
{
	struct store s = open_store("state.db"), other = open_store("other.db");
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t first = mlb_cas_generation(s.cas), second;

	(void)state;
	assert_ok(mlb_cas_raise(other.cas, &err));
	second = mlb_cas_generation(s.cas);
	assert_true(second != 0 && second != first);
	assert_ok(mlb_cas_raise(s.cas, &err));
	assert_true(mlb_cas_generation(other.cas) != second);
	close_store(&s);
	close_store(&other);
}

static void
another_cache_has_another(void **state)
{
	struct store s = open_store("state.db");
	uint64_t first = mlb_cas_generation(s.cas);

	(void)state;
	close_store(&s);
	assert_int_equal(mlb_fs_remove_tree("cache", NULL), 0);
	s = open_store("state.db");
	assert_true(mlb_cas_generation(s.cas) != first);
	close_store(&s);
}

static void
what_is_no_number_is_made_anew(void **state)
{
	static const char *const wrong[] = { "", "0123", "0123456789abcdeX\n",
					     "0123456789abcdef\nmore", "0000000000000000\n" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(wrong); i++) {
		struct store s = open_store("state.db");
		uint64_t value;

		write_file(FILE_OF_IT, wrong[i], strlen(wrong[i]));
		value = mlb_cas_generation(s.cas);
		assert_true(value != 0 && value != 0x0123456789abcdef);
		assert_true(mlb_cas_generation(s.cas) == value);
		close_store(&s);
	}
}

static void
a_damaged_object_raises_it(void **state)
{
	struct store s = open_store("state.db");
	char *big = noise(300000, 3), *path;
	struct mlb_digest d = put(&s, big, 300000);
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t first;

	(void)state;
	commit(&s);
	first = mlb_cas_generation(s.cas);
	path = loose_path(&d);
	flip(path, 1000);
	assert_err(mlb_cas_read(s.cas, &got, &d, &err), MLB_ECORRUPT, "quarantine");
	assert_true(mlb_cas_generation(s.cas) != first);
	mlb_buf_release(&got);
	free(path);
	free(big);
	close_store(&s);
}

static void
packs_that_are_missed_raise_it(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t first = mlb_cas_generation(s.cas);

	(void)state;
	put_text(&s, "hello");
	commit(&s);
	close_store(&s);
	assert_ok(mlb_fs_remove_tree(CACHE "/packs", &err));
	s = open_store("state.db");
	assert_true(mlb_cas_generation(s.cas) != first);
	close_store(&s);
}

static void
what_cannot_be_raised_is_trusted_no_more(void **state)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_true(mlb_cas_generation(s.cas) != 0);
	assert_int_equal(unlink(FILE_OF_IT), 0);
	assert_int_equal(mkdir(FILE_OF_IT, 0777), 0);
	assert_err(mlb_cas_raise(s.cas, &err), MLB_ESYSTEM, "generation");
	assert_int_equal(rmdir(FILE_OF_IT), 0);
	assert_true(mlb_cas_generation(s.cas) == 0);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(it_stays_while_nothing_is_removed),
		scratch_test(raising_tells_every_process),
		scratch_test(another_cache_has_another),
		scratch_test(what_is_no_number_is_made_anew),
		scratch_test(a_damaged_object_raises_it),
		scratch_test(packs_that_are_missed_raise_it),
		scratch_test(what_cannot_be_raised_is_trusted_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
