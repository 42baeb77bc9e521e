/*
 * An index object of a remote: which packs hold which objects, and where. The
 * format stands at the top of remote_index.c; it is searched as it is, in memory
 * or in a map of its file.
 *
 * Ownership: a writer owns what was added. A struct mlb_remote_index borrows the bytes.
 */
#ifndef STORE_REMOTE_INDEX_H
#define STORE_REMOTE_INDEX_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_REMOTE_INDEX_MAX (8 * MLB_MIB)     /* bytes of one */
#define MLB_REMOTE_PACK_MAX (INT64_C(1) << 30) /* bytes of a pack that a remote has */
#define MLB_REMOTE_ENTRY 56                    /* bytes of an entry */
#define MLB_REMOTE_INDEX_ENTRIES                                                                   \
	((size_t)140000) /* of one with few packs, so that it is no larger */

struct mlb_remote_pack {
	struct mlb_digest name;
	uint64_t size; /* bytes */
};

/* Where an object is. */
struct mlb_remote_entry_at {
	struct mlb_digest digest; /* of the object */
	uint64_t size;            /* of its content */
	uint32_t pack;            /* index of the pack */
	uint32_t offset;          /* of the blob's header in the pack */
	uint32_t stored;          /* bytes of the blob without its header */
	uint8_t type;  /* enum mlb_blob_type; MLB_BLOB_CHUNKS: the blob lists its chunks */
	uint8_t codec; /* enum mlb_codec */
};
MLB_VEC_NAMED(mlb_remote_entries, struct mlb_remote_entry_at);

struct mlb_remote_index {
	const uint8_t *data;
	size_t n_packs, n; /* entries */
};

/* The bytes of an index; MLB_ECORRUPT, or MLB_EINVALID for one of a later version. */
int mlb_remote_index_read(struct mlb_remote_index *out, const void *data, size_t len,
			  struct mlb_err *err);
struct mlb_remote_pack mlb_remote_index_pack(const struct mlb_remote_index *x, size_t i);
/* False: it cannot be (an offset beyond the pack's end, sizes that no such blob has). */
bool mlb_remote_index_entry(const struct mlb_remote_index *x, size_t i,
			    struct mlb_remote_entry_at *out);
/* The first entry of an object, by halving; SIZE_MAX: it has none. The next ones may be of it too. */
size_t mlb_remote_index_find(const struct mlb_remote_index *x, const struct mlb_digest *digest);
/* Its digest, without looking at the rest. */
const uint8_t *mlb_remote_index_digest(const struct mlb_remote_index *x, size_t i);

/* What is to become one. */
struct mlb_remote_index_writer {
	MLB_VEC(struct mlb_remote_pack) pack;
	struct mlb_remote_entries entry;
};
void mlb_remote_index_writer_release(struct mlb_remote_index_writer *w);
/* entry[].pack is ignored: they are of this pack. */
void mlb_remote_index_add(struct mlb_remote_index_writer *w, const struct mlb_remote_pack *pack,
			  const struct mlb_remote_entry_at *entry, size_t n);
/* Appends its bytes; it can be written again after more was added. Check out with mlb_buf_check. */
void mlb_remote_index_write(struct mlb_buf *out, struct mlb_remote_index_writer *w);

#endif
