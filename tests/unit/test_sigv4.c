/*
 * The worked examples of AWS's page "Authenticating Requests: Using the Authorization
 * Header", and cases of our own whose signatures botocore's S3SigV4Auth agrees with.
 */
#include "unit.h"

#include "remotes/sigv4.h"

#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define NOW "20130524T000000Z"

static const struct mlb_sigv4_key example_key = {
	.dialect = &mlb_sigv4_aws,
	.id = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};

static void
check(const struct mlb_sigv4_key *key, const struct mlb_sigv4_request *r, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);

	mlb_sigv4_sign(&got, key, r, NOW);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

#define SCOPE "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"

static void
get_with_range(void **state)
{
	const struct mlb_sigv4_pair header[] = {
		{ "range", "bytes=0-9" },
		{ "x-amz-date", NOW },
		{ "x-amz-content-sha256", NOTHING },
		{ "host", "examplebucket.s3.amazonaws.com" },
	};
	const struct mlb_sigv4_request r = { "GET", "/test.txt", NULL, 0, header, 4, NOTHING };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="
		    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void
put_with_a_dollar(void **state)
{
	static const char payload[] =
		"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	const struct mlb_sigv4_pair header[] = {
		{ "host", "examplebucket.s3.amazonaws.com" },
		{ "date", "Fri, 24 May 2013 00:00:00 GMT" },
		{ "x-amz-date", NOW },
		{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
		{ "x-amz-content-sha256", payload },
	};
	const struct mlb_sigv4_request r = { "PUT", "/test$file.text", NULL, 0, header, 5, payload };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
		    "x-amz-storage-class,Signature="
		    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static const struct mlb_sigv4_pair plain[] = {
	{ "host", "examplebucket.s3.amazonaws.com" },
	{ "x-amz-content-sha256", NOTHING },
	{ "x-amz-date", NOW },
};

static void
parameter_without_value(void **state)
{
	const struct mlb_sigv4_pair query[] = { { "lifecycle", "" } };
	const struct mlb_sigv4_request r = { "GET", "/", query, 1, plain, 3, NOTHING };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
		    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void
list_in_any_order(void **state)
{
	const struct mlb_sigv4_pair query[] = { { "prefix", "J" }, { "max-keys", "2" } };
	const struct mlb_sigv4_request r = { "GET", "/", query, 2, plain, 3, NOTHING };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
		    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void
token_port_and_odd_letters(void **state)
{
	const struct mlb_sigv4_pair query[] = {
		{ "list-type", "2" },   { "prefix", "a b+c~d/\303\251%" },
		{ "delimiter", "/" },   { "continuation-token", "" },
		{ "max-keys", "1000" },
	};
	const struct mlb_sigv4_pair header[] = {
		{ "host", "127.0.0.1:8000" },
		{ "x-amz-content-sha256", NOTHING },
		{ "x-amz-date", NOW },
		{ "x-amz-security-token", "TOKEN/with+==" },
	};
	const struct mlb_sigv4_request r = { "GET", "/bucket", query, 5, header, 4, NOTHING };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
		    "Signature=7bff66f3c7bf98b3547974bc0f403a4feb917647a46a64afa767fcfe24fb74d1");
}

/* Neither "..", nor "//" is taken away, and nothing is encoded twice. */
static void
path_stays_as_it_is(void **state)
{
	const struct mlb_sigv4_pair header[] = {
		{ "host", "127.0.0.1:8000" },
		{ "if-none-match", "*" },
		{ "x-amz-content-sha256", HELLO },
		{ "x-amz-date", NOW },
	};
	const struct mlb_sigv4_request r = {
		"PUT", "/bucket/a b/+c~d/\303\251%/../x//y", NULL, 0, header, 4, HELLO
	};
	struct mlb_sigv4_key key = example_key;

	(void)state;
	key.region = "eu-west-3";
	check(&key, &r,
	      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/eu-west-3/s3/aws4_request,"
	      "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date,"
	      "Signature=1c3432eda2f98fd567b1e5d70b4e12ac74178919f1bbb1605ecdb5e44197c9a7");
}

static void
batch_delete(void **state)
{
	const struct mlb_sigv4_pair query[] = { { "delete", "" } };
	const struct mlb_sigv4_pair header[] = {
		{ "content-md5", "XUFAKrxLKna5cZ2REBfFkg==" },
		{ "host", "examplebucket.s3.amazonaws.com" },
		{ "x-amz-content-sha256", HELLO },
		{ "x-amz-date", NOW },
	};
	const struct mlb_sigv4_request r = { "POST", "/", query, 1, header, 4, HELLO };

	(void)state;
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date,Signature="
		    "9597f29b33c3e14c2bf85e9419b7adff3ed8a61e2c305fe81fda2506a7fd59d1");
}

/* Sorted by name, then by value, both as encoded; "a" before "a-b", though '=' is above '-'. */
static void
repeated_parameters(void **state)
{
	const struct mlb_sigv4_pair query[] = {
		{ "b", "2" }, { "a", "z" }, { "b", "1" }, { "a-b", "x" },
		{ "a", "%" }, { "A", "1" }, { "b", "" },
	};
	const struct mlb_sigv4_request r = { "GET", "/", query, 7, plain, 3, NOTHING };
	struct mlb_buf text = MLB_BUF_INIT(4096);

	(void)state;
	mlb_sigv4_query(&text, query, 7);
	assert_string_equal(mlb_buf_str(&text), "A=1&a=%25&a=z&a-b=x&b=&b=1&b=2");
	check(&example_key, &r,
	      SCOPE ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
		    "cd1bafa263e517940cac5027f277ac7af019cd8a3aec726ee8ff27f8396ae5d1");
	mlb_buf_release(&text);
}

static void
blanks_in_headers(void **state)
{
	const struct mlb_sigv4_pair header[] = { { "b", "  two  \t words " }, { "a", "" } };
	const struct mlb_sigv4_request r = { "GET", "/", NULL, 0, header, 2, NOTHING };
	struct mlb_buf text = MLB_BUF_INIT(4096);

	(void)state;
	mlb_sigv4_canonical(&text, &r);
	assert_string_equal(mlb_buf_str(&text), "GET\n/\n\na:\nb:two words\n\na;b\n" NOTHING);
	mlb_buf_release(&text);
}

static void
google(void **state)
{
	const struct mlb_sigv4_pair header[] = {
		{ "host", "storage.googleapis.com" },
		{ "x-goog-date", NOW },
		{ "x-goog-if-generation-match", "0" },
		{ "x-goog-content-sha256", HELLO },
	};
	const struct mlb_sigv4_request r = { "PUT", "/bucket/packs/x", NULL, 0, header, 4, HELLO };
	struct mlb_sigv4_key key = example_key;

	(void)state;
	key.dialect = &mlb_sigv4_goog;
	key.region = "auto";
	key.service = "storage";
	check(&key, &r,
	      "GOOG4-HMAC-SHA256 "
	      "Credential=AKIAIOSFODNN7EXAMPLE/20130524/auto/storage/goog4_request,"
	      "SignedHeaders=host;x-goog-content-sha256;x-goog-date;x-goog-if-generation-match,"
	      "Signature=e79b19958c2593b42a96f695db35e83a2b2267b5639bef4f8533ed7d04859ceb");
}

static void
times(void **state)
{
	char text[MLB_SIGV4_TIME_LEN + 1];

	(void)state;
	mlb_sigv4_time(text, INT64_C(1369353600) * 1000000000 + 999999999);
	assert_string_equal(text, NOW);
	mlb_sigv4_time(text, 0);
	assert_string_equal(text, "19700101T000000Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_with_range),
		cmocka_unit_test(put_with_a_dollar),
		cmocka_unit_test(parameter_without_value),
		cmocka_unit_test(list_in_any_order),
		cmocka_unit_test(token_port_and_odd_letters),
		cmocka_unit_test(path_stays_as_it_is),
		cmocka_unit_test(batch_delete),
		cmocka_unit_test(repeated_parameters),
		cmocka_unit_test(blanks_in_headers),
		cmocka_unit_test(google),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
