/*
 * Removing, while the gate is closed. Where nobody holds a lease nobody relies on
 * anything; else what is dead is only set aside (store/condemned.h).
 *
 * 1. Whoever remembers that something is here is told first (the generation).
 * 2. Results go before the objects that they name, and that is durable, so that
 *    after a death no result names what is not there.
 * 3. What lives in a file that goes was copied and synced before.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/claim.h"
#include "engine/gc.h"
#include "os/fs.h"

static int
remove_files(struct mlb_gc_state *s, bool records, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->inv.file.n && rc == 0; i++) {
		char *path;

		if ((s->fate[i] != MLB_GC_REWRITTEN && s->fate[i] != MLB_GC_REMOVED) ||
		    s->inv.file.v[i].records != records)
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

		if (o->file != MLB_INV_LOOSE || o->batch || !mlb_gc_is_dead(s, o))
			continue;
		path = mlb_inventory_path(&s->inv, o);
		rc = mlb_fs_unlink(path, err);
		free(path);
	}
	return rc;
}

/* When the first of the processes that use the cache began; what is older is not theirs. */
static int64_t
oldest_lease(const struct mlb_gc_state *s)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < s->users.n; i++)
		oldest = MLB_MIN(oldest, s->users.v[i].started);
	return oldest;
}

static int
remove_temporaries(struct mlb_gc_state *s, const char *in, bool all, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/%s", s->inv.dir, in);
	int64_t before = MLB_MIN(s->young, oldest_lease(s));
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);
		struct mlb_stat st;

		if ((all || mlb_needs_is_temporary(list.v[i].name)) &&
		    mlb_fs_lstat(&st, path, NULL) == 0 && st.type == MLB_F_FILE &&
		    st.mtime <= before) {
			rc = mlb_fs_unlink(path, err);
			s->report->temporaries++;
		}
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

/* Large files that were being fetched (fetch_large.c), long enough ago that nobody goes on. */
static int
remove_parts(struct mlb_gc_state *s, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/remotes", s->inv.dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *parts = mlb_asprintf("remotes/%s/parts", list.v[i].name);

		rc = remove_temporaries(s, parts, true, err);
		free(parts);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

/* What processes that died left behind. */
static int
remove_leftovers(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = remove_temporaries(s, "tmp", true, err);

	if (rc == 0)
		rc = remove_temporaries(s, "roots", false, err);
	return rc ? rc : remove_parts(s, err);
}

/* Only where nobody builds here: a build adds to the file what its lock is about to name. */
static int
write_own_needs(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	bool got = s->users.n == 0;
	int rc = got ? 0 : mlb_claim_try(&lock, s->p, "gc", &got, NULL, err);

	if (rc == 0 && got)
		rc = mlb_needs_set(s->p, &s->own, err);
	mlb_lock_release(&lock);
	return rc;
}

static int
remove_names(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = 0;

	/* A pin that a build has just made is named by no result yet. */
	if (s->pins.n && s->users.n == 0)
		rc = mlb_vcs_drop_refs(s->p->vcs, &s->pins, err);
	for (size_t i = 0; i < s->dead_roots.n && rc == 0; i++)
		rc = mlb_fs_unlink(s->dead_roots.v[i], err);
	return rc ? rc : write_own_needs(s, err);
}

static int
remove_dead(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = remove_results(s, err);

	if (rc == 0)
		rc = remove_loose(s, err);
	return rc ? rc : remove_files(s, false, err);
}

int
mlb_gc_sweep(struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = mlb_cas_raise(s->p->cas, err);

	if (rc == 0)
		rc = mlb_gc_return_needed(s, err);
	if (rc == 0)
		rc = mlb_gc_remove_condemned(s, err);
	if (rc == 0)
		rc = s->users.n ? mlb_gc_condemn(s, err) : remove_dead(s, err);
	if (rc == 0)
		rc = remove_leftovers(s, err);
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
		rc = mlb_pin_needs_save(s->pinned, db, true, err);
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
