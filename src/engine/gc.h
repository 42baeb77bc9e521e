/* What the files gc*.c share. Not for others. */
#ifndef ENGINE_GC_H
#define ENGINE_GC_H

#include "base/strmap.h"
#include "engine/needs.h"
#include "engine/pin_needs.h"
#include "engine/project.h"
#include "store/condemned.h"
#include "store/inventory.h"
#include "store/reach.h"

/* A result record, and when it was of use last. */
struct mlb_gc_record {
	struct mlb_result r; /* in the arena */
	int64_t used;        /* wall, ns */
	uint32_t next;       /* record of the same key plus one, 0: none; the latest comes first */
	bool valid;          /* it could be read */
	bool kept;
};

/* What is to become of a pack or segment. */
enum mlb_gc_fate {
	MLB_GC_STAYS = 0, /* one that was set aside: with its batch */
	MLB_GC_REWRITTEN,
	MLB_GC_REMOVED,
	MLB_GC_RETURNED /* it was set aside, and is needed after all */
};

struct mlb_gc_state {
	struct mlb_project *p;
	const struct mlb_gc *opt;
	struct mlb_gc_report *report;
	struct mlb_inventory inv;
	struct mlb_reach reach;
	struct mlb_gc_record *record; /* one per inv.record */
	struct mlb_strmap keys;       /* by key: index of its latest record plus one */
	struct mlb_strmap tables;     /* tables that were followed */
	struct mlb_roots own;         /* what this project needs: its file is made of it */
	struct mlb_strvec pins;       /* references of pins that nothing names */
	struct mlb_pin_needs *pinned; /* what the others need; of mlb_gc, for all its passes */
	struct mlb_leases users;      /* by other processes; known once the gate is closed */
	struct mlb_condemned_batches batch; /* of the cache, likewise */
	struct mlb_strvec dead_roots; /* files of projects that are gone, absolute */
	uint8_t *fate;                /* enum mlb_gc_fate per inv.file */
	int *held;                    /* per inv.file: an open pack's descriptor with its lock, -1 */
	const struct mlb_strvec *copied; /* second pass: paths of files whose living content was copied, sorted */
	struct mlb_arena arena;
	int64_t now, young;           /* wall, ns; what is not older than `young` stays */
	bool shared;                  /* the cache is not this project's alone */
	int stopped;
};

/* gc_keep.c */
int mlb_gc_read_records(struct mlb_gc_state *s, struct mlb_err *err);
void mlb_gc_keep_root(struct mlb_gc_state *s, uint8_t kind, const struct mlb_digest *digest);
void mlb_gc_keep_record(struct mlb_gc_state *s, size_t i);
void mlb_gc_keep_young(struct mlb_gc_state *s);
void mlb_gc_keep_recent(struct mlb_gc_state *s); /* as far as --size allows */
uint64_t mlb_gc_kept_bytes(const struct mlb_gc_state *s);
uint64_t mlb_gc_bytes_of(const struct mlb_gc_state *s, const struct mlb_inv_object *o); /* that it takes on the disk */

/* gc_roots.c: the lock here, those of branches and tags, other projects, pins. */
int mlb_gc_keep_roots(struct mlb_gc_state *s, struct mlb_err *err);

/* gc_pins.c: what the pins need that a kept result names; the others are to be dropped. Last of all. */
int mlb_gc_take_pins(struct mlb_gc_state *s, struct mlb_err *err);

/* gc_choose.c: fates of packs and segments, and what follows from them. */
void mlb_gc_choose(struct mlb_gc_state *s);
bool mlb_gc_is_dead(const struct mlb_gc_state *s, const struct mlb_inv_object *o);
/* Is a copy that was set aside needed, and nowhere else? */
bool mlb_gc_returns(const struct mlb_gc_state *s, const struct mlb_inv_object *o);
/* Copy what lives out of files that are to be rewritten; their paths are added to out. */
int mlb_gc_copy(struct mlb_gc_state *s, struct mlb_strvec *out, struct mlb_err *err);
int mlb_gc_tell(struct mlb_gc_state *s); /* every thing that goes */

/* gc_condemned.c: in two steps, while others use the cache (store/condemned.h). */
bool mlb_gc_is_over(const struct mlb_gc_state *s, uint32_t batch); /* of the inventory, plus one */
int mlb_gc_return_needed(struct mlb_gc_state *s, struct mlb_err *err);
int mlb_gc_remove_condemned(struct mlb_gc_state *s, struct mlb_err *err);
int mlb_gc_condemn(struct mlb_gc_state *s, struct mlb_err *err);

/* gc_sweep.c: removes, while the gate is closed; and afterwards tells state.db. */
int mlb_gc_sweep(struct mlb_gc_state *s, struct mlb_err *err);
int mlb_gc_index(struct mlb_gc_state *s, struct mlb_err *err);

#endif
