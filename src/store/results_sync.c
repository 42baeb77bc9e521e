/* Result records: made durable after the objects that they name, then indexed. */
#include <stdlib.h>
#include <string.h>

#include "store/results_priv.h"

void
mlb_results_forget_fresh(struct mlb_results *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(r->fresh.v[i].text);
	if (n)
		memmove(r->fresh.v, r->fresh.v + n, (r->fresh.n - n) * sizeof(*r->fresh.v));
	r->fresh.n -= n;
	r->n_gone += n;
}

/* ---------------------------------------------------------- durable */

static void
mark(struct mlb_results *r)
{
	mlb_pending_sync_begin(&r->pending);
	r->n_marked = r->fresh.n;
	r->marked = true;
}

void
mlb_results_mark(struct mlb_results *r)
{
	pthread_mutex_lock(&r->lock);
	mark(r);
	pthread_mutex_unlock(&r->lock);
}

/* Give those that are to be synced a segment. What is found in it meanwhile joins the entries. */
static int
append_marked(struct mlb_results *r, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->pending.entry.n && rc == 0; i++) {
		const struct mlb_entry *e = &r->pending.entry.v[i];
		const struct mlb_fresh *f;
		struct mlb_packfile *pack;
		struct mlb_digest digest;
		struct mlb_blob blob;

		if (e->pack || e->state != MLB_ENTRY_SYNCING)
			continue;
		f = &r->fresh.v[e->offset - r->n_gone];
		mlb_sha256_of(&digest, f->text, f->len);
		rc = mlb_packs_append(&r->packs, &pack, &blob, &digest, f->text, f->len, err);
		if (rc == 0) {
			r->pending.entry.v[i].pack = pack;
			r->pending.entry.v[i].offset = blob.offset;
		}
	}
	return rc;
}

/* Forget what is not durable. True: records went that are not of this sync. Under the lock. */
static bool
drop(struct mlb_results *r)
{
	bool newer = mlb_pending_sync_end(&r->pending, false);

	mlb_results_forget_fresh(r, r->fresh.n);
	r->n_marked = 0;
	r->marked = false;
	return newer;
}

int
mlb_results_sync(struct mlb_results *r, struct mlb_err *err)
{
	struct mlb_packs_sync packs;
	int rc, begun;
	bool lost;

	pthread_mutex_lock(&r->sync_lock);
	pthread_mutex_lock(&r->lock);
	if (!r->marked)
		mark(r);
	r->marked = false;
	rc = append_marked(r, err);
	begun = mlb_packs_sync_begin(&r->packs, &packs, rc ? NULL : err);
	rc = rc ? rc : begun;
	if (rc == 0)
		mlb_results_forget_fresh(r, r->n_marked);
	r->n_marked = 0;
	lost = r->lost;
	r->lost = false;
	pthread_mutex_unlock(&r->lock);

	if (rc == 0)
		rc = mlb_packs_sync_run(&r->packs, &packs, err);

	pthread_mutex_lock(&r->lock);
	mlb_packs_sync_end(&r->packs, &packs, rc == 0);
	if (rc)
		r->lost |= drop(r);
	else
		mlb_pending_sync_end(&r->pending, true);
	pthread_mutex_unlock(&r->lock);
	pthread_mutex_unlock(&r->sync_lock);
	if (rc == 0 && lost)
		rc = mlb_err_set(err, MLB_ESYSTEM,
				 "result records that were added during a failed sync are lost");
	return rc;
}

int
mlb_store_sync(struct mlb_cas *cas, struct mlb_results *r, struct mlb_err *err)
{
	int rc = mlb_cas_sync(cas, err);
	bool marked;

	if (rc == 0)
		return mlb_results_sync(r, err);
	pthread_mutex_lock(&r->sync_lock);
	pthread_mutex_lock(&r->lock);
	/* Without a mark all of them are the caller's, who is told now. */
	marked = r->marked;
	if (drop(r) && marked)
		r->lost = true;
	pthread_mutex_unlock(&r->lock);
	pthread_mutex_unlock(&r->sync_lock);
	return rc;
}

/* ---------------------------------------------------------- then indexed */

static int
write_rows(struct mlb_results *r, const struct mlb_entries *rows, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(
		&s, r->db,
		"INSERT OR REPLACE INTO results (key, seq, pack, offset) VALUES (?1, ?2, ?3, ?4)",
		err);

	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		const struct mlb_entry *e = &rows->v[i];

		if (e->row_pack < 0)
			continue;
		mlb_stmt_digest(s, 1, &e->id);
		mlb_stmt_int(s, 2, e->seq);
		mlb_stmt_int(s, 3, e->row_pack);
		mlb_stmt_int(s, 4, (int64_t)e->offset);
		rc = mlb_stmt_run(s, err);
	}
	return rc;
}

static int
delete_bad(struct mlb_results *r, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, r->db, "DELETE FROM results WHERE key = ?1 AND seq = ?2", err);

	for (size_t i = 0; i < r->bad.n && rc == 0; i++) {
		mlb_stmt_digest(s, 1, &r->bad.v[i].key);
		mlb_stmt_int(s, 2, r->bad.v[i].seq);
		rc = mlb_stmt_run(s, err);
	}
	/* Once is enough: if that is rolled back, they are found out again. */
	r->bad.n = 0;
	return rc;
}

int
mlb_results_index(struct mlb_results *r, struct mlb_err *err)
{
	struct mlb_entries rows = MLB_VEC_INIT;
	int rc;

	pthread_mutex_lock(&r->lock);
	rc = mlb_packs_write_rows(&r->packs, err);
	if (rc == 0)
		mlb_pending_take(&r->pending, r->db, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct mlb_packfile *f = rows.v[i].pack;

		rows.v[i].row_pack =
			f->id && !f->gone ? f->id : -1; /* -1: its segment went away meanwhile */
	}
	if (rc == 0)
		rc = delete_bad(r, err);
	pthread_mutex_unlock(&r->lock);
	if (rc == 0)
		rc = write_rows(r, &rows, err);
	if (rc) {
		pthread_mutex_lock(&r->lock);
		mlb_pending_give_back(&r->pending);
		pthread_mutex_unlock(&r->lock);
	}
	mlb_vec_release(&rows);
	return rc;
}

int
mlb_results_reindex(struct mlb_results *r, struct mlb_err *err)
{
	int rc = mlb_db_begin(r->db, err);

	if (rc)
		return rc;
	rc = mlb_db_exec(r->db, "DELETE FROM results", err);
	if (rc == 0) {
		pthread_mutex_lock(&r->lock);
		mlb_pending_forget(&r->pending);
		rc = mlb_packs_again(&r->packs, err);
		pthread_mutex_unlock(&r->lock);
	}
	if (rc == 0)
		rc = mlb_results_index(r, err);
	if (rc == 0)
		rc = mlb_db_commit(r->db, err);
	if (rc)
		mlb_db_rollback(r->db);
	return rc;
}
