#include "unit.h"

#include "base/text.h"

#define S UINT64_C(1000000000)

static void
prefixes_and_suffixes(void **state)
{
	(void)state;
	assert_true(mlb_str_starts("abc", "ab"));
	assert_true(mlb_str_starts("abc", ""));
	assert_false(mlb_str_starts("ab", "abc"));
	assert_true(mlb_str_ends("x.py", ".py"));
	assert_true(mlb_str_ends("", ""));
	assert_false(mlb_str_ends("py", ".py"));
}

static void
numbers(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1x",
					   "0x1",
					   "1.0",
					   "18446744073709551616",
					   "99999999999999999999999" };
	uint64_t v = 5;

	(void)state;
	assert_true(mlb_parse_u64("0", &v));
	assert_int_equal(v, 0);
	assert_true(mlb_parse_u64("18446744073709551615", &v));
	assert_true(v == UINT64_MAX);
	v = 5;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_parse_u64(bad[i], &v));
	assert_int_equal(v, 5);
}

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "512", 512 },
		     { "4K", 4096 },
		     { "4k", 4096 },
		     { "4KB", 4096 },
		     { "4KiB", 4096 },
		     { "16GiB", 16 * MLB_GIB },
		     { "1.5G", 1610612736 },
		     { "0", 0 },
		     { "10B", 10 },
		     { "2 MiB", 2 * MLB_MIB },
		     { "1T", 1024 * MLB_GIB },
		     { "0.5K", 512 } };
	static const char *const bad[] = { "",     "K",    "1.5",  "1X",  "1KiBs",        "-1K",
					   "1. K", "1..K", "1 K ", "17E", "99999999999G", "1Ki B" };
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++) {
		assert_true(mlb_parse_size(good[i].text, &v));
		assert_int_equal(v, good[i].bytes);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_parse_size(bad[i], &v));
}

static void
durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = { { "90", 90 * S },          { "90s", 90 * S },
		     { "2h", 7200 * S },        { "1h30m", 5400 * S },
		     { "500ms", S / 2 },        { "3d", 259200 * S },
		     { "0.5s", S / 2 },         { "1.5h", 5400 * S },
		     { "2.5", 5 * S / 2 },      { "5min", 300 * S },
		     { "10us", 10000 },         { "7ns", 7 },
		     { "1d2h3m4s", 93784 * S }, { "0", 0 } };
	static const char *const bad[] = { "",    "s",     "1h30",  "30m1h", "1m1m", "1x",
					   "1 s", "-1s",   "1.s",   "1hs",   "1H",   "99999999999d",
					   "1h ", "1mins", "5m2min" };
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++) {
		assert_true(mlb_parse_duration(good[i].text, &v));
		assert_int_equal(v, good[i].ns);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_parse_duration(bad[i], &v));
}

static void
booleans(void **state)
{
	bool v = false;

	(void)state;
	assert_true(mlb_parse_bool("yes", &v) && v);
	assert_true(mlb_parse_bool("off", &v) && !v);
	assert_true(mlb_parse_bool("1", &v) && v);
	assert_true(mlb_parse_bool("false", &v) && !v);
	assert_false(mlb_parse_bool("Yes", &v));
	assert_false(mlb_parse_bool("", &v));
	assert_false(mlb_parse_bool("y", &v));
}

static void
check_added(void (*add)(struct mlb_buf *, uint64_t), uint64_t v, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(100);

	add(&b, v);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
durations_for_people(void **state)
{
	(void)state;
	check_added(mlb_add_duration, 0, "0.0s");
	check_added(mlb_add_duration, S / 3, "0.3s");
	check_added(mlb_add_duration, 4 * S + S / 5, "4.2s");
	check_added(mlb_add_duration, 59 * S + 940000000, "59.9s");
	check_added(mlb_add_duration, 59 * S + 960000000, "1m00s");
	check_added(mlb_add_duration, 192 * S, "3m12s");
	check_added(mlb_add_duration, 3599 * S + 600000000, "1h00m");
	check_added(mlb_add_duration, 7500 * S, "2h05m");
	check_added(mlb_add_duration, 100 * 3600 * S, "100h00m");
	check_added(mlb_add_duration, UINT64_MAX, "5124095h35m");
}

static void
sizes_for_people(void **state)
{
	(void)state;
	check_added(mlb_add_size, 0, "0 B");
	check_added(mlb_add_size, 812, "812 B");
	check_added(mlb_add_size, 1023, "1023 B");
	check_added(mlb_add_size, 1024, "1.0 KiB");
	check_added(mlb_add_size, 3482, "3.4 KiB");
	check_added(mlb_add_size, MLB_MIB - 1, "1.0 MiB");
	check_added(mlb_add_size, 1288490189, "1.2 GiB");
	check_added(mlb_add_size, UINT64_MAX, "16.0 EiB");
}

static void
check_word(const char *s, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(100);

	mlb_add_shell_word(&b, s);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
shell_words(void **state)
{
	(void)state;
	check_word("data/train.csv", "data/train.csv");
	check_word("--lr=1e-3", "--lr=1e-3");
	check_word("", "''");
	check_word("a b", "'a b'");
	check_word("it's", "'it'\\''s'");
	check_word("$(rm x)", "'$(rm x)'");
	check_word("~", "'~'");
	check_word("a\nb", "'a\nb'");
	check_word("\xc3\xa4", "'\xc3\xa4'");
	check_word("*", "'*'");
}

/* Every string must come back through a real shell as it was. */
static void
shell_words_survive_a_shell(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(10000);
	char text[256], got[512];
	FILE *p;
	size_t n;

	(void)state;
	for (int i = 1; i < 256; i++)
		text[i - 1] = (char)i;
	text[255] = '\0';
	mlb_buf_adds(&b, "printf %s ");
	mlb_add_shell_word(&b, text);
	p = (popen)(mlb_buf_str(&b), "r");
	assert_non_null(p);
	n = fread(got, 1, sizeof(got), p);
	assert_int_equal(pclose(p), 0);
	assert_int_equal(n, 255);
	assert_memory_equal(got, text, n);
	mlb_buf_release(&b);
}

static void
utf8(void **state)
{
	static const char *const good[] = { "",
					    "abc",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xc2",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xe2\x82",
					   "a\xff",
					   "\xe2\x28\xa1" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++)
		assert_true(mlb_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_is_utf8(bad[i], strlen(bad[i])));
	assert_int_equal(mlb_utf8_char("\xe2\x82\xac-", 4), 3);
	assert_int_equal(mlb_utf8_char("\xe2\x82\xac", 2), 0);
	assert_int_equal(mlb_utf8_char("", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_and_suffixes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(booleans),
		cmocka_unit_test(durations_for_people),
		cmocka_unit_test(sizes_for_people),
		cmocka_unit_test(shell_words),
		cmocka_unit_test(shell_words_survive_a_shell),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
