#include "unit.h"

#include "base/hex.h"

static void
there_and_back(void **state)
{
	unsigned char all[256], back[256];
	char hex[513];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	mlb_hex_encode(hex, all, 256);
	assert_int_equal(strlen(hex), 512);
	assert_memory_equal(hex, "000102030405060708090a0b", 24);
	assert_true(mlb_hex_decode(back, hex, 256));
	assert_memory_equal(all, back, 256);
	mlb_hex_encode(hex, all, 0);
	assert_string_equal(hex, "");
}

static void
only_lower_case_digits(void **state)
{
	static const char *const bad[] = {
		"0G", "g0", "AB", "aB", " 1", "1 ", "-1", "\xff\xff", "0"
	};
	unsigned char out[1];

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_hex_decode(out, bad[i], 1));
}

static void
digests_have_64(void **state)
{
	const char *hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	char back[MLB_HEX_LEN + 1];
	struct mlb_digest d;

	(void)state;
	assert_true(mlb_digest_parse(&d, hex, 64));
	assert_int_equal(d.b[1], 0x11);
	mlb_digest_hex(back, &d);
	assert_string_equal(back, hex);
	assert_false(mlb_digest_parse(&d, hex, 63));
	assert_false(mlb_digest_parse(&d, hex, 62));
	assert_false(mlb_digest_parse(&d, hex, 65));
	assert_false(mlb_digest_parse(&d, "", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(only_lower_case_digits),
		cmocka_unit_test(digests_have_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
