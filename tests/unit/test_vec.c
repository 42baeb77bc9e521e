#include "unit.h"

#include "base/vec.h"

static void
push_grows(void **state)
{
	MLB_VEC(int) v = MLB_VEC_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		mlb_vec_push(&v, i * 3);
	assert_int_equal(v.n, 1000);
	assert_true(v.cap >= 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i * 3);
	mlb_vec_release(&v);
	assert_null(v.v);
	assert_int_equal(v.n, 0);
	mlb_vec_reserve(&v, 100);
	assert_int_equal(v.n, 0);
	assert_true(v.cap >= 100);
	mlb_vec_release(&v);
}

static void
strvec_owns_copies(void **state)
{
	struct mlb_strvec v = MLB_VEC_INIT;
	char text[] = "one";

	(void)state;
	mlb_strvec_push(&v, text);
	text[0] = 'x';
	assert_string_equal(v.v[0], "one");
	assert_true(mlb_strvec_has(&v, "one"));
	assert_false(mlb_strvec_has(&v, "on"));
	mlb_strvec_release(&v);
	assert_int_equal(v.n, 0);
}

static void
strvec_sorts_bytewise(void **state)
{
	static const char *const in[] = { "b", "\xc3\xa4", "a", "B", "b", "", "ab", "a" };
	static const char *const all[] = { "", "B", "a", "a", "ab", "b", "b", "\xc3\xa4" };
	static const char *const once[] = { "", "B", "a", "ab", "b", "\xc3\xa4" };
	struct mlb_strvec v = MLB_VEC_INIT;

	(void)state;
	mlb_strvec_sort(&v, true); /* an empty one */
	for (size_t i = 0; i < MLB_ARRAY_LEN(in); i++)
		mlb_strvec_push(&v, in[i]);
	mlb_strvec_sort(&v, false);
	assert_int_equal(v.n, MLB_ARRAY_LEN(all));
	for (size_t i = 0; i < v.n; i++)
		assert_string_equal(v.v[i], all[i]);
	mlb_strvec_sort(&v, true);
	assert_int_equal(v.n, MLB_ARRAY_LEN(once));
	for (size_t i = 0; i < v.n; i++)
		assert_string_equal(v.v[i], once[i]);
	mlb_strvec_release(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push_grows),
		cmocka_unit_test(strvec_owns_copies),
		cmocka_unit_test(strvec_sorts_bytewise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
