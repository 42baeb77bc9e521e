/*
 * SQLite, wrapped: the one file that includes sqlite3.h is db.c.
 *
 * 1. WAL, or a rollback journal on network file systems; synchronous NORMAL
 *    (objects and segments are synced before the database names them, and the
 *    database can be made again from them); a build's own transactions are durable.
 * 2. Every write transaction is BEGIN IMMEDIATE with a busy timeout of 60 s.
 * 3. A database that is damaged or of another format version is set aside
 *    under a name ending in ".broken" and made anew: nothing in it is the only copy.
 * 4. The handle may be used from several threads (serialized), one statement at a time.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/buf.h"
#include "base/hash.h"

struct mlb_db;
struct mlb_stmt;

int mlb_db_open(struct mlb_db **out, const char *path,
		struct mlb_err *err); /* makes the tables (state.h) */
/* A copy in memory, for who may not write there: empty where there is no database to copy. Nothing of it is kept. */
int mlb_db_open_copy(struct mlb_db **out, const char *path, struct mlb_err *err);
bool mlb_db_is_copy(const struct mlb_db *db);
void mlb_db_close(struct mlb_db *db);
bool mlb_db_was_reset(const struct mlb_db *db); /* it was absent or broken, and is empty now */
bool mlb_db_was_broken(const struct mlb_db *db); /* it was damaged or not ours: set aside when it was opened */
void mlb_db_condemn(struct mlb_db *db); /* it is damaged: closing sets it aside */

/* How often mlb_db_commit succeeded, and a transaction was undone: so a cache of rows knows whether its rows are there. */
uint64_t mlb_db_commits(const struct mlb_db *db);
uint64_t mlb_db_rollbacks(const struct mlb_db *db);

/* After a power cut the last transactions may be missing, the durable ones and those before them are not. */
int mlb_db_begin(struct mlb_db *db, struct mlb_err *err);
int mlb_db_begin_durable(struct mlb_db *db, struct mlb_err *err);
int mlb_db_commit(struct mlb_db *db, struct mlb_err *err);
void mlb_db_rollback(struct mlb_db *db);
int mlb_db_exec(struct mlb_db *db, const char *sql, struct mlb_err *err);

/* Prepared once per handle and text, then kept; borrowed. Reset it after use, and use it on one thread at a time. */
int mlb_db_prepare(struct mlb_stmt **out, struct mlb_db *db, const char *sql, struct mlb_err *err);
void mlb_stmt_text(struct mlb_stmt *s, int i, const char *v,
		   size_t len); /* parameters from 1; copied? no: v lives until reset */
void mlb_stmt_blob(struct mlb_stmt *s, int i, const void *v, size_t len);
void mlb_stmt_digest(struct mlb_stmt *s, int i, const struct mlb_digest *d);
void mlb_stmt_int(struct mlb_stmt *s, int i, int64_t v);
void mlb_stmt_double(struct mlb_stmt *s, int i, double v);
void mlb_stmt_null(struct mlb_stmt *s, int i);
int mlb_stmt_step(struct mlb_stmt *s, bool *row, struct mlb_err *err);
int mlb_stmt_run(struct mlb_stmt *s, struct mlb_err *err); /* step to the end, then reset */
int64_t mlb_column_int(struct mlb_stmt *s, int i);         /* columns from 0 */
double mlb_column_double(struct mlb_stmt *s, int i);
const char *mlb_column_text(struct mlb_stmt *s, int i,
			    size_t *len); /* borrowed until the next step */
const void *mlb_column_blob(struct mlb_stmt *s, int i, size_t *len);
void mlb_column_digest(struct mlb_stmt *s, int i, struct mlb_digest *out); /* zero if it is none */
bool mlb_column_is_null(struct mlb_stmt *s, int i);
void mlb_stmt_reset(struct mlb_stmt *s);

#endif
