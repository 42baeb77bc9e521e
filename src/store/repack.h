/*
 * Copying blobs out of packs into new ones, for fsck and gc: what is right, or
 * needed, before the pack itself goes.  Every blob is checked on the way.
 *
 * The new pack is like any other that is written here: sealed when it is full,
 * else left open for whoever appends next.
 */
#ifndef STORE_REPACK_H
#define STORE_REPACK_H

#include "store/inventory.h"
#include "store/pack.h"

struct mlb_repack {
	const struct mlb_inventory *inv;
	char *dir;    /* absolute: packs/ or actions/ */
	uint8_t type; /* enum mlb_blob_type */
	struct mlb_pack_writer *writer; /* NULL: none begun */
	int fd;        /* of the pack that was read last, -1 */
	uint32_t file; /* its index */
	uint64_t blobs, bytes; /* copied so far */
};

/* records: segments of actions/, else packs/. */
void mlb_repack_init(struct mlb_repack *r, const struct mlb_inventory *inv, bool records);
/* A blob as it is; best in the order of files and offsets. */
int mlb_repack_copy(struct mlb_repack *r, const struct mlb_inv_object *o, struct mlb_err *err);
int mlb_repack_add(struct mlb_repack *r, const void *data, size_t len, struct mlb_err *err);
/* Durable: only now may what was copied go. */
int mlb_repack_finish(struct mlb_repack *r, struct mlb_err *err);
void mlb_repack_release(struct mlb_repack *r);

#endif
