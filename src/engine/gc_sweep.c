/*
 * Removing, while the gate is closed and nobody relies on anything.
 *
 * 1. Whoever remembers that something is here is told first (the generation).
 * 2. Results go before the objects that they name, and that is durable, so that
 *    after a death no result names what is not there.
 * 3. What lives in a file that goes was copied and synced before.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/gc.h"
#include "os/fs.h"

static int
remove_files(struct mlb_gc_state *s, bool records, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.file.n && rc == 0; i++) {
		char *path;

		if (s->fate[i] == MLB_GC_STAYS || s->inv.file.v[i].records != records)
			continue;
		path = mlb_asprintf("%s/%s", s->inv.dir, s->inv.file.v[i].path);
		rc = mlb_fs_unlink(path, err);
		free(path);
	}
	return rc;
}

static int
remove_results(struct mlb_gc_state *s, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/actions", s->inv.dir);
	int rc = remove_files(s, true, err);

	if (rc == 0)
		rc = mlb_fs_sync_dir(dir, err);
	free(dir);
	return rc;
}

static int
remove_loose(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.object.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		char *path;

		if (o->file != MLB_INV_LOOSE || !mlb_gc_is_dead(s, o))
			continue;
		path = mlb_inventory_path(&s->inv, o);
		rc = mlb_fs_unlink(path, err);
		free(path);
	}
	return rc;
}

/* What processes that died left behind; those that live have leases, and there are none. */
static int
remove_temporaries(struct mlb_gc_state *s, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/tmp", s->inv.dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);
		struct mlb_stat st;

		if (mlb_fs_lstat(&st, path, NULL) == 0 && st.type == MLB_F_FILE &&
		    st.mtime <= s->young) {
			rc = mlb_fs_unlink(path, err);
			s->report->temporaries++;
		}
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static int
remove_names(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->pins.n && rc == 0; i++)
		rc = mlb_vcs_drop_ref(s->p->vcs, s->pins.v[i], err);
	for (size_t i = 0; i < s->dead_roots.n && rc == 0; i++)
		rc = mlb_fs_unlink(s->dead_roots.v[i], err);
	return rc ? rc : mlb_needs_set(s->p, &s->own, err);
}

int
mlb_gc_sweep(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = mlb_cas_raise(s->p->cas, err);

	if (rc == 0)
		rc = remove_results(s, err);
	if (rc == 0)
		rc = remove_loose(s, err);
	if (rc == 0)
		rc = remove_files(s, false, err);
	if (rc == 0)
		rc = remove_temporaries(s, err);
	return rc ? rc : remove_names(s, err);
}

/* ---------------------------------------------------------- state.db */

static int
forget_loose(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_stmt *st;
	int rc = mlb_db_prepare(&st, s->p->db, "DELETE FROM objects WHERE digest = ?1 AND pack = 0",
				err);

	for (size_t i = 0; i < s->inv.object.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];

		if (o->file != MLB_INV_LOOSE || !mlb_gc_is_dead(s, o))
			continue;
		mlb_stmt_digest(st, 1, &o->digest);
		rc = mlb_stmt_run(st, err);
	}
	return rc;
}

int
mlb_gc_index(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_db *db = s->p->db;
	int rc = mlb_db_begin(db, err);

	if (rc == 0)
		rc = mlb_cas_index(s->p->cas, err);
	if (rc == 0)
		rc = mlb_results_index(s->p->results, err);
	if (rc == 0)
		rc = forget_loose(s, err);
	if (rc == 0)
		rc = mlb_db_exec(db,
				 "DELETE FROM objects WHERE pack > 0 AND pack NOT IN"
				 " (SELECT id FROM packs);"
				 "DELETE FROM results WHERE pack NOT IN (SELECT id FROM packs)",
				 err);
	if (rc == 0)
		rc = mlb_db_commit(db, err);
	if (rc)
		mlb_db_rollback(db);
	return rc;
}
