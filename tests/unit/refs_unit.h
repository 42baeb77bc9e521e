/* For tests of references: the only one of a value, and a value put in the place of all. */
#ifndef TESTS_REFS_UNIT_H
#define TESTS_REFS_UNIT_H

#include "unit.h"

#include "graph/refs.h"

/* The only reference of a value. */
static inline struct mlb_ref *
only_ref(struct mlb_arena *arena, const char *value, bool shell)
{
	struct mlb_pieces pieces = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ref *found = NULL;

	assert_ok(mlb_refs_parse(&pieces, arena, value, shell, &err));
	for (size_t i = 0; i < pieces.n; i++)
		if (pieces.v[i].ref) {
			assert_null(found);
			found = pieces.v[i].ref;
		}
	assert_non_null(found);
	mlb_vec_release(&pieces);
	return found;
}

/* The text with every reference replaced by the value; false: refused. */
static inline bool
replace(struct mlb_buf *out, const char *text, const char *value)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pieces pieces = MLB_VEC_INIT;
	bool ok = mlb_refs_parse(&pieces, &arena, text, true, NULL) == 0;

	for (size_t i = 0; i < pieces.n && ok; i++) {
		const struct mlb_ref *r = pieces.v[i].ref;

		if (!r)
			mlb_buf_add(out, pieces.v[i].text, pieces.v[i].len);
		else if (r->eof && strstr(r->eof, value))
			ok = false;
		else
			ok = mlb_refs_quote(out, (enum mlb_ref_ctx)r->ctx, &value, 1, NULL) == 0;
	}
	mlb_vec_release(&pieces);
	mlb_arena_release(&arena);
	return ok;
}

#endif
