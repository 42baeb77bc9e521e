/*
 * HTTP for backends: requests that go on side by side over kept connections, by libcurl,
 * which is loaded with the first of them.
 *
 *	struct mlb_http_request q;            usually a member of the backend's own struct
 *
 *	mlb_http_request_init(&q);
 *	q.method = "PUT";
 *	mlb_buf_addf(&q.url, "%s/%s", base, op->name);
 *	mlb_http_header(&q, "Content-Type: application/octet-stream");
 *	q.body = op->data;
 *	q.size = op->size;
 *	q.op = op;
 *	q.done = put_ended;
 *	mlb_http_start(h, &q);                and put_ended(&q) is called from mlb_http_wait
 *
 * 1. One thread owns a struct mlb_http and makes all calls but mlb_http_wake. start, wait,
 *    wake and cancel are what the members of struct mlb_remote_backend want.
 * 2. Whoever starts a request keeps it and its body until done. In done it may be released,
 *    or cleared and started again for the next step. done is never called from start.
 * 3. A status of 2xx is success (rc 0). Every other one fails with a fault, and a text that
 *    shows method, URL without query, status and what is worth showing of the answer: a
 *    backend that knows better looks at status, answer and headers, and says so by
 *    mlb_http_fail, or ignores it.
 * 4. Bodies of 2xx go to sink, or without one to answer; other bodies go to answer.
 *    Of an error's body what is beyond answer_max is dropped; a 2xx body beyond it fails.
 * 5. Redirects are failures, but with MLB_HTTP_FOLLOW; never from https down to http.
 * 6. Certificates are always verified: by the key `ca`, else SSL_CERT_FILE and SSL_CERT_DIR,
 *    else the system's. The keys `cert` and `key` name a client's certificate (PEM).
 * 7. Connecting takes at most 15 s, all of a request as long as it wants (but timeout).
 * 8. HTTP/1.1: many connections move more than many streams of one.
 * 9. Secrets are shown nowhere: what a server says is dropped where it holds one that
 *    mlb_http_secret was told, the value of a header such as Authorization, or of the query.
 */
#ifndef REMOTES_HTTP_H
#define REMOTES_HTTP_H

#include "base/buf.h"
#include "base/vec.h"
#include "mlbuild/sys/remote.h"

#define MLB_HTTP_ANSWER_MAX ((size_t)64 * 1024)
#define MLB_HTTP_ENOUGH 1 /* of a sink: no more is wanted, the request ends well */

struct mlb_http;
struct mlb_http_request;

enum {
	MLB_HTTP_EXPECT = 1, /* ask before a body over 1 MiB is sent (Expect: 100-continue) */
	MLB_HTTP_FOLLOW = 2, /* redirects of a GET or HEAD, if it has no header with a secret */
	MLB_HTTP_DIRECT = 4  /* by no proxy: metadata services, loopback */
};

struct mlb_http_request {
	/* What is asked. start copies method, url and header. */
	const char *method;       /* "GET", "HEAD", "PUT", "PROPFIND" */
	struct mlb_buf url;       /* http: or https:, percent-encoded, sent as it is; no user in it */
	struct mlb_strvec header; /* "Name: value" */
	unsigned flags;
	uint32_t timeout;         /* ms of the whole request; 0: none */
	const void *body;         /* borrowed; NULL: none (PUT and POST then send an empty one) */
	size_t size;
	size_t answer_max;        /* bytes */
	/* Bytes of a 2xx body in order: 0, MLB_HTTP_ENOUGH, or below 0 (with err set). Must not call start or cancel. */
	int (*sink)(struct mlb_http_request *q, const void *data, size_t len, struct mlb_err *err);
	struct mlb_remote_op *op; /* for whom: moved is kept up to date with what is sent; may be NULL */
	void (*done)(struct mlb_http_request *q); /* from wait or cancel */
	void *ctx;                /* the caller's */

	/* What came of it; set before done. */
	int rc;                   /* 0 or enum mlb_code */
	enum mlb_remote_fault fault;
	struct mlb_err err;
	unsigned status;          /* 0: there was no answer */
	uint32_t retry_after;     /* ms, 0: the server did not say; at most an hour */
	struct mlb_buf answer;    /* a body that went to no sink */
	struct mlb_buf head;      /* "name\0value\0" of each header, at most 32 KiB: by mlb_http_answered */

	struct mlb_http_work *work; /* http.c's while it goes on */
	bool get, looked;           /* mlb_http_get's: it is one; the headers were looked at */
	uint64_t want, skip;        /* the same: bytes that must come (UINT64_MAX: not known), that come before */
};

/*
 * For an open remote; asks nobody. most: connections at once. MLB_EINVALID where `cert`,
 * `key` or `ca` cannot be read. The config is borrowed until it returns.
 */
int mlb_http_new(struct mlb_http **out, const struct mlb_remote_config *c, unsigned most,
		 struct mlb_err *err);
void mlb_http_free(struct mlb_http *h);                     /* when nothing goes on; NULL is allowed */
void mlb_http_secret(struct mlb_http *h, const char *text); /* copied; NULL and "" are ignored */

void mlb_http_request_init(struct mlb_http_request *q);
void mlb_http_request_clear(struct mlb_http_request *q);    /* as initialised; op and ctx stay */
void mlb_http_request_release(struct mlb_http_request *q);
void mlb_http_header(struct mlb_http_request *q, const char *fmt, ...) MLB_PRINTF(2, 3); /* "Name: value" */

/*
 * Ask for the bytes that op (a GET) wants and give them to its sink: sets method, op, a
 * Range, and the sink; url, further headers and done are the caller's. A server that ignores
 * Range is coped with; what came is checked against what was asked, and op->moved, total and
 * mtime are set.
 */
void mlb_http_get(struct mlb_http_request *q, struct mlb_remote_op *op);

void mlb_http_start(struct mlb_http *h, struct mlb_http_request *q);
/* Instead of start: asks nothing; the next wait calls done, with what mlb_http_fail said, else a success. */
void mlb_http_later(struct mlb_http *h, struct mlb_http_request *q);
int mlb_http_wait(struct mlb_http *h, int timeout, struct mlb_err *err); /* as of a backend */
void mlb_http_wake(struct mlb_http *h);                                  /* from any thread */
void mlb_http_cancel(struct mlb_http *h, struct mlb_http_request *q);    /* done is called, if it goes on */

/* The value of a header of the answer, or NULL; any case; borrowed. */
const char *mlb_http_answered(const struct mlb_http_request *q, const char *name);
int64_t mlb_http_time(const struct mlb_http_request *q, const char *name); /* of one that holds a date; 0: none */
bool mlb_http_size(const struct mlb_http_request *q, uint64_t *out);       /* Content-Length; false: none */

/* Replace what came of it. The code is that of the fault (fault.h); NONE makes it a success. */
void mlb_http_fail(struct mlb_http_request *q, enum mlb_remote_fault fault, const char *fmt, ...)
	MLB_PRINTF(3, 4);

/* What came of it becomes what came of op: rc, fault, err (moved there), retry_after. Calls no done. */
void mlb_http_outcome(struct mlb_http_request *q, struct mlb_remote_op *op);

enum mlb_remote_fault mlb_http_fault(unsigned status); /* of a status that is not 2xx */

/*
 * Append at most 200 characters of what an error's body says, in one line: Code and Message
 * of XML, the title of HTML, else its beginning.
 */
void mlb_http_excerpt(struct mlb_buf *out, const char *body, size_t len);

/* The URL as it may be shown: without user, query and fragment. Appended. */
void mlb_http_shown(struct mlb_buf *out, const char *url);

/* Seconds since 1970 of a date of HTTP (RFC 9110, 5.6.7, all three forms); false: it is none. */
bool mlb_http_date(const char *text, int64_t *out);
/* ms of Retry-After: seconds, or a date by the clock of `date` (the answer's; NULL: ours); 0: not understood. */
uint32_t mlb_http_retry_after(const char *value, const char *date);

#endif
