/* Packs: appending, recovering and sealing. The format stands at the top of pack.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/vec.h"
#include "os/fs.h"
#include "os/io.h"
#include "os/machine.h"
#include "store/pack_format.h"

#define FLUSH_AT MLB_MIB
#define PATH_LIMIT (64 * MLB_KIB)

struct mlb_pack_writer {
	const struct mlb_io *io;
	int fd; /* holds the flock */
	char *dir;
	char *name;                    /* in dir */
	char *path;                    /* dir/name */
	struct mlb_buf buf;            /* bytes that follow those in the file */
	uint64_t flushed;              /* bytes in the file */
	uint64_t own;                  /* offset from which on we appended */
	MLB_VEC(struct mlb_blob) blob; /* what we appended */
	char *units; /* FLUSH_AT bytes on their way past the page cache; NULL: not used yet */
	struct mlb_packer *packer; /* NULL: not used yet */
	int version;               /* of the pack: enum of pack_format.h */
	bool recovered;            /* flushed and own are known */
	bool hashed;               /* hash is that of all bytes in the file */
	struct mlb_sha256 hash;
	bool past; /* whole units go past the page cache */
	bool sealed;
};

bool
mlb_pack_name_open(const char *name)
{
	size_t len = strlen(name);

	return len > 10 && memcmp(name, "open-", 5) == 0 && strcmp(name + len - 5, ".pack") == 0;
}

bool
mlb_pack_name_sealed(const char *name)
{
	struct mlb_digest d;

	return strlen(name) == MLB_HEX_LEN + 5 && mlb_digest_parse(&d, name, MLB_HEX_LEN) &&
	       strcmp(name + MLB_HEX_LEN, ".pack") == 0;
}

static struct mlb_pack_writer *
writer_new(const char *dir, const char *name, const struct mlb_io *io)
{
	struct mlb_pack_writer *w = mlb_calloc(1, sizeof(*w));

	w->io = io;
	w->fd = -1;
	w->version = MLB_PACK_VERSION;
	w->dir = mlb_strdup(dir);
	w->name = mlb_strdup(name);
	w->path = mlb_asprintf("%s/%s", dir, name);
	mlb_buf_init(&w->buf, FLUSH_AT + MLB_BLOB_MAX + MLB_BLOB_HEAD);
	return w;
}

static void
writer_free(struct mlb_pack_writer *w)
{
	if (w->fd >= 0)
		w->io->close(w->io, w->fd);
	free(w->units);
	mlb_packer_free(w->packer);
	mlb_buf_release(&w->buf);
	mlb_vec_release(&w->blob);
	free(w->path);
	free(w->name);
	free(w->dir);
	free(w);
}

/* Is the file that we locked still the one of this name? Its last owner may just have sealed it. */
static bool
still_there(const struct mlb_pack_writer *w)
{
	struct stat a, b;

	return fstat(w->fd, &a) == 0 && lstat(w->path, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev && S_ISREG(a.st_mode);
}

/* Lock the file and see that it can be continued. */
static bool
take(struct mlb_pack_writer *w)
{
	uint8_t head[MLB_PACK_HEAD];
	ssize_t n;

	w->fd = w->io->open(w->io, w->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
			    0);
	if (w->fd < 0 || flock(w->fd, LOCK_EX | LOCK_NB) != 0 || !still_there(w))
		return false;
	n = mlb_pread_full(w->fd, head, sizeof(head), 0);
	if (n == (ssize_t)sizeof(head))
		w->version = mlb_pack_head_read(head);
	return n >= 0 && w->version > 0;
}

int
mlb_pack_writer_take(struct mlb_pack_writer **out, const char *dir, const char *name,
		     struct mlb_err *err)
{
	return mlb_pack_writer_take_io(out, dir, name, &mlb_io_os, err);
}

int
mlb_pack_writer_take_io(struct mlb_pack_writer **out, const char *dir, const char *name,
			const struct mlb_io *io, struct mlb_err *err)
{
	struct mlb_pack_writer *w = writer_new(dir, name, io);

	if (mlb_pack_name_open(name) && take(w)) {
		*out = w;
		return 0;
	}
	writer_free(w);
	return mlb_err_set(err, MLB_ENOTFOUND, "the pack '%s/%s' cannot be continued", dir, name);
}

static int
begin(struct mlb_pack_writer **out, const char *dir, const struct mlb_io *io, struct mlb_err *err)
{
	for (int tries = 0; tries < 100; tries++) {
		struct mlb_pack_writer *w;
		char name[32] = "open-";
		uint64_t r;
		int e, rc = mlb_machine_random(&r, sizeof(r), err);

		if (rc)
			return rc;
		mlb_hex_encode(name + 5, &r, sizeof(r));
		memcpy(name + 21, ".pack", 6);
		w = writer_new(dir, name, io);
		w->fd = io->open(io, w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		e = w->fd < 0 ? errno : 0;
		/* In between another process may have taken it, as one that was left behind. */
		if (!e && flock(w->fd, LOCK_EX | LOCK_NB) == 0 && still_there(w)) {
			mlb_fs_share(w->path); /* whoever continues it may be another user */
			*out = w;
			return 0;
		}
		writer_free(w);
		if (e && e != EEXIST)
			return mlb_err_errno(err, e, "cannot write in '%s'", dir);
	}
	return mlb_err_set(err, MLB_ESYSTEM, "cannot lock a new file in '%s'", dir);
}

int
mlb_pack_writer_open(struct mlb_pack_writer **out, const char *dir, struct mlb_err *err)
{
	return mlb_pack_writer_open_io(out, dir, &mlb_io_os, err);
}

int
mlb_pack_writer_open_io(struct mlb_pack_writer **out, const char *dir, const struct mlb_io *io,
			struct mlb_err *err)
{
	struct mlb_dirents names = MLB_VEC_INIT;
	struct mlb_pack_writer *w = NULL;
	int rc = mlb_fs_list(&names, dir, err);

	for (size_t i = 0; rc == 0 && !w && i < names.n; i++)
		if (mlb_pack_name_open(names.v[i].name))
			mlb_pack_writer_take_io(&w, dir, names.v[i].name, io, NULL);
	mlb_dirents_release(&names);
	if (rc == 0 && !w)
		rc = begin(&w, dir, io, err);
	if (rc == 0)
		*out = w;
	return rc;
}

int
mlb_pack_recover(struct mlb_pack_writer *w, uint64_t from, mlb_pack_fn fn, void *ctx,
		 struct mlb_err *err)
{
	uint64_t end, size;
	struct stat st;
	int rc;

	if (fstat(w->fd, &st) != 0)
		return mlb_err_errno(err, errno, "cannot examine '%s'", w->path);
	size = (uint64_t)st.st_size;
	if (size < MLB_PACK_HEAD) {
		uint8_t head[MLB_PACK_HEAD];

		mlb_pack_head_write(head);
		mlb_buf_clear(&w->buf);
		mlb_buf_add(&w->buf, head, sizeof(head));
		w->flushed = 0;
		w->own = sizeof(head);
		w->recovered = w->hashed = true;
		mlb_sha256_init(&w->hash);
		return 0;
	}
	/* Shorter than what was once known of it: then nothing is known. */
	if (from < MLB_PACK_HEAD || from > size)
		from = MLB_PACK_HEAD;
	rc = mlb_pack_scan(w->fd, w->path, from, UINT64_MAX, fn, ctx, &end, err);
	/* Before anything is cut off, what was said to be known is not taken for granted. */
	if (rc == 0 && end < size && from > MLB_PACK_HEAD)
		rc = mlb_pack_scan(w->fd, w->path, MLB_PACK_HEAD, UINT64_MAX, fn, ctx, &end, err);
	if (rc == 0 && end < size && w->io->ftruncate(w->io, w->fd, (off_t)end) != 0)
		rc = mlb_err_errno(err, errno, "cannot cut '%s'", w->path);
	if (rc == 0) {
		mlb_buf_clear(&w->buf);
		w->flushed = w->own = end;
		w->recovered = true;
	}
	return rc;
}

static int
pwrite_full(const struct mlb_pack_writer *w, const char *data, size_t len, uint64_t at,
	    struct mlb_err *err)
{
	int e = mlb_io_pwrite_all(w->io, w->fd, data, len, at);

	return e ? mlb_err_errno(err, e, "cannot write '%s'", w->path) : 0;
}

/* The first n bytes that are buffered are in the file. */
static void
flushed(struct mlb_pack_writer *w, size_t n)
{
	/* Now, while the processor has them in its cache: reading them again to seal takes twice as long. */
	if (w->hashed)
		mlb_sha256_update(&w->hash, w->buf.data, n);
	w->flushed += n;
	memmove(w->buf.data, w->buf.data + n, w->buf.len - n);
	mlb_buf_truncate(&w->buf, w->buf.len - n);
}

int
mlb_pack_flush(struct mlb_pack_writer *w, struct mlb_err *err)
{
	int rc;

	if (!w->buf.len)
		return 0;
	/* After a failure the same bytes are written to the same place once more. */
	rc = pwrite_full(w, w->buf.data, w->buf.len, w->flushed, err);
	if (rc)
		return rc;
	mlb_fs_write_soon(w->fd, w->flushed, w->buf.len);
	flushed(w, w->buf.len);
	return 0;
}

/* Whole units past the page cache, behind what completes the last one that is in the file; the rest stays buffered. */
static int
flush_units(struct mlb_pack_writer *w, struct mlb_err *err)
{
	size_t head = (size_t)(-w->flushed % MLB_IO_UNIT);
	size_t n = MLB_MIN((w->buf.len - head) / MLB_IO_UNIT * MLB_IO_UNIT, FLUSH_AT);
	int e, rc = head ? pwrite_full(w, w->buf.data, head, w->flushed, err) : 0;

	if (rc)
		return rc;
	if (!w->units)
		w->units = mlb_alloc_aligned(MLB_IO_UNIT, FLUSH_AT);
	memcpy(w->units, w->buf.data + head, n);
	e = mlb_io_pwrite_past(w->io, w->fd, w->units, n, w->flushed + head);
	if (e)
		return mlb_err_errno(err, e, "cannot write '%s'", w->path);
	flushed(w, head + n);
	return 0;
}

/* Of a full buffer as much as is good: all or nothing of that. */
static int
flush_full(struct mlb_pack_writer *w, struct mlb_err *err)
{
	if (!w->past || w->buf.len >= 2 * (size_t)FLUSH_AT)
		return mlb_pack_flush(w, err);
	return flush_units(w, err);
}

/* Behind what is buffered; b learns how it is stored. */
static void
buffer_blob(struct mlb_pack_writer *w, struct mlb_blob *b, const void *data)
{
	uint8_t head[MLB_BLOB_HEAD];
	size_t len = (size_t)b->size, packed = 0;

	if (w->version > 1 && b->type == MLB_BLOB_OBJECT &&
	    mlb_buf_reserve(&w->buf, MLB_BLOB_HEAD + len)) {
		if (!w->packer)
			w->packer = mlb_packer_new();
		packed = mlb_blob_pack(w->packer, w->buf.data + w->buf.len + MLB_BLOB_HEAD, data,
				       len);
	}
	if (packed) {
		b->codec = MLB_CODEC_ZSTD;
		b->stored = packed;
	}
	mlb_blob_head_write(head, b);
	if (packed) { /* behind where the header goes */
		memcpy(w->buf.data + w->buf.len, head, sizeof(head));
		w->buf.len += sizeof(head) + packed;
		w->buf.data[w->buf.len] = '\0';
	} else {
		mlb_buf_add(&w->buf, head, sizeof(head));
		mlb_buf_add(&w->buf, data, len);
	}
}

int
mlb_pack_append(struct mlb_pack_writer *w, struct mlb_blob *out, uint8_t type,
		const struct mlb_digest *digest, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_blob b = { .type = type, .size = len, .stored = len, .digest = *digest };
	int rc = w->recovered ? 0 : mlb_pack_recover(w, 0, NULL, NULL, err);

	if (rc)
		return rc;
	if (len > MLB_BLOB_MAX)
		return mlb_err_set(err, MLB_ETOOBIG, "%zu bytes are too many for a pack", len);
	b.offset = w->flushed + w->buf.len;
	buffer_blob(w, &b, data);
	rc = mlb_buf_check(&w->buf, "a pack's buffer", err);
	if (rc == 0 && w->buf.len >= FLUSH_AT)
		rc = flush_full(w, err);
	if (rc) {
		mlb_buf_truncate(&w->buf, (size_t)(b.offset - w->flushed));
		return rc;
	}
	mlb_vec_push(&w->blob, b);
	*out = b;
	return 0;
}

void
mlb_pack_write_past(struct mlb_pack_writer *w)
{
	w->past = true;
}

int
mlb_pack_datasync(struct mlb_pack_writer *w, struct mlb_err *err)
{
	if (w->io->fdatasync(w->io, w->fd) != 0)
		return mlb_err_errno(err, errno, "cannot sync '%s'", w->path);
	return 0;
}

int
mlb_pack_sync(struct mlb_pack_writer *w, struct mlb_err *err)
{
	int rc = mlb_pack_flush(w, err);

	return rc ? rc : mlb_pack_datasync(w, err);
}

const char *
mlb_pack_writer_name(const struct mlb_pack_writer *w)
{
	return w->name;
}

uint64_t
mlb_pack_writer_size(const struct mlb_pack_writer *w)
{
	return w->flushed + w->buf.len;
}

uint64_t
mlb_pack_writer_flushed(const struct mlb_pack_writer *w)
{
	uint64_t whole = w->flushed;

	for (size_t i = w->blob.n; i-- > 0 && w->buf.len;) {
		const struct mlb_blob *b = &w->blob.v[i];

		if (b->offset + MLB_BLOB_HEAD + b->stored <= w->flushed)
			break;
		whole = MLB_MIN(whole, b->offset);
	}
	return whole;
}

bool
mlb_pack_cut(struct mlb_pack_writer *w, uint64_t size)
{
	struct stat st;

	mlb_buf_clear(&w->buf);
	/* By the file's size: a write that failed may have written a part. */
	if (fstat(w->fd, &st) != 0 ||
	    ((uint64_t)st.st_size > size && w->io->ftruncate(w->io, w->fd, (off_t)size) != 0))
		return false;
	w->hashed &= w->flushed <= size;
	w->flushed = MLB_MIN(w->flushed, size);
	w->own = MLB_MIN(w->own, size);
	while (w->blob.n && w->blob.v[w->blob.n - 1].offset >= size)
		w->blob.n--;
	return true;
}

/* ---------------------------------------------------------- sealing */

struct entries {
	MLB_VEC(struct mlb_blob) blob;
};

static int
collect(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct entries *e = ctx;

	(void)err;
	mlb_vec_push(&e->blob, *b);
	return 0;
}

static int
hash_file(struct mlb_sha256 *h, const struct mlb_pack_writer *w, struct mlb_err *err)
{
	uint8_t *data = mlb_alloc(FLUSH_AT);
	ssize_t n = 0;
	int rc = 0;

	mlb_sha256_init(h);
	for (uint64_t at = 0; rc == 0 && at < w->flushed; at += (uint64_t)n) {
		n = mlb_pread_full(w->fd, data, (size_t)MLB_MIN(FLUSH_AT, w->flushed - at), at);
		if (n < 0)
			rc = mlb_err_errno(err, errno, "cannot read '%s'", w->path);
		else if (n == 0)
			rc = mlb_err_set(err, MLB_ECORRUPT, "'%s' was cut by someone else",
					 w->path);
		else
			mlb_sha256_update(h, data, (size_t)n);
	}
	free(data);
	return rc;
}

/* Write the footer; digest receives the hash of the whole file. */
static int
write_footer(struct mlb_pack_writer *w, struct mlb_digest *digest, struct mlb_err *err)
{
	struct entries e = { MLB_VEC_INIT };
	struct mlb_buf footer = MLB_BUF_INIT(MLB_GIB);
	struct mlb_sha256 h;
	uint64_t end;
	int rc = mlb_pack_scan(w->fd, w->path, MLB_PACK_HEAD, w->own, collect, &e, &end, err);

	for (size_t i = 0; i < w->blob.n; i++)
		mlb_vec_push(&e.blob, w->blob.v[i]);
	if (w->hashed)
		h = w->hash;
	else if (rc == 0)
		rc = hash_file(&h, w, err);
	if (rc == 0) {
		mlb_pack_index_write(&footer, e.blob.v, e.blob.n, w->flushed);
		rc = mlb_buf_check(&footer, "a pack's index", err);
	}
	if (rc == 0) {
		mlb_sha256_update(&h, footer.data, footer.len);
		mlb_sha256_final(&h, digest);
		rc = pwrite_full(w, footer.data, footer.len, w->flushed, err);
	}
	mlb_buf_release(&footer);
	mlb_vec_release(&e.blob);
	return rc;
}

static int
rename_sealed(struct mlb_pack_writer *w, const struct mlb_digest *digest, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];
	char *name, *path;
	int rc;

	mlb_digest_hex(hex, digest);
	name = mlb_asprintf("%s.pack", hex);
	path = mlb_asprintf("%s/%s", w->dir, name);
	rc = mlb_io_rename(w->io, w->path, path, err);
	if (rc) {
		free(name);
		free(path);
		return rc;
	}
	free(w->name);
	free(w->path);
	w->name = name;
	w->path = path;
	w->sealed = true;
	return 0;
}

int
mlb_pack_seal(struct mlb_pack_writer *w, struct mlb_buf *name, struct mlb_err *err)
{
	struct mlb_digest digest;
	struct stat st;
	int rc = w->recovered ? 0 : mlb_pack_recover(w, 0, NULL, NULL, err);

	if (rc == 0)
		rc = mlb_pack_flush(w, err);
	if (rc)
		return rc;
	rc = write_footer(w, &digest, err);
	if (rc == 0)
		rc = mlb_pack_datasync(w, err);
	if (rc == 0)
		rc = rename_sealed(w, &digest, err);
	if (rc) {
		/* Whoever continues the pack would cut off a footer that stays; this one writes over it. */
		if (w->io->ftruncate(w->io, w->fd, (off_t)w->flushed) != 0)
			mlb_err_wrap(err, "cannot cut '%s'", w->path);
		return rc;
	}
	mlb_buf_clear(name);
	mlb_buf_adds(name, w->name);
	/* After the rename: an open pack must stay writable for whoever continues it. */
	if (fstat(w->fd, &st) == 0)
		fchmod(w->fd, st.st_mode & 0444); /* only a protection against mistakes */
	return mlb_io_sync_dir(w->io, w->dir, err);
}

void
mlb_pack_writer_close(struct mlb_pack_writer *w)
{
	struct stat st;

	if (!w)
		return;
	/* One without a blob is no use to anybody. */
	if (!w->sealed && fstat(w->fd, &st) == 0 && (uint64_t)st.st_size <= MLB_PACK_HEAD &&
	    still_there(w))
		w->io->unlink(w->io, w->path);
	writer_free(w);
}
