#include "remotes/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/vec.h"

enum { MAX_CANONICAL = 1 << 20, MAX_SCOPE = 1024, DATE_LEN = 8 };

const struct mlb_sigv4_dialect mlb_sigv4_aws = {
	.algorithm = "AWS4-HMAC-SHA256",
	.key_prefix = "AWS4",
	.terminator = "aws4_request",
	.date = "x-amz-date",
	.payload = "x-amz-content-sha256",
	.token = "x-amz-security-token",
};

const struct mlb_sigv4_dialect mlb_sigv4_goog = {
	.algorithm = "GOOG4-HMAC-SHA256",
	.key_prefix = "GOOG4",
	.terminator = "goog4_request",
	.date = "x-goog-date",
	.payload = "x-goog-content-sha256",
	.token = NULL,
};

void
mlb_sigv4_time(char out[MLB_SIGV4_TIME_LEN + 1], int64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / 1000000000);
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&t, &tm);
	if (strftime(out, MLB_SIGV4_TIME_LEN + 1, "%Y%m%dT%H%M%SZ", &tm) == 0)
		out[0] = '\0'; /* a year of five digits */
}

/* ------------------------------------------------------------- encoding */

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void
mlb_sigv4_encode(struct mlb_buf *out, const char *s, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_unreserved(c) || (c == '/' && keep_slash)) {
			mlb_buf_addc(out, (char)c);
		} else {
			mlb_buf_addc(out, '%');
			mlb_buf_addc(out, hex[c >> 4]);
			mlb_buf_addc(out, hex[c & 15]);
		}
	}
}

void
mlb_sigv4_path(struct mlb_buf *out, const char *path)
{
	mlb_sigv4_encode(out, path, true);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Encoded names are followed by a byte below all that can be in them, so that "a" comes
 * before "a-b": '=' would be above '-' and '.'.
 */
static char *
sortable(const struct mlb_sigv4_pair *p)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CANONICAL);

	mlb_sigv4_encode(&b, p->name, false);
	mlb_buf_addc(&b, '\1');
	mlb_sigv4_encode(&b, p->value, false);
	return mlb_buf_detach(&b);
}

void
mlb_sigv4_query(struct mlb_buf *out, const struct mlb_sigv4_pair *query, size_t n)
{
	struct mlb_strvec text = MLB_VEC_INIT;

	for (size_t i = 0; i < n; i++)
		mlb_vec_push(&text, sortable(&query[i]));
	if (n)
		qsort(text.v, n, sizeof(*text.v), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i)
			mlb_buf_addc(out, '&');
		*strchr(text.v[i], '\1') = '=';
		mlb_buf_adds(out, text.v[i]);
	}
	mlb_strvec_release(&text);
}

/* ------------------------------------------------- the canonical request */

static int
by_name(const void *a, const void *b)
{
	const struct mlb_sigv4_pair *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The headers sorted by name; owned by the caller. */
static const struct mlb_sigv4_pair **
sorted_headers(const struct mlb_sigv4_request *r)
{
	const struct mlb_sigv4_pair **sorted = mlb_calloc(r->n_header + 1, sizeof(const void *));

	for (size_t i = 0; i < r->n_header; i++)
		sorted[i] = &r->header[i];
	qsort(sorted, r->n_header, sizeof(const void *), by_name);
	return sorted;
}

/* Without blanks at both ends, and with one where there are more. */
static void
add_trimmed(struct mlb_buf *out, const char *s)
{
	bool blank = false;

	s += strspn(s, " \t");
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t') {
			blank = true;
			continue;
		}
		if (blank)
			mlb_buf_addc(out, ' ');
		blank = false;
		mlb_buf_addc(out, *s);
	}
}

static void
add_signed_headers(struct mlb_buf *out, const struct mlb_sigv4_request *r)
{
	const struct mlb_sigv4_pair **sorted = sorted_headers(r);

	for (size_t i = 0; i < r->n_header; i++)
		mlb_buf_addf(out, "%s%s", i ? ";" : "", sorted[i]->name);
	free(sorted);
}

void
mlb_sigv4_canonical(struct mlb_buf *out, const struct mlb_sigv4_request *r)
{
	const struct mlb_sigv4_pair **sorted = sorted_headers(r);

	mlb_buf_addf(out, "%s\n", r->method);
	mlb_sigv4_path(out, r->path);
	mlb_buf_addc(out, '\n');
	mlb_sigv4_query(out, r->query, r->n_query);
	mlb_buf_addc(out, '\n');
	for (size_t i = 0; i < r->n_header; i++) {
		mlb_buf_addf(out, "%s:", sorted[i]->name);
		add_trimmed(out, sorted[i]->value);
		mlb_buf_addc(out, '\n');
	}
	mlb_buf_addc(out, '\n');
	add_signed_headers(out, r);
	mlb_buf_addf(out, "\n%s", r->payload);
	free(sorted);
}

/* -------------------------------------------------------------- signing */

static void
step(struct mlb_digest *key, const char *data)
{
	struct mlb_digest next;

	mlb_hmac_sha256(&next, key->b, sizeof(key->b), data, strlen(data));
	*key = next;
}

static void
signing_key(struct mlb_digest *out, const struct mlb_sigv4_key *key, const char *date)
{
	char *secret = mlb_asprintf("%s%s", key->dialect->key_prefix, key->secret);

	mlb_hmac_sha256(out, secret, strlen(secret), date, strlen(date));
	step(out, key->region);
	step(out, key->service);
	step(out, key->dialect->terminator);
	free(secret);
}

static void
signature(char out[MLB_HEX_LEN + 1], const struct mlb_sigv4_key *key,
	  const struct mlb_sigv4_request *r, const char *time, const char *scope)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_CANONICAL);
	char hex[MLB_HEX_LEN + 1], date[DATE_LEN + 1];
	struct mlb_digest d;

	mlb_sigv4_canonical(&text, r);
	mlb_sha256_of(&d, mlb_buf_str(&text), text.len);
	mlb_digest_hex(hex, &d);
	mlb_buf_clear(&text);
	mlb_buf_addf(&text, "%s\n%s\n%s\n%s", key->dialect->algorithm, time, scope, hex);

	snprintf(date, sizeof(date), "%.*s", DATE_LEN, time);
	signing_key(&d, key, date);
	step(&d, mlb_buf_str(&text));
	mlb_digest_hex(out, &d);
	mlb_buf_release(&text);
}

void
mlb_sigv4_sign(struct mlb_buf *out, const struct mlb_sigv4_key *key,
	       const struct mlb_sigv4_request *r, const char *time)
{
	char *scope = mlb_asprintf("%.*s/%s/%s/%s", DATE_LEN, time, key->region, key->service,
				   key->dialect->terminator);
	char hex[MLB_HEX_LEN + 1];

	signature(hex, key, r, time, scope);
	mlb_buf_addf(out, "%s Credential=%s/%s,SignedHeaders=", key->dialect->algorithm, key->id,
		     scope);
	add_signed_headers(out, r);
	mlb_buf_addf(out, ",Signature=%s", hex);
	free(scope);
}
