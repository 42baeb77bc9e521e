/* What libcurl is told of a request, and the bytes that go through its callbacks. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "remotes/http_priv.h"

#define CONNECT_TIMEOUT 15000L     /* ms */
#define EXPECT_FROM MLB_MIB        /* smaller bodies are sent unasked */
#define EXPECT_TIMEOUT 5000L       /* ms that a server may take to say "go on" */
#define LARGE ((size_t)512 * 1024) /* a body or answer from here on is moved in larger pieces */
#define REDIRECTS_MAX 5L

/* ------------------------------------------------------------ callbacks */

static size_t
read_body(char *out, size_t size, size_t n, void *ctx)
{
	struct mlb_http_work *w = ctx;
	size_t len = MLB_MIN(size * n, w->q->size - w->sent);

	if (len)
		memcpy(out, (const char *)w->q->body + w->sent, len);
	w->sent += len;
	if (w->q->op)
		w->q->op->moved = w->sent;
	return len;
}

/* Again from the start: the kept connection was dead, or the server asks for it. */
static int
seek_body(void *ctx, curl_off_t offset, int origin)
{
	struct mlb_http_work *w = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > w->q->size)
		return CURL_SEEKFUNC_FAIL;
	w->sent = (size_t)offset;
	if (w->q->op)
		w->q->op->moved = w->sent;
	return CURL_SEEKFUNC_OK;
}

/* A body to q->answer; less than len is returned where it must end. */
static size_t
keep_answer(struct mlb_http_work *w, const char *data, size_t len, bool good)
{
	struct mlb_http_request *q = w->q;
	size_t room = q->answer_max - MLB_MIN(q->answer_max, q->answer.len);

	if (len > room && good) {
		w->too_big = true;
		return 0;
	}
	mlb_buf_add(&q->answer, data, MLB_MIN(len, room));
	return len;
}

static size_t
write_body(char *data, size_t size, size_t n, void *ctx)
{
	struct mlb_http_work *w = ctx;
	struct mlb_http_request *q = w->q;
	bool good = q->status / 100 == 2;
	size_t len = size * n;

	if (!good || !q->sink)
		return keep_answer(w, data, len, good);
	if (len)
		w->stop = q->sink(q, data, len, &q->err);
	return w->stop ? 0 : len;
}

/* "HTTP/1.1 200 OK" begins the headers of an answer; those of one before it do not count. */
static void
status_line(struct mlb_http_request *q, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	unsigned status = 0;

	mlb_buf_clear(&q->head);
	mlb_buf_clear(&q->answer);
	for (int i = 1; space && i <= 3; i++) {
		if (space + i >= line + len || space[i] < '0' || space[i] > '9')
			return;
		status = status * 10 + (unsigned)(space[i] - '0');
	}
	q->status = status;
}

static size_t
take_header(char *line, size_t size, size_t n, void *ctx)
{
	struct mlb_http_work *w = ctx;
	size_t len = size * n, all = len;
	const char *colon = memchr(line, ':', len);
	struct mlb_buf *head = &w->q->head;
	size_t name, at;

	if (len > 5 && !memcmp(line, "HTTP/", 5)) {
		w->headers_ended = false;
		status_line(w->q, line, len);
		return all;
	}
	if (*line == '\r' || *line == '\n')
		w->headers_ended = true;
	if (!colon || memchr(line, '\0', len))
		return all;
	name = (size_t)(colon - line);
	at = name + 1;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (len > at && strchr(" \t\r\n", line[len - 1]))
		len--;
	mlb_buf_addf(head, "%.*s%c%.*s%c", (int)name, line, '\0', (int)(len - at), line + at, '\0');
	return all;
}

/* ------------------------------------------------------------ options */

const char *
mlb_http_secret_value(const char *header)
{
	static const char *const names[] = { "Authorization:",
					     "Cookie:",
					     "Proxy-Authorization:",
					     "X-Amz-Security-Token:",
					     "X-Aws-Ec2-Metadata-Token:",
					     "X-Goog-Iam-Authorization-Token:" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++) {
		size_t len = strlen(names[i]);

		if (!strncasecmp(header, names[i], len))
			return header + len + strspn(header + len, " ");
	}
	return NULL;
}

static bool
has_secret(const struct mlb_http_request *q)
{
	for (size_t i = 0; i < q->header.n; i++)
		if (mlb_http_secret_value(q->header.v[i]))
			return true;
	return false;
}

static bool
add_header(struct mlb_http *h, struct mlb_http_work *w, const char *line)
{
	struct curl_slist *list = h->curl.slist_append(w->headers, line);

	if (list)
		w->headers = list;
	return list != NULL;
}

#define SET(option, value) (h->curl.easy_setopt(w->easy, (option), (value)) == CURLE_OK)

static bool
set_headers(struct mlb_http *h, struct mlb_http_work *w)
{
	const struct mlb_http_request *q = w->q;

	for (size_t i = 0; i < q->header.n; i++)
		if (!add_header(h, w, q->header.v[i]))
			return false;
	/* libcurl would ask before any larger body, and wait a second for servers that do not know it. */
	if (!(q->flags & MLB_HTTP_EXPECT) || q->size <= EXPECT_FROM) {
		if (!add_header(h, w, "Expect:"))
			return false;
	} else if (!add_header(h, w, "Expect: 100-continue")) {
		return false;
	}
	return SET(CURLOPT_HTTPHEADER, w->headers) &&
	       SET(CURLOPT_EXPECT_100_TIMEOUT_MS, EXPECT_TIMEOUT);
}

static bool
set_method(struct mlb_http *h, struct mlb_http_work *w)
{
	const struct mlb_http_request *q = w->q;
	long buffer = q->size >= LARGE ? 1024L * 1024 : 64L * 1024;

	if (q->body || !strcmp(q->method, "PUT") || !strcmp(q->method, "POST"))
		return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_CUSTOMREQUEST, q->method) &&
		       SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->size) &&
		       SET(CURLOPT_READFUNCTION, read_body) && SET(CURLOPT_READDATA, w) &&
		       SET(CURLOPT_SEEKFUNCTION, seek_body) && SET(CURLOPT_SEEKDATA, w) &&
		       SET(CURLOPT_UPLOAD_BUFFERSIZE, buffer);
	if (!strcmp(q->method, "HEAD"))
		return SET(CURLOPT_NOBODY, 1L);
	return SET(CURLOPT_HTTPGET, 1L) &&
	       (!strcmp(q->method, "GET") || SET(CURLOPT_CUSTOMREQUEST, q->method));
}

static bool
set_redirects(struct mlb_http *h, struct mlb_http_work *w)
{
	const struct mlb_http_request *q = w->q;
	bool https = !strncasecmp(mlb_buf_str(&q->url), "https:", 6);
	bool follow = (q->flags & MLB_HTTP_FOLLOW) && !has_secret(q);

	return SET(CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L) &&
	       SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX) &&
	       SET(CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
}

static bool
set_tls(struct mlb_http *h, struct mlb_http_work *w)
{
	return SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       (!h->ca_file || SET(CURLOPT_CAINFO, h->ca_file)) &&
	       (!h->ca_dir || SET(CURLOPT_CAPATH, h->ca_dir)) &&
	       (!h->cert || SET(CURLOPT_SSLCERT, h->cert)) &&
	       (!h->key || SET(CURLOPT_SSLKEY, h->key)) &&
	       /* Of a key with a passphrase libcrypto would ask the terminal. */
	       SET(CURLOPT_KEYPASSWD, "");
}

static bool
set_connection(struct mlb_http *h, struct mlb_http_work *w)
{
	const struct mlb_http_request *q = w->q;

	return SET(CURLOPT_URL, mlb_buf_str(&q->url)) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
	       SET(CURLOPT_PATH_AS_IS, 1L) && SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
	       SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)q->timeout) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_USERAGENT, "mlbuild/" MLB_VERSION) &&
	       (!(q->flags & MLB_HTTP_DIRECT) || SET(CURLOPT_PROXY, ""));
}

/*
 * libcurl sends a request anew where a kept connection ends before an answer. Of what
 * changes something the first one may have been done: that must not be hidden from whoever
 * tries again.
 */
static int
going_out(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct mlb_http_work *w = ctx;
	const char *method = w->q->method;
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD") ||
		     !strcmp(method, "PROPFIND") || (w->q->flags & MLB_HTTP_FOLLOW);

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (w->begun && !reads)
		return CURL_PREREQFUNC_ABORT;
	w->begun = true;
	return CURL_PREREQFUNC_OK;
}

static bool
set_answer(struct mlb_http *h, struct mlb_http_work *w)
{
	return SET(CURLOPT_PREREQFUNCTION, going_out) && SET(CURLOPT_PREREQDATA, w) &&
	       SET(CURLOPT_PRIVATE, w) && SET(CURLOPT_ERRORBUFFER, w->said) &&
	       SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, w) &&
	       SET(CURLOPT_WRITEFUNCTION, write_body) && SET(CURLOPT_WRITEDATA, w) &&
	       (!w->q->sink || SET(CURLOPT_BUFFERSIZE, 256L * 1024));
}

bool
mlb_http_setup(struct mlb_http *h, struct mlb_http_work *w)
{
	if (w->q->url.full) {
		mlb_http_fail(w->q, MLB_FAULT_OTHER, "the URL is longer than %zu bytes",
			      w->q->url.max);
		return false;
	}
	if (set_connection(h, w) && set_tls(h, w) && set_method(h, w) && set_headers(h, w) &&
	    set_redirects(h, w) && set_answer(h, w))
		return true;
	mlb_http_fail(w->q, MLB_FAULT_OTHER, "libcurl %s cannot do what is needed",
		      h->curl.version_info(CURLVERSION_NOW)->version);
	return false;
}
