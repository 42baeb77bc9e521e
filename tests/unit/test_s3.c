/* What remotes/s3.c asks a server, and what it makes of the answers. Labels: tsan */
#include "remote_fixture.h"

#include "base/hash.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define FAIL(status, code)                                                                         \
	"HTTP/1.1 " status "\r\n\r\n<?xml version=\"1.0\"?><Error><Code>" code                     \
	"</Code><Message>words</Message></Error>"

struct test {
	struct script script;
	struct fake_server server;
	struct fake_config config;
	struct mlb_remote *r;
	char *endpoint;
	const char *keys[16], *env[16];
};

static const char *const only_ok[] = { OK, NULL };

static struct test *
open_test(const char *url, const char *const *keys)
{
	static const char *const env[] = { "AWS_ACCESS_KEY_ID",
					   "AKID",
					   "AWS_SECRET_ACCESS_KEY",
					   "hidden/secret",
					   "GS_ACCESS_KEY_ID",
					   "GOOG1",
					   "GS_SECRET_ACCESS_KEY",
					   "hidden/secret",
					   NULL };
	struct test *t = mlb_calloc(1, sizeof(*t));
	const struct mlb_remote_backend *backend;
	struct mlb_err err = MLB_ERR_INIT;
	size_t n = 2;

	t->script.asked = (struct mlb_buf)MLB_BUF_INIT(MLB_MIB);
	t->script.answer = only_ok;
	fake_start(&t->server, script_answer, &t->script);
	t->endpoint = mlb_asprintf("http://127.0.0.1:%u", t->server.port);
	t->keys[0] = "endpoint";
	t->keys[1] = t->endpoint;
	for (; keys && *keys; keys++)
		t->keys[n++] = *keys;
	memcpy(t->env, env, sizeof(env));
	assert_ok(mlb_remote_backend(&backend, url, &err));
	assert_ok(backend->open(&t->r, fake_config_init(&t->config, url, t->keys, t->env), &err));
	return t;
}

static void
close_test(struct test *t)
{
	t->r->backend->close(t->r);
	fake_stop(&t->server);
	mlb_buf_release(&t->script.asked);
	free(t->endpoint);
	free(t);
}

static int
take_nothing(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)op;
	(void)data;
	(void)len;
	(void)err;
	return 0;
}

static void
put(struct test *t, bool if_absent, enum mlb_remote_fault fault, const char *words)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_PUT,
				    .name = "packs/a",
				    .data = "hello",
				    .size = 5,
				    .if_absent = if_absent };

	op_run(t->r, &op);
	op_expect(&op, fault, words);
}

static void
get(struct test *t, uint64_t offset, enum mlb_remote_fault fault, const char *words)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET,
				    .name = "packs/a",
				    .offset = offset,
				    .len = MLB_REMOTE_TO_END,
				    .sink = take_nothing };

	op_run(t->r, &op);
	op_expect(&op, fault, words);
	assert_int_equal(op.moved, 0);
}

static void
what_a_put_says(void **state)
{
	struct test *t = open_test("s3://team/deep/cache/", NULL);

	(void)state;
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "PUT /team/deep/cache/packs/a HTTP/1.1\r\n"));
	assert_true(script_was_asked(&t->server, "\r\nif-none-match: *\r\n"));
	assert_true(script_was_asked(
		&t->server, "x-amz-content-sha256: "
			    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n"));
	assert_true(
		script_was_asked(&t->server, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/"));
	assert_true(script_was_asked(&t->server, "/us-east-1/s3/aws4_request,SignedHeaders=host;"
						 "if-none-match;x-amz-content-sha256;x-amz-date,"));
	script_set(&t->server, only_ok);
	put(t, false, MLB_FAULT_NONE, NULL);
	assert_false(script_has(&t->server, "if-none-match"));
	assert_false(script_has(&t->server, "hidden"));
	close_test(t);
}

/* The hash that the caller has is taken. */
static void
a_known_hash(void **state)
{
	uint8_t digest[MLB_DIGEST_LEN];
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_PUT, .name = "a", .data = "hello", .size = 5, .sha256 = digest
	};
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	memset(digest, 0xab, sizeof(digest));
	op_run(t->r, &op);
	op_expect(&op, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "x-amz-content-sha256: abababababababab"));
	close_test(t);
}

static void
faults_of_codes(void **state)
{
	static const struct {
		const char *answer;
		enum mlb_remote_fault fault;
		const char *words;
	} cases[] = {
		{ FAIL("403 Forbidden", "AccessDenied"), MLB_FAULT_DENIED, "s3:PutObject" },
		{ FAIL("403 Forbidden", "InvalidAccessKeyId"), MLB_FAULT_DENIED,
		  "does not know the key from AWS_ACCESS_KEY_ID" },
		{ FAIL("403 Forbidden", "SignatureDoesNotMatch"), MLB_FAULT_DENIED, "copy both" },
		{ FAIL("400 Bad Request", "ExpiredToken"), MLB_FAULT_DENIED, "sign in again" },
		{ FAIL("400 Bad Request", "InvalidToken"), MLB_FAULT_DENIED, "session token" },
		{ FAIL("404 Not Found", "NoSuchBucket"), MLB_FAULT_PLACE, "no bucket 'team'" },
		{ FAIL("404 Not Found", "Odd"), MLB_FAULT_PLACE, NULL },
		{ FAIL("412 Precondition Failed", "PreconditionFailed"), MLB_FAULT_EXISTS,
		  "already" },
		{ FAIL("409 Conflict", "ConditionalRequestConflict"), MLB_FAULT_TRANSIENT, NULL },
		{ FAIL("503 Slow Down", "SlowDown"), MLB_FAULT_BUSY, NULL },
		{ FAIL("503 Service Unavailable", "Odd"), MLB_FAULT_BUSY, NULL },
		{ FAIL("500 Internal Error", "InternalError"), MLB_FAULT_TRANSIENT, NULL },
		{ FAIL("400 Bad Request", "RequestTimeout"), MLB_FAULT_TRANSIENT, NULL },
		{ FAIL("400 Bad Request", "XAmzContentSHA256Mismatch"), MLB_FAULT_TRANSIENT, NULL },
		{ FAIL("403 Forbidden", "QuotaExceeded"), MLB_FAULT_FULL, NULL },
		{ FAIL("507 Insufficient Storage", "Odd"), MLB_FAULT_FULL, NULL },
		{ FAIL("400 Bad Request", "EntityTooLarge"), MLB_FAULT_OTHER, "EntityTooLarge" },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", MLB_FAULT_DENIED, NULL },
		{ "HTTP/1.1 403 Forbidden\r\n\r\n<Error><Code>RequestTimeTooSkewed</Code>"
		  "<RequestTime>20200101T000000Z</RequestTime><ServerTime>2026-12-01T00:00:00Z"
		  "</ServerTime></Error>",
		  MLB_FAULT_CLOCK, "20200101T000000Z when the server's said 2026-12-01T00:00:00Z" },
		{ "HTTP/1.1 403 Forbidden\r\nDate: Tue, 01 Dec 2026 00:00:00 GMT\r\n\r\n<Error>"
		  "<Code>RequestTimeTooSkewed</Code></Error>",
		  MLB_FAULT_CLOCK, "Tue, 01 Dec 2026" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", MLB_FAULT_OTHER,
		  "127.0.0.1:1" },
	};
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		const char *const answers[] = { cases[i].answer, NULL };

		script_set(&t->server, answers);
		put(t, true, cases[i].fault, cases[i].words);
		assert_int_equal(script_count(&t->server), 1);
	}
	close_test(t);
}

static void
another_region(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-3\r\nLocation: http://127.0.0.1:1/"
		"\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 400 Bad\r\n\r\n<Error><Code>AuthorizationHeaderMalformed</Code>"
		"<Region>eu-north-1</Region></Error>",
		OK, NULL
	};
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	script_set(&t->server, answers);
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_int_equal(script_count(&t->server), 3);
	assert_true(script_was_asked(&t->server, "/us-east-1/s3/"));
	assert_true(script_was_asked(&t->server, "/eu-west-3/s3/"));
	assert_true(script_was_asked(&t->server, "/eu-north-1/s3/"));
	script_set(&t->server, only_ok);
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_int_equal(script_count(&t->server), 1);
	assert_true(script_was_asked(&t->server, "/eu-north-1/s3/"));
	close_test(t);
}

/* Neither for ever, nor to what is no region. */
static void
no_other_region(void **state)
{
	static const char *const same[] = {
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: us-east-1\r\n\r\n"
		"<Error><Code>PermanentRedirect</Code><Endpoint>s3.example</Endpoint></Error>",
		NULL
	};
	static const char *const odd[] = {
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: evil.example/x\r\n\r\n", NULL
	};
	static const char *const circle[] = {
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: a-1\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: b-1\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: a-1\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: b-1\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: a-1\r\n\r\n",
		OK,
		NULL
	};
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	script_set(&t->server, same);
	put(t, true, MLB_FAULT_PLACE, "but at s3.example: set `region` or `endpoint`");
	script_set(&t->server, odd);
	put(t, true, MLB_FAULT_PLACE, "region 'us-east-1'");
	assert_int_equal(script_count(&t->server), 1);
	script_set(&t->server, circle);
	put(t, true, MLB_FAULT_PLACE, "is not at");
	close_test(t);
}

static void
no_conditional_put(void **state)
{
	static const char *const absent[] = { FAIL("501 Not Implemented", "NotImplemented"),
					      "HTTP/1.1 404 Not Found\r\n\r\n", OK, NULL };
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	assert_null(t->r->backend->hint(t->r, MLB_FAULT_NONE));
	script_set(&t->server, absent);
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_int_equal(script_count(&t->server), 3);
	assert_true(script_was_asked(&t->server, "HEAD /team/packs/a "));
	assert_non_null(strstr(t->r->backend->hint(t->r, MLB_FAULT_NONE), "no conditional PUT"));
	script_set(&t->server, only_ok);
	put(t, true, MLB_FAULT_EXISTS, "already");
	assert_int_equal(script_count(&t->server), 1);
	put(t, false, MLB_FAULT_NONE, NULL);
	close_test(t);
}

static void
what_is_not_there(void **state)
{
	static const char *const no_key[] = { "HTTP/1.1 404 Not Found\r\n\r\n",
					      FAIL("404 Not Found", "NoSuchKey"), NULL };
	static const char *const no_bucket[] = { "HTTP/1.1 404 Not Found\r\n\r\n",
						 FAIL("404 Not Found", "NoSuchBucket"), NULL };
	static const char *const there[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nLast-Modified: Tue, 01 Dec 2026 07:20:11 "
		"GMT\r\n\r\n",
		NULL
	};
	struct mlb_remote_op op = { .verb = MLB_REMOTE_STAT, .name = "a" };
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	script_set(&t->server, no_key);
	op_run(t->r, &op);
	op_expect(&op, MLB_FAULT_ABSENT, "'s3://team/a'");
	script_set(&t->server, no_bucket);
	op_run(t->r, &op);
	op_expect(&op, MLB_FAULT_PLACE, "no bucket 'team'");
	script_set(&t->server, there);
	op_run(t->r, &op);
	op_expect(&op, MLB_FAULT_NONE, NULL);
	assert_int_equal(op.total, 12);
	assert_int_equal(op.mtime, 1796109611);
	script_set(&t->server, no_key + 1);
	get(t, 0, MLB_FAULT_ABSENT, NULL);
	close_test(t);
}

/* From the end of an object on there is nothing, whether the server tells where that is or not. */
static void
behind_the_end(void **state)
{
	static const char *const silent[] = { FAIL("416 Range Not Satisfiable", "InvalidRange"),
					      NULL };
	static const char *const tells[] = {
		"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */12\r\n\r\n", NULL
	};
	struct test *t = open_test("s3://team", NULL);

	(void)state;
	script_set(&t->server, silent);
	get(t, 12, MLB_FAULT_NONE, NULL);
	script_set(&t->server, tells);
	get(t, 12, MLB_FAULT_NONE, NULL);
	get(t, 5, MLB_FAULT_OTHER, NULL);
	close_test(t);
}

struct names {
	struct mlb_remote_op op;
	struct mlb_buf text;
};

static int
add_name(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	(void)err;
	mlb_buf_addf(&((struct names *)op)->text, "%s:%llu:%lld ", e->name,
		     (unsigned long long)e->size, (long long)e->mtime);
	return 0;
}

static void
list(struct test *t, const char *dir, enum mlb_remote_fault fault, const char *want)
{
	struct names n = { { .verb = MLB_REMOTE_LIST, .name = dir, .entry = add_name },
			   MLB_BUF_INIT(4096) };

	op_run(t->r, &n.op);
	op_expect(&n.op, fault, fault ? want : NULL);
	if (!fault)
		assert_string_equal(mlb_buf_str(&n.text), want);
	mlb_buf_release(&n.text);
}

#define LISTING "HTTP/1.1 200 OK\r\n\r\n<?xml version=\"1.0\"?><ListBucketResult>"
#define OBJECT(key, size)                                                                          \
	"<Contents><Key>" key "</Key><LastModified>2026-12-01T07:20:11.074Z</LastModified>"        \
	"<Size>" size "</Size><Owner><ID>x</ID></Owner></Contents>"

static void
listings(void **state)
{
	static const char *const two[] = {
		LISTING "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=b"
			"</NextContinuationToken>" OBJECT("pre fix/packs/one", "5")
				OBJECT("pre+fix%2Fpacks%2Ftwo", "6") "</ListBucketResult>",
		LISTING
		"<IsTruncated>false</IsTruncated>" OBJECT("pre%20fix/packs/three", "0") OBJECT(
			"pre fix/packs/.hidden",
			"1") OBJECT("pre fix/packs/deep/x",
				    "1") OBJECT("pre fix/packs/", "1") OBJECT("other/four", "1")
			OBJECT("pre fix/packs/a&#10;b",
			       "1") "<CommonPrefixes><Prefix>pre fix/packs/deep/</Prefix></CommonPrefixes>"
				    "</ListBucketResult>",
		NULL
	};
	static const char *const empty[] = { LISTING "</ListBucketResult>", NULL };
	static const char *const cut[] = { LISTING OBJECT("a", "1"), NULL };
	static const char *const odd[] = { "HTTP/1.1 200 OK\r\n\r\n<html></html>", NULL };
	static const char *const endless[] = { LISTING
					       "<IsTruncated>true</IsTruncated></ListBucketResult>",
					       NULL };
	static const char *const size[] = { LISTING OBJECT("a", "-1") "</ListBucketResult>", NULL };
	struct test *t = open_test("s3://team/pre fix", NULL);

	(void)state;
	script_set(&t->server, two);
	list(t, "packs", MLB_FAULT_NONE, "one:5:1796109611 two:6:1796109611 three:0:1796109611 ");
	assert_true(script_was_asked(
		&t->server,
		"GET /team?delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=pre%20fix%2Fpacks%2F HTTP"));
	assert_true(script_was_asked(&t->server, "?continuation-token=a%2B%2F%3Db&delimiter="));
	script_set(&t->server, empty);
	list(t, "", MLB_FAULT_NONE, "");
	assert_true(script_was_asked(&t->server, "&prefix=pre%20fix%2F HTTP"));
	script_set(&t->server, cut);
	list(t, "", MLB_FAULT_OTHER, "");
	script_set(&t->server, odd);
	list(t, "", MLB_FAULT_OTHER, "no listing");
	script_set(&t->server, endless);
	list(t, "", MLB_FAULT_OTHER, "not where");
	script_set(&t->server, size);
	list(t, "", MLB_FAULT_OTHER, "no number");
	close_test(t);
}

static void delete (struct test *t, enum mlb_remote_fault fault, const char *words)
{
	static const char *const names[] = { "packs/a", "b" };
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_DELETE, .name = "", .names = names, .n_names = 2
	};

	op_run(t->r, &op);
	op_expect(&op, fault, words);
}

static void
deleting(void **state)
{
	static const char *const fine[] = { "HTTP/1.1 200 OK\r\n\r\n<DeleteResult/>", NULL };
	static const char *const gone[] = {
		"HTTP/1.1 200 OK\r\n\r\n<DeleteResult><Error><Key>b</Key><Code>NoSuchKey</Code>"
		"</Error></DeleteResult>",
		NULL
	};
	static const char *const refused[] = {
		"HTTP/1.1 200 OK\r\n\r\n<DeleteResult><Error><Key>a&lt;b/b</Key><Code>AccessDenied"
		"</Code><Message>no</Message></Error></DeleteResult>",
		NULL
	};
	static const char *const no_batch[] = { FAIL("501 Not Implemented", "NotImplemented"), OK,
						FAIL("404 Not Found", "NoSuchKey"), NULL };
	struct mlb_remote_op none = { .verb = MLB_REMOTE_DELETE, .name = "" };
	struct test *t = open_test("s3://team/a<b&", NULL);

	(void)state;
	script_set(&t->server, fine);
	op_run(t->r, &none);
	op_expect(&none, MLB_FAULT_NONE, NULL);
	assert_int_equal(script_count(&t->server), 0);
	delete (t, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "POST /team?delete= HTTP"));
	assert_true(script_was_asked(&t->server, "content-md5: "));
	assert_true(script_was_asked(
		&t->server, "<Delete><Quiet>true</Quiet><Object><Key>a&lt;b&amp;/packs/a</Key>"
			    "</Object><Object><Key>a&lt;b&amp;/b</Key></Object></Delete>"));
	script_set(&t->server, gone);
	delete (t, MLB_FAULT_NONE, NULL);
	script_set(&t->server, refused);
	delete (t, MLB_FAULT_DENIED, "'a<b/b' of bucket 'team' cannot be deleted: AccessDenied no");
	script_set(&t->server, no_batch);
	delete (t, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "DELETE /team/a%3Cb%26/packs/a HTTP"));
	assert_true(script_was_asked(&t->server, "DELETE /team/a%3Cb%26/b HTTP"));
	close_test(t);
}

static void
google(void **state)
{
	static const char *const no_content[] = { "HTTP/1.1 204 No Content\r\n\r\n", NULL };
	struct test *t = open_test("gs://team/x", NULL);

	(void)state;
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "PUT /team/x/packs/a HTTP/1.1\r\n"));
	assert_true(script_was_asked(&t->server, "\r\nx-goog-if-generation-match: 0\r\n"));
	assert_true(script_was_asked(&t->server, "GOOG4-HMAC-SHA256 Credential=GOOG1/"));
	assert_true(script_was_asked(&t->server, "/auto/storage/goog4_request,"));
	assert_false(script_has(&t->server, "x-amz"));
	script_set(&t->server, no_content);
	delete (t, MLB_FAULT_NONE, NULL);
	assert_int_equal(script_count(&t->server), 2);
	close_test(t);
}

/* A process that counts how often it is asked. */
static void
an_expired_key_is_replaced(void **state)
{
	static const char *const expired[] = { FAIL("400 Bad Request", "ExpiredToken"), OK, NULL };
	static const char *const always[] = { FAIL("400 Bad Request", "ExpiredToken"), NULL };
	const char *const keys[] = { "profile", "p", NULL };
	struct test *t = open_test("s3://team", keys);

	put_file("config",
		 "[profile p]\ncredential_process = echo x >>asked; printf '{\"Version\": "
		 "1, \"AccessKeyId\": \"K%s\", \"SecretAccessKey\": \"hidden\", "
		 "\"SessionToken\": \"T\"}' $(wc -l <asked)\n");
	t->env[0] = "AWS_CONFIG_FILE";
	t->env[1] = "config";
	t->env[2] = NULL;
	(void)state;
	script_set(&t->server, expired);
	put(t, true, MLB_FAULT_NONE, NULL);
	assert_true(script_was_asked(&t->server, "Credential=K1/"));
	assert_true(script_was_asked(&t->server, "Credential=K2/"));
	assert_true(script_was_asked(&t->server, "x-amz-security-token: T\r\n"));
	script_set(&t->server, always);
	put(t, true, MLB_FAULT_DENIED, "the credential_process of profile 'p' has expired");
	assert_int_equal(script_count(&t->server), 2);
	close_test(t);
}

static void
urls_that_are_refused(void **state)
{
	static const char *const bad[][4] = {
		{ "s3://ab", NULL, NULL, "not the name of a bucket" },
		{ "s3://buck et/x", NULL, NULL, "" },
		{ "s3://key:secret@bucket", NULL, NULL, "s3://BUCKET/PREFIX" },
		{ "s3://bucket/a/../b", NULL, NULL, "'..'" },
		{ "s3://bucket/a//b", NULL, NULL, "is empty" },
		{ "s3://bucket", "endpoint", "host:80", "https://HOST" },
		{ "s3://bucket", "endpoint", "https://u:p@host", "https://HOST" },
		{ "s3://bucket", "style", "host", "path or virtual" },
		{ "s3://bucket", "region", "a/b", "name of a region" },
	};
	static const char *const env[] = { NULL };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		const char *const keys[] = { bad[i][1], bad[i][2], NULL };
		const struct mlb_remote_backend *backend;
		struct mlb_err err = MLB_ERR_INIT;
		struct fake_config config;
		struct mlb_remote *r = NULL;

		assert_ok(mlb_remote_backend(&backend, bad[i][0], &err));
		fake_config_init(&config, bad[i][0], keys, env);
		assert_err(backend->open(&r, &config.c, &err), MLB_EINVALID, bad[i][3]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_put_says),
		cmocka_unit_test(a_known_hash),
		cmocka_unit_test(faults_of_codes),
		cmocka_unit_test(another_region),
		cmocka_unit_test(no_other_region),
		cmocka_unit_test(no_conditional_put),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(behind_the_end),
		cmocka_unit_test(listings),
		cmocka_unit_test(deleting),
		cmocka_unit_test(google),
		scratch_test(an_expired_key_is_replaced),
		cmocka_unit_test(urls_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
