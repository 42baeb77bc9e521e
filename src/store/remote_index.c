/*
 * Index objects of a remote (index/NAME.idx, NAME the SHA-256 of the bytes in
 * hexadecimal), version 1. Numbers are unsigned and little-endian.
 *
 *   HEADER   0   8  "mlbrmix\n"
 *            8   4  version, 1
 *           12   4  number of packs, at least 1 unless there are no entries
 *           16   4  number of entries
 *           20   4  zero
 *
 *   pack     0  32  SHA-256 of its bytes: it is packs/HEX.pack
 *           32   8  its size in bytes, at most 2^30
 *
 *   entry    0  32  SHA-256 of the object; entries are sorted by it, then by pack
 *           32   8  size of the object, below 2^63
 *           40   4  number of the pack, from 0 on
 *           44   4  offset of the blob's header in the pack
 *           48   4  stored: bytes of the blob behind its header
 *           52   1  type: 1 the blob is the object; 3 it lists the chunks of which the
 *                   object consists (remote_chunks.c), its own digest is in its header
 *           53   1  codec, as in the blob's header (pack.c)
 *           54   2  zero
 *
 * The header is followed by the packs, these by the entries, and nothing else.
 *
 * 1. An entry whose blob would reach beyond its pack, or of an unknown type, is
 *    passed over: it is of a later version, or of somebody who means harm.
 * 2. If entries are not sorted, objects are not found, which is all.
 */
#include "store/remote_index.h"

#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/pack_format.h"

#define HEAD 24
#define PACK 40
#define VERSION 1

static const uint8_t magic[8] = { 'm', 'l', 'b', 'r', 'm', 'i', 'x', '\n' };

int
mlb_remote_index_read(struct mlb_remote_index *out, const void *data, size_t len,
		      struct mlb_err *err)
{
	const uint8_t *d = data;
	uint64_t packs, n;

	if (len < HEAD || memcmp(d, magic, sizeof(magic)) != 0)
		return mlb_err_set(err, MLB_ECORRUPT, "no index of a remote");
	if (mlb_get_int(d + 8, 4) != VERSION)
		return mlb_err_set(err, MLB_EINVALID, "an index of a remote is of a later version");
	packs = mlb_get_int(d + 12, 4);
	n = mlb_get_int(d + 16, 4);
	if (len - HEAD != packs * PACK + n * MLB_REMOTE_ENTRY)
		return mlb_err_set(err, MLB_ECORRUPT, "an index of a remote is cut off");
	out->data = d;
	out->n_packs = (size_t)packs;
	out->n = (size_t)n;
	return 0;
}

struct mlb_remote_pack
mlb_remote_index_pack(const struct mlb_remote_index *x, size_t i)
{
	const uint8_t *raw = x->data + HEAD + i * PACK;
	struct mlb_remote_pack p;

	memcpy(p.name.b, raw, sizeof(p.name.b));
	p.size = mlb_get_int(raw + 32, 8);
	return p;
}

const uint8_t *
mlb_remote_index_digest(const struct mlb_remote_index *x, size_t i)
{
	return x->data + HEAD + x->n_packs * PACK + i * MLB_REMOTE_ENTRY;
}

/* Is the blob as long as a blob of this type can be? */
static bool
is_possible(const struct mlb_remote_entry_at *e)
{
	struct mlb_blob b = {
		.size = e->size, .stored = e->stored, .type = e->type, .codec = e->codec
	};

	if (e->type == MLB_BLOB_OBJECT)
		return mlb_blob_known(&b) && e->size <= MLB_BLOB_MAX;
	return e->type == MLB_BLOB_CHUNKS && e->codec == MLB_CODEC_PLAIN &&
	       e->stored <= MLB_BLOB_MAX && e->size <= (uint64_t)INT64_MAX;
}

bool
mlb_remote_index_entry(const struct mlb_remote_index *x, size_t i, struct mlb_remote_entry_at *out)
{
	const uint8_t *raw = mlb_remote_index_digest(x, i);
	uint64_t size;

	memcpy(out->digest.b, raw, sizeof(out->digest.b));
	out->size = mlb_get_int(raw + 32, 8);
	out->pack = (uint32_t)mlb_get_int(raw + 40, 4);
	out->offset = (uint32_t)mlb_get_int(raw + 44, 4);
	out->stored = (uint32_t)mlb_get_int(raw + 48, 4);
	out->type = raw[52];
	out->codec = raw[53];
	if (out->pack >= x->n_packs || !is_possible(out))
		return false;
	size = mlb_remote_index_pack(x, out->pack).size;
	return size <= MLB_REMOTE_PACK_MAX && out->offset >= MLB_PACK_HEAD &&
	       (uint64_t)out->offset + MLB_BLOB_HEAD + out->stored <= size;
}

size_t
mlb_remote_index_find(const struct mlb_remote_index *x, const struct mlb_digest *digest)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(mlb_remote_index_digest(x, mid), digest->b, MLB_DIGEST_LEN) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < x->n && memcmp(mlb_remote_index_digest(x, low), digest->b, MLB_DIGEST_LEN) == 0)
		return low;
	return SIZE_MAX;
}

/* ---------------------------------------------------------- writing */

void
mlb_remote_index_writer_release(struct mlb_remote_index_writer *w)
{
	mlb_vec_release(&w->pack);
	mlb_vec_release(&w->entry);
}

void
mlb_remote_index_add(struct mlb_remote_index_writer *w, const struct mlb_remote_pack *pack,
		     const struct mlb_remote_entry_at *entry, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mlb_remote_entry_at e = entry[i];

		e.pack = (uint32_t)w->pack.n;
		mlb_vec_push(&w->entry, e);
	}
	mlb_vec_push(&w->pack, *pack);
}

static int
by_digest(const void *a, const void *b)
{
	const struct mlb_remote_entry_at *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->digest, &y->digest);

	return cmp ? cmp : (x->pack > y->pack) - (x->pack < y->pack);
}

static void
write_head(struct mlb_buf *out, const struct mlb_remote_index_writer *w)
{
	uint8_t raw[PACK] = { 0 };

	memcpy(raw, magic, sizeof(magic));
	mlb_put_int(raw + 8, VERSION, 4);
	mlb_put_int(raw + 12, w->pack.n, 4);
	mlb_put_int(raw + 16, w->entry.n, 4);
	mlb_buf_add(out, raw, HEAD);
	for (size_t i = 0; i < w->pack.n; i++) {
		memcpy(raw, w->pack.v[i].name.b, MLB_DIGEST_LEN);
		mlb_put_int(raw + 32, w->pack.v[i].size, 8);
		mlb_buf_add(out, raw, PACK);
	}
}

void
mlb_remote_index_write(struct mlb_buf *out, struct mlb_remote_index_writer *w)
{
	uint8_t raw[MLB_REMOTE_ENTRY] = { 0 };

	if (w->entry.n)
		qsort(w->entry.v, w->entry.n, sizeof(*w->entry.v), by_digest);
	write_head(out, w);
	for (size_t i = 0; i < w->entry.n; i++) {
		const struct mlb_remote_entry_at *e = &w->entry.v[i];

		memcpy(raw, e->digest.b, MLB_DIGEST_LEN);
		mlb_put_int(raw + 32, e->size, 8);
		mlb_put_int(raw + 40, e->pack, 4);
		mlb_put_int(raw + 44, e->offset, 4);
		mlb_put_int(raw + 48, e->stored, 4);
		raw[52] = e->type;
		raw[53] = e->codec;
		mlb_buf_add(out, raw, sizeof(raw));
	}
}
