#include "os/sign.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define LIBCRYPTO "libcrypto.so." NUMBER(OPENSSL_VERSION_MAJOR)

/* Name, result, arguments: as <openssl/evp.h> has them. */
#define FUNCTIONS(X)                                                                               \
	X(EVP_PKEY_new_raw_private_key, EVP_PKEY *,                                                \
	  (int, ENGINE *, const unsigned char *, size_t))                                          \
	X(EVP_PKEY_new_raw_public_key, EVP_PKEY *, (int, ENGINE *, const unsigned char *, size_t)) \
	X(EVP_PKEY_get_raw_public_key, int, (const EVP_PKEY *, unsigned char *, size_t *))         \
	X(EVP_PKEY_free, void, (EVP_PKEY *))                                                       \
	X(EVP_MD_CTX_new, EVP_MD_CTX *, (void))                                                    \
	X(EVP_MD_CTX_free, void, (EVP_MD_CTX *))                                                   \
	X(EVP_DigestSignInit, int,                                                                 \
	  (EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *))                   \
	X(EVP_DigestSign, int,                                                                     \
	  (EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t))                \
	X(EVP_DigestVerifyInit, int,                                                               \
	  (EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *))                   \
	X(EVP_DigestVerify, int,                                                                   \
	  (EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t))

#define POINTER(name, result, arguments)                                                           \
	result(*name) arguments; /* NOLINT(bugprone-macro-parentheses) */
#define ENTRY(name, result, arguments) { #name, offsetof(struct mlb_sign, name) },

struct mlb_sign {
	void *library;
	FUNCTIONS(POINTER)
};

static const struct {
	const char *name;
	size_t offset;
} entries[] = { FUNCTIONS(ENTRY) };

static int
find_functions(struct mlb_sign *s, struct mlb_err *err)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(entries); i++) {
		void *found = dlsym(s->library, entries[i].name);

		if (!found)
			return mlb_err_set(err, MLB_ESYSTEM,
					   LIBCRYPTO " has no function %s: install OpenSSL %d",
					   entries[i].name, OPENSSL_VERSION_MAJOR);
		memcpy((char *)s + entries[i].offset, &found, sizeof(found));
	}
	return 0;
}

int
mlb_sign_open(struct mlb_sign **out, struct mlb_err *err)
{
	struct mlb_sign *s = mlb_calloc(1, sizeof(*s));
	int rc = 0;

	/* Never unmapped: what it does at exit must still be there. */
	s->library = dlopen(LIBCRYPTO, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!s->library)
		rc = mlb_err_set(err, MLB_ESYSTEM,
				 "signatures need " LIBCRYPTO " (Debian's libssl%d): %s",
				 OPENSSL_VERSION_MAJOR, dlerror());
	if (rc == 0)
		rc = find_functions(s, err);
	if (rc) {
		mlb_sign_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
mlb_sign_close(struct mlb_sign *s)
{
	if (s && s->library)
		dlclose(s->library);
	free(s);
}

int
mlb_sign_public(struct mlb_sign *s, uint8_t out[MLB_PUBLIC_LEN], const uint8_t seed[MLB_SEED_LEN],
		struct mlb_err *err)
{
	EVP_PKEY *key = s->EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MLB_SEED_LEN);
	size_t len = MLB_PUBLIC_LEN;
	bool good = key && s->EVP_PKEY_get_raw_public_key(key, out, &len) == 1 &&
		    len == MLB_PUBLIC_LEN;

	s->EVP_PKEY_free(key);
	return good ? 0
		    : mlb_err_set(err, MLB_ESYSTEM,
				  "libcrypto makes no Ed25519 key: is it "
				  "restricted to FIPS algorithms?");
}

int
mlb_sign_make(struct mlb_sign *s, uint8_t out[MLB_SIGNATURE_LEN], const uint8_t seed[MLB_SEED_LEN],
	      const void *data, size_t len, struct mlb_err *err)
{
	EVP_PKEY *key = s->EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MLB_SEED_LEN);
	EVP_MD_CTX *ctx = s->EVP_MD_CTX_new();
	size_t n = MLB_SIGNATURE_LEN;
	bool good = key && ctx && s->EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    s->EVP_DigestSign(ctx, out, &n, data, len) == 1 && n == MLB_SIGNATURE_LEN;

	s->EVP_MD_CTX_free(ctx);
	s->EVP_PKEY_free(key);
	return good ? 0
		    : mlb_err_set(err, MLB_ESYSTEM,
				  "libcrypto makes no Ed25519 signature: is it "
				  "restricted to FIPS algorithms?");
}

bool
mlb_sign_good(struct mlb_sign *s, const uint8_t signature[MLB_SIGNATURE_LEN],
	      const uint8_t public_key[MLB_PUBLIC_LEN], const void *data, size_t len)
{
	EVP_PKEY *key =
		s->EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, MLB_PUBLIC_LEN);
	EVP_MD_CTX *ctx = s->EVP_MD_CTX_new();
	bool good = key && ctx && s->EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    s->EVP_DigestVerify(ctx, signature, MLB_SIGNATURE_LEN, data, len) == 1;

	s->EVP_MD_CTX_free(ctx);
	s->EVP_PKEY_free(key);
	return good;
}
