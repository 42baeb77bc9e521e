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
	MLB_VEC(uint32_t) record;     /* records that need it as an output or part of one */
	MLB_VEC(uint32_t) log_record; /* records that need it as their log */
	const char *recovered; /* where it was had again from; NULL: it was not */
	bool needed;      /* the lock or a result names it, or a directory that they name */
	bool source;      /* it is a source, or in one */
	bool made;        /* it is an output that a command makes, or in one */
	bool damaged;     /* a copy of it is wrong */
	bool no_tree;     /* a directory needs it as a node, and it is right and none */
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
	struct mlb_strmap dirs; /* by path: output directories (a holder of it) in which something is lost */
	uint8_t *mended;        /* per damage: it was dealt with */
	bool db_was_broken;     /* it was set aside when it was opened */
	bool repaired;          /* mlb_fsck_repair has run */
	int stopped; /* what on_finding returned */
};

/* fsck_lost.c: fills lost and row from the inventory and the database. */
int mlb_fsck_find_lost(struct mlb_fsck_state *s, struct mlb_err *err);
struct mlb_fsck_lost *mlb_fsck_lost_of(struct mlb_fsck_state *s, const struct mlb_digest *digest); /* NULL */

/* fsck_salvage.c: what the workspace, git or the graph still has is stored again. */
int mlb_fsck_salvage(struct mlb_fsck_state *s, struct mlb_err *err);

/* fsck_repair.c: the damaged into quarantine/, what is right out of damaged packs, the indexes anew. */
int mlb_fsck_repair(struct mlb_fsck_state *s, struct mlb_err *err);

/* fsck_tell.c: every finding, in the order of the files. */
void mlb_fsck_tell(struct mlb_fsck_state *s);
void mlb_fsck_tell_lock(struct mlb_fsck_state *s, const char *text); /* why it cannot be read */

#endif
