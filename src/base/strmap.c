#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The slot of a key: its own, or the empty one where it would go. */
static uint32_t
probe(const struct mlb_strmap *m, const char *key, size_t len, uint32_t hash)
{
	uint32_t mask = m->n_slots - 1;
	uint32_t i = hash & mask;

	for (; m->slot[i]; i = (i + 1) & mask) {
		const struct mlb_strmap_entry *e = &m->entry[m->slot[i] - 1];

		if (e->hash == hash && e->len == len && (len == 0 || memcmp(e->key, key, len) == 0))
			break;
	}
	return i;
}

static uint32_t
hash_of(const char *key, size_t len)
{
	return (uint32_t)mlb_hash64(key, len, 0);
}

struct mlb_strmap_entry *
mlb_strmap_find(const struct mlb_strmap *m, const char *key, size_t len)
{
	uint32_t at;

	if (!m->n || len > UINT32_MAX)
		return NULL;
	at = m->slot[probe(m, key, len, hash_of(key, len))];
	return at ? &m->entry[at - 1] : NULL;
}

/* Twice the slots; hashes are kept, so keys are not read again. */
static void
grow_slots(struct mlb_strmap *m)
{
	uint32_t mask;

	if (m->n_slots > UINT32_MAX / 2)
		abort();
	m->n_slots = m->n_slots ? m->n_slots * 2 : 16;
	mask = m->n_slots - 1;
	free(m->slot);
	m->slot = mlb_calloc(m->n_slots, sizeof(*m->slot));
	for (uint32_t e = 0; e < m->n; e++) {
		uint32_t i = m->entry[e].hash & mask;

		while (m->slot[i])
			i = (i + 1) & mask;
		m->slot[i] = e + 1;
	}
}

struct mlb_strmap_entry *
mlb_strmap_add(struct mlb_strmap *m, const char *key, size_t len, bool *is_new)
{
	uint32_t hash = hash_of(key, len);
	struct mlb_strmap_entry *e;
	uint32_t i;

	if (len > UINT32_MAX)
		abort();
	/* At most two thirds full. */
	if (!m->n_slots || m->n >= m->n_slots / 3 * 2)
		grow_slots(m);
	i = probe(m, key, len, hash);
	if (is_new)
		*is_new = !m->slot[i];
	if (m->slot[i])
		return &m->entry[m->slot[i] - 1];
	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 8;
		m->entry = mlb_realloc(m->entry, m->cap, sizeof(*m->entry));
	}
	e = &m->entry[m->n++];
	*e = (struct mlb_strmap_entry){ .key = key, .len = (uint32_t)len, .hash = hash };
	m->slot[i] = m->n;
	return e;
}

void *
mlb_strmap_get(const struct mlb_strmap *m, const char *key)
{
	struct mlb_strmap_entry *e = mlb_strmap_find(m, key, strlen(key));

	return e ? e->u.ptr : NULL;
}

void
mlb_strmap_set(struct mlb_strmap *m, const char *key, void *value)
{
	mlb_strmap_add(m, key, strlen(key), NULL)->u.ptr = value;
}

void
mlb_strmap_release(struct mlb_strmap *m)
{
	free(m->entry);
	free(m->slot);
	*m = (struct mlb_strmap)MLB_STRMAP_INIT;
}
