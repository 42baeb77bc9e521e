/*
 * What comes from a remote, by its first byte: an index, a segment, a list of chunks, a
 * blob, a lease, a list of condemned packs, or who it is.
 */
#include <stdlib.h>
#include <string.h>

#include "store/pack_format.h"
#include "store/remote_chunks.h"
#include "store/remote_index.h"
#include "store/remote_lease.h"
#include "store/remote_meta.h"
#include "store/remote_pack.h"
#include "store/remote_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_index(const uint8_t *data, size_t size)
{
	struct mlb_remote_entry_at e;
	struct mlb_remote_index x;

	if (mlb_remote_index_read(&x, data, size, NULL) != 0)
		return;
	for (size_t i = 0; i < x.n; i++)
		if (mlb_remote_index_entry(&x, i, &e) &&
		    mlb_remote_index_pack(&x, e.pack).size < e.offset)
			abort();
	if (x.n && mlb_remote_index_entry(&x, x.n / 2, &e))
		mlb_remote_index_find(&x, &e.digest);
}

static void
try_segment(const uint8_t *data, size_t size)
{
	struct mlb_buf plain = MLB_BUF_INIT(2 * MLB_SEGMENT_MAX);
	struct mlb_segment_record r;
	struct mlb_segment s;
	uint64_t sum = 0;

	if (mlb_segment_unpack(&plain, data, size, NULL) == 0 &&
	    mlb_segment_read(&s, mlb_buf_str(&plain), plain.len, NULL) == 0)
		for (size_t i = 0; i < s.n; i++)
			if (mlb_segment_record(&s, i, &r)) {
				for (size_t k = 0; k < r.len; k++)
					sum += (uint8_t)r.text[k];
				for (unsigned k = 0; k < r.n_sigs; k++)
					sum += r.sig[k].sig[63];
				mlb_segment_find(&s, &r.key);
			}
	if (sum == UINT64_MAX)
		abort();
	mlb_buf_release(&plain);
}

static void
try_chunks(const uint8_t *data, size_t size)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_chunks c;

	if (mlb_chunks_parse(&c, data, size, NULL) != 0)
		return;
	mlb_chunks_format(&out, &c);
	if (out.len != size || memcmp(out.data, data, size) != 0)
		abort();
	mlb_chunks_release(&c);
	mlb_buf_release(&out);
}

/* Also with a header that says what no mutation would guess. */
static void
try_blob(const uint8_t *data, size_t size)
{
	struct mlb_buf out = MLB_BUF_INIT(8 * MLB_MIB);
	uint8_t *copy = mlb_alloc(size + 1);

	mlb_remote_blob_read(&out, data, size, MLB_BLOB_OBJECT, NULL, NULL);
	memcpy(copy, data, size);
	if (size >= MLB_BLOB_HEAD) {
		struct mlb_blob b = { .type = MLB_BLOB_OBJECT,
				      .codec = MLB_CODEC_ZSTD,
				      .stored = size - MLB_BLOB_HEAD };

		for (int i = 3; i >= 0; i--)
			b.size = b.size << 8 | data[8 + i];
		mlb_blob_head_write(copy, &b);
		mlb_remote_blob_read(&out, copy, size, MLB_BLOB_OBJECT, NULL, NULL);
	}
	free(copy);
	mlb_buf_release(&out);
}

/* What is parsed is written back byte for byte. */
static void
try_condemned(const uint8_t *data, size_t size)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_remote_packs packs;

	if (mlb_remote_condemned_parse(&packs, (const char *)data, size, NULL) != 0)
		return;
	mlb_remote_condemned_format(&out, &packs);
	if (out.len != size || memcmp(out.data, data, size) != 0)
		abort();
	mlb_vec_release(&packs);
	mlb_buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_remote_meta m;
	int64_t start;

	if (!size)
		return 0;
	switch (data[0]) {
	case 'i':
		try_index(data + 1, size - 1);
		break;
	case 's':
		try_segment(data + 1, size - 1);
		break;
	case 'c':
		try_chunks(data + 1, size - 1);
		break;
	case 'b':
		try_blob(data + 1, size - 1);
		break;
	case 'l':
		if (mlb_remote_lease_parse(&start, (const char *)data + 1, size - 1, NULL) == 0 &&
		    start < 0)
			abort();
		break;
	case 'd':
		try_condemned(data + 1, size - 1);
		break;
	default:
		mlb_remote_meta_parse(&m, (const char *)data + 1, size - 1, NULL);
	}
	return 0;
}
