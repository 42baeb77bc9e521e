/*
 * Ed25519 signatures (RFC 8032) by libcrypto, which is loaded when the first is made or
 * looked at: linking that part of it would cost every start.
 *
 * Ownership: the handle may be used from several threads.
 */
#ifndef OS_SIGN_H
#define OS_SIGN_H

#include "base/compat.h"
#include "mlbuild/err.h"

#define MLB_SEED_LEN 32 /* bytes of a private key (RFC 8032, section 5.1.5) */
#define MLB_PUBLIC_LEN 32
#define MLB_SIGNATURE_LEN 64

struct mlb_sign;

int mlb_sign_open(struct mlb_sign **out, struct mlb_err *err);
void mlb_sign_close(struct mlb_sign *s); /* NULL is allowed */

/* The public key of a private one. */
int mlb_sign_public(struct mlb_sign *s, uint8_t out[MLB_PUBLIC_LEN],
		    const uint8_t seed[MLB_SEED_LEN], struct mlb_err *err);
int mlb_sign_make(struct mlb_sign *s, uint8_t out[MLB_SIGNATURE_LEN],
		  const uint8_t seed[MLB_SEED_LEN], const void *data, size_t len,
		  struct mlb_err *err);
/* Is it one of this key for these bytes? What cannot be looked at is none. */
bool mlb_sign_good(struct mlb_sign *s, const uint8_t signature[MLB_SIGNATURE_LEN],
		   const uint8_t public_key[MLB_PUBLIC_LEN], const void *data, size_t len);

#endif
