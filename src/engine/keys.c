/* Making keys, and telling which there are. Their files: keyring.c. */
#include "mlbuild/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/hex.h"
#include "engine/keyring.h"
#include "engine/project.h"
#include "graph/config.h"
#include "os/fs.h"
#include "os/machine.h"

static void
key_text(struct mlb_buf *out, const char *head, const char *name, const uint8_t bytes[32])
{
	mlb_buf_addf(out, "%s%s ", head, name);
	mlb_base64_add(out, bytes, 32);
	mlb_buf_addc(out, '\n');
}

/* Readable for its owner alone from the beginning; never over another one. */
static int
write_private(const char *path, const struct mlb_buf *text, struct mlb_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const char *data = mlb_buf_str(text);
	size_t left = text->len;

	if (fd < 0 && errno == EEXIST)
		return mlb_err_set(err, MLB_EEXISTS,
				   "'%s' exists already: no key is replaced; choose another name",
				   path);
	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot make '%s'", path);
	while (left) {
		ssize_t n = write(fd, data, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		data += n;
		left -= (size_t)n;
	}
	if (left || fsync(fd)) {
		int e = errno;

		close(fd);
		unlink(path);
		return mlb_err_errno(err, e, "cannot write '%s'", path);
	}
	close(fd);
	return 0;
}

static int
make_pair(struct mlb_buf *secret, struct mlb_buf *shared, const char *name, struct mlb_err *err)
{
	uint8_t seed[MLB_SEED_LEN], public_key[MLB_PUBLIC_LEN];
	struct mlb_sign *sign = NULL;
	int rc = mlb_sign_open(&sign, err);

	if (rc == 0)
		rc = mlb_machine_random(seed, sizeof(seed), err);
	if (rc == 0)
		rc = mlb_sign_public(sign, public_key, seed, err);
	if (rc == 0) {
		key_text(secret, MLB_PRIVATE_LINE, name, seed);
		key_text(shared, MLB_PUBLIC_LINE, name, public_key);
	}
	explicit_bzero(seed, sizeof(seed));
	mlb_sign_close(sign);
	return rc;
}

int
mlb_key_new(char **file, char **line, const char *name, struct mlb_err *err)
{
	struct mlb_buf secret = MLB_BUF_INIT(MLB_KIB), shared = MLB_BUF_INIT(MLB_KIB);
	char *dir = mlb_keys_dir(), *key = NULL, *pub = NULL;
	int rc;

	if (!mlb_name_valid(name))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s' is no name for a key: letters, digits, '_', '.' and '-', at "
				 "most %d",
				 name, MLB_NAME_MAX);
	else if (!dir)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "there is no place for keys: set HOME or XDG_CONFIG_HOME");
	else
		rc = make_pair(&secret, &shared, name, err);
	if (rc == 0) {
		key = mlb_asprintf("%s/%s.key", dir, name);
		pub = mlb_asprintf("%s/%s.pub", dir, name);
		rc = mlb_fs_mkdirs(dir, err);
	}
	if (rc == 0)
		rc = write_private(key, &secret, err);
	if (rc == 0)
		rc = mlb_fs_write(pub, shared.data, shared.len, true, err);
	if (rc == 0) {
		*file = pub;
		pub = NULL;
		mlb_buf_truncate(&shared, shared.len - 1);
		*line = mlb_buf_detach(&shared);
	}
	if (secret.data)
		explicit_bzero(secret.data, secret.len);
	mlb_buf_release(&secret);
	mlb_buf_release(&shared);
	free(key);
	free(pub);
	free(dir);
	return rc;
}

static int
tell_key(const struct mlb_keyring *k, const struct mlb_key *key, bool own,
	 int (*fn)(void *ctx, const struct mlb_key_info *key), void *ctx)
{
	char id[2 * MLB_KEY_ID_LEN + 1];
	const struct mlb_key_info info = {
		.name = key->name,
		.id = id,
		.file = key->file,
		.own = own || mlb_key_find(&k->own, key->id),
		.trusted = mlb_key_find(&k->trusted, key->id) != NULL,
		.signs = k->signs && memcmp(k->signs->id, key->id, MLB_KEY_ID_LEN) == 0,
	};

	mlb_hex_encode(id, key->id, MLB_KEY_ID_LEN);
	return fn(ctx, &info);
}

int
mlb_keys(struct mlb_project *p, int (*fn)(void *ctx, const struct mlb_key_info *key), void *ctx,
	 struct mlb_err *err)
{
	struct mlb_keyring k = { 0 };
	int rc = p ? mlb_project_config(p, err) : 0;

	if (rc == 0 && p)
		rc = mlb_keyring_open(&k, p->config, err);
	if (rc == 0 && !k.sign)
		rc = mlb_keyring_own(&k, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < k.trusted.n && rc == 0; i++)
		rc = tell_key(&k, &k.trusted.v[i], false, fn, ctx);
	for (size_t i = 0; i < k.own.n && rc == 0; i++)
		if (!mlb_key_find(&k.trusted, k.own.v[i].id))
			rc = tell_key(&k, &k.own.v[i], true, fn, ctx);
	mlb_keyring_release(&k);
	return 0;
}
