/*
 * The stat cache in state.db: rows by path, packed by the hundreds into one
 * record, so that 100,000 of them are read in a few milliseconds.  The format
 * stands at the top of scan_rows.c.  For the files scan*.c only.
 *
 * A row's key is a project path; what is in a directory has rows with the
 * directory's path, a NUL, and the path below it.  So a directory's rows follow
 * its own, and belong to it alone.
 */
#ifndef STORE_SCAN_ROWS_H
#define STORE_SCAN_ROWS_H

#include "store/scan.h"
#include "store/scan_walk.h"

#define MLB_ROW_KEY_MAX 65535

struct mlb_row {
	const char *key; /* borrowed; may hold a NUL */
	size_t len;
	uint8_t kind;    /* enum mlb_pkind of a path, enum mlb_tkind of what is in a directory */
	uint8_t flags;   /* enum mlb_seen_flag */
	uint64_t ino;
	uint64_t size;
	int64_t mtime;
	int64_t ctime;
	struct mlb_digest digest;
};

/* Reading, by ascending keys. */
struct mlb_rows {
	struct mlb_stmt *stmt;
	const char *last;   /* key of the present record's last row; borrowed from stmt; NULL: none */
	size_t last_len;
	const uint8_t *at;  /* what remains of its rows; NULL: not fetched */
	const uint8_t *end;
	bool done;          /* nothing follows */
};

int mlb_rows_open(struct mlb_rows *r, struct mlb_db *db, struct mlb_err *err);
void mlb_rows_close(struct mlb_rows *r);

/* The row of a key, which must not be less than the one before. */
int mlb_rows_find(struct mlb_rows *r, struct mlb_row *out, bool *found, const char *key, size_t len,
		  struct mlb_err *err);

/* Append what the rows say is in the directory whose row was just found; rows that are none leave out empty. */
int mlb_rows_walk(struct mlb_rows *r, struct mlb_walk *out, const char *dir, size_t len, struct mlb_err *err);

/*
 * Writing.  A change replaces all rows of a path and of what is in it: first
 * mlb_rows_path (ascending), then its rows by mlb_rows_add (ascending).
 * Records in which nothing differs are not written.  All inside the caller's
 * transaction; others may have changed the table meanwhile.
 */
struct mlb_rows_writer;

struct mlb_rows_writer *mlb_rows_writer_new(struct mlb_db *db);
int mlb_rows_path(struct mlb_rows_writer *w, const char *path, size_t len, struct mlb_err *err);
int mlb_rows_add(struct mlb_rows_writer *w, const struct mlb_row *row, struct mlb_err *err);
int mlb_rows_cut(struct mlb_rows_writer *w, struct mlb_err *err); /* what follows goes into other records than the last row */
int mlb_rows_finish(struct mlb_rows_writer *w, struct mlb_err *err); /* the last records */
void mlb_rows_writer_free(struct mlb_rows_writer *w);

/* The bytes of a row, and back: false at the end or where they are not rows. */
void mlb_row_write(struct mlb_buf *out, const struct mlb_row *row);
bool mlb_row_read(struct mlb_row *out, const uint8_t **at, const uint8_t *end);
size_t mlb_rows_checked(const uint8_t *data, size_t len); /* how many bytes of a record are rows; 0: it is damaged */
void mlb_rows_seal(struct mlb_buf *data);                 /* make rows a record */
int mlb_row_cmp(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
