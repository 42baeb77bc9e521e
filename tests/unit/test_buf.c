#include "unit.h"

static void
empty_is_a_string(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(10);
	char *s;

	(void)state;
	assert_string_equal(mlb_buf_str(&b), "");
	assert_null(b.data);
	s = mlb_buf_detach(&b);
	assert_string_equal(s, "");
	free(s);
}

static void
additions_append(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);

	(void)state;
	mlb_buf_adds(&b, "ab");
	mlb_buf_addc(&b, 'c');
	mlb_buf_addf(&b, "%d-%s", 42, "x");
	mlb_buf_add(&b, "\0z", 2);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "abc42-x\0z", 10);
	mlb_buf_truncate(&b, 3);
	assert_string_equal(b.data, "abc");
	mlb_buf_truncate(&b, 30);
	assert_int_equal(b.len, 3);
	mlb_buf_clear(&b);
	assert_string_equal(mlb_buf_str(&b), "");
	mlb_buf_release(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 1 << 20);
}

static void
long_format_grows(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(100000);

	(void)state;
	for (int i = 0; i < 50; i++)
		mlb_buf_addf(&b, "%*s", 1000, "x");
	assert_int_equal(b.len, 50000);
	assert_int_equal(b.data[49999], 'x');
	assert_int_equal(b.data[50000], '\0');
	mlb_buf_release(&b);
}

static void
maximum_is_kept(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(8);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	mlb_buf_adds(&b, "12345678");
	assert_false(b.full);
	assert_ok(mlb_buf_check(&b, "it", &err));
	assert_int_equal(b.cap, 9);
	mlb_buf_addc(&b, '9');
	assert_true(b.full);
	assert_string_equal(b.data, "12345678");
	mlb_buf_truncate(&b, 2);
	mlb_buf_addc(&b, '3'); /* ignored: the buffer was found full */
	mlb_buf_addf(&b, "%d", 3);
	assert_string_equal(b.data, "12");
	assert_err(mlb_buf_check(&b, "the thing", &err), MLB_ETOOBIG, "the thing is larger than 8");
	mlb_buf_clear(&b);
	mlb_buf_addf(&b, "%s", "123456789");
	assert_true(b.full);
	assert_string_equal(b.data, "");
	mlb_buf_release(&b);
}

static void
reserve_at_the_limits(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(SIZE_MAX);

	(void)state;
	assert_true(mlb_buf_reserve(&b, 10));
	assert_true(b.cap >= 11);
	assert_false(mlb_buf_reserve(&b, SIZE_MAX));
	assert_true(b.full);
	mlb_buf_release(&b);
}

static void
detach_gives_it_away(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(10);
	char *s;

	(void)state;
	mlb_buf_adds(&b, "own");
	s = mlb_buf_detach(&b);
	assert_string_equal(s, "own");
	assert_int_equal(b.len, 0);
	assert_null(b.data);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_a_string),     cmocka_unit_test(additions_append),
		cmocka_unit_test(long_format_grows),     cmocka_unit_test(maximum_is_kept),
		cmocka_unit_test(reserve_at_the_limits), cmocka_unit_test(detach_gives_it_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
