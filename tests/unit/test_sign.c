#include "unit.h"

#include "base/hex.h"
#include "os/sign.h"

/* RFC 8032, section 7.1: TEST 1 and TEST 2. */
static const struct {
	const char *seed, *public_key, *message, *signature;
} known[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
	  "cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
	  "0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
};

static void
known_answers(void **state)
{
	struct mlb_sign *s = NULL;

	(void)state;
	assert_int_equal(mlb_sign_open(&s, NULL), 0);
	for (size_t i = 0; i < MLB_ARRAY_LEN(known); i++) {
		uint8_t seed[32], public_key[32], signature[64];
		char hex[129];
		size_t len = strlen(known[i].message);

		assert_true(mlb_hex_decode(seed, known[i].seed, sizeof(seed)));
		assert_int_equal(mlb_sign_public(s, public_key, seed, NULL), 0);
		mlb_hex_encode(hex, public_key, sizeof(public_key));
		assert_string_equal(hex, known[i].public_key);
		assert_int_equal(mlb_sign_make(s, signature, seed, known[i].message, len, NULL), 0);
		mlb_hex_encode(hex, signature, sizeof(signature));
		assert_string_equal(hex, known[i].signature);
		assert_true(mlb_sign_good(s, signature, public_key, known[i].message, len));
	}
	mlb_sign_close(s);
}

/* Whatever bit is another one: the signature, the key or the bytes. */
static void
nothing_else_is_good(void **state)
{
	struct mlb_sign *s = NULL;
	uint8_t seed[32] = { 1 }, public_key[32], signature[64];
	uint8_t text[5] = "model";

	(void)state;
	assert_int_equal(mlb_sign_open(&s, NULL), 0);
	assert_int_equal(mlb_sign_public(s, public_key, seed, NULL), 0);
	assert_int_equal(mlb_sign_make(s, signature, seed, text, sizeof(text), NULL), 0);
	for (size_t i = 0; i < 64 * 8; i++) {
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(mlb_sign_good(s, signature, public_key, text, sizeof(text)));
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < sizeof(text) * 8; i++) {
		text[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(mlb_sign_good(s, signature, public_key, text, sizeof(text)));
		text[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < 32 * 8; i++) {
		public_key[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(mlb_sign_good(s, signature, public_key, text, sizeof(text)));
		public_key[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_false(mlb_sign_good(s, signature, public_key, text, sizeof(text) - 1));
	assert_true(mlb_sign_good(s, signature, public_key, text, sizeof(text)));
	mlb_sign_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(nothing_else_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
