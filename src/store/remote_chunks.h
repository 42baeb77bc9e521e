/*
 * The chunks of which a large file consists, as a blob of a remote's packs. The
 * format stands at the top of remote_chunks.c.
 *
 * Ownership: the struct owns its array.
 */
#ifndef STORE_REMOTE_CHUNKS_H
#define STORE_REMOTE_CHUNKS_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_CHUNK_MAX (4 * MLB_MIB) /* bytes of one */

struct mlb_chunk {
	struct mlb_digest digest;
	uint32_t size;
};

struct mlb_chunks {
	struct mlb_digest file;
	uint64_t size;                   /* of the file */
	MLB_VEC(struct mlb_chunk) chunk; /* in order */
};

void mlb_chunks_release(struct mlb_chunks *c);
void mlb_chunks_format(struct mlb_buf *out, const struct mlb_chunks *c); /* appends */
/* MLB_ECORRUPT: no list, or not of chunks that make up the file that it names. */
int mlb_chunks_parse(struct mlb_chunks *out, const void *data, size_t len, struct mlb_err *err);

#endif
