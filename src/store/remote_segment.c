/*
 * Segments of a remote (actions/NAME.seg, NAME the SHA-256 of the bytes in hexadecimal),
 * version 1. Numbers are unsigned and little-endian.
 *
 *   HEADER   0   8  "mlbsegm\n"
 *            8   4  version, 1
 *           12   4  codec: 0 BODY as it is, 1 one zstd frame of it
 *           16   4  bytes of BODY, at most 2^26
 *           20   4  zero
 *
 *   BODY     0   4  number of records
 *            4   4  zero
 *            8   -  slots, sorted by key and arrival, then the records, nothing else
 *
 *   slot     0  32  key
 *           32   8  arrival, seconds since 1970 by the server's clock; 0: that of the
 *                   segment itself. Merging writes down here when each record came
 *           40   4  offset of the record in BODY
 *           44   4  its bytes
 *
 *   record   0   1  number of signatures, at most 8
 *            1   -  signatures, each the first 8 bytes of the SHA-256 of the public
 *                   key, then 64 bytes Ed25519 signature of the text
 *            -   -  the text of a result record (result.c), to the record's end
 *
 * In the copy that is kept here BODY is uncompressed, so that it can be searched in a
 * map of the file.
 */
#include "store/remote_segment.h"

#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/pack_format.h"

#define HEAD 24
#define SLOTS 8
#define SLOT 48
#define VERSION 1

static const uint8_t magic[8] = { 'm', 'l', 'b', 's', 'e', 'g', 'm', '\n' };

static void
write_head(uint8_t head[HEAD], uint8_t codec, size_t body)
{
	memset(head, 0, HEAD);
	memcpy(head, magic, sizeof(magic));
	mlb_put_int(head + 8, VERSION, 4);
	mlb_put_int(head + 12, codec, 4);
	mlb_put_int(head + 16, body, 4);
}

static int
read_head(const uint8_t *d, size_t len, uint64_t *codec, uint64_t *body, struct mlb_err *err)
{
	if (len < HEAD || memcmp(d, magic, sizeof(magic)) != 0)
		return mlb_err_set(err, MLB_ECORRUPT, "no segment of result records");
	if (mlb_get_int(d + 8, 4) != VERSION)
		return mlb_err_set(err, MLB_EINVALID,
				   "a segment of result records is of a later version");
	*codec = mlb_get_int(d + 12, 4);
	*body = mlb_get_int(d + 16, 4);
	if (*body < SLOTS || *body > MLB_SEGMENT_MAX || *codec > MLB_CODEC_ZSTD)
		return mlb_err_set(err, MLB_ECORRUPT, "a segment of result records is damaged");
	return 0;
}

int
mlb_segment_unpack(struct mlb_buf *out, const void *data, size_t len, struct mlb_err *err)
{
	uint8_t head[HEAD];
	uint64_t codec, body;
	int rc = read_head(data, len, &codec, &body, err);

	if (rc)
		return rc;
	mlb_buf_clear(out);
	if (codec == MLB_CODEC_PLAIN) {
		mlb_buf_add(out, data, len);
		return mlb_buf_check(out, "a segment of result records", err);
	}
	write_head(head, MLB_CODEC_PLAIN, (size_t)body);
	mlb_buf_add(out, head, sizeof(head));
	if (!mlb_buf_reserve(out, (size_t)body))
		return mlb_buf_check(out, "a segment of result records", err);
	if (!mlb_zstd_unpack(out->data + out->len, (size_t)body, (const uint8_t *)data + HEAD,
			     len - HEAD))
		return mlb_err_set(err, MLB_ECORRUPT, "a segment of result records is damaged");
	out->len += (size_t)body;
	return 0;
}

int
mlb_segment_read(struct mlb_segment *out, const void *data, size_t len, struct mlb_err *err)
{
	uint64_t codec, body, n;
	int rc = read_head(data, len, &codec, &body, err);

	if (rc)
		return rc;
	n = body == len - HEAD ? mlb_get_int((const uint8_t *)data + HEAD, 4) : UINT64_MAX;
	if (codec != MLB_CODEC_PLAIN || n > (body - SLOTS) / SLOT)
		return mlb_err_set(err, MLB_ECORRUPT, "a segment of result records is damaged");
	out->data = (const uint8_t *)data + HEAD;
	out->len = (size_t)body;
	out->n = (size_t)n;
	return 0;
}

static const uint8_t *
slot_of(const struct mlb_segment *s, size_t i)
{
	return s->data + SLOTS + i * SLOT;
}

bool
mlb_segment_record(const struct mlb_segment *s, size_t i, struct mlb_segment_record *out)
{
	const uint8_t *slot = slot_of(s, i), *r;
	uint64_t at = mlb_get_int(slot + 40, 4), len = mlb_get_int(slot + 44, 4), sigs;

	if (at < SLOTS + s->n * SLOT || at > s->len || len > s->len - at || len < 1)
		return false;
	r = s->data + at;
	out->n_sigs = r[0];
	sigs = (uint64_t)out->n_sigs * sizeof(struct mlb_signature);
	if (out->n_sigs > MLB_SEGMENT_SIGNATURES || sigs > len - 1)
		return false;
	memcpy(out->key.b, slot, MLB_DIGEST_LEN);
	out->arrived = (int64_t)(mlb_get_int(slot + 32, 8) & INT64_MAX);
	out->sig = (const struct mlb_signature *)(const void *)(r + 1);
	out->text = (const char *)r + 1 + sigs;
	out->len = (size_t)(len - 1 - sigs);
	return true;
}

size_t
mlb_segment_find(const struct mlb_segment *s, const struct mlb_digest *key)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(slot_of(s, mid), key->b, MLB_DIGEST_LEN) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && memcmp(slot_of(s, low), key->b, MLB_DIGEST_LEN) == 0 ? low : SIZE_MAX;
}

/* ---------------------------------------------------------- writing */

void
mlb_segment_writer_init(struct mlb_segment_writer *w)
{
	memset(w, 0, sizeof(*w));
	mlb_buf_init(&w->body, MLB_SEGMENT_MAX);
}

void
mlb_segment_writer_release(struct mlb_segment_writer *w)
{
	mlb_buf_release(&w->body);
	mlb_vec_release(&w->slot);
}

bool
mlb_segment_add(struct mlb_segment_writer *w, const struct mlb_segment_record *r)
{
	struct mlb_segment_slot slot = { r->key, r->arrived, (uint32_t)w->body.len, 0 };
	size_t sigs = r->n_sigs * sizeof(*r->sig), len = 1 + sigs + r->len;

	if (r->len > MLB_SEGMENT_RECORD_MAX || r->n_sigs > MLB_SEGMENT_SIGNATURES ||
	    SLOTS + (w->slot.n + 1) * SLOT + w->body.len + len > MLB_SEGMENT_MAX)
		return false;
	mlb_buf_addc(&w->body, (char)r->n_sigs);
	if (sigs)
		mlb_buf_add(&w->body, r->sig, sigs);
	mlb_buf_add(&w->body, r->text, r->len);
	slot.len = (uint32_t)len;
	mlb_vec_push(&w->slot, slot);
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct mlb_segment_slot *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->key, &y->key);

	return cmp ? cmp : (x->arrived > y->arrived) - (x->arrived < y->arrived);
}

/* BODY, appended to out. */
static void
write_body(struct mlb_buf *out, struct mlb_segment_writer *w)
{
	size_t front = SLOTS + w->slot.n * SLOT;
	uint8_t raw[SLOT] = { 0 };

	if (w->slot.n)
		qsort(w->slot.v, w->slot.n, sizeof(*w->slot.v), by_key);
	mlb_put_int(raw, w->slot.n, 4);
	mlb_buf_add(out, raw, SLOTS);
	for (size_t i = 0; i < w->slot.n; i++) {
		memcpy(raw, w->slot.v[i].key.b, MLB_DIGEST_LEN);
		mlb_put_int(raw + 32, (uint64_t)w->slot.v[i].arrived, 8);
		mlb_put_int(raw + 40, front + w->slot.v[i].at, 4);
		mlb_put_int(raw + 44, w->slot.v[i].len, 4);
		mlb_buf_add(out, raw, sizeof(raw));
	}
	mlb_buf_add(out, mlb_buf_str(&w->body), w->body.len);
}

int
mlb_segment_write(struct mlb_buf *out, struct mlb_segment_writer *w, struct mlb_err *err)
{
	struct mlb_buf body = MLB_BUF_INIT(MLB_SEGMENT_MAX);
	uint8_t head[HEAD] = { 0 };
	size_t packed = 0;

	write_body(&body, w);
	mlb_buf_clear(out);
	mlb_buf_add(out, head, sizeof(head));
	if (mlb_buf_reserve(out, mlb_zstd_bound(body.len)))
		packed = mlb_zstd_pack(out->data + out->len, mlb_zstd_bound(body.len), body.data,
				       body.len);
	write_head(head, packed ? MLB_CODEC_ZSTD : MLB_CODEC_PLAIN, body.len);
	if (packed)
		out->len += packed;
	else
		mlb_buf_add(out, body.data, body.len);
	if (out->data)
		memcpy(out->data, head, sizeof(head));
	mlb_buf_release(&body);
	return mlb_buf_check(out, "a segment of result records", err);
}
