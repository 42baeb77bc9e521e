/* Getting objects out again: every byte is checked against its digest on the way. */
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/path.h"
#include "store/cas_priv.h"

#define HARD_MIN MLB_MIB /* smaller objects are never shared by hard link */

static int
absent(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, digest);
	return mlb_err_set(err, MLB_ENOTFOUND, "the object %s is not in '%s'", hex, cas->dir);
}

/* ---------------------------------------------------------- into memory */

/*
 * Where it is, with the pack's file opened if it is in one.  A pack that is gone
 * was sealed under another name or collected by someone else: look once more.
 */
static int
begin_read(struct mlb_cas *cas, struct mlb_entry *e, bool *is_packed,
	   const struct mlb_digest *digest, struct mlb_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&cas->lock);
	for (int tries = 0; tries < 2; tries++) {
		bool known = mlb_cas_locate(cas, e, digest);

		if (!known && !tries && mlb_packs_look_again(&cas->packs))
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
	return rc == MLB_ENOTFOUND ? absent(cas, digest, err) : rc;
}

static int
read_packed(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_entry *e,
	    struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];
	int rc = mlb_pack_read_fd(out, e->pack->fd, cas->packs.dir, e->offset, &e->id, err);

	pthread_mutex_lock(&cas->lock);
	mlb_packs_end_read(&cas->packs, e->pack);
	if (rc) {
		mlb_digest_hex(hex, &e->id);
		mlb_err_wrap(err, "the object %s in the pack %s", hex, e->pack->name);
	}
	pthread_mutex_unlock(&cas->lock);
	if (rc == MLB_ECORRUPT)
		mlb_cas_mark_bad(cas, &e->id);
	return rc;
}

struct reading {
	struct mlb_buf *out;
	size_t before; /* what it held */
};

static int
read_it(void *ctx, const char *path, struct mlb_err *err)
{
	const struct reading *r = ctx;

	mlb_buf_truncate(r->out, r->before);
	return mlb_fs_read(r->out, path, err);
}

static int
read_loose(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_digest *digest,
	   struct mlb_err *err)
{
	size_t before = out->len;
	struct reading r = { out, before };
	struct mlb_digest now;
	int rc = 0;

	if (!mlb_loose_exists(cas, digest))
		rc = absent(cas, digest, err);
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
	int rc = begin_read(cas, &e, &is_packed, digest, err);

	if (rc)
		return rc;
	if (is_packed)
		return read_packed(cas, out, &e, err);
	return read_loose(cas, out, digest, err);
}

/* ---------------------------------------------------------- into a file */

static char *
temp_beside(struct mlb_cas *cas, const char *to)
{
	struct mlb_buf dir = MLB_BUF_INIT(64 * MLB_KIB);
	char *prefix, *tmp;

	mlb_path_dir(&dir, to);
	prefix = mlb_asprintf("%s/.mlbuild-", mlb_buf_str(&dir));
	tmp = mlb_cas_temp(cas, prefix);
	free(prefix);
	mlb_buf_release(&dir);
	return tmp;
}

static int
temp_of_packed(struct mlb_cas *cas, const struct mlb_entry *e, const char *tmp, const char *to,
	       bool exec, struct mlb_err *err)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	int rc = read_packed(cas, &data, e, err);

	if (rc == 0) {
		rc = mlb_io_write_new(cas->io, tmp, exec ? 0777 : 0666, mlb_buf_str(&data),
				      data.len, err);
		if (rc)
			mlb_err_wrap(err, "cannot write '%s'", to);
	}
	mlb_buf_release(&data);
	return rc;
}

/* A copy, by reflink if it can be. What was read is hashed; a reflink of an untrusted file is hashed too. */
static int
temp_by_copy(struct mlb_cas *cas, const struct mlb_digest *digest, const char *path,
	     const char *tmp, bool exec, const struct mlb_stat *st, bool trusted,
	     struct mlb_err *err)
{
	struct mlb_digest now;
	bool reflinked = false;
	unsigned mode = (exec ? 0777 : 0666) & ~mlb_cas_umask(cas);
	int rc = mlb_io_copy(cas->io, path, tmp, mode, &reflinked, &now, err);

	if (rc == 0 && reflinked && !trusted)
		rc = mlb_fs_hash(&now, NULL, tmp, err);
	if (rc || (reflinked && trusted))
		return rc;
	if (!mlb_digest_equal(&now, digest))
		return mlb_loose_quarantine(cas, digest, err);
	if (!trusted)
		mlb_loose_record(cas, digest, st);
	return 0;
}

/* What is to be made of a loose object. */
struct place {
	struct mlb_cas *cas;
	const struct mlb_digest *digest;
	const char *tmp;
	bool exec;
	enum mlb_link how;
};

static int
place_it(void *ctx, const char *path, struct mlb_err *err)
{
	const struct place *p = ctx;
	struct mlb_cas *cas = p->cas;
	struct mlb_stat st;
	bool trusted;
	int rc = mlb_fs_lstat(&st, path, err);

	if (rc == 0 && st.type != MLB_F_FILE)
		rc = absent(cas, p->digest, err);
	if (rc)
		return rc;
	trusted = mlb_loose_trusted(cas, p->digest, &st);
	/* root writes to files that are read-only: for it a hard link protects nothing. */
	if (p->how == MLB_LINK_HARD && !p->exec && st.size >= HARD_MIN && geteuid() != 0) {
		if (!trusted)
			rc = mlb_loose_verify(cas, p->digest, err);
		/* Too many links, another file system, none at all: a copy will do. */
		if (rc || cas->io->link(cas->io, path, p->tmp) == 0)
			return rc;
	}
	return temp_by_copy(cas, p->digest, path, p->tmp, p->exec, &st, trusted, err);
}

int
mlb_cas_link(struct mlb_cas *cas, const struct mlb_digest *digest, const char *to, bool exec,
	     enum mlb_link how, struct mlb_err *err)
{
	struct mlb_entry e;
	bool is_packed;
	char *tmp;
	int rc = begin_read(cas, &e, &is_packed, digest, err);

	if (rc)
		return rc;
	tmp = temp_beside(cas, to);
	if (is_packed)
		rc = temp_of_packed(cas, &e, tmp, to, exec, err);
	else
		rc = mlb_loose_with(cas, digest, place_it,
				    &(struct place){ cas, digest, tmp, exec, how }, err);
	if (rc == 0)
		rc = mlb_io_rename(cas->io, tmp, to, err);
	/* Also after success: renaming a hard link onto another one of the same file does nothing. */
	cas->io->unlink(cas->io, tmp);
	free(tmp);
	return rc;
}
