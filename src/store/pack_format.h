/*
 * The pack format as numbers and structs, for the files pack*.c and their tests
 * only; the description stands at the top of pack.c.
 */
#ifndef STORE_PACK_FORMAT_H
#define STORE_PACK_FORMAT_H

#include "store/pack.h"

#define MLB_PACK_VERSION 2       /* of what is written; 1 is read, and continued without compression */
#define MLB_PACK_INDEX_VERSION 1
#define MLB_PACK_HEAD 16  /* bytes of a pack's header */
#define MLB_BLOB_HEAD 52  /* bytes of a blob's header */
#define MLB_PACK_ENTRY 52 /* bytes of an entry of the index */
#define MLB_PACK_TAIL 64  /* bytes of the trailer behind the index */
#define MLB_BLOB_MAX (512 * MLB_MIB) /* most bytes of one blob */
#define MLB_BLOB_PACKED_MAX (4 * MLB_MIB) /* most bytes of the content of one that is compressed */

enum mlb_codec { MLB_CODEC_PLAIN = 0, MLB_CODEC_ZSTD = 1 };

void mlb_pack_head_write(uint8_t out[MLB_PACK_HEAD]);
/* The version if it is one of ours, 0 it is damaged, -1 it is of a later version. */
int mlb_pack_head_read(const uint8_t head[MLB_PACK_HEAD]);

void mlb_blob_head_write(uint8_t out[MLB_BLOB_HEAD], const struct mlb_blob *b);
bool mlb_blob_head_read(struct mlb_blob *out, const uint8_t head[MLB_BLOB_HEAD], uint64_t offset);

/* pack_codec.c: a packer is used by one thread at a time. */
struct mlb_packer;
struct mlb_packer *mlb_packer_new(void);
void mlb_packer_free(struct mlb_packer *p);
/* Compress into out, which has room for len bytes: how many it took, 0: it is not worth it. */
size_t mlb_blob_pack(struct mlb_packer *p, void *out, const void *data, size_t len);
bool mlb_blob_known(const struct mlb_blob *b); /* a type and codec that we can read, and sizes that such a blob can have */
bool mlb_blob_unpack(void *out, const struct mlb_blob *b, const void *stored); /* of a known compressed one; false: it is damaged */

/* What is compressed as a whole: most bytes that it takes; how many it took, 0: not at all; false: it is damaged. */
size_t mlb_zstd_bound(size_t len);
size_t mlb_zstd_pack(void *out, size_t room, const void *data, size_t len);
bool mlb_zstd_unpack(void *out, size_t len, const void *data, size_t size); /* to exactly len bytes */

/* Entries (sorted in place) and trailer of an index that begins at offset at. */
void mlb_pack_index_write(struct mlb_buf *out, struct mlb_blob *entry, size_t n, uint64_t at);

/* Where the index of a sealed pack of this size begins, and its entries; false if it is not there or not right. */
bool mlb_pack_index_find(int fd, uint64_t size, uint64_t *at, uint64_t *n);

/*
 * Call fn (may be NULL) for every right blob between two offsets, contents
 * included.  *end is where the last whole blob ends (from, if there is none).
 */
int mlb_pack_scan(int fd, const char *path, uint64_t from, uint64_t until, mlb_pack_fn fn, void *ctx,
		  uint64_t *end, struct mlb_err *err);

/* read(2) at an offset until len bytes are there or the file ends; how many, or -1 and errno. */
ssize_t mlb_pread_full(int fd, void *data, size_t len, uint64_t offset);

#endif
