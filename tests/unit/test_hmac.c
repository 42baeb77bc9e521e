#include "unit.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/hmac.h"

static void
check(const void *key, size_t key_len, const char *data, const char *want)
{
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest d;

	mlb_hmac_sha256(&d, key, key_len, data, strlen(data));
	mlb_digest_hex(hex, &d);
	assert_string_equal(hex, want);
}

/* RFC 4231, test cases 1, 2, 6 and 7. */
static void
known_answers(void **state)
{
	uint8_t key[131];

	(void)state;
	memset(key, 0x0b, 20);
	check(key, 20, "Hi There",
	      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	check("Jefe", 4, "what do ya want for nothing?",
	      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	check(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
	      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check(key, sizeof(key),
	      "This is a test using a larger than block-size key and a larger than block-size "
	      "data. The key needs to be hashed before being used by the HMAC algorithm.",
	      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void
empty_key_and_data(void **state)
{
	(void)state;
	check("", 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4648, section 10. */
static void
base64_there_and_back(void **state)
{
	static const char *const pair[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(pair); i++) {
		struct mlb_buf text = MLB_BUF_INIT(64), data = MLB_BUF_INIT(64);

		mlb_base64_add(&text, pair[i][0], strlen(pair[i][0]));
		assert_string_equal(mlb_buf_str(&text), pair[i][1]);
		assert_true(mlb_base64_decode(&data, pair[i][1], strlen(pair[i][1])));
		assert_string_equal(mlb_buf_str(&data), pair[i][0]);
		mlb_buf_release(&data);
		mlb_buf_release(&text);
	}
}

static void
no_base64_is_refused(void **state)
{
	static const char *const bad[] = {
		"Z",    "Zg",   "Zg=",  "Zg==Zg==", "Zm9v=",  "Zh==",
		"Zm9=", "Z===", "====", "Zm-_",     "Zm9v\n",
	};
	struct mlb_buf data = MLB_BUF_INIT(64);

	(void)state;
	mlb_buf_adds(&data, "kept");
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_base64_decode(&data, bad[i], strlen(bad[i])));
	assert_false(mlb_base64_decode(&data, "Z\0==", 4));
	assert_string_equal(mlb_buf_str(&data), "kept");
	mlb_buf_release(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(empty_key_and_data),
		cmocka_unit_test(base64_there_and_back),
		cmocka_unit_test(no_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
