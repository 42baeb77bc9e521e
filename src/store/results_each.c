/* All result records, by their rows. */
#include <string.h>

#include "base/vec.h"
#include "store/results_priv.h"

struct place {
	int64_t pack;
	uint64_t offset;
};

MLB_VEC_NAMED(places, struct place);

/* The statement is done with before anybody is called, who may want the database too. */
static int
find_places(struct mlb_results *r, struct places *out, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, r->db, "SELECT pack, offset FROM results", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct place p = { mlb_column_int(s, 0), (uint64_t)mlb_column_int(s, 1) };

		mlb_vec_push(out, p);
	}
	mlb_stmt_reset(s);
	return rc;
}

/* So that each segment is read from its beginning to its end. */
static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

int
mlb_results_each(struct mlb_results *r,
		 int (*fn)(void *ctx, const struct mlb_result *rec, struct mlb_err *err), void *ctx,
		 struct mlb_err *err)
{
	struct places place = MLB_VEC_INIT;
	int rc = find_places(r, &place, err);

	if (rc == 0 && place.n)
		qsort(place.v, place.n, sizeof(*place.v), by_place);
	for (size_t i = 0; i < place.n && rc == 0; i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_packfile *f;
		struct mlb_result rec;
		bool good;

		pthread_mutex_lock(&r->lock);
		f = mlb_packs_by_id(&r->packs, place.v[i].pack);
		good = f && mlb_results_read(r, f, place.v[i].offset, &rec, &arena, NULL) == 0;
		pthread_mutex_unlock(&r->lock);
		if (good)
			rc = fn(ctx, &rec, err);
		mlb_arena_release(&arena);
	}
	mlb_vec_release(&place);
	return rc;
}
