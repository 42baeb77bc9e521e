#include "unit.h"

#include "remotes/aws_credentials.h"
#include "remotes/iso_time.h"

static int
read_json(struct mlb_aws_credentials *out, const char *text, bool process, struct mlb_err *err)
{
	return mlb_aws_credentials_json(out, text, strlen(text), process, err);
}

static void
of_a_process(void **state)
{
	struct mlb_aws_credentials c = { 0 };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(read_json(&c,
			    "{\"Version\": 1, \"AccessKeyId\": \"AKIA1\", \"SecretAccessKey\": "
			    "\"a/b+c=\", \"SessionToken\": \"t\", \"Expiration\": "
			    "\"2026-12-01T07:20:11Z\"}",
			    true, &err));
	assert_string_equal(c.id, "AKIA1");
	assert_string_equal(c.secret, "a/b+c=");
	assert_string_equal(c.token, "t");
	assert_int_equal(c.expires, 1796109611);
	mlb_aws_credentials_release(&c);
}

static void
of_an_endpoint(void **state)
{
	struct mlb_aws_credentials c = { 0 };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(read_json(
		&c, "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"B\", \"Token\": \"C\"}", false,
		&err));
	assert_string_equal(c.token, "C");
	assert_int_equal(c.expires, 0);
	assert_ok(
		read_json(&c, "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"B\"}", false, &err));
	assert_null(c.token);
	mlb_aws_credentials_release(&c);
}

/* What was there stays, and no value is in a message. */
static void
wrong_answers(void **state)
{
	static const char *const bad[][2] = {
		{ "", "no JSON object" },
		{ "[]", "no JSON object" },
		{ "{\"Version\": 2, \"AccessKeyId\": \"A\"}", "'Version' 1" },
		{ "{\"Version\": \"1\", \"AccessKeyId\": \"A\"}", "'Version' 1" },
		{ "{\"Version\": 1, \"SecretAccessKey\": \"hidden\"}", "'AccessKeyId'" },
		{ "{\"Version\": 1, \"AccessKeyId\": \"hidden\"}", "'SecretAccessKey'" },
		{ "{\"Version\": 1, \"AccessKeyId\": \"A\\r\\nhidden: 1\", \"SecretAccessKey\": "
		  "\"hidden\"}",
		  "'AccessKeyId'" },
		{ "{\"Version\": 1, \"AccessKeyId\": 5, \"SecretAccessKey\": \"hidden\"}",
		  "'AccessKeyId'" },
		{ "{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hidden\", "
		  "\"Expiration\": \"hidden\"}",
		  "'Expiration'" },
	};
	struct mlb_aws_credentials c = { 0 };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	mlb_aws_credentials_set(&c, "old", "older", NULL);
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		int rc = read_json(&c, bad[i][0], true, &err);

		assert_int_equal(rc, MLB_EINVALID);
		assert_non_null(strstr(err.text, bad[i][1]));
		assert_null(strstr(err.text, "hidden"));
		mlb_err_release(&err);
	}
	assert_string_equal(c.id, "old");
	mlb_aws_credentials_release(&c);
}

static void
a_process_is_run(void **state)
{
	struct mlb_aws_credentials c = { 0 };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_aws_credentials_process(
		&c,
		"echo hidden >&2; printf '{\"Version\": 1, \"AccessKeyId\": \"%s\", "
		"\"SecretAccessKey\": \"B\"}' 'a b' | tr -d ' '",
		&err));
	assert_string_equal(c.id, "ab");
	assert_err(mlb_aws_credentials_process(&c, "echo hidden >&2; exit 7", &err), MLB_EFAILED,
		   "exit code 7; run it by hand");
	assert_err(mlb_aws_credentials_process(&c, "kill -9 $$", &err), MLB_EFAILED, "signal 9");
	assert_err(mlb_aws_credentials_process(&c, "echo hidden", &err), MLB_EINVALID,
		   "no JSON object");
	mlb_aws_credentials_release(&c);
}

static void
iso_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-12-01T07:20:11Z", 1796109611 },
		{ "2026-12-01T07:20:11.074Z", 1796109611 },
		{ "2026-12-01T07:20:11.Z", 1796109611 },
		{ "2026-12-01T08:20:11+01:00", 1796109611 },
		{ "2026-12-01T08:20:11+0100", 1796109611 },
		{ "2026-12-01T06:50:11-00:30", 1796109611 },
		{ "2026-12-01T07:20:11", -1 },
		{ "2026-12-01", -1 },
		{ "2026-12-01T07:20:11Zz", -1 },
		{ "2026-12-01T07:20:11+1", -1 },
		{ "2026-12-01T07:20:11+01:000", -1 },
		{ "2026-13-01T07:20:11Z", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		int64_t t = -1;
		bool ok = mlb_iso_time(&t, cases[i].text);

		assert_int_equal(ok, cases[i].want != -1);
		assert_int_equal(t, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_process),  cmocka_unit_test(of_an_endpoint),
		cmocka_unit_test(wrong_answers), cmocka_unit_test(a_process_is_run),
		cmocka_unit_test(iso_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
