/*
 * Which digests have a row at all, by their first 8 bytes: whoever puts much asks
 * for each object, and most are new. A row that another process writes later is
 * missed, and the object stored twice, which is no harm; so this is for putting only.
 */
#include <stdlib.h>
#include <string.h>

#include "store/cas_priv.h"

#define PATIENCE                                                                                   \
	4096 /* questions after which reading the whole table is cheaper than more of them */

static uint64_t
prefix_of(const struct mlb_digest *digest)
{
	uint64_t v;

	memcpy(&v, digest->b, sizeof(v));
	return v ? v : 1; /* zero is an empty slot */
}

/* The slot of a value, or the empty one where it would go. */
static uint64_t *
find(const struct mlb_rowset *s, uint64_t v)
{
	/* Sizes are often multiples of large powers of two. */
	size_t i = (size_t)(v * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (s->n_slots - 1);

	while (s->slot[i] && s->slot[i] != v)
		i = (i + 1) & (s->n_slots - 1);
	return &s->slot[i];
}

static void
grow(struct mlb_rowset *s)
{
	struct mlb_rowset more = { .n_slots = s->n_slots ? 2 * s->n_slots : 1024 };

	more.slot = mlb_calloc(more.n_slots, sizeof(*more.slot));
	for (size_t i = 0; i < s->n_slots; i++)
		if (s->slot[i])
			*find(&more, s->slot[i]) = s->slot[i];
	free(s->slot);
	s->slot = more.slot;
	s->n_slots = more.n_slots;
}

void
mlb_rowset_add_number(struct mlb_rowset *s, uint64_t v)
{
	uint64_t *slot;

	if (s->n >= s->n_slots / 2)
		grow(s);
	slot = find(s, v);
	s->n += *slot == 0;
	*slot = v;
}

bool
mlb_rowset_has_number(const struct mlb_rowset *s, uint64_t v)
{
	return s->n_slots && *find(s, v) != 0;
}

void
mlb_rowset_add(struct mlb_rowset *s, const struct mlb_digest *digest)
{
	if (s->loaded)
		mlb_rowset_add_number(s, prefix_of(digest));
}

void
mlb_rowset_release(struct mlb_rowset *s)
{
	free(s->slot);
	memset(s, 0, sizeof(*s));
}

/* Add the digests that a query gives; *any: there was one. False after a failure. */
static bool
read_rows(struct mlb_cas *cas, const char *sql, bool *any)
{
	struct mlb_stmt *stmt;
	bool row = false;
	int rc = mlb_db_prepare(&stmt, cas->db, sql, NULL);

	*any = false;
	while (rc == 0 && (rc = mlb_stmt_step(stmt, &row, NULL)) == 0 && row) {
		struct mlb_digest digest;

		mlb_column_digest(stmt, 0, &digest);
		mlb_rowset_add_number(&cas->rows, prefix_of(&digest));
		*any = true;
	}
	if (rc == 0)
		mlb_stmt_reset(stmt);
	return rc == 0;
}

/* An empty table is known at once. */
static void
load(struct mlb_cas *cas)
{
	struct mlb_rowset *s = &cas->rows;
	bool any = false;

	s->asked++;
	if (s->asked == 1 && read_rows(cas, "SELECT digest FROM objects LIMIT 1", &any) && !any)
		s->loaded = true;
	if (s->asked == PATIENCE)
		s->loaded = read_rows(cas, "SELECT digest FROM objects", &any);
}

bool
mlb_cas_is_new(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_rowset *s = &cas->rows;

	if (!s->loaded)
		load(cas);
	return s->loaded && !mlb_rowset_has_number(s, prefix_of(digest));
}
