/* Reading every byte of packs and loose objects, on workers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "store/inventory_priv.h"
#include "store/pack_format.h"

#define CHUNK ((size_t)MLB_MIB)

void
mlb_inv_damaged(struct mlb_inv_found *out, enum mlb_inv_wrong wrong, const char *path,
		uint64_t offset, const struct mlb_digest *digest)
{
	struct mlb_inv_damage d = { .wrong = (uint8_t)wrong,
				    .path = mlb_strdup(path),
				    .offset = offset };

	if (digest)
		d.digest = *digest;
	mlb_vec_push(&out->damage, d);
}

/* What the system says of a file that cannot be read. */
static void
unreadable(struct mlb_inv_found *out, const char *path, int e)
{
	mlb_inv_damaged(out, MLB_INV_UNREADABLE, path, 0, NULL);
	out->damage.v[out->damage.n - 1].text = mlb_strdup(strerror(e));
}

/* ---------------------------------------------------------- hashing */

/* The SHA-256 of a file as far as `size`, counted as it goes; 0 or an errno. */
static int
hash_fd(struct mlb_inventory *inv, struct mlb_digest *out, int fd, uint64_t *size)
{
	uint8_t *data = mlb_alloc(CHUNK);
	struct mlb_sha256 h;
	ssize_t n = 0;
	int e = 0;

	mlb_sha256_init(&h);
	for (uint64_t at = 0;; at += (uint64_t)n) {
		n = mlb_pread_full(fd, data, CHUNK, at);
		if (n < 0)
			e = errno;
		*size = at;
		if (n <= 0)
			break;
		mlb_sha256_update(&h, data, (size_t)n);
		if (inv)
			atomic_fetch_add(&inv->done, (uint64_t)n);
	}
	mlb_sha256_final(&h, out);
	free(data);
	return e;
}

void
mlb_inv_check_loose(struct mlb_inv_found *out, struct mlb_inventory *inv,
		    const struct mlb_inv_object *o)
{
	char *path = mlb_inventory_path(inv, o);
	const char *name = path + strlen(inv->dir) + 1;
	struct mlb_digest now;
	struct stat st;
	uint64_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	int e = fd < 0 ? errno : 0;

	if (!e)
		e = hash_fd(inv, &now, fd, &size);
	if (!e && fstat(fd, &st) == 0 && st.st_mode & 0222)
		mlb_inv_damaged(out, MLB_INV_WRITABLE, name, 0, NULL);
	/* Collected or moved away since it was listed: then it is not there. */
	if (e && e != ENOENT)
		unreadable(out, name, e);
	else if (!e && !mlb_digest_equal(&now, &o->digest))
		mlb_inv_damaged(out, MLB_INV_BYTES, name, 0, &o->digest);
	else if (!e)
		mlb_vec_push(&out->object, *o);
	if (fd >= 0)
		close(fd);
	free(path);
}

/* ---------------------------------------------------------- packs */

MLB_VEC_NAMED(blobs, struct mlb_blob);

/* A pack that is being examined. */
struct pack {
	struct mlb_inv_found *out;
	struct mlb_inventory *inv;
	const struct mlb_inv_file *file;
	uint32_t index; /* of file */
	int fd;
	struct blobs good; /* in the order of the file */
	struct blobs hole; /* offset and size of what is no blob */
	uint64_t at;       /* where the next blob should begin */
};

static void
take(struct pack *p, const struct mlb_blob *b)
{
	struct mlb_inv_object o = { .digest = b->digest,
				    .file = p->index,
				    .offset = b->offset,
				    .size = b->size,
				    .stored = (uint32_t)b->stored };

	o.batch = p->file->batch;
	if (p->file->records && b->type == MLB_BLOB_RESULT)
		mlb_vec_push(&p->out->record, o);
	else if (!p->file->records && b->type == MLB_BLOB_OBJECT)
		mlb_vec_push(&p->out->object, o);
}

static void
hole_until(struct pack *p, uint64_t end)
{
	struct mlb_blob hole = { .offset = p->at };

	if (end <= p->at)
		return;
	hole.size = end - p->at;
	mlb_vec_push(&p->hole, hole);
}

static int
right(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct pack *p = ctx;

	(void)err;
	hole_until(p, b->offset);
	p->at = b->offset + MLB_BLOB_HEAD + b->stored;
	atomic_fetch_add(&p->inv->done, MLB_BLOB_HEAD + b->stored);
	mlb_vec_push(&p->good, *b);
	take(p, b);
	return 0;
}

static int
listed(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	(void)err;
	take(ctx, b);
	return 0;
}

static int
by_offset(const void *a, const void *b)
{
	const struct mlb_blob *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* What the index says is there, in the order of the file. */
static int
indexed(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct blobs *all = ctx;

	(void)err;
	mlb_vec_push(all, *b);
	return 0;
}

/* Blobs that the index names and that are not right; their holes are explained by that. */
static void
compare_index(struct pack *p, const char *path)
{
	struct blobs all = MLB_VEC_INIT;
	size_t g = 0;

	if (mlb_pack_each(path, 0, indexed, &all, NULL) != 0)
		all.n = 0;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_offset);
	for (size_t i = 0; i < all.n; i++) {
		const struct mlb_blob *b = &all.v[i];

		while (g < p->good.n && p->good.v[g].offset < b->offset)
			g++;
		if (g < p->good.n && p->good.v[g].offset == b->offset &&
		    mlb_digest_equal(&p->good.v[g].digest, &b->digest))
			continue;
		mlb_inv_damaged(p->out, MLB_INV_BYTES, p->file->path, b->offset, &b->digest);
		for (size_t h = 0; h < p->hole.n; h++)
			if (b->offset >= p->hole.v[h].offset &&
			    b->offset - p->hole.v[h].offset < p->hole.v[h].size)
				p->hole.v[h].stored = 1; /* explained */
	}
	mlb_vec_release(&all);
}

/* Holes that nothing explained. One that begins with a good header is a blob whose content is wrong. */
static void
report_holes(struct pack *p)
{
	for (size_t i = 0; i < p->hole.n; i++) {
		const struct mlb_blob *hole = &p->hole.v[i];
		uint8_t head[MLB_BLOB_HEAD];
		struct mlb_blob b;
		bool named = mlb_pread_full(p->fd, head, sizeof(head), hole->offset) ==
				     (ssize_t)sizeof(head) &&
			     mlb_blob_head_read(&b, head, hole->offset);

		if (hole->stored)
			continue;
		/* A whole blob of a kind that only a later version can check. */
		if (named && MLB_BLOB_HEAD + b.stored == hole->size && !mlb_blob_known(&b))
			continue;
		mlb_inv_damaged(p->out, MLB_INV_BYTES, p->file->path, hole->offset,
				named ? &b.digest : NULL);
	}
}

static void
verify_sealed(struct pack *p, const char *path)
{
	struct mlb_digest now, name;
	uint64_t at, n, end, size;
	size_t damages = p->out->damage.n;
	bool index = mlb_pack_index_find(p->fd, p->file->size, &at, &n);
	int e = 0;

	if (mlb_pack_scan(p->fd, path, MLB_PACK_HEAD, index ? at : UINT64_MAX, right, p, &end,
			  NULL) != 0)
		e = EIO;
	if (index) {
		hole_until(p, at);
		compare_index(p, path);
	} else {
		mlb_inv_damaged(p->out, MLB_INV_INDEX, p->file->path, p->at, NULL);
	}
	report_holes(p);
	if (!e)
		e = hash_fd(NULL, &now, p->fd, &size);
	if (e)
		unreadable(p->out, p->file->path, e);
	else if (p->out->damage.n == damages &&
		 mlb_digest_parse(&name, strrchr(p->file->path, '/') + 1, MLB_HEX_LEN) &&
		 !mlb_digest_equal(&name, &now))
		mlb_inv_damaged(p->out, MLB_INV_NAME, p->file->path, 0, NULL);
}

/* What follows the last whole blob was being written when a process died: nobody was told of it. */
static void
verify_open(struct pack *p, const char *path)
{
	uint64_t end;

	if (mlb_pack_scan(p->fd, path, MLB_PACK_HEAD, UINT64_MAX, right, p, &end, NULL) != 0) {
		unreadable(p->out, p->file->path, EIO);
		return;
	}
	if (p->file->busy)
		return;
	if (p->at < p->file->size && p->file->size > MLB_PACK_HEAD)
		mlb_inv_damaged(p->out, MLB_INV_TAIL, p->file->path, p->at, NULL);
	report_holes(p);
}

static void
verify(struct pack *p, const char *path)
{
	uint8_t head[MLB_PACK_HEAD];
	ssize_t n = mlb_pread_full(p->fd, head, sizeof(head), 0);
	int kind = n == (ssize_t)sizeof(head) ? mlb_pack_head_read(head) : 0;

	if (kind < 0) {
		mlb_inv_damaged(p->out, MLB_INV_LATER, p->file->path, 0, NULL);
		return;
	}
	/* One whose header is not written yet has no blob. */
	if (kind == 0 && !(p->file->open && p->file->size < MLB_PACK_HEAD))
		mlb_inv_damaged(p->out, MLB_INV_HEAD, p->file->path, 0, NULL);
	p->at = MLB_PACK_HEAD;
	if (p->file->open)
		verify_open(p, path);
	else
		verify_sealed(p, path);
}

/* One that cannot be listed is damage all the same: nobody knows what is in it. */
static void
list(struct pack *p, const char *path)
{
	int rc = mlb_pack_each(path, 0, listed, p, NULL);

	if (rc && !p->file->batch)
		mlb_inv_damaged(p->out, rc == MLB_EINVALID ? MLB_INV_LATER : MLB_INV_UNREADABLE,
				p->file->path, 0, NULL);
}

void
mlb_inv_check_pack(struct mlb_inv_found *out, struct mlb_inventory *inv, uint32_t file,
		   bool every_byte)
{
	struct mlb_inv_file *f = &inv->file.v[file];
	char *path = mlb_asprintf("%s/%s", inv->dir, f->path);
	struct pack p = { .out = out, .inv = inv, .file = f, .index = file };

	p.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (p.fd < 0) {
		/* Sealed under its name, or collected, since it was listed. */
		if (errno != ENOENT && !f->batch)
			unreadable(out, f->path, errno);
	} else {
		/* While we share the lock nobody continues it. */
		f->busy = f->open && flock(p.fd, LOCK_SH | LOCK_NB) != 0;
		if (every_byte && !f->batch)
			verify(&p, path);
		else
			list(&p, path);
		if (f->busy && every_byte && !f->batch)
			mlb_inv_damaged(out, MLB_INV_BUSY, f->path, 0, NULL);
		close(p.fd);
	}
	mlb_vec_release(&p.good);
	mlb_vec_release(&p.hole);
	free(path);
}
