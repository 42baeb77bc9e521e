/* state.db held against what is on the disk. */
#ifndef STORE_INVENTORY_DB_H
#define STORE_INVENTORY_DB_H

#include "base/strmap.h"
#include "store/db.h"
#include "store/inventory.h"

enum mlb_inv_row {
	MLB_ROW_DAMAGED,   /* SQLite says so; text */
	MLB_ROW_NO_PACK,   /* a pack that is not there; count: rows that name it */
	MLB_ROW_NO_OBJECT, /* an object that is not where its row says; digest */
	MLB_ROW_NO_RECORD, /* the same of a result record; digest: its key */
	MLB_ROW_UNKNOWN    /* blobs of a pack that have no row; count */
};

struct mlb_inv_row_info {
	enum mlb_inv_row what;
	const char *path; /* of the pack or object below the cache; "" */
	const char *text;
	struct mlb_digest digest;
	uint64_t count;
};
typedef void mlb_inv_row_fn(void *ctx, const struct mlb_inv_row_info *i);

/* A damaged database is a finding, not an error. */
int mlb_inventory_compare(const struct mlb_inventory *inv, struct mlb_db *db, mlb_inv_row_fn *fn, void *ctx,
			  struct mlb_err *err);

/* The records of inv->record that have a row: those that were forgotten have none. One byte each; owned by the caller. */
int mlb_inventory_live_records(uint8_t **out, const struct mlb_inventory *inv, struct mlb_db *db,
			       struct mlb_err *err);

#endif
