/*
 * Large objects: files of their own, objects/ab/cdef…, exactly their bytes, 0444.
 * Until one is synced it rests under a name in tmp/ that this process alone knows:
 * what has the name of an object is whole, whatever happens to the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "store/cas_priv.h"
#include "store/condemned.h"

#define IN_MEMORY (8 * MLB_MIB) /* bytes of a file that may be read as a whole */

char *
mlb_loose_path(const struct mlb_cas *cas, const struct mlb_digest *digest)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, digest);
	return mlb_asprintf("%s/objects/%.2s/%s", cas->dir, hex, hex + 2);
}

char *
mlb_loose_temp(const struct mlb_cas *cas, const struct mlb_digest *digest)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, digest);
	return mlb_asprintf("%s/tmp/%016llx-%s", cas->dir, (unsigned long long)cas->seed, hex);
}

static char *
where_now(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	const struct mlb_entry *e;
	char *temp = NULL;

	pthread_mutex_lock(&cas->lock);
	e = mlb_pending_find(&cas->pending, digest);
	if (e && !e->pack && e->state < MLB_ENTRY_READY)
		temp = mlb_loose_temp(cas, digest);
	pthread_mutex_unlock(&cas->lock);
	if (temp && mlb_fs_exists(temp))
		return temp;
	free(temp);
	return mlb_loose_path(cas, digest);
}

int
mlb_loose_with(struct mlb_cas *cas, const struct mlb_digest *digest, mlb_loose_fn fn, void *ctx,
	       struct mlb_err *err)
{
	char *path = where_now(cas, digest), *own = mlb_loose_path(cas, digest);
	int rc = fn(ctx, path, err);

	/* Just then it was synced, and got its name. */
	if (rc && strcmp(own, path) != 0 && !mlb_fs_exists(path)) {
		mlb_err_release(err);
		rc = fn(ctx, own, err);
	}
	/* Or gc took it for something that nobody needs. */
	if (rc && !mlb_fs_exists(own) &&
	    mlb_condemned_return(cas->dir, own + strlen(cas->dir) + 1)) {
		mlb_err_release(err);
		rc = fn(ctx, own, err);
	}
	free(own);
	free(path);
	return rc;
}

/* MLB_ENOTFOUND, without a message. */
static int
stat_it(void *ctx, const char *path, struct mlb_err *err)
{
	struct mlb_stat *st = ctx;

	(void)err;
	return mlb_fs_lstat(st, path, NULL) == 0 && st->type == MLB_F_FILE ? 0 : MLB_ENOTFOUND;
}

bool
mlb_loose_stat(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_stat *out)
{
	return mlb_loose_with(cas, digest, stat_it, out, NULL) == 0;
}

bool
mlb_loose_exists(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_stat st;

	return mlb_loose_stat(cas, digest, &st);
}

/* ctime is left out: making a hard link changes it. */
bool
mlb_loose_trusted(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_stat *st)
{
	struct mlb_entry e;
	bool known;

	pthread_mutex_lock(&cas->lock);
	known = mlb_cas_locate(cas, &e, digest);
	pthread_mutex_unlock(&cas->lock);
	return known && !e.pack && st->type == MLB_F_FILE && e.size == st->size &&
	       (int64_t)e.offset == st->mtime;
}

void
mlb_loose_record(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_stat *st)
{
	struct mlb_entry e = { .id = *digest, .offset = (uint64_t)st->mtime, .size = st->size };

	pthread_mutex_lock(&cas->lock);
	mlb_rowset_add_number(&cas->sizes, st->size);
	mlb_cas_add(cas, &e);
	pthread_mutex_unlock(&cas->lock);
}

void
mlb_loose_set_aside(struct mlb_cas *cas, const struct mlb_digest *digest, const char *path)
{
	char hex[MLB_HEX_LEN + 1];
	char *dir = mlb_asprintf("%s/quarantine", cas->dir);
	char *prefix, *to;

	mlb_digest_hex(hex, digest);
	prefix = mlb_asprintf("%s/%s-", dir, hex);
	to = mlb_cas_temp(cas, prefix);
	if (mlb_io_mkdirs(cas->io, dir, NULL) == 0)
		mlb_io_rename(cas->io, path, to, NULL);
	free(to);
	free(prefix);
	free(dir);
}

void
mlb_cas_trust(struct mlb_cas *cas, const struct mlb_digest *digest, uint64_t size, int64_t mtime)
{
	const struct mlb_stat st = { .size = size, .mtime = mtime };

	mlb_loose_record(cas, digest, &st);
}

int
mlb_loose_quarantine(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];
	char *from = where_now(cas, digest);
	char *dir = mlb_asprintf("%s/quarantine", cas->dir);
	char *to;

	mlb_digest_hex(hex, digest);
	to = mlb_asprintf("%s/%s", dir, hex);
	mlb_cas_mark_bad(cas, digest);
	/* Where it cannot be moved (a read-only cache) it is never served all the same. */
	if (mlb_io_mkdirs(cas->io, dir, NULL) == 0) {
		mlb_fs_share(dir);
		mlb_io_rename(cas->io, from, to, NULL);
	}
	free(to);
	free(dir);
	free(from);
	return mlb_err_set(err, MLB_ECORRUPT,
			   "the object %s in '%s' was damaged; it is in quarantine/ now", hex,
			   cas->dir);
}

struct verify {
	const struct mlb_io *io;
	struct mlb_stat st;
	struct mlb_digest now;
};

static int
hash_it(void *ctx, const char *path, struct mlb_err *err)
{
	struct verify *v = ctx;
	int rc = mlb_fs_lstat(&v->st, path, err);

	return rc ? rc : mlb_io_hash(v->io, &v->now, NULL, path, err);
}

int
mlb_loose_verify(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err)
{
	struct verify v = { .io = cas->io };
	int rc = mlb_loose_with(cas, digest, hash_it, &v, err);

	if (rc)
		return rc;
	if (!mlb_digest_equal(&v.now, digest))
		return mlb_loose_quarantine(cas, digest, err);
	mlb_loose_record(cas, digest, &v.st);
	return 0;
}

bool
mlb_loose_sure(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_stat st;

	if (!mlb_loose_stat(cas, digest, &st))
		return false;
	return mlb_loose_trusted(cas, digest, &st) || mlb_loose_verify(cas, digest, NULL) == 0;
}

/* Did this process put it, or find it right? */
static bool
is_proven(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_stat *st)
{
	const struct mlb_entry *e;
	bool proven;

	pthread_mutex_lock(&cas->lock);
	e = mlb_pending_find(&cas->pending, digest);
	proven = e && !e->pack && e->size == st->size && (int64_t)e->offset == st->mtime;
	pthread_mutex_unlock(&cas->lock);
	return proven;
}

/*
 * Is it there, and right? Good bytes were offered and are about to be given up:
 * the old ones are hashed, once a process, for what rots keeps its stat. What
 * another project put will be synced as if we had put it.
 */
static bool
stored_already(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_stat st;

	if (!mlb_loose_stat(cas, digest, &st))
		return false;
	return is_proven(cas, digest, &st) || mlb_loose_verify(cas, digest, NULL) == 0;
}

/* A complete temporary file is the object from now on, under its temporary name. */
int
mlb_loose_install(struct mlb_cas *cas, const struct mlb_digest *digest, const char *tmp,
		  struct mlb_err *err)
{
	char *path = mlb_loose_temp(cas, digest);
	struct mlb_stat st;
	int rc;

	mlb_fs_share(tmp);
	rc = mlb_fs_lstat(&st, tmp, err);
	if (rc == 0)
		rc = mlb_io_rename(cas->io, tmp, path, err);
	free(path);
	if (rc)
		cas->io->unlink(cas->io, tmp);
	else
		mlb_loose_record(cas, digest, &st);
	return rc;
}

static char *
new_temp(struct mlb_cas *cas)
{
	char *prefix = mlb_asprintf("%s/tmp/", cas->dir);
	char *tmp = mlb_cas_temp(cas, prefix);

	free(prefix);
	return tmp;
}

int
mlb_loose_put(struct mlb_cas *cas, const struct mlb_digest *digest, const void *data, size_t len,
	      struct mlb_err *err)
{
	char *tmp;
	int rc;

	if (stored_already(cas, digest))
		return 0;
	tmp = new_temp(cas);
	rc = mlb_io_write_new(cas->io, tmp, 0444, data, len, err);
	if (rc == 0)
		rc = mlb_loose_install(cas, digest, tmp, err);
	free(tmp);
	return rc;
}

/* Is there a loose object of this size? Then reading first may save writing. */
static bool
size_is_known(struct mlb_cas *cas, uint64_t size)
{
	struct mlb_stmt *s;
	bool row;

	pthread_mutex_lock(&cas->lock);
	row = mlb_rowset_has_number(&cas->sizes, size);
	if (!row && mlb_db_prepare(&s, cas->db, "SELECT 1 FROM objects WHERE pack = 0 AND size = ?1",
				   NULL) == 0) {
		mlb_stmt_int(s, 1, (int64_t)size);
		if (mlb_stmt_step(s, &row, NULL) != 0)
			row = false;
		mlb_stmt_reset(s);
	}
	pthread_mutex_unlock(&cas->lock);
	return row;
}

/* Copy a file to tmp, hashing what was copied. */
static int
copy_hashed(struct mlb_cas *cas, struct mlb_digest *out, const char *path, const char *tmp,
	    struct mlb_err *err)
{
	bool reflinked = false;
	int rc = mlb_io_copy_unless(cas->io, path, tmp, 0444 & ~mlb_cas_umask(cas), &reflinked, out,
				    err);

	if (rc == 0 && reflinked) {
		rc = mlb_io_hash_unless(cas->io, out, NULL, tmp, err);
		if (rc)
			cas->io->unlink(cas->io, tmp);
	}
	return rc;
}

static int
check_unchanged(const struct mlb_stat *before, const char *path, struct mlb_err *err)
{
	struct mlb_stat after;
	int rc = mlb_fs_stat(&after, path, err);

	if (rc == 0 && !mlb_stat_same(before, &after))
		rc = mlb_err_set(
			err, MLB_ESYSTEM,
			"'%s' changed while it was read: run again when nothing writes to it",
			path);
	return rc;
}

/* By way of memory, so that what is new need not be read again to be copied. */
static int
put_read(struct mlb_cas *cas, struct mlb_digest *out, const struct mlb_stat *before,
	 const char *path, struct mlb_err *err)
{
	struct mlb_buf data = MLB_BUF_INIT(2 * IN_MEMORY);
	int rc = mlb_io_read(cas->io, &data, path, err);

	if (rc == 0)
		rc = check_unchanged(before, path, err);
	if (rc == 0) {
		mlb_sha256_of(out, mlb_buf_str(&data), data.len);
		rc = mlb_loose_put(cas, out, mlb_buf_str(&data), data.len, err);
	}
	mlb_buf_release(&data);
	return rc;
}

int
mlb_loose_put_file(struct mlb_cas *cas, struct mlb_digest *out, uint64_t *size, const char *path,
		   struct mlb_err *err)
{
	struct mlb_stat before;
	char *tmp;
	int rc = mlb_fs_stat(&before, path, err);

	if (rc)
		return rc;
	if (size)
		*size = before.size;
	if (size_is_known(cas, before.size)) {
		if (before.size <= IN_MEMORY)
			return put_read(cas, out, &before, path, err);
		rc = mlb_io_hash_unless(cas->io, out, NULL, path, err);
		if (rc == 0)
			rc = check_unchanged(&before, path, err);
		if (rc || stored_already(cas, out))
			return rc;
	}
	tmp = new_temp(cas);
	rc = copy_hashed(cas, out, path, tmp, err);
	if (rc == 0) {
		rc = check_unchanged(&before, path, err);
		if (rc || stored_already(cas, out))
			cas->io->unlink(cas->io, tmp);
		else
			rc = mlb_loose_install(cas, out, tmp, err);
	}
	free(tmp);
	return rc;
}
