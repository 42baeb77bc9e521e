/* HMAC-SHA256 (RFC 2104), which signs requests to object stores. */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include "base/hash.h"

void mlb_hmac_sha256(struct mlb_digest *out, const void *key, size_t key_len, const void *data,
		     size_t len);

#endif
