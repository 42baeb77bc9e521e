/* Labels: tsan */
#include "http_fixture.h"

#include "remotes/fault.h"
#include "remotes/http.h"

struct fixture {
	struct fake_server server;
	struct fake_config config;
	struct mlb_http *http;
	struct mlb_http_request q;
	const char *says; /* the answer to every request */
	struct mlb_buf asked;
	int done;
};

static void
answer(struct fake_server *s, const struct mlb_buf *request, struct mlb_buf *out)
{
	struct fixture *f = s->ctx;

	mlb_buf_clear(&f->asked);
	mlb_buf_add(&f->asked, request->data, request->len);
	mlb_buf_adds(out, f->says);
}

static void
ended(struct mlb_http_request *q)
{
	((struct fixture *)q->ctx)->done++;
}

static int
setup(void **state)
{
	struct fixture *f = mlb_calloc(1, sizeof(*f));
	struct mlb_err err = MLB_ERR_INIT;

	unsetenv("http_proxy");
	f->says = "";
	mlb_buf_init(&f->asked, MLB_MIB);
	fake_start(&f->server, answer, f);
	assert_ok(mlb_http_new(&f->http, fake_config_init(&f->config, "", NULL, NULL), 4, &err));
	mlb_http_request_init(&f->q);
	f->q.ctx = f;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mlb_http_request_release(&f->q);
	mlb_http_free(f->http);
	fake_stop(&f->server);
	mlb_buf_release(&f->asked);
	free(f);
	return 0;
}

/* Ask for /name, by a URL with a user's secret in its query. */
static void
ask(struct fixture *f, const char *method, const char *says)
{
	struct mlb_err err = MLB_ERR_INIT;

	pthread_mutex_lock(&f->server.lock);
	f->says = says;
	pthread_mutex_unlock(&f->server.lock);
	f->done = 0;
	f->q.method = method;
	f->q.done = ended;
	mlb_buf_addf(&f->q.url, "http://127.0.0.1:%u/dir/name?sig=0123456789abcdef0123",
		     f->server.port);
	mlb_http_start(f->http, &f->q);
	assert_int_equal(f->done, 0);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	assert_int_equal(f->done, 1);
	/* what the server wrote down is ours to read from here on */
	pthread_mutex_lock(&f->server.lock);
	pthread_mutex_unlock(&f->server.lock);
}

static void
again(struct fixture *f)
{
	mlb_http_request_clear(&f->q);
}

static void
assert_failed(struct fixture *f, enum mlb_remote_fault fault, const char *words)
{
	assert_int_equal(f->q.fault, fault);
	assert_int_equal(f->q.rc, mlb_remote_fault_code(fault));
	assert_int_equal(f->q.err.code, f->q.rc);
	if (!strstr(f->q.err.text, words))
		print_error("no '%s' in: %s\n", words, f->q.err.text);
	assert_non_null(strstr(f->q.err.text, words));
	assert_null(strstr(f->q.err.text, "0123456789abcdef"));
}

/* ------------------------------------------------------------ answers */

static void
a_small_answer_is_kept(void **state)
{
	struct fixture *f = *state;

	ask(f, "GET",
	    "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nETag:  \"x\" \r\nContent-Length: 5\r\n\r\nhello");
	assert_int_equal(f->q.rc, 0);
	assert_int_equal(f->q.status, 200);
	assert_string_equal(mlb_buf_str(&f->q.answer), "hello");
	assert_string_equal(mlb_http_answered(&f->q, "etag"), "\"x\"");
	assert_null(mlb_http_answered(&f->q, "X-Early"));
	assert_non_null(strstr(f->asked.data, "GET /dir/name?sig="));
	assert_null(strcasestr(f->asked.data, "Expect"));
	assert_null(strcasestr(f->asked.data, "Accept-Encoding"));
}

static void
an_answer_has_a_maximum(void **state)
{
	struct fixture *f = *state;

	f->q.answer_max = 4;
	ask(f, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	assert_failed(f, MLB_FAULT_OTHER, "longer than 4 bytes");
	again(f);
	f->q.answer_max = 4;
	ask(f, "GET", "HTTP/1.1 500 Bad\r\nContent-Length: 5\r\n\r\nhello");
	assert_failed(f, MLB_FAULT_TRANSIENT, "500 Internal Server Error: hell");
}

static void
statuses_are_told_apart(void **state)
{
	static const struct {
		const char *says;
		enum mlb_remote_fault fault;
		const char *words;
	} cases[] = {
		{ "401 Unauthorized", MLB_FAULT_DENIED, "missing or wrong" },
		{ "403 Forbidden", MLB_FAULT_DENIED, "no right" },
		{ "404 Not Found", MLB_FAULT_ABSENT, "/dir/name': the server answers 404" },
		{ "413 X", MLB_FAULT_OTHER, "raise the limit" },
		{ "429 X", MLB_FAULT_BUSY, "429 Too Many Requests" },
		{ "500 X", MLB_FAULT_TRANSIENT, "500" },
		{ "503 X", MLB_FAULT_BUSY, "503" },
		{ "507 X", MLB_FAULT_FULL, "no space" },
		{ "599 X", MLB_FAULT_OTHER, "599" },
		{ "302 Found\r\nLocation: http://u:secret@h/login?x=y", MLB_FAULT_OTHER,
		  "sends on to 'http://h/login'" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		char *says =
			mlb_asprintf("HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", cases[i].says);

		ask(f, "GET", says);
		assert_failed(f, cases[i].fault, cases[i].words);
		again(f);
		free(says);
	}
}

static void
what_is_no_http_is_a_failure(void **state)
{
	struct fixture *f = *state;

	ask(f, "GET", "");
	assert_failed(f, MLB_FAULT_TRANSIENT, "Empty reply");
	again(f);
	ask(f, "GET", "SSH-2.0-OpenSSH_9.2\r\n");
	assert_int_not_equal(f->q.rc, 0);
	again(f);
	ask(f, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	assert_failed(f, MLB_FAULT_TRANSIENT, "'");
}

static void
retry_after_is_told(void **state)
{
	struct fixture *f = *state;

	ask(f, "GET", "HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->q.retry_after, 7000);
	again(f);
	ask(f, "GET",
	    "HTTP/1.1 503 X\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Retry-After: Sun, 06 Nov 1994 08:49:40 GMT\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->q.retry_after, 3000);
	assert_int_equal(mlb_http_retry_after("soon", NULL), 0);
	assert_int_equal(mlb_http_retry_after("-1", NULL), 0);
	assert_int_equal(mlb_http_retry_after("99999999999", NULL), 3600000);
	assert_int_equal(mlb_http_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", NULL), 0);
}

/* ------------------------------------------------------------ secrets */

static void
no_secret_is_shown(void **state)
{
	static const char *const echoes[] = {
		"you said hunter22",
		"you said dG9wOnNlY3JldA==",
		"<html><title>sig 0123456789abcdef0123</title></html>",
		"<Error><Message>Basic dG9wOnNlY3JldA== is wrong</Message></Error>",
	};
	struct fixture *f = *state;

	mlb_http_secret(f->http, "hunter22");
	for (size_t i = 0; i < MLB_ARRAY_LEN(echoes); i++) {
		char *says = mlb_asprintf("HTTP/1.1 400 X\r\nContent-Length: %zu\r\n\r\n%s",
					  strlen(echoes[i]), echoes[i]);

		mlb_http_header(&f->q, "Authorization: Basic dG9wOnNlY3JldA==");
		ask(f, "GET", says);
		assert_failed(f, MLB_FAULT_OTHER, "400");
		assert_null(strstr(f->q.err.text, "hunter22"));
		assert_null(strstr(f->q.err.text, "dG9wOnNlY3JldA"));
		again(f);
		free(says);
	}
}

static void
a_redirect_takes_no_secret_along(void **state)
{
	struct fixture *f = *state;
	char *says = mlb_asprintf("HTTP/1.1 302 X\r\nContent-Length: 0\r\n"
				  "Location: http://127.0.0.1:%u/other\r\n\r\n",
				  f->server.port);

	f->q.flags = MLB_HTTP_FOLLOW;
	mlb_http_header(&f->q, "authorization: Bearer token");
	ask(f, "GET", says);
	assert_failed(f, MLB_FAULT_OTHER, "302");
	assert_null(strstr(f->asked.data, "/other"));
	again(f);
	f->q.flags = MLB_HTTP_FOLLOW;
	ask(f, "GET", says); /* to itself, for ever */
	assert_non_null(strstr(f->asked.data, "/other"));
	assert_failed(f, MLB_FAULT_OTHER, "302");
	free(says);
}

static void
what_is_shown_is_harmless(void **state)
{
	static const struct {
		const char *body, *shown;
	} cases[] = {
		{ "plain\n\n  text\x1b[31m\x07", "plain text [31m" },
		{ "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>it is not</Message>"
		  "<StringToSign>AWS4</StringToSign></Error>",
		  "NoSuchBucket: it is not" },
		{ "\n<html><head><title>403 Forbidden</title></head><body>x</body></html>",
		  "403 Forbidden" },
		{ "<d:error xmlns:d=\"DAV:\"><s:message>locked</s:message></d:error>", "locked" },
		{ "\xff\xfe\xc2\x9b", "???" },
		{ "\xef\xbb\xbf<Error><Code>X</Code>", "X" },
		{ "<unfinished", "" },
		{ "<Code>", "" },
		{ "", "" },
	};
	struct mlb_buf b = MLB_BUF_INIT(MLB_MIB);
	char *longer = mlb_alloc(1000);

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		mlb_buf_clear(&b);
		mlb_http_excerpt(&b, cases[i].body, strlen(cases[i].body));
		assert_string_equal(mlb_buf_str(&b), cases[i].shown);
	}
	mlb_buf_clear(&b);
	memset(longer, 'x', 1000);
	mlb_http_excerpt(&b, longer, 1000);
	assert_int_equal(b.len, 200);
	free(longer);
	mlb_buf_clear(&b);
	mlb_http_shown(&b, "https://user:pa@ss@host:1/a@b?x=y#z");
	assert_string_equal(mlb_buf_str(&b), "https://host:1/a@b");
	mlb_buf_release(&b);
}

/* ------------------------------------------------------------ bodies */

static void
a_body_is_sent(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op = { .verb = MLB_REMOTE_PUT };

	f->q.body = "some bytes";
	f->q.size = 10;
	f->q.op = &op;
	mlb_http_header(&f->q, "X-Name: %s", "value");
	ask(f, "PUT", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->q.rc, 0);
	assert_int_equal(op.moved, 10);
	assert_non_null(strstr(f->asked.data, "PUT /dir/name"));
	assert_non_null(strstr(f->asked.data, "\r\nContent-Length: 10\r\n"));
	assert_non_null(strstr(f->asked.data, "\r\nX-Name: value\r\n"));
	assert_non_null(strstr(f->asked.data, "\r\n\r\nsome bytes"));
	again(f);
	ask(f, "PUT", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->q.rc, 0);
	assert_non_null(strstr(f->asked.data, "\r\nContent-Length: 0\r\n"));
}

static void
a_cancelled_request_ends_at_once(void **state)
{
	struct fixture *f = *state;
	struct mlb_err err = MLB_ERR_INIT;

	f->q.method = "GET";
	f->q.done = ended;
	mlb_buf_addf(&f->q.url, "http://127.0.0.1:%u/", f->server.port);
	mlb_http_start(f->http, &f->q);
	mlb_http_cancel(f->http, &f->q);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->q.rc, MLB_EINTERRUPTED);
	assert_int_equal(f->q.fault, MLB_FAULT_CANCELLED);
	mlb_http_cancel(f->http, &f->q);
	assert_int_equal(f->done, 1);
	assert_ok(mlb_http_wait(f->http, 0, &err));
}

static void *
wake(void *ctx)
{
	mlb_http_wake(ctx);
	return NULL;
}

static void
it_can_be_woken(void **state)
{
	struct fixture *f = *state;
	struct mlb_err err = MLB_ERR_INIT;
	pthread_t thread;

	mlb_http_wake(f->http);
	assert_ok(mlb_http_wait(f->http, -1, &err)); /* before libcurl is loaded */
	pthread_create(&thread, NULL, wake, f->http);
	assert_ok(mlb_http_wait(f->http, -1, &err));
	pthread_join(thread, NULL);
	ask(f, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	pthread_create(&thread, NULL, wake, f->http);
	assert_ok(mlb_http_wait(f->http, -1, &err));
	pthread_join(thread, NULL);
}

static void
a_server_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct mlb_err err = MLB_ERR_INIT;
	struct fake_server gone;

	fake_start(&gone, answer, f);
	fake_stop(&gone);
	f->q.method = "GET";
	f->q.done = ended;
	mlb_buf_addf(&f->q.url, "http://127.0.0.1:%u/", gone.port);
	mlb_http_start(f->http, &f->q);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	assert_failed(f, MLB_FAULT_TRANSIENT, "does the server run");
	again(f);
	f->done = 0;
	f->q.method = "GET";
	f->q.done = ended;
	mlb_buf_adds(&f->q.url, "http://no-such-host.invalid/");
	mlb_http_start(f->http, &f->q);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	assert_failed(f, MLB_FAULT_PLACE, "no-such-host.invalid");
	again(f);
	f->done = 0;
	f->q.method = "GET";
	f->q.done = ended;
	mlb_buf_adds(&f->q.url, "file:///etc/passwd");
	mlb_http_start(f->http, &f->q);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	assert_failed(f, MLB_FAULT_OTHER, "rotocol");
}

static void
proxies_are_those_of_the_environment(void **state)
{
	struct fixture *f = *state;
	char *proxy = mlb_asprintf("http://127.0.0.1:%u", f->server.port);
	struct mlb_err err = MLB_ERR_INIT;

	setenv("http_proxy", proxy, 1);
	for (int direct = 0; direct < 2; direct++) {
		f->done = 0;
		f->q.method = "GET";
		f->q.done = ended;
		f->q.flags = direct ? MLB_HTTP_DIRECT : 0;
		mlb_buf_adds(&f->q.url, "http://no-such-host.invalid/name");
		mlb_http_start(f->http, &f->q);
		while (!f->done)
			assert_ok(mlb_http_wait(f->http, -1, &err));
		pthread_mutex_lock(&f->server.lock);
		pthread_mutex_unlock(&f->server.lock);
		if (direct)
			assert_failed(f, MLB_FAULT_PLACE, "no-such-host.invalid");
		else
			assert_non_null(
				strstr(f->asked.data, "GET http://no-such-host.invalid/name "));
		again(f);
	}
	unsetenv("http_proxy");
	free(proxy);
}

/* Connections wait to be accepted for ever. */
static void
a_request_may_have_an_end(void **state)
{
	struct fixture *f = *state;
	struct mlb_err err = MLB_ERR_INIT;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	f->q.method = "GET";
	f->q.done = ended;
	f->q.timeout = 20;
	mlb_buf_addf(&f->q.url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
	mlb_http_start(f->http, &f->q);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	assert_failed(f, MLB_FAULT_TRANSIENT, "timed out");
	close(fd);
}

static void
files_that_cannot_be_read(void **state)
{
	static const char *const ca[] = { "ca", "/no/such/file", NULL };
	static const char *const cert[] = { "cert", "~/no/such/file", NULL };
	static const char *const relative[] = { "ca", "ca.pem", NULL };
	static const char *const home[] = { "HOME", "/home/x", NULL };
	struct fake_config c;
	struct mlb_http *h;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_err(mlb_http_new(&h, fake_config_init(&c, "", ca, NULL), 1, &err), MLB_EINVALID,
		   "ca of [remote team]");
	assert_err(mlb_http_new(&h, fake_config_init(&c, "", cert, home), 1, &err), MLB_EINVALID,
		   "'/home/x/no/such/file'");
	assert_err(mlb_http_new(&h, fake_config_init(&c, "", relative, home), 1, &err),
		   MLB_EINVALID, "not 'ca.pem'");
}

/* ------------------------------------------------------------ dates */

static void
dates_are_read(void **state)
{
	static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
					    "Sunday, 06-Nov-94 08:49:37 GMT",
					    "Sun Nov  6 08:49:37 1994" };
	static const char *const bad[] = { "", "now", "Sun, 06 Foo 1994 08:49:37 GMT",
					   "Sun, 06 Nov 1994 08:49:37",
					   "Sun, 06 Nov 1994 28:49:37 GMT" };
	int64_t at;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++) {
		at = 0;
		assert_true(mlb_http_date(good[i], &at));
		assert_int_equal(at, 784111777);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_http_date(bad[i], &at));
	assert_true(mlb_http_date("Thu, 29 Feb 2024 23:59:59 GMT", &at));
	assert_int_equal(at, 1709251199);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_answer_is_kept),
		TEST(an_answer_has_a_maximum),
		TEST(statuses_are_told_apart),
		TEST(what_is_no_http_is_a_failure),
		TEST(retry_after_is_told),
		TEST(no_secret_is_shown),
		TEST(a_redirect_takes_no_secret_along),
		cmocka_unit_test(what_is_shown_is_harmless),
		TEST(a_body_is_sent),
		TEST(a_cancelled_request_ends_at_once),
		TEST(it_can_be_woken),
		TEST(a_server_that_is_not_there),
		TEST(proxies_are_those_of_the_environment),
		TEST(a_request_may_have_an_end),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(dates_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
