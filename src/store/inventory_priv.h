/* What inventory.c and inventory_check.c share. Not for others. */
#ifndef STORE_INVENTORY_PRIV_H
#define STORE_INVENTORY_PRIV_H

#include "store/inventory.h"
#include "store/pack.h"

/* What the examination of a part found; merged by the calling thread. */
struct mlb_inv_found {
	MLB_VEC(struct mlb_inv_object) object;
	MLB_VEC(struct mlb_inv_object) record;
	MLB_VEC(struct mlb_inv_damage) damage;
};

/* All on a worker: they read inv->dir and inv->file, and add to inv->done. */
void mlb_inv_check_pack(struct mlb_inv_found *out, struct mlb_inventory *inv, uint32_t file, bool every_byte);
void mlb_inv_check_loose(struct mlb_inv_found *out, struct mlb_inventory *inv, const struct mlb_inv_object *o);

/* path is copied. */
void mlb_inv_damaged(struct mlb_inv_found *out, enum mlb_inv_wrong wrong, const char *path, uint64_t offset,
		     const struct mlb_digest *digest);

#endif
