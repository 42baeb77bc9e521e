#include "unit.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

#include "base/json.h"

static void
nested_document(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(10000);
	struct mlb_json j;

	(void)state;
	mlb_json_init(&j, &b);
	mlb_json_object(&j);
	mlb_json_key(&j, "a");
	mlb_json_array(&j);
	mlb_json_int(&j, 1);
	mlb_json_array(&j);
	mlb_json_end_array(&j);
	mlb_json_object(&j);
	mlb_json_end_object(&j);
	mlb_json_bool(&j, true);
	mlb_json_null(&j);
	mlb_json_end_array(&j);
	mlb_json_key(&j, "b");
	mlb_json_object(&j);
	mlb_json_key(&j, "c");
	mlb_json_str(&j, NULL);
	mlb_json_key(&j, "d");
	mlb_json_raw(&j, "[1, 2]");
	mlb_json_end_object(&j);
	mlb_json_key(&j, "e");
	mlb_json_strn(&j, "xyz", 2);
	mlb_json_end_object(&j);
	assert_string_equal(mlb_buf_str(&b), "{\"a\":[1,[],{},true,null],"
					     "\"b\":{\"c\":null,\"d\":[1, 2]},\"e\":\"xy\"}");
	mlb_buf_release(&b);
}

static void
check_str(const char *s, size_t len, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(1000);
	struct mlb_json j;

	mlb_json_init(&j, &b);
	mlb_json_strn(&j, s, len);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
strings_are_escaped(void **state)
{
	(void)state;
	check_str("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	check_str("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	check_str("\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\"");
	check_str("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
	/* One U+FFFD for each byte that is not UTF-8. */
	check_str("a\xff\xc3z", 4, "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
	check_str("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_str("", 0, "\"\"");
}

static void
check_double(double v, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(1000);
	struct mlb_json j;

	mlb_json_init(&j, &b);
	mlb_json_double(&j, v);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
doubles_are_short(void **state)
{
	(void)state;
	check_double(0, "0");
	check_double(-0.0, "-0");
	check_double(1, "1");
	check_double(0.1, "0.1");
	check_double(0.93, "0.93");
	check_double(1e-3, "0.001");
	check_double(1e300, "1e+300");
	check_double(-2.5, "-2.5");
	check_double(0.1 + 0.2, "0.30000000000000004");
	check_double(DBL_TRUE_MIN, "5e-324");
	check_double((double)NAN, "null");
	check_double((double)INFINITY, "null");
	check_double(-(double)INFINITY, "null");
}

static void
doubles_read_back(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct mlb_buf b = MLB_BUF_INIT(100);
		struct mlb_json j;
		double v, back;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&v, &x, sizeof(v));
		if (!isfinite(v))
			continue;
		mlb_json_init(&j, &b);
		mlb_json_double(&j, v);
		back = strtod(mlb_buf_str(&b), NULL);
		assert_memory_equal(&v, &back, sizeof(v));
		mlb_buf_release(&b);
	}
}

/* Another's reader understands what is written. */
static void
jansson_reads_it(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(100000);
	char bytes[256];
	struct mlb_json j;
	json_t *doc;

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	mlb_json_init(&j, &b);
	mlb_json_object(&j);
	for (int i = 0; i < 60; i++) {
		mlb_json_key(&j, "down");
		mlb_json_object(&j);
	}
	mlb_json_key(&j, "bytes");
	mlb_json_strn(&j, bytes, sizeof(bytes));
	mlb_json_key(&j, "min");
	mlb_json_int(&j, INT64_MIN);
	for (int i = 0; i < 61; i++)
		mlb_json_end_object(&j);
	doc = json_loadb(b.data, b.len, JSON_ALLOW_NUL, NULL);
	assert_non_null(doc);
	json_decref(doc);
	mlb_buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_document),   cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(doubles_are_short), cmocka_unit_test(doubles_read_back),
		cmocka_unit_test(jansson_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
