#include "unit.h"

#include "base/digest_set.h"

static void
holds_what_was_added(void **state)
{
	struct mlb_digest_set s = { 0 };
	struct mlb_digest d, zero = { { 0 } };

	(void)state;
	mlb_sha256_of(&d, "x", 1);
	assert_false(mlb_digest_set_has(&s, &d));
	for (uint32_t i = 0; i < 5000; i += 2) {
		mlb_sha256_of(&d, &i, sizeof(i));
		assert_true(mlb_digest_set_add(&s, &d));
		assert_false(mlb_digest_set_add(&s, &d));
	}
	for (uint32_t i = 0; i < 5000; i++) {
		mlb_sha256_of(&d, &i, sizeof(i));
		assert_int_equal(mlb_digest_set_has(&s, &d), i % 2 == 0);
	}
	assert_false(mlb_digest_set_add(&s, &zero));
	assert_false(mlb_digest_set_has(&s, &zero));
	assert_int_equal(s.n, 2500);
	mlb_digest_set_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(holds_what_was_added) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
