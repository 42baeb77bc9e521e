/* Pins: those that a kept result names, and what they need. */
#include <stdlib.h>
#include <string.h>

#include "engine/gc.h"

/*
 * The pins of results that are to go. Where other work trees or projects share the
 * repository, what no result of ours names may be theirs.
 */
static void
note_own(const struct mlb_gc_state *s, struct mlb_strmap *own)
{
	for (size_t i = 0; i < s->inv.record.n; i++)
		if (s->record[i].r.pin && s->record[i].r.pin[0])
			mlb_strmap_set(own, s->record[i].r.pin, own);
}

static int
take(struct mlb_gc_state *s, const char *id, struct mlb_err *err)
{
	const struct mlb_roots *need;
	int rc = mlb_pin_needs_of(s->pinned, s->p, id, &need, err);

	for (size_t i = 0; rc == 0 && need && i < need->root.n; i++)
		mlb_vec_push(&s->own.root, need->root.v[i]);
	return rc;
}

/* A pin counts while a result names it; those that nothing names are to be dropped. */
int
mlb_gc_take_pins(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_strmap named = MLB_STRMAP_INIT, own = MLB_STRMAP_INIT;
	bool is_shared = mlb_vcs_is_shared(s->p->vcs, "mlbuild.ini");
	struct mlb_strvec pins = MLB_VEC_INIT;
	int rc = mlb_vcs_refs(s->p->vcs, MLB_PINS, &pins, err);

	for (size_t i = 0; i < s->inv.record.n; i++)
		if (s->record[i].kept && s->record[i].r.pin[0])
			mlb_strmap_set(&named, s->record[i].r.pin, s);
	note_own(s, &own);
	mlb_pin_needs_begin(s->pinned);
	for (size_t i = 0; i < pins.n && rc == 0; i++) {
		const char *id = pins.v[i] + strlen(MLB_PINS);

		if (mlb_strmap_get(&named, id))
			rc = take(s, id, err);
		else if (!is_shared || mlb_strmap_get(&own, id))
			mlb_strvec_push(&s->pins, pins.v[i]);
	}
	mlb_strmap_release(&own);
	mlb_strvec_release(&pins);
	mlb_strmap_release(&named);
	return rc;
}
