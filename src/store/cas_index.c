/* Making objects durable, and telling state.db where they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/cas_priv.h"
#include "store/condemned.h"

/* ---------------------------------------------------------- syncing */

/* What is in the way goes: a directory in place of a file, or none where one has to be. */
static int
rename_again(struct mlb_cas *cas, const struct mlb_digest *digest, const char *temp,
	     const char *path, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/objects/%02x", cas->dir, digest->b[0]);
	int rc = 0;

	if (cas->io->mkdir(cas->io, dir, 0777) == 0)
		mlb_fs_share(dir);
	else if (errno != EEXIST)
		rc = mlb_err_errno(err, errno, "cannot make directory '%s'", dir);
	free(dir);
	if (rc)
		return rc;
	if (mlb_fs_exists(path))
		mlb_loose_set_aside(cas, digest, path);
	return mlb_io_rename(cas->io, temp, path, err);
}

/* Sync one that has its temporary name; one that another process put has its own already. */
static int
sync_loose(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err)
{
	char *temp = mlb_loose_temp(cas, digest), *path = mlb_loose_path(cas, digest);
	bool ours = mlb_fs_exists(temp);
	int rc;

	/* gc may have set aside what was here before we had it. */
	if (!ours && !mlb_fs_exists(path))
		mlb_condemned_return(cas->dir, path + strlen(cas->dir) + 1);
	rc = mlb_io_sync_file(cas->io, ours ? temp : path, err);

	if (rc == 0 && ours && cas->io->rename(cas->io, temp, path) != 0)
		rc = rename_again(cas, digest, temp, path, err);
	free(path);
	free(temp);
	return rc;
}

/* The directories that hold the names, and the one that holds theirs; whoever made them may not have come to it. */
static int
sync_dirs(struct mlb_cas *cas, const bool used[256], struct mlb_err *err)
{
	bool names = false;
	char *path;
	int rc = 0;

	for (unsigned i = 0; i < 256 && rc == 0; i++)
		if (used[i]) {
			path = mlb_asprintf("%s/objects/%02x", cas->dir, i);
			rc = mlb_io_sync_dir(cas->io, path, err);
			free(path);
			names |= !cas->dir_synced[i];
		}
	if (rc || !names)
		return rc;
	path = mlb_asprintf("%s/objects", cas->dir);
	rc = mlb_io_sync_dir(cas->io, path, err);
	free(path);
	for (unsigned i = 0; i < 256 && rc == 0; i++)
		cas->dir_synced[i] |= used[i];
	return rc;
}

static int
sync_all_loose(struct mlb_cas *cas, const struct mlb_digests *loose, struct mlb_err *err)
{
	bool used[256] = { false };
	int rc = 0;

	for (size_t i = 0; i < loose->n && rc == 0; i++) {
		rc = sync_loose(cas, &loose->v[i], err);
		used[loose->v[i].b[0]] = true;
	}
	return rc ? rc : sync_dirs(cas, used, err);
}

static void
list_loose(const struct mlb_cas *cas, struct mlb_digests *out)
{
	for (size_t i = 0; i < cas->pending.entry.n; i++) {
		const struct mlb_entry *e = &cas->pending.entry.v[i];

		if (!e->pack && e->state < MLB_ENTRY_READY)
			mlb_vec_push(out, e->id);
	}
}

void
mlb_loose_drop(struct mlb_cas *cas)
{
	struct mlb_digests loose = MLB_VEC_INIT;

	list_loose(cas, &loose);
	for (size_t i = 0; i < loose.n; i++) {
		char *temp = mlb_loose_temp(cas, &loose.v[i]);

		cas->io->unlink(cas->io, temp);
		free(temp);
	}
	mlb_vec_release(&loose);
}

int
mlb_cas_sync(struct mlb_cas *cas, struct mlb_err *err)
{
	struct mlb_digests loose = MLB_VEC_INIT;
	struct mlb_packs_sync packs;
	bool lost;
	uint64_t number;
	int rc;

	pthread_mutex_lock(&cas->sync_lock);
	pthread_mutex_lock(&cas->lock);
	mlb_packs_settle(&cas->packs);
	list_loose(cas, &loose);
	number = ++cas->syncs;
	mlb_pending_sync_begin(&cas->pending);
	rc = mlb_packs_sync_begin(&cas->packs, &packs, err);
	lost = cas->lost;
	cas->lost = cas->relied = false;
	pthread_mutex_unlock(&cas->lock);

	if (rc == 0)
		rc = sync_all_loose(cas, &loose, err);
	if (rc == 0)
		rc = mlb_packs_sync_run(&cas->packs, &packs, err);

	pthread_mutex_lock(&cas->lock);
	mlb_packs_sync_end(&cas->packs, &packs, rc == 0);
	if (rc)
		mlb_loose_drop(cas);
	cas->lost |= mlb_pending_sync_end(&cas->pending, rc == 0) || (rc && cas->relied);
	if (rc == 0)
		cas->synced = number;
	pthread_mutex_unlock(&cas->lock);
	pthread_mutex_unlock(&cas->sync_lock);
	mlb_vec_release(&loose);
	if (rc)
		mlb_cas_raise(cas, NULL);
	if (rc == 0 && lost)
		rc = mlb_err_set(err, MLB_ESYSTEM,
				 "objects that were stored in '%s' during a failed sync are lost",
				 cas->dir);
	return rc;
}

/* ---------------------------------------------------------- rows */

/* Many rows in one statement take half the time that they take one by one. */
#define ROW "(?, ?, ?, ?, ?, ?)"
#define ROWS_4 ROW ", " ROW ", " ROW ", " ROW
#define ROWS_16 ROWS_4 ", " ROWS_4 ", " ROWS_4 ", " ROWS_4
#define INSERT "INSERT OR REPLACE INTO objects (digest, pack, offset, size, stored, codec) VALUES "
enum { MANY = 16 };

static void
bind_row(struct mlb_stmt *s, int row, const struct mlb_entry *e)
{
	int at = 6 * row;

	mlb_stmt_digest(s, at + 1, &e->id);
	mlb_stmt_int(s, at + 2, e->row_pack);
	mlb_stmt_int(s, at + 3, (int64_t)e->offset);
	mlb_stmt_int(s, at + 4, (int64_t)e->size);
	mlb_stmt_int(s, at + 5, e->stored);
	mlb_stmt_int(s, at + 6, e->pack && e->stored != e->size);
}

/* n rows, of which none is of a pack that went away. */
static int
insert(struct mlb_cas *cas, const struct mlb_entry *const *row, int n, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, cas->db, n == MANY ? INSERT ROWS_16 : INSERT ROW, err);
	int step = n == MANY ? MANY : 1;

	for (int i = 0; i < n && rc == 0; i += step) {
		for (int k = 0; k < step; k++)
			bind_row(s, k, row[i + k]);
		rc = mlb_stmt_run(s, err);
	}
	return rc;
}

static int
write_rows(struct mlb_cas *cas, const struct mlb_entries *rows, struct mlb_err *err)
{
	const struct mlb_entry *some[MANY];
	int n = 0, rc = 0;

	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		if (rows->v[i].row_pack >= 0)
			some[n++] = &rows->v[i];
		if (n < MANY)
			continue;
		rc = insert(cas, some, n, err);
		n = 0;
	}
	return rc ? rc : insert(cas, some, n, err);
}

static int
delete_rows(struct mlb_cas *cas, const struct mlb_digests *bad, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, cas->db, "DELETE FROM objects WHERE digest = ?1", err);

	for (size_t i = 0; i < bad->n && rc == 0; i++) {
		mlb_stmt_digest(s, 1, &bad->v[i]);
		rc = mlb_stmt_run(s, err);
	}
	return rc;
}

/* Everything that needs the lock; the rows themselves are written without it, while others put. */
static int
take(struct mlb_cas *cas, struct mlb_entries *rows, struct mlb_digests *bad, struct mlb_err *err)
{
	int rc;

	pthread_mutex_lock(&cas->lock);
	rc = mlb_packs_write_rows(&cas->packs, err);
	if (rc == 0)
		mlb_pending_take(&cas->pending, cas->db, rows);
	for (size_t i = 0; i < rows->n; i++) {
		const struct mlb_packfile *f = rows->v[i].pack;

		/* 0: loose; -1: its pack went away meanwhile */
		rows->v[i].row_pack = !f ? 0 : f->id && !f->gone ? f->id : -1;
		mlb_rowset_add(&cas->rows, &rows->v[i].id);
	}
	for (size_t i = 0; i < cas->doomed.n; i++)
		mlb_vec_push(bad, cas->doomed.v[i]);
	/* Once is enough: if that is rolled back, they are found out again. */
	cas->doomed.n = 0;
	pthread_mutex_unlock(&cas->lock);
	return rc;
}

int
mlb_cas_index(struct mlb_cas *cas, struct mlb_err *err)
{
	struct mlb_entries rows = MLB_VEC_INIT;
	struct mlb_digests bad = MLB_VEC_INIT;
	int rc = take(cas, &rows, &bad, err);

	if (rc == 0)
		rc = delete_rows(cas, &bad, err);
	if (rc == 0)
		rc = write_rows(cas, &rows, err);
	if (rc) {
		pthread_mutex_lock(&cas->lock);
		mlb_pending_give_back(&cas->pending);
		pthread_mutex_unlock(&cas->lock);
	}
	mlb_vec_release(&bad);
	mlb_vec_release(&rows);
	return rc;
}

int
mlb_cas_reindex(struct mlb_cas *cas, struct mlb_err *err)
{
	int rc = mlb_db_begin(cas->db, err);

	if (rc)
		return rc;
	rc = mlb_db_exec(cas->db, "DELETE FROM objects", err);
	if (rc == 0) {
		pthread_mutex_lock(&cas->lock);
		mlb_pending_forget(&cas->pending);
		rc = mlb_packs_again(&cas->packs, err);
		pthread_mutex_unlock(&cas->lock);
	}
	if (rc == 0)
		rc = mlb_cas_index(cas, err);
	if (rc == 0)
		rc = mlb_db_commit(cas->db, err);
	if (rc)
		mlb_db_rollback(cas->db);
	return rc;
}
