/* Where keys come from: all sources of AWS's chain, with a server that plays the endpoints. Labels: tsan */
#include "remote_fixture.h"

#include "os/clock.h"
#include "remotes/aws_chain.h"

#define JSON(id, more)                                                                             \
	"HTTP/1.1 200 OK\r\n\r\n{\"Code\": \"Success\", \"AccessKeyId\": \"" id "\", "             \
	"\"SecretAccessKey\": \"hidden\"" more "}"
#define STS(action, id)                                                                            \
	"HTTP/1.1 200 OK\r\n\r\n<" action "Response xmlns=\"https://sts.amazonaws.com/doc/"        \
	"2011-06-15/\"><" action "Result><Credentials><AccessKeyId>" id "</AccessKeyId>"           \
	"<SecretAccessKey>hidden</SecretAccessKey><SessionToken>token+/=</SessionToken>"           \
	"<Expiration>2096-10-24T23:00:23Z</Expiration></Credentials></" action "Result></" action  \
	"Response>"

#define MOST_VARIABLES ((size_t)16)

struct test {
	struct script script;
	struct fake_server server;
	struct fake_config config;
	struct mlb_http *http;
	struct mlb_aws_chain *chain;
	const char *keys[4], *env[2 * MOST_VARIABLES + 1];
	size_t n_env;
	char *url;
	bool ready;
};

static void
is_ready(void *ctx)
{
	((struct test *)ctx)->ready = true;
}

static void
set(struct test *t, const char *name, const char *value)
{
	for (size_t i = 0; i < t->n_env; i += 2) {
		if (strcmp(t->env[i], name) == 0) {
			t->env[i + 1] = value;
			return;
		}
	}
	assert_true(t->n_env < 2 * MOST_VARIABLES);
	t->env[t->n_env++] = name;
	t->env[t->n_env++] = value;
}

/* Nothing is set but what keeps it from the network. */
static struct test *
open_test(enum mlb_aws_cloud cloud, const char *profile, const char *const *answers)
{
	struct test *t = mlb_calloc(1, sizeof(*t));
	struct mlb_err err = MLB_ERR_INIT;

	t->script.asked = (struct mlb_buf)MLB_BUF_INIT(MLB_MIB);
	t->script.answer = answers;
	fake_start(&t->server, script_answer, &t->script);
	t->url = mlb_asprintf("http://127.0.0.1:%u", t->server.port);
	if (profile) {
		t->keys[0] = "profile";
		t->keys[1] = profile;
	}
	set(t, "AWS_EC2_METADATA_DISABLED", "true");
	set(t, "HOME", "/nowhere");
	set(t, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	set(t, "AWS_CONFIG_FILE", "config");
	fake_config_init(&t->config, "s3://team", t->keys, t->env);
	assert_ok(mlb_http_new(&t->http, &t->config.c, 4, &err));
	t->chain = mlb_aws_chain_new(&t->config.c, t->http, cloud, is_ready, t);
	return t;
}

static void
close_test(struct test *t)
{
	mlb_aws_chain_free(t->chain);
	mlb_http_free(t->http);
	fake_stop(&t->server);
	mlb_buf_release(&t->script.asked);
	free(t->url);
	free(t);
}

/* Until it is there, or known not to be. */
static int
get(struct test *t, const struct mlb_aws_credentials **key, enum mlb_remote_fault *fault,
    struct mlb_err *err)
{
	int rc;

	t->ready = false;
	rc = mlb_aws_chain_get(t->chain, key, fault, err);
	while (rc == 0 && !*key) {
		while (!t->ready)
			assert_int_equal(mlb_http_wait(t->http, -1, NULL), 0);
		t->ready = false;
		rc = mlb_aws_chain_get(t->chain, key, fault, err);
	}
	return rc;
}

static void
expect(struct test *t, const char *id, const char *token, const char *origin)
{
	const struct mlb_aws_credentials *key = NULL;
	enum mlb_remote_fault fault;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(get(t, &key, &fault, &err));
	assert_string_equal(key->id, id);
	assert_string_equal(key->secret, "hidden");
	assert_string_equal(key->token ? key->token : "", token);
	assert_string_equal(mlb_aws_chain_origin(t->chain), origin);
}

static void
expect_failure(struct test *t, enum mlb_remote_fault want, const char *words)
{
	const struct mlb_aws_credentials *key = NULL;
	enum mlb_remote_fault fault = MLB_FAULT_NONE;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = get(t, &key, &fault, &err);

	assert_int_equal(rc, MLB_EREMOTE);
	assert_null(key);
	if (!strstr(err.text, words))
		print_error("no '%s' in: %s\n", words, err.text);
	assert_non_null(strstr(err.text, words));
	assert_null(strstr(err.text, "hidden"));
	assert_int_equal(fault, want);
	mlb_err_release(&err);
}

static const char *const none[] = { "HTTP/1.1 500 Oops\r\n\r\nwords", NULL };

static void
the_environment(void **state)
{
	struct test *t = open_test(MLB_CLOUD_AWS, NULL, none);

	(void)state;
	set(t, "AWS_ACCESS_KEY_ID", "A");
	expect_failure(t, MLB_FAULT_DENIED,
		       "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
	close_test(t);
	t = open_test(MLB_CLOUD_AWS, NULL, none);
	set(t, "AWS_ACCESS_KEY_ID", "A");
	set(t, "AWS_SECRET_ACCESS_KEY", "hidden");
	set(t, "AWS_SESSION_TOKEN", "T");
	expect(t, "A", "T", "AWS_ACCESS_KEY_ID");
	assert_false(mlb_aws_chain_renew(t->chain, "A"));
	close_test(t);
}

static void
nothing_is_set_up(void **state)
{
	struct test *t = open_test(MLB_CLOUD_AWS, NULL, none);

	(void)state;
	expect_failure(
		t, MLB_FAULT_DENIED,
		"looked at: AWS_ACCESS_KEY_ID (not set); AWS_WEB_IDENTITY_TOKEN_FILE (not set); "
		"profile 'default' of 'credentials' and 'config' (not there); "
		"AWS_CONTAINER_CREDENTIALS_FULL_URI (not set); the metadata service of EC2 "
		"(switched off by AWS_EC2_METADATA_DISABLED); set AWS_ACCESS_KEY_ID");
	/* It stands for a while: no second look. */
	set(t, "AWS_ACCESS_KEY_ID", "A");
	expect_failure(t, MLB_FAULT_DENIED, "no credentials were found");
	close_test(t);
}

static void
profiles(void **state)
{
	static const char *const bad[][2] = {
		{ "half", "has 'aws_access_key_id', but not 'aws_secret_access_key'" },
		{ "nobody", "profile 'nobody' is neither in 'credentials' nor in 'config'" },
		{ "empty", "profile 'empty' has no credentials" },
		{ "sso", "aws configure export-credentials --profile sso" },
		{ "mfa", "mfa_serial" },
		{ "circle", "in a circle" },
		{ "lost", "profile 'gone' is neither" },
		{ "rootless", "neither source_profile nor credential_source" },
		{ "odd", "credential_source 'Moon' is not known" },
		{ "fails", "the credential_process of profile 'fails': it failed with exit code 3" },
	};
	struct test *t;

	(void)state;
	put_file("credentials", "[default]\naws_access_key_id = D\naws_secret_access_key = hidden\n"
				"[half]\naws_access_key_id = H\n");
	put_file("config",
		 "[profile p]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"P\", "
		 "\"SecretAccessKey\": \"hidden\"}'\n[profile fails]\ncredential_process = echo "
		 "hidden; exit 3\n[profile empty]\nregion = x\n[profile sso]\nsso_session = s\n"
		 "[profile mfa]\nrole_arn = r\nmfa_serial = m\nsource_profile = p\n"
		 "[profile circle]\nrole_arn = r\nsource_profile = circle2\n[profile circle2]\n"
		 "role_arn = r\nsource_profile = circle\n[profile lost]\nrole_arn = r\n"
		 "source_profile = gone\n[profile rootless]\nrole_arn = r\n[profile odd]\n"
		 "role_arn = r\ncredential_source = Moon\n");
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		t = open_test(MLB_CLOUD_AWS, bad[i][0], none);
		expect_failure(t, MLB_FAULT_DENIED, bad[i][1]);
		close_test(t);
	}
	t = open_test(MLB_CLOUD_AWS, NULL, none);
	expect(t, "D", "", "profile 'default' of 'credentials'");
	close_test(t);
	t = open_test(MLB_CLOUD_AWS, NULL, none);
	set(t, "AWS_PROFILE", "p");
	expect(t, "P", "", "the credential_process of profile 'p'");
	close_test(t);
	/* What [remote] says comes before the environment. */
	t = open_test(MLB_CLOUD_AWS, "default", none);
	set(t, "AWS_ACCESS_KEY_ID", "A");
	set(t, "AWS_SECRET_ACCESS_KEY", "other");
	expect(t, "D", "", "profile 'default' of 'credentials'");
	close_test(t);
}

static void
a_web_identity(void **state)
{
	static const char *const good[] = { STS("AssumeRoleWithWebIdentity", "W"), NULL };
	static const char *const refused[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n<ErrorResponse><Error><Code>InvalidIdentityToken"
		"</Code><Message>the token hidden.jwt is odd</Message></Error></ErrorResponse>",
		NULL
	};
	static const char *const empty[] = { "HTTP/1.1 200 OK\r\n\r\n<a/>", NULL };
	const char *const *answers[] = { good, refused, none, empty };

	(void)state;
	put_file("jwt", "hidden.jwt\n");
	for (size_t i = 0; i < MLB_ARRAY_LEN(answers); i++) {
		struct test *t = open_test(MLB_CLOUD_AWS, NULL, answers[i]);

		set(t, "AWS_WEB_IDENTITY_TOKEN_FILE", "jwt");
		set(t, "AWS_ROLE_ARN", "arn:aws:iam::1:role/ci");
		set(t, "AWS_ENDPOINT_URL_STS", t->url);
		if (i == 0)
			expect(t, "W", "token+/=",
			       "role 'arn:aws:iam::1:role/ci' by the web identity in 'jwt'");
		else
			expect_failure(t, i == 2 ? MLB_FAULT_TRANSIENT : MLB_FAULT_DENIED,
				       "role 'arn:aws:iam::1:role/ci'");
		assert_true(script_was_asked(
			&t->server, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
				    "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fci&RoleSessionName=mlbuild&"
				    "WebIdentityToken=hidden.jwt"));
		close_test(t);
	}
}

/* A role that a role may assume whose key is a profile's. */
static void
roles(void **state)
{
	static const char *const answers[] = { STS("AssumeRole", "R1"), STS("AssumeRole", "R2"),
					       NULL };
	struct test *t = open_test(MLB_CLOUD_AWS, "top", answers);

	(void)state;
	put_file("config",
		 "[profile top]\nrole_arn = arn:top\nsource_profile = mid\nexternal_id = "
		 "e x\nregion = eu-west-1\n[profile mid]\nrole_arn = arn:mid\n"
		 "source_profile = mid\naws_access_key_id = K\naws_secret_access_key = s\n"
		 "duration_seconds = 900\n");
	set(t, "AWS_ENDPOINT_URL_STS", t->url);
	set(t, "AWS_REGION", "eu-west-1");
	expect(t, "R2", "token+/=", "role 'arn:top' of profile 'top'");
	assert_true(script_was_asked(&t->server,
				     "/eu-west-1/sts/aws4_request,SignedHeaders=host;x-amz-date,"));
	assert_true(script_was_asked(
		&t->server, "RoleArn=arn%3Amid&RoleSessionName=mlbuild&DurationSeconds=900"));
	assert_true(script_was_asked(&t->server, "Credential=R1/"));
	assert_true(script_was_asked(&t->server, "x-amz-security-token: token+/=\r\n"));
	assert_true(script_was_asked(&t->server,
				     "RoleArn=arn%3Atop&RoleSessionName=mlbuild&ExternalId=e%20x"));
	assert_int_equal(script_count(&t->server), 2);
	close_test(t);
}

static void
a_container(void **state)
{
	static const char *const answers[] = {
		JSON("C", ", \"Token\": \"T\", \"Expiration\": \"2096-01-01T00:00:00Z\""), NULL
	};
	static const char *const denied[] = { "HTTP/1.1 403 Forbidden\r\n\r\nhidden", NULL };
	char *url;
	struct test *t = open_test(MLB_CLOUD_AWS, NULL, answers);

	(void)state;
	put_file("token", "hidden-token\n");
	url = mlb_asprintf("%s/creds?x=1", t->url);
	set(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
	set(t, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "overruled");
	set(t, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token");
	expect(t, "C", "T", "the container's credentials endpoint");
	assert_true(script_was_asked(&t->server, "GET /creds?x=1 HTTP"));
	assert_true(script_was_asked(&t->server, "Authorization: hidden-token\r\n"));
	/* An expired one is asked for again. */
	assert_true(mlb_aws_chain_renew(t->chain, "C"));
	expect(t, "C", "T", "the container's credentials endpoint");
	assert_int_equal(script_count(&t->server), 2);
	close_test(t);
	free(url);

	t = open_test(MLB_CLOUD_AWS, NULL, denied);
	set(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", t->url);
	set(t, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "hidden");
	expect_failure(t, MLB_FAULT_DENIED, "from the container's credentials endpoint");
	close_test(t);
}

/* Nothing is told to whoever is elsewhere, in clear text or in a header more. */
static void
containers_that_are_refused(void **state)
{
	static const char *const bad[][4] = {
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/", "t",
		  "neither https:" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/", "t",
		  "neither https:" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost@example.com/", "t",
		  "neither https:" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://127.0.0.1/", "t", "neither https:" },
		{ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example.com/", "t", "with '/'" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/", "hidden\r\nX: y",
		  "more than one line" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		struct test *t = open_test(MLB_CLOUD_AWS, NULL, none);

		set(t, bad[i][0], bad[i][1]);
		set(t, "AWS_CONTAINER_AUTHORIZATION_TOKEN", bad[i][2]);
		expect_failure(t, MLB_FAULT_DENIED, bad[i][3]);
		close_test(t);
	}
}

static void
an_instance(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 200 OK\r\n\r\nTOKEN==",
					       "HTTP/1.1 200 OK\r\n\r\nci-role\nother",
					       JSON("I", ", \"Token\": \"T\""), NULL };
	static const char *const no_role[] = { "HTTP/1.1 200 OK\r\n\r\nTOKEN==",
					       "HTTP/1.1 404 Not Found\r\n\r\n", NULL };
	static const char *const odd_role[] = { "HTTP/1.1 200 OK\r\n\r\nTOKEN==",
						"HTTP/1.1 200 OK\r\n\r\n../x", NULL };
	static const char *const broken[] = { "HTTP/1.1 200 OK\r\n\r\nTOKEN==",
					      "HTTP/1.1 200 OK\r\n\r\nci-role",
					      "HTTP/1.1 200 OK\r\n\r\n{}", NULL };
	static const char *const no_token[] = { "HTTP/1.1 403 Forbidden\r\n\r\n", NULL };
	static const struct {
		const char *const *answers;
		const char *words; /* NULL: it works */
	} cases[] = {
		{ answers, NULL },
		{ no_role, "EC2 (the instance has no role)" },
		{ odd_role, "EC2 (its answer names no role)" },
		{ broken,
		  "from the role 'ci-role' of the instance: the answer has no 'AccessKeyId'" },
		{ no_token, "EC2 (it gave no token)" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		struct test *t = open_test(MLB_CLOUD_AWS, NULL, cases[i].answers);

		set(t, "AWS_EC2_METADATA_DISABLED", "false");
		set(t, "AWS_EC2_METADATA_SERVICE_ENDPOINT", t->url);
		if (cases[i].words)
			expect_failure(t, MLB_FAULT_DENIED, cases[i].words);
		else
			expect(t, "I", "T", "the role 'ci-role' of the instance");
		assert_true(script_was_asked(&t->server, "PUT /latest/api/token HTTP"));
		assert_true(script_was_asked(&t->server,
					     "X-aws-ec2-metadata-token-ttl-seconds: 21600"));
		if (!cases[i].words) {
			assert_true(script_was_asked(&t->server,
						     "X-aws-ec2-metadata-token: TOKEN==\r\n"));
			assert_true(script_was_asked(
				&t->server,
				"GET /latest/meta-data/iam/security-credentials/ci-role HTTP"));
		}
		close_test(t);
	}
}

/* One that lives for less than five minutes is used, but another is fetched when it is due. */
static void
keys_that_expire(void **state)
{
	char soon[64], past[64];
	struct mlb_buf a = MLB_BUF_INIT(4096), b = MLB_BUF_INIT(4096);
	const char *answers[3] = { NULL };
	struct test *t;
	struct mlb_buf time = MLB_BUF_INIT(64);

	(void)state;
	mlb_add_time(&time, mlb_clock_wall() + INT64_C(200) * 1000000000);
	snprintf(soon, sizeof(soon), "%s", mlb_buf_str(&time));
	mlb_buf_clear(&time);
	mlb_add_time(&time, mlb_clock_wall() - INT64_C(200) * 1000000000);
	snprintf(past, sizeof(past), "%s", mlb_buf_str(&time));
	mlb_buf_addf(&a, JSON("C", ", \"Token\": \"T\", \"Expiration\": \"%s\""), soon);
	mlb_buf_addf(&b, JSON("C", ", \"Token\": \"T\", \"Expiration\": \"%s\""), past);
	answers[0] = mlb_buf_str(&a);
	t = open_test(MLB_CLOUD_AWS, NULL, answers);
	set(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", t->url);
	expect(t, "C", "T", "the container's credentials endpoint");
	expect(t, "C", "T", "the container's credentials endpoint");
	assert_int_equal(script_count(&t->server), 1);
	close_test(t);

	answers[0] = mlb_buf_str(&b);
	t = open_test(MLB_CLOUD_AWS, NULL, answers);
	set(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", t->url);
	expect_failure(t, MLB_FAULT_DENIED, "have expired");
	close_test(t);
	mlb_buf_release(&time);
	mlb_buf_release(&a);
	mlb_buf_release(&b);
}

static void
of_google(void **state)
{
	struct test *t = open_test(MLB_CLOUD_GOOGLE, NULL, none);

	(void)state;
	put_file("boto",
		 "[Credentials]\ngs_access_key_id = GOOGB\ngs_secret_access_key = hidden\n");
	set(t, "AWS_ACCESS_KEY_ID", "AKIA");
	set(t, "AWS_SECRET_ACCESS_KEY", "hidden");
	expect_failure(t, MLB_FAULT_DENIED,
		       "looked at: GS_ACCESS_KEY_ID (not set); AWS_ACCESS_KEY_ID (not one of "
		       "Google's); gs_access_key_id in '/nowhere/.boto' (not there); set "
		       "GS_ACCESS_KEY_ID");
	close_test(t);
	t = open_test(MLB_CLOUD_GOOGLE, NULL, none);
	set(t, "BOTO_CONFIG", "boto");
	expect(t, "GOOGB", "", "[Credentials] of 'boto'");
	close_test(t);
	t = open_test(MLB_CLOUD_GOOGLE, NULL, none);
	set(t, "BOTO_CONFIG", "boto");
	set(t, "AWS_ACCESS_KEY_ID", "GOOGA");
	set(t, "AWS_SECRET_ACCESS_KEY", "hidden");
	expect(t, "GOOGA", "", "AWS_ACCESS_KEY_ID");
	close_test(t);
}

/* It is let go of while it still asks. */
static void
freed_meanwhile(void **state)
{
	struct test *t = open_test(MLB_CLOUD_AWS, NULL, none);
	const struct mlb_aws_credentials *key = NULL;
	enum mlb_remote_fault fault;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	set(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", t->url);
	assert_ok(mlb_aws_chain_get(t->chain, &key, &fault, &err));
	assert_null(key);
	close_test(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_environment),
		scratch_test(nothing_is_set_up),
		scratch_test(profiles),
		scratch_test(a_web_identity),
		scratch_test(roles),
		scratch_test(a_container),
		scratch_test(containers_that_are_refused),
		scratch_test(an_instance),
		scratch_test(keys_that_expire),
		scratch_test(of_google),
		scratch_test(freed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
