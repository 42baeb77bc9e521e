/*
 * A pack for a remote, made in memory: the format is that of packs here (pack.c).
 *
 * Ownership: the struct owns its bytes until they are detached. One thread uses one.
 */
#ifndef STORE_REMOTE_PACK_H
#define STORE_REMOTE_PACK_H

#include "store/pack.h"
#include "store/remote_index.h"

struct mlb_packer;

struct mlb_remote_packing {
	struct mlb_buf bytes;
	MLB_VEC(struct mlb_blob) blob;
	struct mlb_remote_entries entry;
	struct mlb_packer *packer;
	uint64_t saved; /* bytes, by compression */
};

void mlb_remote_packing_init(struct mlb_remote_packing *p, size_t expected); /* bytes */
void mlb_remote_packing_release(struct mlb_remote_packing *p);
/*
 * A blob, compressed where it pays. An entry for object (of this size) leads to it; the
 * digest is the content's, which only for lists of chunks is another one.
 */
int mlb_remote_packing_add(struct mlb_remote_packing *p, enum mlb_blob_type type,
			   const struct mlb_digest *digest, const void *data, size_t len,
			   const struct mlb_digest *object, uint64_t size, struct mlb_err *err);
/* The same of an object that is stored already in the form that packs have. */
int mlb_remote_packing_copy(struct mlb_remote_packing *p, const struct mlb_blob *b,
			    const void *stored, struct mlb_err *err);
/* Blob i of another one, which is not finished, too. */
int mlb_remote_packing_move(struct mlb_remote_packing *p, const struct mlb_remote_packing *from,
			    size_t i, struct mlb_err *err);
/* Index, trailer, and name: then nothing more is added. */
int mlb_remote_packing_finish(struct mlb_remote_packing *p, struct mlb_remote_pack *out,
			      struct mlb_err *err);

/* The same for the bytes of a blob in a pack, header first: where its content is right. Appends it. */
int mlb_remote_blob_read(struct mlb_buf *out, const void *data, size_t len, uint8_t type,
			 const struct mlb_digest *digest, struct mlb_err *err);

#endif
