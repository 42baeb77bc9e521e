/*
 * Packs: the format, and reading.
 *
 * Numbers are unsigned and little-endian; CHECK is the first 4 bytes of the
 * SHA-256 of the bytes before it in the same header.
 *
 *   pack     HEADER, blobs without gaps; if it is sealed: INDEX, TRAILER
 *
 *   HEADER   0   8  "mlbpack\n"
 *            8   4  version, 2; in one of version 1 no blob is compressed
 *           12   4  CHECK
 *
 *   blob     0   4  0x89 "mB" 0x1a, the magic number by which a blob is found after damage
 *            4   1  type: 1 object, 2 result record, 3 list of chunks (remote_chunks.c)
 *            5   1  codec: 0 the content as it is, 1 one zstd frame of it (objects only;
 *                   then stored < size <= 2^22 and size <= 256 * stored)
 *            6   2  zero
 *            8   4  size: bytes of the content, at most 2^29
 *           12   4  stored: bytes that follow this header, at most 2^29
 *           16  32  SHA-256 of the content
 *           48   4  CHECK
 *           52   -  the content, by its codec
 *
 *   INDEX    entries sorted by digest, then by offset
 *   entry    0  32  SHA-256 of the content
 *           32   8  offset of the blob in the pack
 *           40   4  size
 *           44   4  stored
 *           48   1  type
 *           49   1  codec
 *           50   2  zero
 *
 *   TRAILER  0   8  "mlbindx\n"
 *            8   4  version, 1
 *           12   4  zero
 *           16   8  offset of INDEX
 *           24   8  number of entries
 *           32  32  SHA-256 of INDEX and the trailer's 32 bytes before this
 *
 * 1. A blob counts if its header's CHECK and its content's SHA-256 are right. One
 *    with a good header and an unknown type or codec, or sizes that such a one
 *    cannot have, is kept, and passed over.
 * 2. INDEX and TRAILER count in a file with the name of a sealed one only, and
 *    only if they are right; otherwise they are bytes that are no blob.
 * 3. Where no good blob begins, the next place with the magic number is tried.
 */
#include "store/pack_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/path.h"
#include "store/bytes.h"

static const uint8_t pack_magic[8] = { 'm', 'l', 'b', 'p', 'a', 'c', 'k', '\n' };
static const uint8_t index_magic[8] = { 'm', 'l', 'b', 'i', 'n', 'd', 'x', '\n' };
static const uint8_t blob_magic[4] = { 0x89, 'm', 'B', 0x1a };

static void
put_check(uint8_t *head, size_t len)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, head, len);
	memcpy(head + len, d.b, 4);
}

static bool
good_check(const uint8_t *head, size_t len)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, head, len);
	return memcmp(head + len, d.b, 4) == 0;
}

void
mlb_pack_head_write(uint8_t out[MLB_PACK_HEAD])
{
	memcpy(out, pack_magic, 8);
	mlb_put_int(out + 8, MLB_PACK_VERSION, 4);
	put_check(out, 12);
}

int
mlb_pack_head_read(const uint8_t head[MLB_PACK_HEAD])
{
	uint64_t version;

	if (memcmp(head, pack_magic, 8) != 0 || !good_check(head, 12))
		return 0;
	version = mlb_get_int(head + 8, 4);
	return version >= 1 && version <= MLB_PACK_VERSION ? (int)version : -1;
}

void
mlb_blob_head_write(uint8_t out[MLB_BLOB_HEAD], const struct mlb_blob *b)
{
	memcpy(out, blob_magic, 4);
	out[4] = b->type;
	out[5] = b->codec;
	out[6] = out[7] = 0;
	mlb_put_int(out + 8, b->size, 4);
	mlb_put_int(out + 12, b->stored, 4);
	memcpy(out + 16, b->digest.b, MLB_DIGEST_LEN);
	put_check(out, 48);
}

bool
mlb_blob_head_read(struct mlb_blob *out, const uint8_t head[MLB_BLOB_HEAD], uint64_t offset)
{
	if (memcmp(head, blob_magic, 4) != 0 || !good_check(head, 48))
		return false;
	out->type = head[4];
	out->codec = head[5];
	out->size = mlb_get_int(head + 8, 4);
	out->stored = mlb_get_int(head + 12, 4);
	memcpy(out->digest.b, head + 16, MLB_DIGEST_LEN);
	out->offset = offset;
	return out->size <= MLB_BLOB_MAX && out->stored <= MLB_BLOB_MAX;
}

static bool
is_content(const struct mlb_blob *b, const void *data)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, data, (size_t)b->size);
	return mlb_digest_equal(&d, &b->digest);
}

/* By what is stored of it. */
static bool
good_content(const struct mlb_blob *b, const void *stored)
{
	void *plain;
	bool good;

	if (b->codec == MLB_CODEC_PLAIN)
		return is_content(b, stored);
	plain = mlb_alloc((size_t)b->size);
	good = mlb_blob_unpack(plain, b, stored) && is_content(b, plain);
	free(plain);
	return good;
}

ssize_t
mlb_pread_full(int fd, void *data, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)data + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* ---------------------------------------------------------- the index */

static int
by_digest(const void *a, const void *b)
{
	const struct mlb_blob *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->digest, &y->digest);

	return cmp ? cmp : (x->offset > y->offset) - (x->offset < y->offset);
}

void
mlb_pack_index_write(struct mlb_buf *out, struct mlb_blob *entry, size_t n, uint64_t at)
{
	size_t start = out->len;
	uint8_t raw[MLB_PACK_TAIL];
	struct mlb_digest d;

	if (n)
		qsort(entry, n, sizeof(*entry), by_digest);
	for (size_t i = 0; i < n; i++) {
		memset(raw, 0, sizeof(raw));
		memcpy(raw, entry[i].digest.b, MLB_DIGEST_LEN);
		mlb_put_int(raw + 32, entry[i].offset, 8);
		mlb_put_int(raw + 40, entry[i].size, 4);
		mlb_put_int(raw + 44, entry[i].stored, 4);
		raw[48] = entry[i].type;
		raw[49] = entry[i].codec;
		mlb_buf_add(out, raw, MLB_PACK_ENTRY);
	}
	memset(raw, 0, sizeof(raw));
	memcpy(raw, index_magic, 8);
	mlb_put_int(raw + 8, MLB_PACK_INDEX_VERSION, 4);
	mlb_put_int(raw + 16, at, 8);
	mlb_put_int(raw + 24, n, 8);
	mlb_buf_add(out, raw, 32);
	if (out->full)
		return;
	mlb_sha256_of(&d, out->data + start, out->len - start);
	mlb_buf_add(out, d.b, sizeof(d.b));
}

static bool
entry_read(struct mlb_blob *out, const uint8_t *raw, uint64_t end)
{
	memcpy(out->digest.b, raw, MLB_DIGEST_LEN);
	out->offset = mlb_get_int(raw + 32, 8);
	out->size = mlb_get_int(raw + 40, 4);
	out->stored = mlb_get_int(raw + 44, 4);
	out->type = raw[48];
	out->codec = raw[49];
	return out->offset >= MLB_PACK_HEAD && out->offset <= end &&
	       end - out->offset >= MLB_BLOB_HEAD + out->stored;
}

/* The index, checked; NULL where there is none. Owned by the caller. */
static uint8_t *
read_index(int fd, uint64_t size, uint64_t *at, uint64_t *n)
{
	uint8_t tail[MLB_PACK_TAIL];
	struct mlb_digest d;
	uint64_t len;
	uint8_t *index;

	if (size < MLB_PACK_HEAD + MLB_PACK_TAIL ||
	    mlb_pread_full(fd, tail, sizeof(tail), size - sizeof(tail)) != (ssize_t)sizeof(tail) ||
	    memcmp(tail, index_magic, 8) != 0 || mlb_get_int(tail + 8, 4) != MLB_PACK_INDEX_VERSION)
		return NULL;
	*at = mlb_get_int(tail + 16, 8);
	*n = mlb_get_int(tail + 24, 8);
	if (*at < MLB_PACK_HEAD || *at > size - sizeof(tail))
		return NULL;
	len = size - sizeof(tail) - *at;
	if (len % MLB_PACK_ENTRY || *n != len / MLB_PACK_ENTRY)
		return NULL;
	index = mlb_alloc((size_t)len + 32);
	if (mlb_pread_full(fd, index, (size_t)len + 32, *at) == (ssize_t)(len + 32)) {
		mlb_sha256_of(&d, index, (size_t)len + 32);
		if (memcmp(d.b, tail + 32, sizeof(d.b)) == 0)
			return index;
	}
	free(index);
	return NULL;
}

bool
mlb_pack_index_find(int fd, uint64_t size, uint64_t *at, uint64_t *n)
{
	uint8_t *index = read_index(fd, size, at, n);

	free(index);
	return index != NULL;
}

static int
each_by_index(const uint8_t *index, uint64_t n, uint64_t end, uint64_t from, mlb_pack_fn fn,
	      void *ctx, struct mlb_err *err)
{
	int rc = 0;

	for (uint64_t i = 0; i < n && rc == 0; i++) {
		struct mlb_blob b;

		if (entry_read(&b, index + i * MLB_PACK_ENTRY, end) && b.offset >= from &&
		    mlb_blob_known(&b))
			rc = fn(ctx, &b, err);
	}
	return rc;
}

/* ---------------------------------------------------------- scanning */

#define WINDOW ((size_t)MLB_MIB)

/* A part of the file in memory. */
struct window {
	int fd;
	const char *path;
	uint64_t size; /* of the file */
	uint64_t base; /* offset of data */
	uint8_t *data;
	size_t len, cap;
	struct mlb_err *err;
	int rc;
};

/* Bytes off..off+n of the file, or NULL beyond its end or after a failure (w->rc). */
static const uint8_t *
look(struct window *w, uint64_t off, size_t n)
{
	ssize_t got;

	if (w->rc || off > w->size || n > w->size - off)
		return NULL;
	if (off >= w->base && off - w->base <= w->len && n <= w->len - (off - w->base))
		return w->data + (off - w->base);
	if (n > w->cap || !w->data) {
		w->cap = MLB_MAX(n, WINDOW);
		free(w->data);
		w->data = mlb_alloc(w->cap);
	}
	w->base = off;
	w->len = 0;
	got = mlb_pread_full(w->fd, w->data, (size_t)MLB_MIN(w->cap, w->size - off), off);
	if (got < 0) {
		w->rc = mlb_err_errno(w->err, errno, "cannot read '%s'", w->path);
		return NULL;
	}
	w->len = (size_t)got;
	if (w->len < n) {
		w->size = off + w->len; /* it was cut meanwhile */
		return NULL;
	}
	return w->data;
}

/* How many bytes from off on are in memory. */
static size_t
have(const struct window *w, uint64_t off)
{
	return off >= w->base && off - w->base < w->len ? w->len - (size_t)(off - w->base) : 0;
}

/* The next offset after `off` where a blob may begin; the file's size if there is none. */
static uint64_t
next_magic(struct window *w, uint64_t off)
{
	off++;
	while (off < w->size && w->size - off >= MLB_BLOB_HEAD) {
		size_t n = have(w, off);
		const uint8_t *p, *hit;

		if (n < MLB_BLOB_HEAD)
			n = (size_t)MLB_MIN(w->size - off, WINDOW);
		p = look(w, off, n);
		if (!p)
			break;
		hit = memmem(p, n, blob_magic, sizeof(blob_magic));
		if (hit)
			return off + (uint64_t)(hit - p);
		off += n - (sizeof(blob_magic) - 1);
	}
	return w->size;
}

/*
 * The blob that begins at off, if it is whole.  *known: its content is right;
 * otherwise it is of a kind whose content only a later version can check.
 */
static bool
blob_at(struct window *w, uint64_t off, struct mlb_blob *b, bool *is_known, uint64_t *budget)
{
	const uint8_t *p = look(w, off, MLB_BLOB_HEAD);

	if (!p || !mlb_blob_head_read(b, p, off) || b->stored > w->size - off - MLB_BLOB_HEAD)
		return false;
	*is_known = mlb_blob_known(b);
	if (!*is_known)
		return true;
	p = look(w, off, MLB_BLOB_HEAD + (size_t)b->stored);
	if (p && good_content(b, p + MLB_BLOB_HEAD))
		return true;
	*budget -= MLB_MIN(*budget, b->size);
	return false;
}

int
mlb_pack_scan(int fd, const char *path, uint64_t from, uint64_t until, mlb_pack_fn fn, void *ctx,
	      uint64_t *end, struct mlb_err *err)
{
	struct window w = { .fd = fd, .path = path, .err = err };
	uint64_t off = from, budget;
	struct stat st;

	*end = from;
	if (fstat(fd, &st) != 0)
		return mlb_err_errno(err, errno, "cannot examine '%s'", path);
	w.size = MLB_MIN((uint64_t)st.st_size, until);
	/* Made to attack, a file may claim at each of its bytes a blob that is worth hashing, and is not. */
	budget = 4 * w.size + 64 * MLB_MIB;
	while (w.rc == 0 && off < w.size && w.size - off >= MLB_BLOB_HEAD && budget) {
		struct mlb_blob b;
		bool is_known;

		if (!blob_at(&w, off, &b, &is_known, &budget)) {
			off = next_magic(&w, off);
			continue;
		}
		*end = MLB_MAX(*end, off + MLB_BLOB_HEAD + b.stored);
		/* A length that is not borne out by a digest is not followed. */
		off = is_known ? off + MLB_BLOB_HEAD + b.stored : next_magic(&w, off);
		if (is_known && fn)
			w.rc = fn(ctx, &b, err);
	}
	free(w.data);
	return w.rc;
}

static int
each(const char *path, uint64_t offset, bool believe, mlb_pack_fn fn, void *ctx,
     struct mlb_err *err)
{
	bool sealed = believe && mlb_pack_name_sealed(mlb_path_base(path));
	uint64_t at, n, end;
	uint8_t head[MLB_PACK_HEAD], *index = NULL;
	struct stat st;
	int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	if (fstat(fd, &st) != 0)
		rc = mlb_err_errno(err, errno, "cannot examine '%s'", path);
	else if (!S_ISREG(st.st_mode))
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is not a regular file", path);
	else if (mlb_pread_full(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		 mlb_pack_head_read(head) < 0)
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' was written by a later mlbuild", path);
	if (rc == 0) {
		offset = MLB_MAX(offset, MLB_PACK_HEAD);
		if (sealed)
			index = read_index(fd, (uint64_t)st.st_size, &at, &n);
		if (index)
			rc = each_by_index(index, n, at, offset, fn, ctx, err);
		else
			rc = mlb_pack_scan(fd, path, offset, UINT64_MAX, fn, ctx, &end, err);
		free(index);
	}
	close(fd);
	return rc;
}

int
mlb_pack_each(const char *path, uint64_t offset, mlb_pack_fn fn, void *ctx, struct mlb_err *err)
{
	return each(path, offset, true, fn, ctx, err);
}

int
mlb_pack_each_read(const char *path, mlb_pack_fn fn, void *ctx, struct mlb_err *err)
{
	return each(path, 0, false, fn, ctx, err);
}

/* ---------------------------------------------------------- one blob */

static int
damaged(const char *path, uint64_t offset, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ECORRUPT, "'%s' is damaged at byte %llu", path,
			   (unsigned long long)offset);
}

/* Bytes that are read at once with a head: most blobs are smaller. */
#define FIRST 4096

/*
 * Content that is right at the end of out, which has room for it; MLB_ECORRUPT or a
 * system's error. The first bytes of it, len of them, have been read already.
 */
static int
read_content(struct mlb_buf *out, int fd, const char *path, const struct mlb_blob *b,
	     const uint8_t *first, size_t len, struct mlb_err *err)
{
	char *room = out->data + out->len;
	char *stored = b->codec == MLB_CODEC_PLAIN ? room : mlb_alloc((size_t)b->stored);
	size_t had = MLB_MIN(len, (size_t)b->stored);
	ssize_t n = 0;
	bool good;
	int e;

	memcpy(stored, first, had);
	if (had < b->stored)
		n = mlb_pread_full(fd, stored + had, (size_t)b->stored - had,
				   b->offset + MLB_BLOB_HEAD + had);
	e = n < 0 ? errno : 0;
	good = n >= 0 && had + (size_t)n == b->stored;
	if (good && stored != room)
		good = mlb_blob_unpack(room, b, stored);
	good = good && is_content(b, room);
	if (stored != room)
		free(stored);
	if (good)
		out->len += (size_t)b->size;
	out->data[out->len] = '\0';
	if (e)
		return mlb_err_errno(err, e, "cannot read '%s'", path);
	return good ? 0 : damaged(path, b->offset, err);
}

int
mlb_pack_read_fd(struct mlb_buf *out, int fd, const char *path, uint64_t offset,
		 const struct mlb_digest *digest, struct mlb_err *err)
{
	uint8_t first[FIRST];
	struct mlb_blob b;
	ssize_t n;

	if (offset > INT64_MAX - MLB_BLOB_HEAD - MLB_BLOB_MAX)
		return damaged(path, offset, err);
	n = mlb_pread_full(fd, first, sizeof(first), offset);
	if (n < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	if (n < MLB_BLOB_HEAD || !mlb_blob_head_read(&b, first, offset) || !mlb_blob_known(&b) ||
	    (digest && !mlb_digest_equal(digest, &b.digest)))
		return damaged(path, offset, err);
	if (!mlb_buf_reserve(out, (size_t)b.size))
		return mlb_buf_check(out, "an object", err);
	return read_content(out, fd, path, &b, first + MLB_BLOB_HEAD, (size_t)n - MLB_BLOB_HEAD,
			    err);
}

int
mlb_pack_read(struct mlb_buf *out, const char *path, uint64_t offset,
	      const struct mlb_digest *digest, struct mlb_err *err)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	rc = mlb_pack_read_fd(out, fd, path, offset, digest, err);
	close(fd);
	return rc;
}

int
mlb_pack_copy_fd(struct mlb_buf *out, struct mlb_blob *b, int fd, uint64_t offset,
		 const struct mlb_digest *digest, struct mlb_err *err)
{
	uint8_t first[FIRST];
	size_t had;
	char *room;
	ssize_t n = mlb_pread_full(fd, first, sizeof(first), offset);

	if (n < 0)
		return mlb_err_errno(err, errno, "cannot read a pack");
	if (n < MLB_BLOB_HEAD || !mlb_blob_head_read(b, first, offset) || !mlb_blob_known(b) ||
	    !mlb_digest_equal(digest, &b->digest))
		return damaged("a pack", offset, err);
	if (!mlb_buf_reserve(out, (size_t)b->stored))
		return mlb_buf_check(out, "a pack", err);
	room = out->data + out->len;
	had = MLB_MIN((size_t)n - MLB_BLOB_HEAD, (size_t)b->stored);
	memcpy(room, first + MLB_BLOB_HEAD, had);
	if (had < b->stored &&
	    mlb_pread_full(fd, room + had, (size_t)b->stored - had, offset + MLB_BLOB_HEAD + had) !=
		    (ssize_t)(b->stored - had))
		return damaged("a pack", offset, err);
	if (!good_content(b, room))
		return damaged("a pack", offset, err);
	out->len += (size_t)b->stored;
	out->data[out->len] = '\0';
	return 0;
}
