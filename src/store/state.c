#include "store/state.h"

#include <string.h>

/*
 * The tables. Digests are 32-byte blobs, times and durations nanoseconds.
 *
 * meta         small named values
 * files        the stat cache; the format of `data` stands at the top of scan_rows.c
 * packs        pack files by name below the cache ("packs/…", "actions/…"); indexed: bytes from the
 *              start of an open one whose blobs have rows, 0 for a sealed one
 * objects      pack > 0: in that pack, the blob's header at offset; stored: bytes there. pack 0: loose;
 *              offset is then the mtime that it had when it was known to be right. Without a row,
 *              a loose object is hashed before its first use
 * results      a record's blob in a segment (a pack of actions/); of a key's, the greatest seq is the latest
 * memo, runs, run_actions   as in state.h
 */
const char *const mlb_state_schema =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE files (last BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE packs (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
	" indexed INTEGER NOT NULL);"
	"CREATE TABLE objects (digest BLOB PRIMARY KEY, pack INTEGER NOT NULL, offset INTEGER NOT NULL,"
	" size INTEGER NOT NULL, stored INTEGER NOT NULL, codec INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX objects_loose ON objects (size) WHERE pack = 0;"
	"CREATE TABLE results (key BLOB NOT NULL, seq INTEGER NOT NULL, pack INTEGER NOT NULL,"
	" offset INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;"
	"CREATE TABLE memo (node TEXT PRIMARY KEY, sig BLOB NOT NULL, key BLOB NOT NULL, outs BLOB NOT NULL,"
	" duration INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE runs (id TEXT NOT NULL UNIQUE, started INTEGER NOT NULL, duration INTEGER NOT NULL,"
	" words TEXT NOT NULL, head TEXT NOT NULL, status INTEGER NOT NULL, built INTEGER NOT NULL,"
	" restored INTEGER NOT NULL, failed INTEGER NOT NULL);"
	"CREATE TABLE run_actions (run TEXT NOT NULL, node TEXT NOT NULL, key BLOB NOT NULL,"
	" what TEXT NOT NULL, duration INTEGER NOT NULL, metrics TEXT NOT NULL, log BLOB NOT NULL);"
	"CREATE INDEX run_actions_run ON run_actions (run);"
	"CREATE INDEX run_actions_node ON run_actions (node);";

int
mlb_meta_get(struct mlb_db *db, const char *name, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, db, "SELECT value FROM meta WHERE name = ?1", err);

	mlb_buf_clear(out);
	if (rc)
		return rc;
	mlb_stmt_text(s, 1, name, strlen(name));
	rc = mlb_stmt_step(s, &row, err);
	if (rc == 0 && row) {
		size_t len;
		const void *v = mlb_column_blob(s, 0, &len);

		mlb_buf_add(out, v, len);
		rc = mlb_buf_check(out, name, err);
	}
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_meta_has(struct mlb_db *db, const char *name, bool *has, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, "SELECT 1 FROM meta WHERE name = ?1", err);

	*has = false;
	if (rc)
		return rc;
	mlb_stmt_text(s, 1, name, strlen(name));
	rc = mlb_stmt_step(s, has, err);
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_meta_set(struct mlb_db *db, const char *name, const void *v, size_t len, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
				err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, name, strlen(name));
	mlb_stmt_blob(s, 2, v, len);
	return mlb_stmt_run(s, err);
}

int
mlb_meta_remove(struct mlb_db *db, const char *name, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, "DELETE FROM meta WHERE name = ?1", err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, name, strlen(name));
	return mlb_stmt_run(s, err);
}

int
mlb_meta_each(struct mlb_db *db, const char *prefix,
	      int (*fn)(void *ctx, const char *name, const void *v, size_t len, struct mlb_err *err),
	      void *ctx, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, db,
				"SELECT name, value FROM meta WHERE name >= ?1 ORDER BY name", err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, prefix, strlen(prefix));
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		size_t len;
		const char *name = mlb_column_text(s, 0, NULL);
		const void *v = mlb_column_blob(s, 1, &len);

		/* What follows has other names; there may be ten thousand of them. */
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			break;
		rc = fn(ctx, name, v, len, err);
		if (rc)
			break;
	}
	mlb_stmt_reset(s);
	return rc;
}

#define MEMO "SELECT node, sig, key, outs, duration, kind, flags FROM memo"

static void
read_memo(struct mlb_memo *m, struct mlb_stmt *s)
{
	m->node = mlb_column_text(s, 0, NULL);
	mlb_column_digest(s, 1, &m->sig);
	mlb_column_digest(s, 2, &m->key);
	mlb_column_digest(s, 3, &m->outs);
	m->duration = (uint64_t)mlb_column_int(s, 4);
	m->kind = (uint8_t)mlb_column_int(s, 5);
	m->flags = (uint8_t)mlb_column_int(s, 6);
}

int
mlb_memo_get(struct mlb_db *db, const char *node, struct mlb_memo *out, bool *found,
	     struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, MEMO " WHERE node = ?1", err);

	*found = false;
	if (rc)
		return rc;
	mlb_stmt_text(s, 1, node, strlen(node));
	rc = mlb_stmt_step(s, found, err);
	if (rc == 0 && *found)
		read_memo(out, s);
	out->node = node;
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_memo_each(struct mlb_db *db,
	      int (*fn)(void *ctx, const struct mlb_memo *m, struct mlb_err *err), void *ctx,
	      struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, db, MEMO " ORDER BY node", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct mlb_memo m;

		read_memo(&m, s);
		rc = fn(ctx, &m, err);
		if (rc)
			break;
	}
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_memo_set(struct mlb_db *db, const struct mlb_memo *m, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(
		&s, db,
		"INSERT OR REPLACE INTO memo (node, sig, key, outs, duration, kind, flags)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, m->node, strlen(m->node));
	mlb_stmt_digest(s, 2, &m->sig);
	mlb_stmt_digest(s, 3, &m->key);
	mlb_stmt_digest(s, 4, &m->outs);
	mlb_stmt_int(s, 5, (int64_t)m->duration);
	mlb_stmt_int(s, 6, m->kind);
	mlb_stmt_int(s, 7, m->flags);
	return mlb_stmt_run(s, err);
}

int
mlb_memo_remove(struct mlb_db *db, const char *node, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, "DELETE FROM memo WHERE node = ?1", err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, node, strlen(node));
	return mlb_stmt_run(s, err);
}

int
mlb_memo_doubt(struct mlb_db *db, const char *node, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, db, "UPDATE memo SET flags = flags | ?2 WHERE node = ?1", err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, node, strlen(node));
	mlb_stmt_int(s, 2, MLB_MEMO_DOUBTED);
	return mlb_stmt_run(s, err);
}
