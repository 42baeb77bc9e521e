/*
 * The list of a large file's chunks, version 1: the content of a blob of type 3.
 * Numbers are unsigned and little-endian.
 *
 *    0   8  "mlbchnk\n"
 *    8   4  version, 1
 *   12   4  number of chunks, at least 1
 *   16   8  size of the file
 *   24  32  SHA-256 of the file
 *   56   -  chunks, in order, each:
 *            0  32  SHA-256 of its bytes, which are an object like any other
 *           32   4  its size, 1 to 2^22
 *
 * The sizes add up to that of the file. Chunks are bytes: a list leads to no other
 * list, so that nothing can go round in a circle.
 */
#include "store/remote_chunks.h"

#include <string.h>

#include "store/bytes.h"

#define HEAD 56
#define CHUNK 36
#define VERSION 1

static const uint8_t magic[8] = { 'm', 'l', 'b', 'c', 'h', 'n', 'k', '\n' };

void
mlb_chunks_release(struct mlb_chunks *c)
{
	mlb_vec_release(&c->chunk);
}

void
mlb_chunks_format(struct mlb_buf *out, const struct mlb_chunks *c)
{
	uint8_t raw[HEAD];

	memcpy(raw, magic, sizeof(magic));
	mlb_put_int(raw + 8, VERSION, 4);
	mlb_put_int(raw + 12, c->chunk.n, 4);
	mlb_put_int(raw + 16, c->size, 8);
	memcpy(raw + 24, c->file.b, MLB_DIGEST_LEN);
	mlb_buf_add(out, raw, HEAD);
	for (size_t i = 0; i < c->chunk.n; i++) {
		memcpy(raw, c->chunk.v[i].digest.b, MLB_DIGEST_LEN);
		mlb_put_int(raw + 32, c->chunk.v[i].size, 4);
		mlb_buf_add(out, raw, CHUNK);
	}
}

static bool
take_chunks(struct mlb_chunks *out, const uint8_t *at, size_t n)
{
	uint64_t sum = 0;

	mlb_vec_reserve(&out->chunk, n);
	for (size_t i = 0; i < n; i++, at += CHUNK) {
		struct mlb_chunk c;

		memcpy(c.digest.b, at, MLB_DIGEST_LEN);
		c.size = (uint32_t)mlb_get_int(at + 32, 4);
		if (!c.size || c.size > MLB_CHUNK_MAX)
			return false;
		sum += c.size;
		mlb_vec_push(&out->chunk, c);
	}
	return sum == out->size;
}

int
mlb_chunks_parse(struct mlb_chunks *out, const void *data, size_t len, struct mlb_err *err)
{
	const uint8_t *d = data;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (len < HEAD || memcmp(d, magic, sizeof(magic)) != 0 || mlb_get_int(d + 8, 4) != VERSION)
		return mlb_err_set(err, MLB_ECORRUPT, "no list of chunks of this version");
	n = (size_t)mlb_get_int(d + 12, 4);
	out->size = mlb_get_int(d + 16, 8);
	memcpy(out->file.b, d + 24, MLB_DIGEST_LEN);
	if (n && (len - HEAD) / CHUNK == n && (len - HEAD) % CHUNK == 0 &&
	    take_chunks(out, d + HEAD, n))
		return 0;
	mlb_chunks_release(out);
	return mlb_err_set(err, MLB_ECORRUPT, "a list of chunks is damaged");
}
