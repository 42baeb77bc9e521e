/* Writing rows of the stat cache; the format stands at the top of scan_rows.c. */
#include <stdlib.h>
#include <string.h>

#include "store/scan_rows.h"

/*
 * A record that is split is split at the first row from here on. One row that
 * changes writes its record, to the log and then to the database: 32 KiB made
 * that 56 KiB more than 8 KiB, and reading a million rows is no faster by them.
 */
#define CUT ((size_t)8192)
#define FULL (2 * CUT)            /* bytes at which it is split */
#define RECORD_MAX (64 * MLB_MIB) /* what a record is refused above: far more than any has */

struct mlb_rows_writer {
	struct mlb_db *db;
	bool open;               /* a record is at work */
	bool endless;            /* it is the last one: whatever comes later belongs to it */
	bool gone;               /* its row in the table was removed */
	struct mlb_buf old;      /* its rows as they were */
	struct mlb_buf old_last; /* its key; empty: it is new */
	size_t at;               /* rows of old that were dealt with, in bytes */
	struct mlb_buf out;      /* its rows as they will be, as far as not written */
	struct mlb_buf out_last; /* key of the last one of them */
	size_t cut;              /* where to split it; 0: nowhere yet */
	struct mlb_buf cut_last; /* key of the last row before that */
	struct mlb_buf record;   /* rows with their hash, on the way to the table */
	struct mlb_buf path;     /* whose rows are being replaced; empty: none */
};

struct mlb_rows_writer *
mlb_rows_writer_new(struct mlb_db *db)
{
	struct mlb_rows_writer *w = mlb_calloc(1, sizeof(*w));

	w->db = db;
	mlb_buf_init(&w->old, RECORD_MAX);
	mlb_buf_init(&w->out, RECORD_MAX);
	mlb_buf_init(&w->record, RECORD_MAX);
	mlb_buf_init(&w->old_last, MLB_ROW_KEY_MAX + 1);
	mlb_buf_init(&w->out_last, MLB_ROW_KEY_MAX + 1);
	mlb_buf_init(&w->cut_last, MLB_ROW_KEY_MAX + 1);
	mlb_buf_init(&w->path, MLB_ROW_KEY_MAX + 1);
	return w;
}

void
mlb_rows_writer_free(struct mlb_rows_writer *w)
{
	if (!w)
		return;
	mlb_buf_release(&w->old);
	mlb_buf_release(&w->out);
	mlb_buf_release(&w->record);
	mlb_buf_release(&w->old_last);
	mlb_buf_release(&w->out_last);
	mlb_buf_release(&w->cut_last);
	mlb_buf_release(&w->path);
	free(w);
}

static void
set(struct mlb_buf *b, const void *data, size_t len)
{
	mlb_buf_clear(b);
	mlb_buf_add(b, data, len);
}

static int
delete_record(struct mlb_rows_writer *w, struct mlb_err *err)
{
	struct mlb_stmt *stmt = NULL;
	int rc;

	if (w->gone || w->old_last.len == 0)
		return 0;
	w->gone = true;
	rc = mlb_db_prepare(&stmt, w->db, "DELETE FROM files WHERE last = ?1", err);
	if (rc < 0)
		return rc;
	mlb_stmt_blob(stmt, 1, w->old_last.data, w->old_last.len);
	return mlb_stmt_run(stmt, err);
}

/* Write the first len bytes of out as a record of their own. */
static int
write_record(struct mlb_rows_writer *w, const struct mlb_buf *last, size_t len, struct mlb_err *err)
{
	struct mlb_stmt *stmt = NULL;
	int rc = delete_record(w, err);

	if (rc == 0)
		rc = mlb_db_prepare(&stmt, w->db,
				    "INSERT OR REPLACE INTO files (last, data) VALUES (?1, ?2)",
				    err);
	if (rc < 0)
		return rc;
	set(&w->record, w->out.data, len);
	mlb_rows_seal(&w->record);
	mlb_stmt_blob(stmt, 1, last->data, last->len);
	mlb_stmt_blob(stmt, 2, w->record.data, w->record.len);
	return mlb_stmt_run(stmt, err);
}

/* One row was appended to out. */
static int
appended(struct mlb_rows_writer *w, const char *key, size_t len, struct mlb_err *err)
{
	int rc;

	set(&w->out_last, key, len);
	if (w->cut == 0 && w->out.len >= CUT) {
		w->cut = w->out.len;
		set(&w->cut_last, key, len);
	}
	if (w->out.len < FULL)
		return 0;
	rc = write_record(w, &w->cut_last, w->cut, err);
	memmove(w->out.data, w->out.data + w->cut, w->out.len - w->cut);
	mlb_buf_truncate(&w->out, w->out.len - w->cut);
	w->cut = 0;
	return rc;
}

/* The next old row, not yet dealt with; what cannot be read ends the record. */
static bool
peek(struct mlb_rows_writer *w, struct mlb_row *row, size_t *next)
{
	const uint8_t *data = (const uint8_t *)mlb_buf_str(&w->old);
	const uint8_t *at = data + w->at;

	if (!w->open || !mlb_row_read(row, &at, data + w->old.len))
		return false;
	*next = (size_t)(at - data);
	return true;
}

/* Keep the old rows below a key (NULL: all). */
static int
keep(struct mlb_rows_writer *w, const char *key, size_t len, struct mlb_err *err)
{
	struct mlb_row row;
	size_t next;
	int rc = 0;

	while (rc == 0 && peek(w, &row, &next)) {
		if (key && mlb_row_cmp(row.key, row.len, key, len) >= 0)
			break;
		mlb_buf_add(&w->out, w->old.data + w->at, next - w->at);
		w->at = next;
		rc = appended(w, row.key, row.len, err);
	}
	return rc;
}

static int
close_record(struct mlb_rows_writer *w, struct mlb_err *err)
{
	int rc = keep(w, NULL, 0, err);
	bool same = !w->gone && w->out.len == w->old.len &&
		    (w->out.len == 0 || memcmp(w->out.data, w->old.data, w->out.len) == 0);

	if (rc == 0 && !same && w->open)
		rc = w->out.len ? write_record(w, &w->out_last, w->out.len, err)
				: delete_record(w, err);
	mlb_buf_clear(&w->old);
	mlb_buf_clear(&w->out);
	w->at = w->cut = 0;
	w->open = w->endless = w->gone = false;
	return rc;
}

/* Load the record that the query finds; none is an empty endless one. */
static int
load(struct mlb_rows_writer *w, const char *sql, const void *key, size_t len, struct mlb_err *err)
{
	struct mlb_stmt *stmt = NULL;
	bool row = false;
	int rc = mlb_db_prepare(&stmt, w->db, sql, err);

	if (rc < 0)
		return rc;
	if (key)
		mlb_stmt_blob(stmt, 1, key, len);
	rc = mlb_stmt_step(stmt, &row, err);
	mlb_buf_clear(&w->old);
	w->open = true;
	w->endless = !row;
	if (rc == 0 && row) {
		size_t n;
		const void *v = mlb_column_blob(stmt, 0, &n);

		set(&w->old_last, v, n);
		v = mlb_column_blob(stmt, 1, &n);
		set(&w->old, v, mlb_rows_checked(v, n));
	} else {
		mlb_buf_clear(&w->old_last);
	}
	mlb_stmt_reset(stmt);
	return rc;
}

/* Open the record of a key; what comes behind all goes on with the last one while that is small. */
static int
open_record(struct mlb_rows_writer *w, const char *key, size_t len, struct mlb_err *err)
{
	int rc = load(w, "SELECT last, data FROM files WHERE last >= ?1 ORDER BY last LIMIT 1", key,
		      len, err);

	if (rc < 0 || !w->endless)
		return rc;
	rc = load(w, "SELECT last, data FROM files ORDER BY last DESC LIMIT 1", NULL, 0, err);
	w->endless = true;
	if (w->old.len >= CUT) {
		mlb_buf_clear(&w->old);
		mlb_buf_clear(&w->old_last);
	}
	return rc;
}

/* Go on to the record after the one at work, whose old rows were all dealt with; none: this one goes on. */
static int
next_record(struct mlb_rows_writer *w, struct mlb_err *err)
{
	struct mlb_stmt *stmt = NULL;
	int rc = mlb_db_prepare(&stmt, w->db, "SELECT 1 FROM files WHERE last > ?1 LIMIT 1", err);
	bool row = false;

	if (rc < 0)
		return rc;
	mlb_stmt_blob(stmt, 1, w->old_last.data, w->old_last.len);
	rc = mlb_stmt_step(stmt, &row, err);
	mlb_stmt_reset(stmt);
	w->endless = !row;
	if (rc == 0 && row)
		rc = close_record(w, err);
	if (rc < 0 || !row)
		return rc;
	return load(w, "SELECT last, data FROM files WHERE last > ?1 ORDER BY last LIMIT 1",
		    w->old_last.data, w->old_last.len, err);
}

/* Whether a row belongs to the path whose rows are replaced. */
static bool
is_replaced(const struct mlb_rows_writer *w, const struct mlb_row *row)
{
	return w->path.len && row->len >= w->path.len &&
	       memcmp(row->key, w->path.data, w->path.len) == 0 &&
	       (row->len == w->path.len || row->key[w->path.len] == '\0');
}

/* Drop the old rows of the path, up to a key (NULL: all). */
static int
drop(struct mlb_rows_writer *w, const char *key, size_t len, struct mlb_err *err)
{
	struct mlb_row row;
	size_t next;
	int rc = 0;

	while (rc == 0 && w->open) {
		if (!peek(w, &row, &next)) {
			if (w->endless ||
			    (key && mlb_row_cmp(key, len, w->old_last.data, w->old_last.len) <= 0))
				break;
			rc = next_record(w, err);
			continue;
		}
		if (!is_replaced(w, &row) || (key && mlb_row_cmp(row.key, row.len, key, len) > 0))
			break;
		w->at = next;
	}
	return rc;
}

int
mlb_rows_path(struct mlb_rows_writer *w, const char *path, size_t len, struct mlb_err *err)
{
	int rc = drop(w, NULL, 0, err);

	if (rc < 0)
		return rc;
	set(&w->path, path, len);
	if (w->open && !w->endless && mlb_row_cmp(path, len, w->old_last.data, w->old_last.len) > 0)
		rc = close_record(w, err);
	if (rc == 0 && !w->open)
		rc = open_record(w, path, len, err);
	return rc < 0 ? rc : keep(w, path, len, err);
}

int
mlb_rows_add(struct mlb_rows_writer *w, const struct mlb_row *row, struct mlb_err *err)
{
	int rc;

	if (row->len > MLB_ROW_KEY_MAX)
		return 0;
	rc = drop(w, row->key, row->len, err);
	if (rc < 0)
		return rc;
	mlb_row_write(&w->out, row);
	return appended(w, row->key, row->len, err);
}

int
mlb_rows_cut(struct mlb_rows_writer *w, struct mlb_err *err)
{
	int rc = w->out.len ? write_record(w, &w->out_last, w->out.len, err) : 0;

	mlb_buf_clear(&w->out);
	w->cut = 0;
	return rc;
}

int
mlb_rows_finish(struct mlb_rows_writer *w, struct mlb_err *err)
{
	int rc = drop(w, NULL, 0, err);

	mlb_buf_clear(&w->path);
	return rc < 0 ? rc : close_record(w, err);
}
