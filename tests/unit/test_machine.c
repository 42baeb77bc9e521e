#include "unit.h"

#include "os/machine.h"

static void
there_is_a_machine(void **state)
{
	(void)state;
	assert_in_range(mlb_machine_cpus(), 1, (unsigned)sysconf(_SC_NPROCESSORS_CONF));
	assert_true(mlb_machine_memory() > 16 * MLB_MIB);
	assert_true(mlb_machine_memory() <=
		    (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
}

static unsigned
gpus_with(const char *visible)
{
	setenv("CUDA_VISIBLE_DEVICES", visible, 1);
	return mlb_machine_gpus();
}

static void
visible_gpus_count(void **state)
{
	(void)state;
	assert_int_equal(gpus_with(""), 0);
	assert_int_equal(gpus_with("0"), 1);
	assert_int_equal(gpus_with("0,2,3"), 3);
	assert_int_equal(gpus_with("GPU-1a2b,GPU-3c4d"), 2);
	assert_int_equal(gpus_with("-1"), 0);
	assert_int_equal(gpus_with("0,-1,1"), 1);
	assert_int_equal(gpus_with("NoDevFiles"), 0);
	unsetenv("CUDA_VISIBLE_DEVICES");
	assert_in_range(mlb_machine_gpus(), 0, 1024);
}

static void
identity(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(1000);

	(void)state;
	mlb_machine_boot_id(&b);
	assert_int_equal(b.len, 36);
	mlb_machine_platform(&b);
	assert_memory_equal(mlb_buf_str(&b), "linux-", 6);
	assert_null(strchr(mlb_buf_str(&b), ' '));
	mlb_buf_release(&b);
}

static void
random_bytes_differ(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	unsigned char a[64] = { 0 }, b[64] = { 0 };

	(void)state;
	assert_ok(mlb_machine_random(a, sizeof(a), &err));
	assert_ok(mlb_machine_random(b, sizeof(b), &err));
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_machine),
		cmocka_unit_test(visible_gpus_count),
		cmocka_unit_test(identity),
		cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
