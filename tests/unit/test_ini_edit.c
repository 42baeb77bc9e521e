/* One value changed, and not a byte else. */
#include "unit.h"

#include "graph/inifile.h"

static int
edit(struct mlb_buf *out, const char *text, unsigned line, const char *value, struct mlb_err *err)
{
	mlb_buf_clear(out);
	return mlb_ini_edit(out, "x.ini", text, strlen(text), line, value, err);
}

static void
assert_edit(const char *text, unsigned line, const char *value, const char *want)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(edit(&out, text, line, value, &err));
	assert_string_equal(mlb_buf_str(&out), want);
	mlb_buf_release(&out);
}

static void
only_the_value_changes(void **state)
{
	(void)state;
	assert_edit("[p]\na = 1\nb = 2\n", 2, "3", "[p]\na = 3\nb = 2\n");
	assert_edit("[p]\na=1\n", 2, "x y", "[p]\na=x y\n");
	assert_edit("[p]\na   =   1", 2, "2", "[p]\na   =   2");
	assert_edit("; c\r\n[p]\r\na = 1\r\n; d\r\n", 3, "2", "; c\r\n[p]\r\na = 2\r\n; d\r\n");
	assert_edit("[p]\na =\n", 2, "2", "[p]\na = 2\n");
	assert_edit("[p]\na = 1 = 2\n", 2, "3 = 4", "[p]\na = 3 = 4\n");
	assert_edit("\xef\xbb\xbf[p]\na = 1\n", 2, "2", "\xef\xbb\xbf[p]\na = 2\n");
	assert_edit("[p]\na = 1\n", 2, "", "[p]\na = \n");
	assert_edit("[p]\na = 1\n", 2, "; no comment # either", "[p]\na = ; no comment # either\n");
}

static void
a_long_value_goes_with_its_lines(void **state)
{
	(void)state;
	assert_edit("[p]\na = 1\n    2\n    3\nb = 2\n", 2, "x", "[p]\na = x\nb = 2\n");
	assert_edit("[p]\na = 1\n; stays\n    3\nb = 2\n", 2, "x", "[p]\na = x\n; stays\nb = 2\n");
	assert_edit("[p]\nb = 2\na = 1\n    2\n", 3, "x", "[p]\nb = 2\na = x\n");
}

static void
assert_refused(const char *text, unsigned line, const char *value)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;

	assert_int_equal(edit(&out, text, line, value, &err), MLB_EINVALID);
	assert_int_equal(out.len, 0);
	assert_non_null(err.text);
	mlb_err_release(&err);
	mlb_buf_release(&out);
}

static void
what_it_cannot_hold_is_refused(void **state)
{
	static const char text[] = "[p]\na = 1\nb = 2\n";

	(void)state;
	assert_refused(text, 2, " led by a blank");
	assert_refused(text, 2, "followed by one ");
	assert_refused(text, 2, "two\nlines");
	assert_refused(text, 2, "two\n[sections]");
	assert_refused(text, 2, "a\rb");
	assert_refused(text, 1, "x");
	assert_refused(text, 9, "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_value_changes),
		cmocka_unit_test(a_long_value_goes_with_its_lines),
		cmocka_unit_test(what_it_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
