#include "base/hmac.h"

#include <string.h>

#include <openssl/crypto.h>

enum { BLOCK = 64 }; /* bytes, of SHA-256 */

static void
pass(struct mlb_digest *out, const uint8_t *key, uint8_t pad, const void *data, size_t len)
{
	uint8_t block[BLOCK];
	struct mlb_sha256 h;

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	mlb_sha256_init(&h);
	mlb_sha256_update(&h, block, BLOCK);
	mlb_sha256_update(&h, data, len);
	mlb_sha256_final(&h, out);
	OPENSSL_cleanse(block, sizeof(block));
}

void
mlb_hmac_sha256(struct mlb_digest *out, const void *key, size_t key_len, const void *data,
		size_t len)
{
	uint8_t block[BLOCK] = { 0 };
	struct mlb_digest inner;

	if (key_len > BLOCK) {
		mlb_sha256_of(&inner, key, key_len);
		memcpy(block, inner.b, MLB_DIGEST_LEN);
	} else if (key_len) {
		memcpy(block, key, key_len);
	}
	pass(&inner, block, 0x36, data, len);
	pass(out, block, 0x5c, inner.b, MLB_DIGEST_LEN);
	OPENSSL_cleanse(block, sizeof(block));
}
