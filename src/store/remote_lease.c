/*
 * Files below leases/ of a remote. HEX is 16 random digits.
 *
 *   push-HEX.txt        somebody pushes:
 *                       mlbuild-push 1
 *                       start SECONDS   since 1970 by the server's clock; 0: when this was written
 *
 *   condemned-HEX.txt   packs that nothing needed when this was written:
 *                       mlbuild-condemned-packs 1
 *                       pack DIGEST     any number
 *                       sum DIGEST      SHA-256 of all the bytes before this line
 *
 *   collector.txt       there while somebody collects; what is in it means nothing
 *
 * Lines end in a line feed, fields are separated by one space.
 */
#include "store/remote_lease.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/text.h"
#include "os/machine.h"
#include "store/text_lines.h"

#define PUSH "mlbuild-push 1\nstart "
#define CONDEMNED "mlbuild-condemned-packs 1\n"
#define DIGITS 20 /* most of a number */

void
mlb_remote_lease_format(struct mlb_buf *out, int64_t start)
{
	mlb_buf_addf(out, PUSH "%" PRId64 "\n", start);
}

int
mlb_remote_lease_parse(int64_t *start, const char *text, size_t len, struct mlb_err *err)
{
	struct mlb_text_reader r = { text, text, text + len };
	char number[DIGITS + 1];
	uint64_t v;

	if (mlb_text_take(&r, PUSH) && mlb_text_line(&r) <= DIGITS &&
	    mlb_text_take_rest(&r, number) && r.at == r.end && mlb_parse_u64(number, &v) &&
	    v <= (uint64_t)INT64_MAX) {
		*start = (int64_t)v;
		return 0;
	}
	return mlb_err_set(err, MLB_ECORRUPT, "no lease of a push of this version");
}

void
mlb_remote_condemned_format(struct mlb_buf *out, const struct mlb_remote_packs *packs)
{
	size_t start = out->len;
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest sum;

	mlb_buf_adds(out, CONDEMNED);
	for (size_t i = 0; i < packs->n; i++) {
		mlb_digest_hex(hex, &packs->v[i]);
		mlb_buf_addf(out, "pack %s\n", hex);
	}
	mlb_sha256_of(&sum, mlb_buf_str(out) + start, out->len - start);
	mlb_digest_hex(hex, &sum);
	mlb_buf_addf(out, "sum %s\n", hex);
}

static bool
take_packs(struct mlb_text_reader *r, struct mlb_remote_packs *out)
{
	struct mlb_digest d, now;

	if (!mlb_text_take(r, CONDEMNED))
		return false;
	while (mlb_text_take(r, "pack ")) {
		if (!mlb_text_take_digest(r, &d) || !mlb_text_take(r, "\n"))
			return false;
		mlb_vec_push(out, d);
	}
	mlb_sha256_of(&now, r->start, (size_t)(r->at - r->start));
	return mlb_text_take(r, "sum ") && mlb_text_take_digest(r, &d) &&
	       mlb_digest_equal(&d, &now) && mlb_text_take(r, "\n") && r->at == r->end;
}

int
mlb_remote_condemned_parse(struct mlb_remote_packs *out, const char *text, size_t len,
			   struct mlb_err *err)
{
	struct mlb_text_reader r = { text, text, text + len };

	memset(out, 0, sizeof(*out));
	if (take_packs(&r, out))
		return 0;
	mlb_vec_release(out);
	return mlb_err_set(err, MLB_ECORRUPT, "no list of condemned packs of this version");
}

/* ---------------------------------------------------------- names */

static const struct {
	const char *prefix;
	enum mlb_remote_lease kind;
} kinds[] = { { "push-", MLB_LEASE_PUSH }, { "condemned-", MLB_LEASE_CONDEMNED } };

enum mlb_remote_lease
mlb_remote_lease_kind(const char *name)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds); i++)
		if (mlb_str_starts(name, kinds[i].prefix) && mlb_str_ends(name, ".txt"))
			return kinds[i].kind;
	return MLB_LEASE_NONE;
}

int
mlb_remote_lease_name(char **out, enum mlb_remote_lease kind, struct mlb_err *err)
{
	char hex[17];
	uint64_t r;
	int rc = mlb_machine_random(&r, sizeof(r), err);

	if (rc)
		return rc;
	mlb_hex_encode(hex, &r, sizeof(r));
	*out = mlb_asprintf("leases/%s%s.txt", kinds[kind == MLB_LEASE_CONDEMNED].prefix, hex);
	return 0;
}
