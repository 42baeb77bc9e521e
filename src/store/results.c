/* Result records in segments: the packs of cache/v1/actions. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/fs.h"
#include "store/results_priv.h"

#define RECORD_MAX (256 * MLB_MIB)

/* ---------------------------------------------------------- opening */

int
mlb_results_read(struct mlb_results *r, struct mlb_packfile *f, uint64_t offset,
		 struct mlb_result *out, struct mlb_arena *arena, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(RECORD_MAX);
	char *path;
	int rc = mlb_packs_begin_read(&r->packs, f, offset, err);

	if (rc)
		return rc;
	path = mlb_asprintf("%s/%s", r->packs.dir, f->name);
	rc = mlb_pack_read_fd(&text, f->fd, path, offset, NULL, err);
	free(path);
	if (rc == 0)
		rc = mlb_result_parse(out, arena, mlb_buf_str(&text), text.len, err);
	mlb_packs_end_read(&r->packs, f);
	mlb_buf_release(&text);
	return rc;
}

/* The same of an entry, which may be one that no segment has yet. */
static int
read_entry(struct mlb_results *r, const struct mlb_entry *e, bool pending, struct mlb_result *out,
	   struct mlb_arena *arena, struct mlb_err *err)
{
	const struct mlb_fresh *f;

	if (e->pack)
		return mlb_results_read(r, e->pack, e->offset, out, arena, err);
	if (!pending)
		return MLB_ENOTFOUND;
	f = &r->fresh.v[e->offset - r->n_gone];
	return mlb_result_parse(out, arena, f->text, f->len, err);
}

/* A record that another process, or one before us, wrote. Under the lock. One that cannot be read does not count. */
static int
found(void *ctx, struct mlb_packfile *f, const struct mlb_blob *b, struct mlb_err *err)
{
	struct mlb_results *r = ctx;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result rec;

	(void)err;
	if (mlb_results_read(r, f, b->offset, &rec, &arena, NULL) == 0) {
		struct mlb_entry e = {
			.id = rec.key,
			.pack = f,
			.offset = b->offset,
			.size = b->size,
			.seq = rec.started,
			.state = MLB_ENTRY_READY,
		};

		mlb_pending_add(&r->pending, &e);
	}
	mlb_arena_release(&arena);
	return 0;
}

/* Rows of what was found in others' segments, or found damaged. Not being able to write them is no harm. */
static void
index_now(struct mlb_results *r)
{
	if ((!mlb_pending_any(&r->pending, r->db) && !r->bad.n) || mlb_db_begin(r->db, NULL) != 0)
		return;
	if (mlb_results_index(r, NULL) != 0 || mlb_db_commit(r->db, NULL) != 0)
		mlb_db_rollback(r->db);
}

int
mlb_results_open(struct mlb_results **out, const char *cache_dir, struct mlb_db *db,
		 struct mlb_err *err)
{
	return mlb_results_open_io(out, cache_dir, db, &mlb_io_os, err);
}

int
mlb_results_open_io(struct mlb_results **out, const char *cache_dir, struct mlb_db *db,
		    const struct mlb_io *io, struct mlb_err *err)
{
	struct mlb_results *r = mlb_calloc(1, sizeof(*r));
	char *dir = mlb_asprintf("%s/actions", cache_dir);
	int rc = 0;

	r->db = db;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->sync_lock, NULL);
	mlb_packs_init(&r->packs, dir, "actions/", MLB_BLOB_RESULT, db, found, r);
	r->packs.io = io;
	if (!mlb_db_is_copy(db) && !mlb_fs_exists(dir)) {
		rc = mlb_io_mkdirs(io, dir, err);
		mlb_fs_share(dir);
	}
	if (rc == 0) {
		pthread_mutex_lock(&r->lock);
		rc = mlb_packs_open(&r->packs, err);
		pthread_mutex_unlock(&r->lock);
	}
	free(dir);
	if (rc) {
		mlb_results_close(r);
		return rc;
	}
	index_now(r);
	*out = r;
	return 0;
}

void
mlb_results_close(struct mlb_results *r)
{
	if (!r)
		return;
	index_now(r);
	mlb_results_forget_fresh(r, r->fresh.n);
	mlb_vec_release(&r->fresh);
	mlb_packs_release(&r->packs);
	mlb_pending_release(&r->pending);
	mlb_vec_release(&r->bad);
	pthread_mutex_destroy(&r->sync_lock);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---------------------------------------------------------- finding */

/* The latest row of a key whose seq is below this; e->pack is NULL if its segment is gone. */
static int
latest_row(struct mlb_results *r, struct mlb_entry *e, bool *row, const struct mlb_digest *key,
	   int64_t below, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int64_t id = 0;
	int rc = mlb_db_prepare(&s, r->db,
				"SELECT seq, pack, offset FROM results WHERE key = ?1 AND seq < ?2"
				" ORDER BY seq DESC LIMIT 1",
				err);

	*row = false;
	*e = (struct mlb_entry){ .id = *key };
	if (rc)
		return rc;
	mlb_stmt_digest(s, 1, key);
	mlb_stmt_int(s, 2, below);
	rc = mlb_stmt_step(s, row, err);
	if (rc == 0 && *row) {
		e->seq = mlb_column_int(s, 0);
		id = mlb_column_int(s, 1);
		e->offset = (uint64_t)mlb_column_int(s, 2);
	}
	mlb_stmt_reset(s);
	if (rc == 0 && *row)
		e->pack = mlb_packs_by_id(&r->packs, id);
	return rc;
}

/* The latest place of a record below this seq, in memory or in the table. */
static int
latest(struct mlb_results *r, struct mlb_entry *e, bool *any, bool *pending,
       const struct mlb_digest *key, int64_t below, struct mlb_err *err)
{
	const struct mlb_entry *p = mlb_pending_find(&r->pending, key);
	int rc = latest_row(r, e, any, key, below, err);

	*pending = p && p->seq < below && (!*any || p->seq >= e->seq);
	if (rc == 0 && *pending) {
		*e = *p;
		*any = true;
	}
	return rc;
}

/* A record that could not be read does not count. Where its segment is gone for now, its row stays. */
static void
disregard(struct mlb_results *r, const struct mlb_entry *e, bool pending, bool damaged)
{
	struct mlb_bad_row bad = { e->id, e->seq };

	if (pending)
		mlb_pending_remove(&r->pending, &e->id);
	else if (damaged)
		mlb_vec_push(&r->bad, bad);
}

int
mlb_results_find(struct mlb_results *r, struct mlb_result *out, struct mlb_arena *arena,
		 const struct mlb_digest *key, struct mlb_err *err)
{
	bool any, pending, refreshed = false;
	int64_t below = INT64_MAX;
	char hex[MLB_HEX_LEN + 1];
	struct mlb_entry e;
	int rc;

	pthread_mutex_lock(&r->lock);
	while ((rc = latest(r, &e, &any, &pending, key, below, err)) == 0) {
		struct mlb_err reading = MLB_ERR_INIT;

		/* Another process may have made it since. */
		if (!any && !refreshed && mlb_packs_look_again(&r->packs)) {
			refreshed = true;
			continue;
		}
		if (!any)
			break;
		rc = read_entry(r, &e, pending, out, arena, &reading);
		if (rc == 0 && !mlb_digest_equal(&out->key, key))
			rc = MLB_ECORRUPT;
		if (rc != 0 && rc != MLB_ECORRUPT && rc != MLB_ENOTFOUND)
			mlb_err_set(err, (enum mlb_code)rc, "%s", reading.text ? reading.text : "");
		mlb_err_release(&reading);
		if (rc != MLB_ECORRUPT && rc != MLB_ENOTFOUND)
			break;
		if (rc == MLB_ENOTFOUND && !refreshed && mlb_packs_refresh(&r->packs, NULL) == 0) {
			refreshed = true;
			continue;
		}
		disregard(r, &e, pending, rc == MLB_ECORRUPT);
		below = pending ? below : e.seq;
	}
	pthread_mutex_unlock(&r->lock);
	if (rc == 0 && !any) {
		mlb_digest_hex(hex, key);
		rc = mlb_err_set(err, MLB_ENOTFOUND, "no result is known for %s", hex);
	}
	return rc;
}

/* ---------------------------------------------------------- adding */

/* Later than all of this key, whatever the clock did. */
static int
next_seq(struct mlb_results *r, int64_t *seq, const struct mlb_result *rec, struct mlb_err *err)
{
	struct mlb_entry e;
	bool any, pending;
	int rc = latest(r, &e, &any, &pending, &rec->key, INT64_MAX, err);

	*seq = any && e.seq >= rec->started ? e.seq + 1 : rec->started;
	return rc;
}

int
mlb_results_add(struct mlb_results *r, const struct mlb_result *rec, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(RECORD_MAX);
	struct mlb_entry e = { .id = rec->key };
	int rc;

	mlb_result_format(&text, rec);
	rc = mlb_buf_check(&text, "a result record", err);
	if (rc == 0) {
		pthread_mutex_lock(&r->lock);
		rc = next_seq(r, &e.seq, rec, err);
		if (rc == 0) {
			struct mlb_fresh f = { .len = text.len };

			f.text = mlb_buf_detach(&text);
			e.offset = r->n_gone + r->fresh.n;
			e.size = f.len;
			mlb_vec_push(&r->fresh, f);
			mlb_pending_add(&r->pending, &e);
		}
		pthread_mutex_unlock(&r->lock);
	}
	mlb_buf_release(&text);
	return rc;
}

int
mlb_results_forget(struct mlb_results *r, const struct mlb_digest *key, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, r->db, "DELETE FROM results WHERE key = ?1", err);

	if (rc)
		return rc;
	pthread_mutex_lock(&r->lock);
	mlb_pending_remove(&r->pending, key);
	pthread_mutex_unlock(&r->lock);
	mlb_stmt_digest(s, 1, key);
	return mlb_stmt_run(s, err);
}
