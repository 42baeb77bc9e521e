/*
 * Which targets need which objects: by the lock, by the results that the cache
 * has, and by the names that runs gave to keys.  For fsck and gc, which have an
 * inventory of the cache.
 *
 * Ownership: all of it lives in the arena or in the struct.
 */
#ifndef ENGINE_OWNERS_H
#define ENGINE_OWNERS_H

#include "engine/project.h"
#include "store/inventory.h"

/* A key, and a target whose action it was. */
struct mlb_owner {
	struct mlb_digest key;
	const char *name;
};

enum mlb_held_by { MLB_HELD_LOCK, MLB_HELD_RECORD };

/* An object that is named outright. */
struct mlb_holder {
	const char *name; /* of the target, "" unknown */
	const char *path; /* of the output, "" for a log or table */
	struct mlb_digest digest;
	struct mlb_digest key; /* zero for a source */
	uint32_t record;       /* MLB_HELD_RECORD: index of inv->record */
	uint8_t by;            /* enum mlb_held_by */
	bool is_tree;
	bool is_log;
	bool no_store; /* the target keeps its digests only */
};

struct mlb_owners {
	struct mlb_arena arena;
	MLB_VEC(struct mlb_owner) owner; /* sorted by key and name, unique */
	MLB_VEC(struct mlb_holder) holder;
	MLB_VEC(uint32_t) bad_record; /* indices of inv->record that are no records */
};

/* live: which of inv->record count; NULL: all. A database that cannot be read gives fewer names. */
void mlb_owners_find(struct mlb_owners *out, struct mlb_project *p, const struct mlb_inventory *inv,
		     const uint8_t *live);
void mlb_owners_release(struct mlb_owners *o);

/* The first owner of a key; those of the same key follow. NULL; *n how many. */
const struct mlb_owner *mlb_owners_of(const struct mlb_owners *o, const struct mlb_digest *key, size_t *n);

#endif
