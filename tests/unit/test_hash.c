#include "unit.h"

#include "base/hex.h"

static void
check(const char *data, size_t len, const char *want)
{
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest d;

	mlb_sha256_of(&d, data, len);
	mlb_digest_hex(hex, &d);
	assert_string_equal(hex, want);
}

/* The examples of FIPS 180-4 (NIST's "SHA256.pdf") and the empty message. */
static void
known_answers(void **state)
{
	(void)state;
	check("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
a_million_a_in_pieces(void **state)
{
	struct mlb_sha256 h;
	struct mlb_digest d;
	char hex[MLB_HEX_LEN + 1];
	char a[997];
	size_t left = 1000000;

	(void)state;
	memset(a, 'a', sizeof(a));
	mlb_sha256_init(&h);
	while (left) {
		size_t n = left < sizeof(a) ? left : sizeof(a);

		mlb_sha256_update(&h, a, n);
		mlb_sha256_update(&h, NULL, 0);
		left -= n;
	}
	mlb_sha256_final(&h, &d);
	mlb_digest_hex(hex, &d);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
digests_compare(void **state)
{
	struct mlb_digest a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_true(mlb_digest_is_zero(&a));
	assert_true(mlb_digest_equal(&a, &b));
	assert_int_equal(mlb_digest_cmp(&a, &b), 0);
	b.b[31] = 0x80;
	assert_false(mlb_digest_is_zero(&b));
	assert_false(mlb_digest_equal(&a, &b));
	assert_true(mlb_digest_cmp(&a, &b) < 0);
	a.b[0] = 1;
	assert_true(mlb_digest_cmp(&a, &b) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(a_million_a_in_pieces),
		cmocka_unit_test(digests_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
