/* What the files remote_view*.c share. Not for others. */
#ifndef STORE_REMOTE_VIEW_PRIV_H
#define STORE_REMOTE_VIEW_PRIV_H

#include <pthread.h>

#include "base/digest_set.h"
#include "store/remote_view.h"

struct mlb_view_index {
	struct mlb_digest name; /* of the index; in sent/ of the pack */
	void *map;              /* NULL: the bytes are of no use */
	size_t len;
	struct mlb_remote_index x;
	bool kept;   /* the remote has it, as of this refresh */
	bool sent;   /* of sent/ */
	bool hashed; /* its entries are in the table */
};

struct mlb_view_segment {
	struct mlb_digest name;
	void *map;
	size_t len;
	struct mlb_segment s;
	int64_t mtime; /* s, by the server's clock */
	bool kept;
};

struct mlb_view_slot {
	uint32_t index; /* plus one; 0: empty */
	uint32_t entry;
};

struct mlb_remote_view {
	char *dir;
	MLB_VEC(struct mlb_view_index) index;
	MLB_VEC(struct mlb_view_segment) segment;
	MLB_VEC(uint32_t) large; /* of index: those that are not hashed */
	struct mlb_view_slot *slot;
	size_t n_hashed, n_slots; /* the latter a power of two */
	struct mlb_digest_set bad;
	pthread_rwlock_t lock;
};

/* A file of ours, mapped; false: it cannot be. An empty one has map NULL. */
bool mlb_view_map(void **map, size_t *len, const char *path);
void mlb_view_hash(struct mlb_remote_view *v, size_t i); /* the entries of an index */
char *mlb_view_path(const struct mlb_remote_view *v, const char *sub, const struct mlb_digest *name,
		    const char *suffix); /* owned by the caller */

/* remote_view_sent.c */
void mlb_view_load_bad(struct mlb_remote_view *v);
/* sure: also where something else in its pack is. */
bool mlb_view_is_bad(const struct mlb_remote_view *v, const struct mlb_remote_place *p, bool sure);

#endif
