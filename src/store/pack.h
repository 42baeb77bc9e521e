/*
 * Pack files: many small blobs in one append-only file.  The format is
 * described byte by byte at the top of pack.c.  The same framing holds objects
 * (cache/v1/packs) and result records (cache/v1/actions).
 *
 * 1. A pack is open (named open-*.pack, appended to by the one process that
 *    holds its flock) or sealed (named by the SHA-256 of its bytes, immutable).
 * 2. A blob whose header, length or digest is wrong is never returned; after
 *    damage the next blob is found by its magic number.
 * 3. Continuing an open pack cuts off a torn last blob, which nobody was told of.
 * 4. Nobody but the holder of its lock looks into an open pack: what is there may
 *    not be on the disk yet, and may be cut off again.
 *
 * Nothing here locks: a writer is used by one thread at a time, except that
 * mlb_pack_datasync may run while another thread appends.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/hash.h"

#define MLB_PACK_FULL (48 * MLB_MIB) /* a pack that has grown to this is sealed and another begun */

enum mlb_blob_type { MLB_BLOB_OBJECT = 1, MLB_BLOB_RESULT = 2, MLB_BLOB_CHUNKS = 3 /* remotes only */ };

struct mlb_blob {
	struct mlb_digest digest; /* of the content, uncompressed */
	uint64_t offset;          /* of the blob's header in the pack */
	uint64_t size;            /* of the content */
	uint64_t stored;          /* bytes as they rest in the pack */
	uint8_t type;             /* enum mlb_blob_type */
	uint8_t codec;            /* enum mlb_codec (pack_format.h) */
};

typedef int (*mlb_pack_fn)(void *ctx, const struct mlb_blob *b, struct mlb_err *err);

struct mlb_io;
struct mlb_pack_writer;

/* Take an open pack of this directory that no process holds, or begin one. */
int mlb_pack_writer_open(struct mlb_pack_writer **out, const char *dir, struct mlb_err *err);
int mlb_pack_writer_open_io(struct mlb_pack_writer **out, const char *dir, const struct mlb_io *io,
			    struct mlb_err *err);

/* The same for the open pack of this name; MLB_ENOTFOUND if a process holds it, or it is gone. */
int mlb_pack_writer_take(struct mlb_pack_writer **out, const char *dir, const char *name, struct mlb_err *err);
int mlb_pack_writer_take_io(struct mlb_pack_writer **out, const char *dir, const char *name,
			    const struct mlb_io *io, struct mlb_err *err);

/*
 * Find the end of a pack that was taken, call fn (may be NULL) for every valid
 * blob from offset `from` on, and cut off what is torn.  What lies before `from`
 * is known to be whole.  Without this call the first append does it, from 0.
 */
int mlb_pack_recover(struct mlb_pack_writer *w, uint64_t from, mlb_pack_fn fn, void *ctx, struct mlb_err *err);

/* On failure nothing was appended. */
int mlb_pack_append(struct mlb_pack_writer *w, struct mlb_blob *out, uint8_t type,
		    const struct mlb_digest *digest, const void *data, size_t len, struct mlb_err *err);
/* From now on past the page cache (os/io.h): for whoever writes more than will be read soon. */
void mlb_pack_write_past(struct mlb_pack_writer *w);
int mlb_pack_flush(struct mlb_pack_writer *w, struct mlb_err *err);       /* hand to the kernel what is buffered */
int mlb_pack_datasync(struct mlb_pack_writer *w, struct mlb_err *err);    /* fdatasync of what was flushed */
int mlb_pack_sync(struct mlb_pack_writer *w, struct mlb_err *err);        /* both */
const char *mlb_pack_writer_name(const struct mlb_pack_writer *w);        /* file name in dir; borrowed */
uint64_t mlb_pack_writer_size(const struct mlb_pack_writer *w);           /* with what is buffered */
uint64_t mlb_pack_writer_flushed(const struct mlb_pack_writer *w);        /* without, and without a blob that is there in part */
/* Forget all from offset `size` on: a sync failed, and nobody knows what of it is on the disk. False: it cannot be cut. */
bool mlb_pack_cut(struct mlb_pack_writer *w, uint64_t size);
/*
 * Seal: footer, sync, rename to the digest of its bytes, directory sync; *name is
 * replaced by the new file name.  Then only close it.  On failure it is as before.
 */
int mlb_pack_seal(struct mlb_pack_writer *w, struct mlb_buf *name, struct mlb_err *err);
void mlb_pack_writer_close(struct mlb_pack_writer *w);                    /* keeps the pack open for others; flushes nothing */

bool mlb_pack_name_open(const char *name);   /* is it the name of an open pack? */
bool mlb_pack_name_sealed(const char *name); /* of a sealed one? */

/*
 * Call fn for every valid blob from offset on (0: the first); by the footer if
 * sealed (then sorted by digest, contents not read), else by scanning.
 * MLB_EINVALID for a pack of a later version.
 */
int mlb_pack_each(const char *path, uint64_t offset, mlb_pack_fn fn, void *ctx, struct mlb_err *err);

/* The same for every blob whose content is right: all of it is read, whatever the footer says. */
int mlb_pack_each_read(const char *path, mlb_pack_fn fn, void *ctx, struct mlb_err *err);

/*
 * Append one blob's content, verified against its digest (NULL: the one in its
 * header).  MLB_ECORRUPT: it is not there, or wrong; MLB_ETOOBIG: out is full.
 */
int mlb_pack_read(struct mlb_buf *out, const char *path, uint64_t offset, const struct mlb_digest *digest,
		  struct mlb_err *err);
/* The same by an open descriptor; path is for messages. */
int mlb_pack_read_fd(struct mlb_buf *out, int fd, const char *path, uint64_t offset, const struct mlb_digest *digest,
		     struct mlb_err *err);
/* What is stored of it, of which the content is right; b tells what that is. Without a name in messages. */
int mlb_pack_copy_fd(struct mlb_buf *out, struct mlb_blob *b, int fd, uint64_t offset,
		     const struct mlb_digest *digest, struct mlb_err *err);

#endif
