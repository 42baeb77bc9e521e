#include "azure_sign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hmac.h"

enum { MAX_TEXT = 64 * 1024 };

void
mlb_azure_date(char out[MLB_AZURE_DATE_LEN + 1], int64_t seconds)
{
	/* strftime would write them in the user's language. */
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct mlb_buf text = MLB_BUF_INIT(64);
	time_t t = (time_t)seconds;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&t, &tm);
	mlb_buf_addf(&text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		     days + 3 * (size_t)tm.tm_wday, tm.tm_mday, months + 3 * (size_t)tm.tm_mon,
		     tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	out[0] = '\0'; /* of a year with five digits */
	if (text.len == MLB_AZURE_DATE_LEN)
		memcpy(out, text.data, MLB_AZURE_DATE_LEN + 1);
	mlb_buf_release(&text);
}

/* Where the value of "Name: value" begins, if that is the name. */
static const char *
value_of(const char *header, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(header, name, n) != 0 || header[n] != ':')
		return NULL;
	header += n + 1;
	return header + strspn(header, " \t");
}

static const char *
find(const struct mlb_strvec *header, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < header->n && !value; i++)
		value = value_of(header->v[i], name);
	return value ? value : "";
}

/* "x-ms-date:Fri, …" of "X-Ms-Date: Fri, …"; owned by the caller. */
static char *
canonical_header(const char *header)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	size_t n = strcspn(header, ":");

	for (size_t i = 0; i < n; i++)
		mlb_buf_addc(&b, header[i] >= 'A' && header[i] <= 'Z' ? (char)(header[i] + 32)
								      : header[i]);
	mlb_buf_addc(&b, ':');
	if (header[n])
		mlb_buf_adds(&b, header + n + 1 + strspn(header + n + 1, " \t"));
	return mlb_buf_detach(&b);
}

static void
add_headers(struct mlb_buf *out, const struct mlb_strvec *header)
{
	struct mlb_strvec line = MLB_VEC_INIT;

	for (size_t i = 0; i < header->n; i++)
		if (!strncasecmp(header->v[i], "x-ms-", strlen("x-ms-")))
			mlb_vec_push(&line, canonical_header(header->v[i]));
	/* ':' is above '-', but no name of ours begins with another one and '-'. */
	mlb_strvec_sort(&line, false);
	for (size_t i = 0; i < line.n; i++)
		mlb_buf_addf(out, "%s\n", line.v[i]);
	mlb_strvec_release(&line);
}

static void
add_resource(struct mlb_buf *out, const struct mlb_azure_request *r)
{
	struct mlb_strvec line = MLB_VEC_INIT;

	mlb_buf_addf(out, "/%s%s", r->account, r->path);
	for (size_t i = 0; i < r->n_query; i++)
		mlb_vec_push(&line, mlb_asprintf("%s:%s", r->query[i].name, r->query[i].value));
	mlb_strvec_sort(&line, false);
	for (size_t i = 0; i < line.n; i++)
		mlb_buf_addf(out, "\n%s", line.v[i]);
	mlb_strvec_release(&line);
}

void
mlb_azure_string_to_sign(struct mlb_buf *out, const struct mlb_azure_request *r)
{
	static const char *const before[] = { "Content-Encoding", "Content-Language" };
	static const char *const after[] = { "Content-MD5",         "Content-Type", "Date",
					     "If-Modified-Since",   "If-Match",     "If-None-Match",
					     "If-Unmodified-Since", "Range" };

	mlb_buf_addf(out, "%s\n", r->method);
	for (size_t i = 0; i < MLB_ARRAY_LEN(before); i++)
		mlb_buf_addf(out, "%s\n", find(r->header, before[i]));
	if (r->size)
		mlb_buf_addf(out, "%" PRIu64, r->size);
	mlb_buf_addc(out, '\n');
	for (size_t i = 0; i < MLB_ARRAY_LEN(after); i++)
		mlb_buf_addf(out, "%s\n", find(r->header, after[i]));
	add_headers(out, r->header);
	add_resource(out, r);
}

void
mlb_azure_sign(struct mlb_buf *out, const struct mlb_azure_request *r, const void *key,
	       size_t key_len)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_digest mac;

	mlb_azure_string_to_sign(&text, r);
	mlb_hmac_sha256(&mac, key, key_len, mlb_buf_str(&text), text.len);
	mlb_buf_addf(out, "SharedKey %s:", r->account);
	mlb_base64_add(out, mac.b, sizeof(mac.b));
	mlb_buf_release(&text);
}
