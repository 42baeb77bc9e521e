/*
 * Key files, one line each:
 *
 *	mlbuild-private-key 1 NAME BASE64      the 32 bytes of RFC 8032's private key
 *	mlbuild-public-key 1 NAME BASE64       the 32 bytes of its public key
 *
 * Lines that are empty or begin with '#' are passed over; a file of public keys may have
 * several.
 */
#include "engine/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/project.h"
#include "graph/config.h"
#include "os/fs.h"
#include "os/path.h"

#define SIGNING_KEY "MLBUILD_SIGNING_KEY"
enum { MAX_KEY_FILE = 64 << 10 };

static void
release_keys(struct mlb_key_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].name);
		free(list->v[i].file);
		explicit_bzero(list->v[i].seed, MLB_SEED_LEN);
	}
	mlb_vec_release(list);
}

void
mlb_keyring_release(struct mlb_keyring *k)
{
	release_keys(&k->trusted);
	release_keys(&k->own);
	mlb_sign_close(k->sign);
	memset(k, 0, sizeof(*k));
}

static void
find_id(struct mlb_key *key)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, key->public_key, MLB_PUBLIC_LEN);
	memcpy(key->id, d.b, MLB_KEY_ID_LEN);
}

/* "NAME BASE64" of 32 bytes. */
static bool
parse_key(struct mlb_key *key, uint8_t bytes[32], const char *text, size_t len)
{
	struct mlb_buf raw = MLB_BUF_INIT(MLB_KIB);
	const char *blank = memchr(text, ' ', len);
	bool good = blank && mlb_base64_decode(&raw, blank + 1, len - (size_t)(blank + 1 - text)) &&
		    raw.len == 32;

	if (good) {
		memcpy(bytes, raw.data, 32);
		key->name = mlb_strndup(text, (size_t)(blank - text));
		good = mlb_name_valid(key->name);
	}
	if (raw.data)
		explicit_bzero(raw.data, raw.len);
	mlb_buf_release(&raw);
	return good;
}

/* One line; a private key's public one is computed. */
static int
take_line(struct mlb_keyring *k, struct mlb_key_list *to, bool is_private, const char *line,
	  size_t len, const char *file, struct mlb_err *err)
{
	const char *head = is_private ? MLB_PRIVATE_LINE : MLB_PUBLIC_LINE;
	size_t n = strlen(head);
	struct mlb_key key = { 0 };
	int rc = 0;

	if (len && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return 0;
	if (len < n || memcmp(line, head, n) != 0 ||
	    !parse_key(&key, is_private ? key.seed : key.public_key, line + n, len - n))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s' is no %s key of mlbuild: 'mlbuild key new' makes one", file,
				 is_private ? "private" : "public");
	if (rc == 0 && is_private)
		rc = mlb_sign_public(k->sign, key.public_key, key.seed, err);
	if (rc) {
		free(key.name);
		explicit_bzero(key.seed, sizeof(key.seed));
		return rc;
	}
	find_id(&key);
	key.file = mlb_strdup(file);
	mlb_vec_push(to, key);
	return 0;
}

static int
take_text(struct mlb_keyring *k, struct mlb_key_list *to, bool is_private, const char *text,
	  const char *file, struct mlb_err *err)
{
	size_t before = to->n;
	int rc = 0;

	while (*text && rc == 0) {
		size_t len = strcspn(text, "\n");

		rc = take_line(k, to, is_private, text, len, file, err);
		text += len + (text[len] == '\n');
	}
	if (rc == 0 && to->n == before)
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' has no key: 'mlbuild key new' makes one",
				 file);
	return rc;
}

static int
take_file(struct mlb_keyring *k, struct mlb_key_list *to, bool is_private, const char *path,
	  const char *shown, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_KEY_FILE);
	int rc = mlb_fs_read(&text, path, err);

	if (rc == 0)
		rc = take_text(k, to, is_private, mlb_buf_str(&text), shown, err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	mlb_buf_release(&text);
	return rc;
}

char *
mlb_keys_dir(void)
{
	char *config = mlb_user_config_dir(), *dir = NULL;

	if (config)
		dir = mlb_asprintf("%s/keys", config);
	free(config);
	return dir;
}

static int
take_own(struct mlb_keyring *k, struct mlb_err *err)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	const char *given = getenv(SIGNING_KEY);
	char *dir = mlb_keys_dir();
	int rc = 0;

	if (given && *given)
		rc = take_text(k, &k->own, true, given, "$" SIGNING_KEY, err);
	if (rc == 0 && dir && mlb_fs_exists(dir))
		rc = mlb_fs_list(&list, dir, err);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		if (mlb_str_ends(list.v[i].name, ".key"))
			rc = take_file(k, &k->own, true, path, path, err);
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

const struct mlb_key *
mlb_key_find(const struct mlb_key_list *list, const uint8_t id[MLB_KEY_ID_LEN])
{
	for (size_t i = 0; i < list->n; i++)
		if (memcmp(list->v[i].id, id, MLB_KEY_ID_LEN) == 0)
			return &list->v[i];
	return NULL;
}

static int
take_trusted(struct mlb_keyring *k, const struct mlb_config *c, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->trust_keys.n && rc == 0; i++) {
		struct mlb_buf path = MLB_BUF_INIT(MLB_MIB);

		mlb_path_join(&path, c->root, c->trust_keys.v[i].s);
		if (!mlb_fs_exists(mlb_buf_str(&path)))
			rc = mlb_err_set(err, MLB_EINVALID,
					 "'%s' is not there: 'mlbuild key new' makes a key, whose "
					 "public half belongs there",
					 c->trust_keys.v[i].s);
		else
			rc = take_file(k, &k->trusted, false, mlb_buf_str(&path),
				       c->trust_keys.v[i].s, err);
		if (rc && err)
			mlb_err_wrap(err, "[trust] keys");
		mlb_buf_release(&path);
	}
	return rc;
}

int
mlb_keyring_open(struct mlb_keyring *out, const struct mlb_config *c, struct mlb_err *err)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->required = c->trust[0] != '\0';
	if (out->required && !c->trust_keys.n)
		return mlb_err_set(err, MLB_EINVALID,
				   "[trust] has mode = required and no keys: nothing could be used; "
				   "name files of public keys in 'keys'");
	if (!c->trust_keys.n)
		return 0;
	rc = mlb_sign_open(&out->sign, err);
	if (rc == 0)
		rc = take_trusted(out, c, err);
	if (rc == 0)
		rc = take_own(out, err);
	for (size_t i = 0; i < out->own.n && rc == 0 && !out->signs; i++)
		if (mlb_key_find(&out->trusted, out->own.v[i].id))
			out->signs = &out->own.v[i];
	if (rc)
		mlb_keyring_release(out);
	return rc;
}

int
mlb_keyring_own(struct mlb_keyring *out, struct mlb_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = mlb_sign_open(&out->sign, err);
	if (rc == 0)
		rc = take_own(out, err);
	if (rc)
		mlb_keyring_release(out);
	return rc;
}

int
mlb_keyring_sign(struct mlb_keyring *k, uint8_t signature[MLB_SIGNATURE_LEN], const void *data,
		 size_t len, struct mlb_err *err)
{
	return mlb_sign_make(k->sign, signature, k->signs->seed, data, len, err);
}

const char *
mlb_keyring_signer(struct mlb_keyring *k, const uint8_t id[MLB_KEY_ID_LEN],
		   const uint8_t signature[MLB_SIGNATURE_LEN], const void *data, size_t len)
{
	const struct mlb_key *key = mlb_key_find(&k->trusted, id);

	return key && mlb_sign_good(k->sign, signature, key->public_key, data, len) ? key->name
										    : NULL;
}
