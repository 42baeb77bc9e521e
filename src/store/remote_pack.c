#include "store/remote_pack.h"

#include <string.h>

#include "store/pack_format.h"

#define INDEX_ROOM (16 * MLB_MIB) /* most bytes of a pack's index and trailer */

void
mlb_remote_packing_init(struct mlb_remote_packing *p, size_t expected)
{
	uint8_t head[MLB_PACK_HEAD];

	memset(p, 0, sizeof(*p));
	mlb_buf_init(&p->bytes, MLB_REMOTE_PACK_MAX);
	mlb_buf_reserve(&p->bytes, expected);
	mlb_pack_head_write(head);
	mlb_buf_add(&p->bytes, head, sizeof(head));
}

void
mlb_remote_packing_release(struct mlb_remote_packing *p)
{
	mlb_buf_release(&p->bytes);
	mlb_vec_release(&p->blob);
	mlb_vec_release(&p->entry);
	mlb_packer_free(p->packer);
	p->packer = NULL;
}

static void
add_entry(struct mlb_remote_packing *p, const struct mlb_blob *b, const struct mlb_digest *object,
	  uint64_t size)
{
	struct mlb_remote_entry_at e = { .digest = *object,
					 .size = size,
					 .offset = (uint32_t)b->offset,
					 .stored = (uint32_t)b->stored,
					 .type = b->type,
					 .codec = b->codec };

	mlb_vec_push(&p->blob, *b);
	mlb_vec_push(&p->entry, e);
}

/* Room for a blob and, later, for the index of all. */
static int
make_room(struct mlb_remote_packing *p, size_t len, struct mlb_err *err)
{
	if (p->bytes.len + len > MLB_REMOTE_PACK_MAX - INDEX_ROOM ||
	    !mlb_buf_reserve(&p->bytes, MLB_BLOB_HEAD + len))
		return mlb_err_set(err, MLB_ETOOBIG, "%zu bytes more are too many for a pack", len);
	return 0;
}

int
mlb_remote_packing_add(struct mlb_remote_packing *p, enum mlb_blob_type type,
		       const struct mlb_digest *digest, const void *data, size_t len,
		       const struct mlb_digest *object, uint64_t size, struct mlb_err *err)
{
	struct mlb_blob b = { .digest = *digest,
			      .offset = p->bytes.len,
			      .size = len,
			      .stored = len,
			      .type = (uint8_t)type };
	uint8_t head[MLB_BLOB_HEAD];
	char *room;
	int rc = make_room(p, len, err);

	if (rc)
		return rc;
	room = p->bytes.data + p->bytes.len;
	if (type == MLB_BLOB_OBJECT) {
		size_t packed;

		if (!p->packer)
			p->packer = mlb_packer_new();
		packed = mlb_blob_pack(p->packer, room + MLB_BLOB_HEAD, data, len);
		if (packed) {
			b.codec = MLB_CODEC_ZSTD;
			b.stored = packed;
			p->saved += len - packed;
		}
	}
	mlb_blob_head_write(head, &b);
	memcpy(room, head, sizeof(head));
	if (b.codec == MLB_CODEC_PLAIN && len)
		memcpy(room + sizeof(head), data, len);
	p->bytes.len += sizeof(head) + (size_t)b.stored;
	add_entry(p, &b, object, size);
	return 0;
}

int
mlb_remote_packing_copy(struct mlb_remote_packing *p, const struct mlb_blob *b, const void *stored,
			struct mlb_err *err)
{
	struct mlb_blob own = *b;
	uint8_t head[MLB_BLOB_HEAD];
	int rc = make_room(p, (size_t)b->stored, err);

	if (rc)
		return rc;
	own.offset = p->bytes.len;
	mlb_blob_head_write(head, &own);
	mlb_buf_add(&p->bytes, head, sizeof(head));
	mlb_buf_add(&p->bytes, stored, (size_t)b->stored);
	p->saved += b->size - b->stored;
	add_entry(p, &own, &own.digest, own.size);
	return 0;
}

int
mlb_remote_packing_move(struct mlb_remote_packing *p, const struct mlb_remote_packing *from,
			size_t i, struct mlb_err *err)
{
	const struct mlb_blob *b = &from->blob.v[i];

	return mlb_remote_packing_copy(p, b, from->bytes.data + b->offset + MLB_BLOB_HEAD, err);
}

int
mlb_remote_packing_finish(struct mlb_remote_packing *p, struct mlb_remote_pack *out,
			  struct mlb_err *err)
{
	int rc;

	mlb_pack_index_write(&p->bytes, p->blob.v, p->blob.n, p->bytes.len);
	rc = mlb_buf_check(&p->bytes, "a pack", err);
	if (rc)
		return rc;
	mlb_sha256_of(&out->name, p->bytes.data, p->bytes.len);
	out->size = p->bytes.len;
	return 0;
}

int
mlb_remote_blob_read(struct mlb_buf *out, const void *data, size_t len, uint8_t type,
		     const struct mlb_digest *digest, struct mlb_err *err)
{
	const uint8_t *stored = (const uint8_t *)data + MLB_BLOB_HEAD;
	struct mlb_digest now;
	struct mlb_blob b;
	char *room;

	if (len < MLB_BLOB_HEAD || !mlb_blob_head_read(&b, data, 0) || !mlb_blob_known(&b) ||
	    b.type != type || b.stored != len - MLB_BLOB_HEAD ||
	    (digest && !mlb_digest_equal(digest, &b.digest)))
		return mlb_err_set(err, MLB_ECORRUPT, "a blob is damaged");
	if (!mlb_buf_reserve(out, (size_t)b.size))
		return mlb_buf_check(out, "a blob", err);
	room = out->data + out->len;
	if (b.codec == MLB_CODEC_PLAIN)
		memcpy(room, stored, (size_t)b.size);
	else if (!mlb_blob_unpack(room, &b, stored))
		return mlb_err_set(err, MLB_ECORRUPT, "a blob is damaged");
	mlb_sha256_of(&now, room, (size_t)b.size);
	if (!mlb_digest_equal(&now, &b.digest))
		return mlb_err_set(err, MLB_ECORRUPT, "a blob is damaged");
	out->len += (size_t)b.size;
	out->data[out->len] = '\0';
	return 0;
}
