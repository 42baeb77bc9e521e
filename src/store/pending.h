/*
 * What was put into the store and has no row in state.db yet: where it rests, by
 * digest (objects) or key (results).  For cas*.c, results.c and packs.c only,
 * which hold their own lock around every call.
 *
 * An entry goes NEW -> SYNCING -> READY -> WRITTEN, and leaves when the
 * transaction that wrote its row is committed.  A failed sync drops what is NEW
 * or SYNCING; a rolled back transaction makes what is WRITTEN READY again.
 */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "base/hash.h"
#include "base/vec.h"
#include "store/db.h"

enum mlb_pending_state { MLB_ENTRY_NEW = 0, MLB_ENTRY_SYNCING, MLB_ENTRY_READY, MLB_ENTRY_WRITTEN };

struct mlb_packfile;

struct mlb_entry {
	struct mlb_digest id;
	struct mlb_packfile *pack; /* NULL: a loose object */
	uint64_t offset;           /* of the blob; of a loose object its mtime */
	uint64_t size;             /* of the content */
	int64_t seq;               /* results: of the entries of one key the greatest counts */
	int64_t row_pack;          /* id of the pack's row, for whoever writes this one's */
	uint32_t stored;
	uint8_t state;             /* enum mlb_pending_state */
};
MLB_VEC_NAMED(mlb_entries, struct mlb_entry);

struct mlb_pending {
	struct mlb_entries entry;
	uint32_t *slot;     /* index into entry plus one, 0 is empty; a power of two of them */
	size_t n_slots;
	uint64_t commits;   /* of the database when rows were written last */
	uint64_t rollbacks;
};

void mlb_pending_release(struct mlb_pending *p);
struct mlb_entry *mlb_pending_find(const struct mlb_pending *p, const struct mlb_digest *id); /* NULL; valid until the next change */
void mlb_pending_add(struct mlb_pending *p, const struct mlb_entry *e); /* takes the place of one with no greater seq */
void mlb_pending_remove(struct mlb_pending *p, const struct mlb_digest *id);

void mlb_pending_sync_begin(struct mlb_pending *p);            /* what is NEW becomes SYNCING */
bool mlb_pending_sync_end(struct mlb_pending *p, bool synced); /* SYNCING becomes READY, or all unsynced goes; true: newer ones went too */

/*
 * For a transaction that writes rows: let go of what the last one committed, take
 * back what was rolled back; then what is READY becomes WRITTEN and is appended
 * to out, sorted by id and seq.  Give it back if it cannot be written.
 */
void mlb_pending_take(struct mlb_pending *p, struct mlb_db *db, struct mlb_entries *out);
void mlb_pending_give_back(struct mlb_pending *p);

/* Is there anything that no committed transaction wrote? */
bool mlb_pending_any(const struct mlb_pending *p, const struct mlb_db *db);

/* All rows are about to be made again: drop what will be found in packs. */
void mlb_pending_forget(struct mlb_pending *p);

#endif
