#include "unit.h"

#include "os/clock.h"

static void
monotonic_never_goes_back(void **state)
{
	uint64_t last = mlb_clock_mono();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now = mlb_clock_mono();

		assert_true(now >= last);
		last = now;
	}
	usleep(2000);
	assert_true(mlb_clock_mono() - last >= 2000000);
}

static void
check_time(int64_t ns, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(100);

	mlb_add_time(&b, ns);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
times_are_utc(void **state)
{
	(void)state;
	setenv("TZ", "America/New_York", 1);
	check_time(0, "1970-01-01T00:00:00Z");
	check_time(INT64_C(951782400) * 1000000000 + 999999999, "2000-02-29T00:00:00Z");
	check_time(-1, "1969-12-31T23:59:59Z");
	check_time(INT64_C(-1000000000), "1969-12-31T23:59:59Z");
	assert_true(mlb_clock_wall() > INT64_C(1600000000) * 1000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_never_goes_back),
		cmocka_unit_test(times_are_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
