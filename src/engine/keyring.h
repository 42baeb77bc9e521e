/*
 * Who may be believed: the public keys of [trust], and the user's own that signs.
 *
 * Ownership: the keyring owns its keys; it may be used from several threads.
 */
#ifndef ENGINE_KEYRING_H
#define ENGINE_KEYRING_H

#include "base/buf.h"
#include "base/vec.h"
#include "os/sign.h"

#define MLB_KEY_ID_LEN 8 /* first bytes of the SHA-256 of a public key */

struct mlb_config;

struct mlb_key {
	char *name;
	char *file; /* that it was read from, or "$MLBUILD_SIGNING_KEY" */
	uint8_t public_key[MLB_PUBLIC_LEN];
	uint8_t id[MLB_KEY_ID_LEN];
	uint8_t seed[MLB_SEED_LEN]; /* of the user's own */
};
MLB_VEC_NAMED(mlb_key_list, struct mlb_key);

struct mlb_keyring {
	struct mlb_sign *sign; /* NULL: nothing is trusted or signed, and nothing loaded */
	struct mlb_key_list trusted;
	struct mlb_key_list own;     /* sorted by name */
	const struct mlb_key *signs; /* the one of own that signs; NULL: none */
	bool required;               /* what nobody of these signed is not used */
};

/*
 * The keys of [trust] keys (files below root), and the user's. The first of the user's
 * that is trusted signs, $MLBUILD_SIGNING_KEY before all. Without [trust] it is empty.
 * MLB_EINVALID names a file that is no key, or mode = required without keys.
 */
int mlb_keyring_open(struct mlb_keyring *out, const struct mlb_config *c, struct mlb_err *err);
int mlb_keyring_own(struct mlb_keyring *out,
		    struct mlb_err *err); /* the user's alone, of no project */
void mlb_keyring_release(struct mlb_keyring *k);

/* With k->signs. */
int mlb_keyring_sign(struct mlb_keyring *k, uint8_t signature[MLB_SIGNATURE_LEN], const void *data,
		     size_t len, struct mlb_err *err);
/* Did a key that is trusted sign these bytes? Its name, or NULL. */
const char *mlb_keyring_signer(struct mlb_keyring *k, const uint8_t id[MLB_KEY_ID_LEN],
			       const uint8_t signature[MLB_SIGNATURE_LEN], const void *data,
			       size_t len);

/* For keys.c. */
#define MLB_PRIVATE_LINE "mlbuild-private-key 1 "
#define MLB_PUBLIC_LINE "mlbuild-public-key 1 "
char *mlb_keys_dir(void); /* the user's; NULL: they have no home. Owned by the caller. */
const struct mlb_key *mlb_key_find(const struct mlb_key_list *list,
				   const uint8_t id[MLB_KEY_ID_LEN]);

#endif
