/* Getting objects out again: every byte is checked against its digest on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/path.h"
#include "store/cas_priv.h"

int
mlb_cas_absent(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, digest);
	return mlb_err_set(err, MLB_ENOTFOUND, "the object %s is not in '%s'", hex, cas->dir);
}

/* ---------------------------------------------------------- into memory */

/* A pack that is gone was sealed under another name or collected by someone else: look once more. */
int
mlb_cas_begin_read(struct mlb_cas *cas, struct mlb_entry *e, bool *is_packed,
		   const struct mlb_digest *digest, struct mlb_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&cas->lock);
	for (int tries = 0; tries < 2; tries++) {
		bool known = mlb_cas_locate(cas, e, digest);

		if (!known && !tries && mlb_cas_look_again(cas))
			known = mlb_cas_locate(cas, e, digest);
		*is_packed = known && e->pack;
		rc = *is_packed ? mlb_packs_begin_read(&cas->packs, e->pack, e->offset, err) : 0;
		if (rc != MLB_ENOTFOUND)
			break;
		mlb_err_release(err);
		if (tries || mlb_packs_refresh(&cas->packs, NULL) != 0)
			break;
	}
	pthread_mutex_unlock(&cas->lock);
	return rc == MLB_ENOTFOUND ? mlb_cas_absent(cas, digest, err) : rc;
}

int
mlb_cas_read_packed(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_entry *e,
		    struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];
	char *path;
	int rc;

	/* Its name changes when another thread seals it. */
	pthread_mutex_lock(&cas->lock);
	path = mlb_asprintf("%s/%s", cas->packs.dir, e->pack->name);
	pthread_mutex_unlock(&cas->lock);
	rc = mlb_pack_read_fd(out, e->pack->fd, path, e->offset, &e->id, err);
	free(path);
	pthread_mutex_lock(&cas->lock);
	mlb_packs_end_read(&cas->packs, e->pack);
	if (rc) {
		mlb_digest_hex(hex, &e->id);
		mlb_err_wrap(err, "the object %s", hex);
	}
	pthread_mutex_unlock(&cas->lock);
	if (rc == MLB_ECORRUPT)
		mlb_cas_mark_bad(cas, &e->id);
	return rc;
}

struct reading {
	const struct mlb_io *io;
	struct mlb_buf *out;
	size_t before; /* what it held */
};

static int
read_it(void *ctx, const char *path, struct mlb_err *err)
{
	const struct reading *r = ctx;

	mlb_buf_truncate(r->out, r->before);
	return mlb_io_read(r->io, r->out, path, err);
}

static int
read_loose(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_digest *digest,
	   struct mlb_err *err)
{
	size_t before = out->len;
	struct reading r = { cas->io, out, before };
	struct mlb_digest now;
	int rc = 0;

	if (!mlb_loose_exists(cas, digest))
		rc = mlb_cas_absent(cas, digest, err);
	if (rc == 0)
		rc = mlb_loose_with(cas, digest, read_it, &r, err);
	if (rc == 0) {
		mlb_sha256_of(&now, mlb_buf_str(out) + before, out->len - before);
		if (!mlb_digest_equal(&now, digest))
			rc = mlb_loose_quarantine(cas, digest, err);
	}
	if (rc)
		mlb_buf_truncate(out, before);
	return rc;
}

int
mlb_cas_read(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_digest *digest,
	     struct mlb_err *err)
{
	struct mlb_entry e;
	bool is_packed;
	int rc = mlb_cas_begin_read(cas, &e, &is_packed, digest, err);

	if (rc)
		return rc;
	if (is_packed)
		return mlb_cas_read_packed(cas, out, &e, err);
	return read_loose(cas, out, digest, err);
}

bool
mlb_cas_sure(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_entry e;
	bool is_packed, sure;

	sure = mlb_cas_begin_read(cas, &e, &is_packed, digest, &err) == 0;
	if (sure && is_packed)
		sure = mlb_cas_read_packed(cas, &data, &e, &err) == 0;
	else if (sure)
		sure = mlb_loose_sure(cas, digest);
	mlb_err_release(&err);
	mlb_buf_release(&data);
	return sure;
}

/* ---------------------------------------------------------- to somebody else */

#define PART ((size_t)256 * 1024)

struct streaming {
	const struct mlb_io *io;
	const struct mlb_digest *digest;
	mlb_cas_fn fn;
	void *ctx;
	bool wrong; /* it is not what its name says */
};

static int
hand_out(const struct streaming *s, int fd, const char *path, struct mlb_err *err)
{
	char *part = mlb_alloc(PART);
	off_t at = 0;
	int rc = 0;

	for (;;) {
		ssize_t n = pread(fd, part, PART, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = mlb_err_errno(err, errno, "cannot read '%s'", path);
		if (n > 0)
			rc = s->fn(s->ctx, part, (size_t)n);
		if (n <= 0 || rc < 0)
			break;
		at += n;
	}
	free(part);
	return rc;
}

static int
stream_file(void *ctx, const char *path, struct mlb_err *err)
{
	struct streaming *s = ctx;
	struct mlb_digest now;
	int rc, fd = s->io->open(s->io, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	rc = mlb_fs_hash_open(&now, fd, path, err);
	s->wrong = rc == 0 && !mlb_digest_equal(&now, s->digest);
	if (rc == 0 && !s->wrong)
		rc = hand_out(s, fd, path, err);
	s->io->close(s->io, fd);
	return rc;
}

int
mlb_cas_stream(struct mlb_cas *cas, const struct mlb_digest *digest, mlb_cas_fn fn, void *ctx,
	       struct mlb_err *err)
{
	struct streaming s = { cas->io, digest, fn, ctx, false };
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	struct mlb_entry e;
	bool is_packed;
	int rc = mlb_cas_begin_read(cas, &e, &is_packed, digest, err);

	if (rc)
		return rc;
	if (is_packed) {
		rc = mlb_cas_read_packed(cas, &data, &e, err);
		if (rc == 0 && data.len)
			rc = fn(ctx, data.data, data.len);
	} else if (!mlb_loose_exists(cas, digest)) {
		rc = mlb_cas_absent(cas, digest, err);
	} else {
		rc = mlb_loose_with(cas, digest, stream_file, &s, err);
		if (rc == 0 && s.wrong)
			rc = mlb_loose_quarantine(cas, digest, err);
	}
	mlb_buf_release(&data);
	return rc < 0 ? rc : 0;
}
