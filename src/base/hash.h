/*
 * SHA-256 (FIPS 180-4), by libcrypto, which uses the CPU's SHA instructions.
 * The low-level functions are used on purpose: fetching an algorithm through
 * EVP reads openssl.cnf and costs a millisecond at start.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/compat.h"

#define MLB_DIGEST_LEN 32
#define MLB_HEX_LEN 64

struct mlb_digest {
	uint8_t b[MLB_DIGEST_LEN];
};

struct mlb_sha256 {
	uint64_t state[16]; /* room for a SHA256_CTX (112 bytes), checked at compile time */
};

void mlb_sha256_init(struct mlb_sha256 *h);
void mlb_sha256_update(struct mlb_sha256 *h, const void *data, size_t len);
void mlb_sha256_final(struct mlb_sha256 *h, struct mlb_digest *out);
void mlb_sha256_of(struct mlb_digest *out, const void *data, size_t len);

bool mlb_digest_equal(const struct mlb_digest *a, const struct mlb_digest *b);
bool mlb_digest_is_zero(const struct mlb_digest *d); /* all zero means "none" everywhere */
int mlb_digest_cmp(const struct mlb_digest *a, const struct mlb_digest *b);

#endif
