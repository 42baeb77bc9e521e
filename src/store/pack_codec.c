/*
 * Whether and how a blob is compressed in its pack: zstd (RFC 8878), one frame; and
 * whole files of remotes (remote_segment.c).
 *
 * 1. What a sample says is noise already (pictures, archives) is not tried: that
 *    costs a microsecond. What does not save an eighth rests as it is.
 * 2. What is unpacked has the size that its header says, which is bounded; and no
 *    blob of ours is packed into less than a 256th, so that a small file cannot
 *    make a reader work for hours.
 */
#include <stdlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "store/pack_format.h"

#define LEVEL 1 /* 533 MB of source text: 109 MB at 500 MB/s a core; level 3 gives 106 MB at 430 */
#define LEAST 512 /* bytes; below, the frame's own bytes and the time outweigh what is saved */
#define SAVING 8  /* at least one in so many bytes is saved */
#define RATIO 256
#define SAMPLE                                                                                     \
	192 /* bytes, at the beginning, in the middle and at the end: noise passes for text once in millions */

struct mlb_packer {
	ZSTD_CCtx *zstd;
};

struct mlb_packer *
mlb_packer_new(void)
{
	struct mlb_packer *p = mlb_calloc(1, sizeof(*p));

	p->zstd = ZSTD_createCCtx();
	if (!p->zstd)
		abort();
	return p;
}

void
mlb_packer_free(struct mlb_packer *p)
{
	if (p)
		ZSTD_freeCCtx(p->zstd);
	free(p);
}

static void
count(unsigned n[256], const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		n[data[i]]++;
}

/*
 * The index of coincidence (Friedman 1922): how often two bytes of the sample are
 * equal.  For noise that is once in 256; text has fifteen times that, floating
 * point numbers of one magnitude five times.
 */
static bool
is_noise(const uint8_t *data, size_t len)
{
	unsigned n[256] = { 0 };
	uint64_t total = MLB_MIN(len, (size_t)3 * SAMPLE), pairs = 0;

	if (len <= (size_t)3 * SAMPLE) {
		count(n, data, len);
	} else {
		count(n, data, SAMPLE);
		count(n, data + (len - SAMPLE) / 2, SAMPLE);
		count(n, data + len - SAMPLE, SAMPLE);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(n); i++)
		pairs += (uint64_t)n[i] * (n[i] ? n[i] - 1 : 0);
	return pairs * 256 < total * (total - 1) * 5 / 4;
}

size_t
mlb_blob_pack(struct mlb_packer *p, void *out, const void *data, size_t len)
{
	size_t n;

	if (len < LEAST || len > MLB_BLOB_PACKED_MAX || is_noise(data, len))
		return 0;
	/* It stops as soon as that is not enough. */
	n = ZSTD_compressCCtx(p->zstd, out, len - len / SAVING, data, len, LEVEL);
	return ZSTD_isError(n) || n * RATIO < len ? 0 : n;
}

bool
mlb_blob_known(const struct mlb_blob *b)
{
	if (b->type < MLB_BLOB_OBJECT || b->type > MLB_BLOB_CHUNKS)
		return false;
	if (b->codec == MLB_CODEC_PLAIN)
		return b->size == b->stored;
	return b->codec == MLB_CODEC_ZSTD && b->type == MLB_BLOB_OBJECT && b->stored < b->size &&
	       b->size <= MLB_BLOB_PACKED_MAX && b->size <= b->stored * RATIO;
}

bool
mlb_blob_unpack(void *out, const struct mlb_blob *b, const void *stored)
{
	size_t n = ZSTD_decompress(out, (size_t)b->size, stored, (size_t)b->stored);

	return !ZSTD_isError(n) && n == b->size;
}

size_t
mlb_zstd_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

size_t
mlb_zstd_pack(void *out, size_t room, const void *data, size_t len)
{
	size_t n = ZSTD_compress(out, room, data, len, LEVEL);

	return ZSTD_isError(n) ? 0 : n;
}

bool
mlb_zstd_unpack(void *out, size_t len, const void *data, size_t size)
{
	size_t n = ZSTD_decompress(out, len, data, size);

	return !ZSTD_isError(n) && n == len;
}
