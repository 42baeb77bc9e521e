/* What the files fsck*.c share. Not for others. */
#ifndef ENGINE_FSCK_H
#define ENGINE_FSCK_H

#include "engine/owners.h"
#include "store/inventory_db.h"
#include "store/reach.h"

/* An object that is damaged or not there, and whom that concerns. */
struct mlb_fsck_lost {
	struct mlb_digest digest;
	MLB_VEC(const char *) target; /* sorted and unique once all are known */
	const char *held; /* path of an output that needs it, "" */
	bool damaged;     /* a copy of it is wrong */
	bool missing;     /* a result needs it, and no copy is right */
	bool elsewhere;   /* only the lock names it, and the workspace has not got it either */
};

struct mlb_fsck_state {
	struct mlb_project *p;
	const struct mlb_fsck *opt;
	struct mlb_fsck_report *report;
	struct mlb_inventory inv;
	struct mlb_owners owners;
	uint8_t *live; /* records that have a row; NULL: all count */
	struct mlb_strmap lost; /* by digest: struct mlb_fsck_lost, in the arena */
	MLB_VEC(struct mlb_inv_row_info) row; /* texts in the arena */
	struct mlb_arena arena;
	int stopped; /* what on_finding returned */
};

/* fsck_lost.c: fills lost and row from the inventory and the database. */
int mlb_fsck_find_lost(struct mlb_fsck_state *s, struct mlb_err *err);
struct mlb_fsck_lost *mlb_fsck_lost_of(struct mlb_fsck_state *s, const struct mlb_digest *digest); /* NULL */

/* fsck_tell.c: every finding, in the order of the files. */
void mlb_fsck_tell(struct mlb_fsck_state *s);
void mlb_fsck_tell_lock(struct mlb_fsck_state *s, const char *text); /* why it cannot be read */

#endif
