/*
 * Cutting a large file where its content says so, so that bytes that were put in or
 * taken out change the chunks around them and no others: FastCDC (Xia et al.,
 * USENIX ATC 2016) with normalised chunking.
 *
 * Equal bytes are cut equally by every version and on every machine: what is told
 * here is part of the format, though a reader needs none of it.
 *
 *   GEAR[i]  first 8 bytes, little-endian, of SHA-256("mlbuild gear " and the byte i)
 *   hash     of the bytes since the last cut but the first `least`:
 *            h = (h << 1) + GEAR[byte], modulo 2^64
 *   cut      after the first byte, from `least` on, where h has zeros in all of the upper
 *            bits + 2 bits (before `average` bytes) or bits - 2 (from there on);
 *            average = 2^bits; least = average / 4; after 4 * average in any case
 *   bits     of a file below 1 GiB 16 (64 KiB), below 16 GiB 18, else 20
 */
#ifndef STORE_CHUNKER_H
#define STORE_CHUNKER_H

#include "base/compat.h"

/*
 * Files from here on are cut: what is smaller can be compressed as a whole
 * (MLB_BLOB_PACKED_MAX), and there would be too few chunks to gain by it.
 */
#define MLB_CHUNKED_FROM (4 * MLB_MIB)

struct mlb_chunker {
	uint64_t gear[256];
	uint64_t early, late; /* masks */
	size_t least, average, most;
};

void mlb_chunker_init(struct mlb_chunker *c, uint64_t file_size);
/*
 * Where the first chunk of these bytes ends: at most len, which is the file's end or
 * at least c->most.
 */
size_t mlb_chunker_cut(const struct mlb_chunker *c, const uint8_t *data, size_t len);

#endif
