/* What gc sets aside while others use the cache, and what becomes of it (store/condemned.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/gc.h"
#include "os/fs.h"

static const struct mlb_condemned *
batch_of(const struct mlb_gc_state *s, uint32_t batch)
{
	for (size_t i = 0; i < s->batch.n; i++)
		if (strcmp(s->batch.v[i].name, s->inv.batch.v[batch - 1]) == 0)
			return &s->batch.v[i];
	return NULL;
}

bool
mlb_gc_is_over(const struct mlb_gc_state *s, uint32_t batch)
{
	const struct mlb_condemned *b = batch_of(s, batch);

	return b && mlb_condemned_over(b, &s->users);
}

/* ---------------------------------------------------------- back again */

static int
return_files(struct mlb_gc_state *s, bool records, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.file.n && rc == 0; i++)
		if (s->fate[i] == MLB_GC_RETURNED && s->inv.file.v[i].records == records)
			rc = mlb_condemned_put_back(s->inv.dir, s->inv.file.v[i].path, err);
	return rc;
}

/* Results come after the objects that they name. */
int
mlb_gc_return_needed(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.object.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		char *path;

		if (!o->batch || o->file != MLB_INV_LOOSE || !mlb_gc_returns(s, o))
			continue;
		path = mlb_inventory_path(&s->inv, o);
		rc = mlb_condemned_put_back(s->inv.dir, path + strlen(s->inv.dir) + 1, err);
		free(path);
	}
	if (rc == 0)
		rc = return_files(s, false, err);
	return rc ? rc : return_files(s, true, err);
}

/* ---------------------------------------------------------- for good */

/* Those that were condemned, and are still named by nothing. */
static int
drop_pins(struct mlb_gc_state *s, const struct mlb_condemned *b, struct mlb_err *err)
{
	struct mlb_strmap condemned = MLB_STRMAP_INIT;
	struct mlb_strvec both = MLB_VEC_INIT;
	int rc = 0;

	for (size_t k = 0; k < b->pin.n; k++)
		mlb_strmap_set(&condemned, b->pin.v[k], s);
	for (size_t i = 0; i < s->pins.n; i++)
		if (mlb_strmap_get(&condemned, s->pins.v[i]))
			mlb_strvec_push(&both, s->pins.v[i]);
	if (both.n)
		rc = mlb_vcs_drop_refs(s->p->vcs, &both, err);
	mlb_strvec_release(&both);
	mlb_strmap_release(&condemned);
	return rc;
}

int
mlb_gc_remove_condemned(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->batch.n && rc == 0; i++) {
		const struct mlb_condemned *b = &s->batch.v[i];

		if (!mlb_condemned_over(b, &s->users))
			continue;
		rc = drop_pins(s, b, err);
		if (rc == 0)
			rc = mlb_condemned_remove(s->inv.dir, b->name, err);
	}
	mlb_condemned_tidy(s->inv.dir);
	return rc;
}

/* ---------------------------------------------------------- aside */

static bool
is_any(const struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->inv.file.n; i++)
		if (s->fate[i] == MLB_GC_REWRITTEN || s->fate[i] == MLB_GC_REMOVED)
			return true;
	for (size_t i = 0; i < s->inv.object.n; i++)
		if (s->inv.object.v[i].file == MLB_INV_LOOSE && !s->inv.object.v[i].batch &&
		    mlb_gc_is_dead(s, &s->inv.object.v[i]))
			return true;
	return s->pins.n != 0;
}

static int
condemn_files(struct mlb_gc_state *s, const char *batch, bool records, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.file.n && rc == 0; i++)
		if ((s->fate[i] == MLB_GC_REWRITTEN || s->fate[i] == MLB_GC_REMOVED) &&
		    s->inv.file.v[i].records == records)
			rc = mlb_condemn_move(s->inv.dir, batch, s->inv.file.v[i].path, err);
	return rc;
}

static int
condemn_loose(struct mlb_gc_state *s, const char *batch, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.object.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		char *path;

		if (o->file != MLB_INV_LOOSE || o->batch || !mlb_gc_is_dead(s, o))
			continue;
		path = mlb_inventory_path(&s->inv, o);
		rc = mlb_condemn_move(s->inv.dir, batch, path + strlen(s->inv.dir) + 1, err);
		free(path);
	}
	return rc;
}

/* As in a sweep results go first, and that is durable. */
static int
condemn_all(struct mlb_gc_state *s, const char *batch, struct mlb_err *err)
{
	char *actions = mlb_asprintf("%s/actions", s->inv.dir);
	int rc = condemn_files(s, batch, true, err);

	if (rc == 0)
		rc = mlb_fs_sync_dir(actions, err);
	if (rc == 0)
		rc = condemn_loose(s, batch, err);
	if (rc == 0)
		rc = condemn_files(s, batch, false, err);
	free(actions);
	return rc;
}

/* Batches of a gc that died: whoever holds a lease now may rely on what is in them. */
static int
end_unlisted(struct mlb_gc_state *s, struct mlb_err *err)
{
	const struct mlb_strvec none = MLB_VEC_INIT;
	int rc = 0;

	for (size_t i = 0; i < s->batch.n && rc == 0; i++)
		if (!s->batch.v[i].listed && s->users.n)
			rc = mlb_condemn_end(s->inv.dir, s->batch.v[i].name, &s->users, &none, err);
	return rc;
}

int
mlb_gc_condemn(struct mlb_gc_state *s, struct mlb_err *err)
{
	char *batch = NULL;
	int rc = end_unlisted(s, err);

	if (rc || !is_any(s))
		return rc;
	rc = mlb_condemn_begin(&batch, s->inv.dir, err);
	if (rc == 0)
		rc = condemn_all(s, batch, err);
	/* Whoever saw something here before it was moved holds a lease; nobody is to go by that who has none yet. */
	if (rc == 0)
		rc = mlb_cas_raise(s->p->cas, err);
	if (rc == 0)
		rc = mlb_condemn_end(s->inv.dir, batch, &s->users, &s->pins, err);
	free(batch);
	return rc;
}
