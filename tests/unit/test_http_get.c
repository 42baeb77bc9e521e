/*
 * Ranges of a name from servers that keep to RFC 9110, and from others.
 * Labels: tsan
 */
#include "http_fixture.h"

#include "remotes/http.h"

struct fixture {
	struct fake_server server;
	struct fake_config config;
	struct mlb_http *http;
	const char *says;
	struct mlb_buf asked, got;
	int stop; /* what the reader returns */
	bool done;
};

static void
answer(struct fake_server *s, const struct mlb_buf *request, struct mlb_buf *out)
{
	struct fixture *f = s->ctx;

	mlb_buf_clear(&f->asked);
	mlb_buf_add(&f->asked, request->data, request->len);
	mlb_buf_adds(out, f->says);
}

static int
setup(void **state)
{
	struct fixture *f = mlb_calloc(1, sizeof(*f));
	struct mlb_err err = MLB_ERR_INIT;

	unsetenv("http_proxy");
	f->says = "";
	mlb_buf_init(&f->asked, MLB_MIB);
	mlb_buf_init(&f->got, MLB_MIB);
	fake_start(&f->server, answer, f);
	assert_ok(mlb_http_new(&f->http, fake_config_init(&f->config, "", NULL, NULL), 4, &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mlb_http_free(f->http);
	fake_stop(&f->server);
	mlb_buf_release(&f->asked);
	mlb_buf_release(&f->got);
	free(f);
	return 0;
}

static int
sink(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct fixture *f = op->ctx;

	mlb_buf_add(&f->got, data, len);
	return f->stop ? mlb_err_set(err, MLB_ECORRUPT, "not these") : 0;
}

static void
ended(struct mlb_http_request *q)
{
	((struct fixture *)q->ctx)->done = true;
}

static struct mlb_remote_op
get(struct fixture *f, const char *says, uint64_t offset, uint64_t len)
{
	struct mlb_remote_op op = {
		.name = "name", .offset = offset, .len = len, .sink = sink, .ctx = f
	};
	struct mlb_http_request q;
	struct mlb_err err = MLB_ERR_INIT;

	pthread_mutex_lock(&f->server.lock);
	f->says = says;
	pthread_mutex_unlock(&f->server.lock);
	mlb_buf_clear(&f->got);
	mlb_http_request_init(&q);
	mlb_http_get(&q, &op);
	q.ctx = f;
	q.done = ended;
	mlb_buf_addf(&q.url, "http://127.0.0.1:%u/name", f->server.port);
	f->done = false;
	mlb_http_start(f->http, &q);
	while (!f->done)
		assert_ok(mlb_http_wait(f->http, -1, &err));
	pthread_mutex_lock(&f->server.lock);
	pthread_mutex_unlock(&f->server.lock);
	mlb_http_outcome(&q, &op);
	mlb_http_request_release(&q);
	mlb_err_release(&op.err);
	return op;
}

#define ALL                                                                                        \
	"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n0123456789"

static void
all_of_a_name(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op = get(f, ALL, 0, MLB_REMOTE_TO_END);

	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "0123456789");
	assert_null(strstr(f->asked.data, "Range"));
	assert_int_equal(op.total, 10);
	assert_int_equal(op.moved, 10);
	assert_int_equal(op.mtime, 784111777);
	op = get(f, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, 0);
	assert_int_equal(op.moved, 0);
	op = get(f, ALL, 0, 0); /* by HEAD */
	assert_int_equal(op.rc, 0);
	assert_int_equal(op.moved, 0);
}

static void
a_range_of_it(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op = get(
		f, "HTTP/1.1 206 X\r\nContent-Range: bytes 3-5/10\r\nContent-Length: 3\r\n\r\n345",
		3, 3);

	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "345");
	assert_non_null(strstr(f->asked.data, "\r\nRange: bytes=3-5\r\n"));
	assert_int_equal(op.total, 10);
	op = get(f, "HTTP/1.1 206 X\r\nContent-Range: bytes 8-9/10\r\nContent-Length: 2\r\n\r\n89",
		 8, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "89");
	assert_non_null(strstr(f->asked.data, "\r\nRange: bytes=8-\r\n"));
	/* less than was asked for is there */
	op = get(f, "HTTP/1.1 206 X\r\nContent-Range: bytes 8-9/*\r\nContent-Length: 2\r\n\r\n89",
		 8, 5);
	assert_int_equal(op.rc, 0);
	assert_int_equal(op.moved, 2);
	assert_int_equal(op.total, 0);
}

static void
a_server_that_knows_no_ranges(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op = get(f, ALL, 3, 4);

	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "3456");
	op = get(f, ALL, 3, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "3456789");
	op = get(f, "HTTP/1.1 200 OK\r\n\r\n0123456789", 8, 100);
	assert_int_equal(op.rc, 0);
	assert_string_equal(mlb_buf_str(&f->got), "89");
	op = get(f, ALL, 10, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, 0);
	op = get(f, ALL, 11, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, 0);
	assert_int_equal(op.total, 10);
	assert_int_equal(f->got.len, 0);
}

static void
the_end_is_no_failure(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op = get(
		f, "HTTP/1.1 416 X\r\nContent-Range: bytes */10\r\nContent-Length: 3\r\n\r\nbad",
		10, MLB_REMOTE_TO_END);

	assert_int_equal(op.rc, 0);
	assert_int_equal(op.total, 10);
	assert_int_equal(f->got.len, 0);
	/* by servers that say less, and one that contradicts itself */
	op = get(f, "HTTP/1.1 416 X\r\nContent-Length: 0\r\n\r\n", 1, 5);
	assert_int_equal(op.rc, 0);
	op = get(f, "HTTP/1.1 416 X\r\nContent-Range: bytes */11\r\nContent-Length: 0\r\n\r\n", 10,
		 1);
	assert_int_equal(op.fault, MLB_FAULT_OTHER);
}

static void
other_bytes_are_refused(void **state)
{
	static const char *const lies[] = {
		"HTTP/1.1 206 X\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234",
		"HTTP/1.1 206 X\r\nContent-Range: bytes 3-6/10\r\nContent-Length: 4\r\n\r\n3456",
		"HTTP/1.1 206 X\r\nContent-Range: bytes 3-5/4\r\nContent-Length: 3\r\n\r\n345",
		"HTTP/1.1 206 X\r\nContent-Range: 3-5\r\nContent-Length: 3\r\n\r\n345",
		"HTTP/1.1 206 X\r\nContent-Length: 3\r\n\r\n345",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MLB_ARRAY_LEN(lies); i++) {
		struct mlb_remote_op op = get(f, lies[i], 3, 3);

		assert_int_equal(op.rc, MLB_EREMOTE);
		assert_int_equal(op.fault, MLB_FAULT_OTHER);
		assert_int_equal(f->got.len, 0);
	}
}

static void
what_was_cut_is_told(void **state)
{
	static const char *const cut[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234",
		"HTTP/1.1 206 X\r\nContent-Range: bytes 0-9/10\r\n\r\n01234",
		"HTTP/1.1 206 X\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 5\r\n\r\n01234",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MLB_ARRAY_LEN(cut); i++) {
		struct mlb_remote_op op = get(f, cut[i], 0, MLB_REMOTE_TO_END);

		assert_int_equal(op.fault, MLB_FAULT_TRANSIENT);
		assert_int_equal(op.moved, 5);
	}
}

static void
the_reader_may_end_it(void **state)
{
	struct fixture *f = *state;
	struct mlb_remote_op op;

	f->stop = -1;
	op = get(f, ALL, 0, MLB_REMOTE_TO_END);
	assert_int_equal(op.rc, MLB_ECORRUPT);
	assert_int_equal(op.fault, MLB_FAULT_OTHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_a_name),
		TEST(a_range_of_it),
		TEST(a_server_that_knows_no_ranges),
		TEST(the_end_is_no_failure),
		TEST(other_bytes_are_refused),
		TEST(what_was_cut_is_told),
		TEST(the_reader_may_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
