#include "unit.h"

#include <sys/stat.h>

#include "remotes/aws_files.h"

static struct mlb_aws_files *
parsed(enum mlb_aws_file which, const char *text)
{
	struct mlb_aws_files *f = mlb_aws_files_new();

	mlb_aws_files_parse(f, which, text, strlen(text));
	return f;
}

static void
assert_setting(const struct mlb_aws_files *f, const char *profile, const char *key,
	       const char *want)
{
	const char *got = mlb_aws_files_get(f, MLB_AWS_EITHER, profile, key);

	if (want) {
		assert_non_null(got);
		assert_string_equal(got, want);
	} else {
		assert_null(got);
	}
}

static void
credentials(void **state)
{
	struct mlb_aws_files *f = parsed(MLB_AWS_CREDENTIALS,
					 "# said by hand\n"
					 "[default]\n"
					 "aws_access_key_id=AKIA1\n"
					 "AWS_Secret_Access_Key = a/b+c=d;e#f\r\n"
					 "; no more\n"
					 "[team one]\n"
					 "  indented = nothing\n"
					 "aws_access_key_id = AKIA2 # the team's\n"
					 "aws_access_key_id = AKIA3 ; the newer one\n"
					 "[profile x]\n"
					 "region = there");

	(void)state;
	assert_setting(f, "default", "aws_access_key_id", "AKIA1");
	assert_setting(f, "default", "aws_secret_access_key", "a/b+c=d;e#f");
	assert_setting(f, "team one", "aws_access_key_id", "AKIA3");
	assert_setting(f, "team one", "indented", NULL);
	assert_setting(f, "x", "region", NULL);
	assert_setting(f, "profile x", "region", "there");
	assert_true(mlb_aws_files_has(f, "default"));
	assert_false(mlb_aws_files_has(f, "x"));
	mlb_aws_files_free(f);
}

static void
config(void **state)
{
	struct mlb_aws_files *f = parsed(MLB_AWS_CONFIG, "orphan = 1\n"
							 "[default]\nregion = one\noutput = json\n"
							 "[profile default]\nregion = two\n"
							 "[default]\nregion = three\n"
							 "[ profile\t\"my team\" ]\nregion = four\n"
							 "s3 =\n  endpoint_url = http://no\n"
							 "empty =\n= nothing\nnothing\n"
							 "[team]\nregion = five\n"
							 "[sso-session x]\nregion = six\n"
							 "[profile]\nregion = seven\n"
							 "[profile open\nregion = eight\n");

	(void)state;
	assert_setting(f, "default", "region", "two");
	assert_setting(f, "default", "output", "json");
	assert_setting(f, "my team", "region", "four");
	assert_setting(f, "my team", "endpoint_url", NULL);
	assert_setting(f, "my team", "empty", NULL);
	assert_setting(f, "team", "region", NULL);
	assert_setting(f, "x", "region", NULL);
	assert_setting(f, "profile", "region", NULL);
	assert_setting(f, "open", "region", NULL);
	mlb_aws_files_free(f);
}

static void
credentials_before_config(void **state)
{
	struct mlb_aws_files *f = parsed(MLB_AWS_CREDENTIALS, "[p]\nregion = a\n");
	static const char config_text[] = "[profile p]\nregion = b\noutput = c\n";

	(void)state;
	mlb_aws_files_parse(f, MLB_AWS_CONFIG, config_text, strlen(config_text));
	assert_setting(f, "p", "region", "a");
	assert_setting(f, "p", "output", "c");
	assert_string_equal(mlb_aws_files_get(f, MLB_AWS_CONFIG, "p", "region"), "b");
	assert_null(mlb_aws_files_get(f, MLB_AWS_CREDENTIALS, "p", "output"));
	mlb_aws_files_free(f);
}

static const char *
env(const struct mlb_remote_config *c, const char *name)
{
	const char *const *pair = c->ctx;

	for (; *pair; pair += 2) {
		if (strcmp(*pair, name) == 0)
			return pair[1];
	}
	return NULL;
}

static void
where_they_are(void **state)
{
	const char *const vars[] = { "HOME", *state, "AWS_CONFIG_FILE", "own", NULL };
	struct mlb_remote_config c = { "team", "s3://b", NULL, env, vars };
	struct mlb_aws_files *f = NULL;
	struct mlb_err err = MLB_ERR_INIT;
	char *home = mlb_asprintf("%s/.aws", (const char *)*state);

	assert_int_equal(mkdir(home, 0700), 0);
	put_file(".aws/credentials", "[p]\naws_access_key_id = A\n");
	put_file(".aws/config", "[profile p]\nregion = not read\n");
	put_file("own", "[profile p]\nregion = r\n");
	assert_ok(mlb_aws_files_read(&f, &c, &err));
	assert_setting(f, "p", "aws_access_key_id", "A");
	assert_setting(f, "p", "region", "r");
	assert_string_equal(mlb_aws_files_path(f, MLB_AWS_CONFIG), "own");
	mlb_aws_files_free(f);
	free(home);
}

static void
neither_is_there(void **state)
{
	const char *const vars[] = { "HOME", *state, NULL }, *const none[] = { NULL };
	struct mlb_remote_config c = { "team", "s3://b", NULL, env, vars };
	struct mlb_aws_files *f = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_aws_files_read(&f, &c, &err));
	assert_false(mlb_aws_files_has(f, "default"));
	mlb_aws_files_free(f);
	c.ctx = none;
	assert_ok(mlb_aws_files_read(&f, &c, &err));
	assert_string_equal(mlb_aws_files_path(f, MLB_AWS_CREDENTIALS), "");
	mlb_aws_files_free(f);
}

static void
one_cannot_be_read(void **state)
{
	const char *const vars[] = { "AWS_SHARED_CREDENTIALS_FILE", *state, NULL };
	struct mlb_remote_config c = { "team", "s3://b", NULL, env, vars };
	struct mlb_aws_files *f = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	assert_err(mlb_aws_files_read(&f, &c, &err), MLB_ESYSTEM, vars[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(config),
		cmocka_unit_test(credentials_before_config),
		scratch_test(where_they_are),
		scratch_test(neither_is_there),
		scratch_test(one_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
