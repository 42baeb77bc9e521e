#include "unit.h"

#include <errno.h>

static void
set_fills_and_returns(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(mlb_err_set(&err, MLB_EINVALID, "bad %s: %d", "thing", 7), MLB_EINVALID);
	assert_int_equal(err.code, MLB_EINVALID);
	assert_string_equal(err.text, "bad thing: 7");
	mlb_err_release(&err);
	assert_int_equal(err.code, MLB_OK);
	assert_null(err.text);
}

static void
first_error_wins(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	mlb_err_set(&err, MLB_ECHECK, "first");
	assert_int_equal(mlb_err_set(&err, MLB_EFAILED, "second"), MLB_EFAILED);
	assert_int_equal(mlb_err_errno(&err, ENOENT, "third"), MLB_ESYSTEM);
	assert_int_equal(err.code, MLB_ECHECK);
	assert_string_equal(err.text, "first");
	mlb_err_release(&err);
}

static void
null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(mlb_err_set(NULL, MLB_ESTALE, "x"), MLB_ESTALE);
	assert_int_equal(mlb_err_errno(NULL, EIO, "x"), MLB_ESYSTEM);
	assert_int_equal(mlb_err_wrap(NULL, "x"), MLB_ESYSTEM);
	mlb_err_release(NULL);
}

static void
errno_is_told(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(mlb_err_errno(&err, ENOENT, "cannot read '%s'", "f"), MLB_ESYSTEM);
	assert_string_equal(err.text, "cannot read 'f': No such file or directory");
	mlb_err_release(&err);
}

static void
wrap_adds_in_front(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(mlb_err_wrap(&err, "nothing failed"), MLB_OK);
	assert_null(err.text);
	mlb_err_set(&err, MLB_ECORRUPT, "inner");
	assert_int_equal(mlb_err_wrap(&err, "target '%s'", "a"), MLB_ECORRUPT);
	assert_string_equal(err.text, "target 'a': inner");
	mlb_err_release(&err);
}

static void
exit_codes_are_the_documented_ones(void **state)
{
	(void)state;
	assert_int_equal(mlb_exit_code(MLB_OK), 0);
	assert_int_equal(mlb_exit_code(MLB_EFAILED), 1);
	assert_int_equal(mlb_exit_code(MLB_ESYSTEM), 1);
	assert_int_equal(mlb_exit_code(MLB_ECORRUPT), 1);
	assert_int_equal(mlb_exit_code(MLB_EINVALID), 2);
	assert_int_equal(mlb_exit_code(MLB_ENOTFOUND), 2);
	assert_int_equal(mlb_exit_code(MLB_ECHECK), 3);
	assert_int_equal(mlb_exit_code(MLB_ESTALE), 4);
	assert_int_equal(mlb_exit_code(MLB_EREMOTE), 5);
	assert_int_equal(mlb_exit_code(MLB_EINTERRUPTED), 130);
	assert_int_equal(mlb_exit_code(-1000), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns),
		cmocka_unit_test(first_error_wins),
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(errno_is_told),
		cmocka_unit_test(wrap_adds_in_front),
		cmocka_unit_test(exit_codes_are_the_documented_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
