/*
 * Result records as they rest on a remote: segments, each of one push, or of many that
 * were merged. The format stands at the top of remote_segment.c.
 *
 * Ownership: a writer owns what was added. A struct mlb_segment borrows the bytes, and
 * a record those of its segment.
 */
#ifndef STORE_REMOTE_SEGMENT_H
#define STORE_REMOTE_SEGMENT_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_SEGMENT_MAX (64 * MLB_MIB)       /* bytes of one, uncompressed */
#define MLB_SEGMENT_RECORD_MAX (8 * MLB_MIB) /* bytes of a record's text */
#define MLB_SEGMENT_SIGNATURES 8             /* most of one record */

struct mlb_signature {
	uint8_t key[8];  /* first bytes of the SHA-256 of the public key */
	uint8_t sig[64]; /* Ed25519 (RFC 8032) of the text */
};

struct mlb_segment_record {
	struct mlb_digest key;
	int64_t arrived;  /* s since 1970, by the server's clock; 0: with the segment */
	const char *text; /* of store/result.h, borrowed; no NUL */
	size_t len;
	const struct mlb_signature *sig; /* borrowed */
	unsigned n_sigs;
};

struct mlb_segment {
	const uint8_t *data;
	size_t len;
	size_t n; /* records */
};

/*
 * The bytes as they come from a remote, uncompressed: out (replaced) is what
 * mlb_segment_read takes. MLB_ECORRUPT; MLB_EINVALID: of a later version.
 */
int mlb_segment_unpack(struct mlb_buf *out, const void *data, size_t len, struct mlb_err *err);
int mlb_segment_read(struct mlb_segment *out, const void *data, size_t len, struct mlb_err *err);
/* Record i, sorted by key and arrival; false: it is damaged. */
bool mlb_segment_record(const struct mlb_segment *s, size_t i, struct mlb_segment_record *out);
/* The first record of a key, SIZE_MAX: there is none. The next ones may be of it too. */
size_t mlb_segment_find(const struct mlb_segment *s, const struct mlb_digest *key);

/* Where a record is to be found. */
struct mlb_segment_slot {
	struct mlb_digest key;
	int64_t arrived;
	uint32_t at, len;
};

/* What is to become one. */
struct mlb_segment_writer {
	struct mlb_buf body; /* of records */
	MLB_VEC(struct mlb_segment_slot) slot;
};
void mlb_segment_writer_init(struct mlb_segment_writer *w);
void mlb_segment_writer_release(struct mlb_segment_writer *w);
/* False: it is full, write it first; or the record is too large for any. */
bool mlb_segment_add(struct mlb_segment_writer *w, const struct mlb_segment_record *r);
/* Replaces out by its bytes, compressed. */
int mlb_segment_write(struct mlb_buf *out, struct mlb_segment_writer *w, struct mlb_err *err);

#endif
