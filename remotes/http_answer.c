/* What came of a request, in words that may be shown. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remotes/fault.h"
#include "remotes/http_priv.h"

#define SHOWN_MAX ((size_t)200)    /* characters of what a server says */
#define SECRET_MIN ((size_t)4)     /* shorter ones are in any text */
#define PARAMETER_MIN ((size_t)16) /* of a query's values only longer ones are secrets */

/* ------------------------------------------------------------ what may be shown */

void
mlb_http_shown(struct mlb_buf *out, const char *url)
{
	size_t len = strcspn(url, "?#");
	const char *host = strstr(url, "://");
	const char *at;

	host = host && host < url + len ? host + 3 : url;
	for (const char *s = at = host; s < url + len && *s != '/'; s++)
		if (*s == '@')
			at = s + 1;
	mlb_buf_add(out, url, (size_t)(host - url));
	mlb_buf_add(out, at, (size_t)(url + len - at));
}

/* The text of the first element of this name, whatever its prefix; its length, 0: there is none. */
static size_t
element(const char **text, const char *body, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = body; (s = memchr(s, '<', len - (size_t)(s - body))) != NULL;) {
		const char *end = body + len, *tag = ++s, *close, *colon;

		close = memchr(s, '>', (size_t)(end - s));
		if (!close)
			return 0;
		colon = memchr(s, ':', (size_t)(close - s));
		if (colon)
			tag = colon + 1;
		if ((size_t)(close - tag) < n || strncasecmp(tag, name, n) != 0 ||
		    (tag[n] != '>' && tag[n] != ' '))
			continue;
		*text = close + 1;
		s = memchr(*text, '<', (size_t)(end - *text));
		return s ? (size_t)(s - *text) : 0;
	}
	return 0;
}

/* At most SHOWN_MAX characters in one line, none that a terminal would obey. */
static void
add_line(struct mlb_buf *out, const char *text, size_t len)
{
	size_t n = 0;
	bool space = false;

	for (size_t i = 0; i < len && n < SHOWN_MAX; n++) {
		unsigned char c = (unsigned char)text[i];
		size_t wide = mlb_utf8_char(text + i, len - i);

		if (c <= ' ' || c == 0x7f) {
			space = true;
			wide = 1;
		} else {
			if (space && out->len)
				mlb_buf_addc(out, ' ');
			space = false;
			/* U+0080 to U+009F are controls, too */
			if (!wide || (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
				mlb_buf_addc(out, '?');
			else
				mlb_buf_add(out, text + i, wide);
		}
		i += wide ? wide : 1;
	}
}

void
mlb_http_excerpt(struct mlb_buf *out, const char *body, size_t len)
{
	static const char *const names[] = { "Code", "Message", "title" };
	struct mlb_buf line = MLB_BUF_INIT(SHOWN_MAX * 16);
	const char *text = "";

	while (len && strchr(" \t\r\n", *body) && *body) {
		body++;
		len--;
	}
	if (len > 3 && !memcmp(body, "\xef\xbb\xbf", 3)) {
		body += 3;
		len -= 3;
	}
	for (size_t i = 0; len && *body == '<' && i < MLB_ARRAY_LEN(names); i++) {
		size_t n = element(&text, body, len, names[i]);

		if (n && line.len)
			mlb_buf_adds(&line, ": ");
		add_line(&line, text, n);
	}
	if (len && *body != '<')
		add_line(&line, body, len);
	mlb_buf_add(out, mlb_buf_str(&line), line.len);
	mlb_buf_release(&line);
}

static bool
holds(const char *text, const char *secret, size_t len)
{
	return len >= SECRET_MIN && memmem(text, strlen(text), secret, len) != NULL;
}

/* Does it hold a value of the URL's query? Those may be signatures. */
static bool
holds_query(const char *text, const char *url)
{
	const char *s = strchr(url, '?');

	while (s) {
		const char *value = s + 1 + strcspn(s + 1, "=&");
		size_t len = *value == '=' ? strcspn(value + 1, "&#") : 0;

		if (len >= PARAMETER_MIN && holds(text, value + 1, len))
			return true;
		s = strchr(s + 1, '&');
	}
	return false;
}

static bool
holds_secret(const struct mlb_http *h, const struct mlb_http_request *q, const char *text)
{
	for (size_t i = 0; i < h->secret.n; i++)
		if (holds(text, h->secret.v[i], strlen(h->secret.v[i])))
			return true;
	for (size_t i = 0; i < q->header.n; i++) {
		const char *value = mlb_http_secret_value(q->header.v[i]);
		const char *last = value ? strrchr(value, ' ') : NULL;

		if (value && (holds(text, value, strlen(value)) ||
			      (last && holds(text, last + 1, strlen(last + 1)))))
			return true;
	}
	return holds_query(text, mlb_buf_str(&q->url));
}

/* ------------------------------------------------------------ outcomes */

static void
set_fault(struct mlb_http_request *q, enum mlb_remote_fault fault)
{
	q->fault = fault;
	q->rc = mlb_remote_fault_code(fault);
	mlb_err_release(&q->err);
}

void
mlb_http_fail(struct mlb_http_request *q, enum mlb_remote_fault fault, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap); /* first: the old text may be among the arguments */
	va_end(ap);
	set_fault(q, fault);
	if (fault != MLB_FAULT_NONE)
		mlb_err_set(&q->err, (enum mlb_code)q->rc, "%s", text);
	free(text);
}

void
mlb_http_outcome(struct mlb_http_request *q, struct mlb_remote_op *op)
{
	op->rc = q->rc;
	op->fault = q->fault;
	op->retry_after = q->retry_after;
	mlb_err_release(&op->err);
	op->err = q->err;
	memset(&q->err, 0, sizeof(q->err));
}

/* "PUT https://host/name". */
static void
add_request(struct mlb_buf *out, const struct mlb_http_request *q)
{
	mlb_buf_addf(out, "%s '", q->method);
	mlb_http_shown(out, mlb_buf_str(&q->url));
	mlb_buf_addc(out, '\'');
}

static void
fail_by_curl(struct mlb_http *h, struct mlb_http_work *w, CURLcode code)
{
	struct mlb_http_request *q = w->q;
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB * 8), line = MLB_BUF_INIT(MLB_KIB * 2);
	const char *said = *w->said ? w->said : h->curl.easy_strerror(code);
	const char *advice;
	enum mlb_remote_fault fault = mlb_http_curl_fault(code, said, &advice);
	long proxy = 0;

	if (h->curl.easy_getinfo(w->easy, CURLINFO_HTTP_CONNECTCODE, &proxy) == CURLE_OK &&
	    proxy == 407) {
		fault = mlb_http_fault(407);
		advice = mlb_http_advice(407);
	}
	add_request(&text, q);
	add_line(&line, said, strlen(said));
	if (line.len && !holds_secret(h, q, mlb_buf_str(&line)))
		mlb_buf_addf(&text, ": %s", mlb_buf_str(&line));
	if (advice)
		mlb_buf_addf(&text, "; %s", advice);
	mlb_http_fail(q, fault, "%s", mlb_buf_str(&text));
	mlb_buf_release(&line);
	mlb_buf_release(&text);
}

static void
add_redirect(struct mlb_buf *text, const struct mlb_http_request *q)
{
	const char *to = mlb_http_answered(q, "Location");
	struct mlb_buf shown = MLB_BUF_INIT(MLB_KIB * 8);

	if (to) {
		mlb_http_shown(&shown, to);
		mlb_buf_adds(text, " and sends on to '");
		add_line(text, mlb_buf_str(&shown), shown.len);
		mlb_buf_adds(text, "'; is the url right?");
	}
	mlb_buf_release(&shown);
}

static void
fail_by_status(struct mlb_http *h, struct mlb_http_request *q)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB * 8), line = MLB_BUF_INIT(MLB_KIB * 4);
	enum mlb_remote_fault fault = mlb_http_fault(q->status);
	const char *reason = mlb_http_reason(q->status), *advice = mlb_http_advice(q->status);

	add_request(&text, q);
	mlb_buf_addf(&text, ": the server answers %u%s%s", q->status, *reason ? " " : "", reason);
	mlb_http_excerpt(&line, mlb_buf_str(&q->answer), q->answer.len);
	if (line.len && !holds_secret(h, q, mlb_buf_str(&line)))
		mlb_buf_addf(&text, ": %s", mlb_buf_str(&line));
	if (q->status / 100 == 3)
		add_redirect(&text, q);
	/* nginx says so of certificates */
	if (q->status == 400 && strstr(mlb_buf_str(&line), "SSL certificate")) {
		fault = MLB_FAULT_DENIED;
		advice = "set cert and key to a client's certificate that the server knows";
	}
	if (advice)
		mlb_buf_addf(&text, "; %s", advice);
	mlb_http_fail(q, fault, "%s", mlb_buf_str(&text));
	mlb_buf_release(&line);
	mlb_buf_release(&text);
}

/* A server that refuses need not read the whole body: what it answered counts, not that it hung up. */
static bool
answered(const struct mlb_http_request *q, CURLcode result)
{
	return result == CURLE_OK || (q->status >= 300 && result != CURLE_OPERATION_TIMEDOUT);
}

/* What libcurl's result means here. */
static CURLcode
truly(struct mlb_http_work *w, CURLcode result)
{
	/* An answer that is cut in its headers is one without a body to libcurl. */
	if (result == CURLE_OK && !w->headers_ended)
		return CURLE_GOT_NOTHING;
	/* By ourselves, where it was about to be sent a second time. */
	if (result != CURLE_ABORTED_BY_CALLBACK)
		return result;
	*w->said = '\0';
	return CURLE_GOT_NOTHING;
}

void
mlb_http_judge(struct mlb_http *h, struct mlb_http_work *w, CURLcode result)
{
	struct mlb_http_request *q = w->q;

	q->retry_after = mlb_http_retry_after(mlb_http_answered(q, "Retry-After"),
					      mlb_http_answered(q, "Date"));
	result = truly(w, result);
	if (w->stop < 0) {
		q->rc = w->stop;
		q->fault = w->stop == MLB_EINTERRUPTED ? MLB_FAULT_CANCELLED : MLB_FAULT_OTHER;
	} else if (w->stop == MLB_HTTP_ENOUGH) {
		set_fault(q, MLB_FAULT_NONE);
	} else if (w->too_big) {
		struct mlb_buf text = MLB_BUF_INIT(MLB_KIB * 8);

		add_request(&text, q);
		mlb_http_fail(q, MLB_FAULT_OTHER, "%s: the answer is longer than %zu bytes",
			      mlb_buf_str(&text), q->answer_max);
		mlb_buf_release(&text);
	} else if (!answered(q, result)) {
		fail_by_curl(h, w, result);
	} else if (q->status / 100 != 2) {
		fail_by_status(h, q);
	} else {
		set_fault(q, MLB_FAULT_NONE);
	}
	if (q->get)
		mlb_http_get_judge(q);
}
