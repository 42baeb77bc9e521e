/*
 * A hash map from strings (any bytes, by length) to a pointer or a number, which
 * keeps the order of insertion.  The map borrows its keys: they must outlive it.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/compat.h"

struct mlb_strmap_entry {
	const char *key; /* borrowed */
	uint32_t len;
	uint32_t hash;
	union {
		void *ptr;
		uint64_t num;
	} u;
};

struct mlb_strmap {
	struct mlb_strmap_entry *entry; /* in order of insertion */
	uint32_t n;
	uint32_t cap;
	uint32_t *slot; /* index into entry plus one; 0 is empty; a power of two of them */
	uint32_t n_slots;
};

#define MLB_STRMAP_INIT { NULL, 0, 0, NULL, 0 }

/* The entry of a key, or NULL. */
struct mlb_strmap_entry *mlb_strmap_find(const struct mlb_strmap *m, const char *key, size_t len);

/* The entry of a key, made (value 0) if absent; *is_new tells (may be NULL). Valid until the next add. */
struct mlb_strmap_entry *mlb_strmap_add(struct mlb_strmap *m, const char *key, size_t len, bool *is_new);

void *mlb_strmap_get(const struct mlb_strmap *m, const char *key);             /* NUL-terminated key; NULL if absent */
void mlb_strmap_set(struct mlb_strmap *m, const char *key, void *value);       /* replaces */
void mlb_strmap_release(struct mlb_strmap *m);

/* A fast hash that is not cryptographic and is the same on every machine. */
uint64_t mlb_hash64(const void *data, size_t len, uint64_t seed);

#endif
