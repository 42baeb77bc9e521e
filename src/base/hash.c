#include "base/hash.h"

#include <string.h>

/* See hash.h for why the functions that OpenSSL 3 calls deprecated are used. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct mlb_sha256), "mlb_sha256 is too small");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct mlb_sha256), "mlb_sha256 is misaligned");
_Static_assert(SHA256_DIGEST_LENGTH == MLB_DIGEST_LEN, "a digest is 32 bytes");

static SHA256_CTX *
ctx(struct mlb_sha256 *h)
{
	return (SHA256_CTX *)(void *)h->state;
}

void
mlb_sha256_init(struct mlb_sha256 *h)
{
	SHA256_Init(ctx(h));
}

void
mlb_sha256_update(struct mlb_sha256 *h, const void *data, size_t len)
{
	if (len)
		SHA256_Update(ctx(h), data, len);
}

void
mlb_sha256_final(struct mlb_sha256 *h, struct mlb_digest *out)
{
	SHA256_Final(out->b, ctx(h));
}

void
mlb_sha256_of(struct mlb_digest *out, const void *data, size_t len)
{
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	mlb_sha256_update(&h, data, len);
	mlb_sha256_final(&h, out);
}

bool
mlb_digest_equal(const struct mlb_digest *a, const struct mlb_digest *b)
{
	return memcmp(a->b, b->b, MLB_DIGEST_LEN) == 0;
}

bool
mlb_digest_is_zero(const struct mlb_digest *d)
{
	static const struct mlb_digest zero;

	return mlb_digest_equal(d, &zero);
}

int
mlb_digest_cmp(const struct mlb_digest *a, const struct mlb_digest *b)
{
	return memcmp(a->b, b->b, MLB_DIGEST_LEN);
}
