#include "store/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "os/fs.h"
#include "os/io.h"
#include "os/lock.h"
#include "os/path.h"
#include "store/db_files.h"
#include "store/state.h"

#define BUSY_MS 60000

/* user_version: "mlb" and the version of the tables, so that a foreign database is not taken for ours. */
#define USER_VERSION (('m' << 24) | ('l' << 16) | ('b' << 8) | MLB_STATE_VERSION)

/*
 * The journal's files are kept, emptied, when the database is closed: making and
 * removing them each time takes several times as long as all else together on
 * a disk that is busy.
 */
#define SYNC_ON "PRAGMA synchronous = FULL"
#define SYNC_OFF "PRAGMA synchronous = NORMAL"
#define SYNC_NEVER "PRAGMA synchronous = OFF" /* while it is made: once, at the end, is enough */
#define SETTINGS SYNC_OFF "; PRAGMA cache_size = -32768; PRAGMA journal_size_limit = 0"

/*
 * Bytes up to which the journal also keeps its content, for the next to open it:
 * writing that into the database takes two syncs and most of its pages once more.
 */
#define KEEP (512 * MLB_KIB)

/* What loads the schema, so that a damaged one is seen when the database is opened. */
#define PROBE "SELECT value FROM meta WHERE name = ?1"

struct mlb_stmt {
	sqlite3_stmt *st;
	struct mlb_db *db;
	char *sql;
};

struct mlb_db {
	sqlite3 *sq;
	char *path;
	struct mlb_strmap stmt; /* by SQL text; guarded by SQLite's own mutex of the connection */
	atomic_ullong commits;
	atomic_ullong rollbacks;
	atomic_bool damaged; /* found so while in use: closing sets it aside */
	uint64_t ino;        /* of the file as it was opened */
	bool making;         /* we hold the lock under which one is made */
	bool was_reset;
	bool was_broken;
	bool durable; /* the transaction at work is to be synced */
	bool copy;    /* in memory */
};

enum verdict { GOOD, BROKEN, FAILED, ABSENT };

static int
fail(struct mlb_db *db, int rc, struct mlb_err *err)
{
	int e = sqlite3_system_errno(db->sq), beside;

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		abort();
	case SQLITE_FULL:
		return mlb_err_errno(err, ENOSPC, "cannot write '%s'", db->path);
	case SQLITE_IOERR:
		return mlb_err_errno(err, e ? e : EIO, "cannot read or write '%s'", db->path);
	case SQLITE_CANTOPEN:
		/* SQLite tries to read what it cannot make, and remembers that failure. */
		beside = e == ENOENT ? mlb_fs_errno_beside(db->path) : 0;
		e = beside ? beside : e;
		return mlb_err_errno(err, e ? e : EACCES, "cannot open '%s'", db->path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return mlb_err_errno(err, e ? e : EACCES,
				     "cannot write '%s': it or its directory is read-only",
				     db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return mlb_err_set(err, MLB_ESYSTEM,
				   "'%s' has been locked by another process for %d seconds",
				   db->path, BUSY_MS / 1000);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		atomic_store(&db->damaged, true);
		return mlb_err_set(err, MLB_ECORRUPT,
				   "'%s' is damaged: it is set aside now and made anew by the next "
				   "command, nothing in it is the only copy",
				   db->path);
	default:
		return mlb_err_set(err, MLB_ESYSTEM, "'%s': %s", db->path, sqlite3_errmsg(db->sq));
	}
}

static void
close_handle(struct mlb_db *db)
{
	for (uint32_t i = 0; i < db->stmt.n; i++) {
		struct mlb_stmt *s = db->stmt.entry[i].u.ptr;

		sqlite3_finalize(s->st);
		free(s->sql);
		free(s);
	}
	mlb_strmap_release(&db->stmt);
	sqlite3_close(db->sq);
	db->sq = NULL;
}

static void
count_rollback(void *ctx)
{
	atomic_fetch_add(&((struct mlb_db *)ctx)->rollbacks, 1);
}

/* The first column of the first row, -1 if that is NULL or there is none. */
static int
query_int(struct mlb_db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sq, sql, -1, &st, NULL);

	*out = -1;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* One more process may be making the same tables; whoever gets the write lock first does. */
static int
make_tables(struct mlb_db *db, bool *foreign)
{
	int64_t version = 0, objects = 0;
	int rc = sqlite3_exec(db->sq, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = query_int(db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = query_int(db, "SELECT count(*) FROM sqlite_master", &objects);
	*foreign = rc == SQLITE_OK && version != USER_VERSION && (version != 0 || objects != 0);
	if (rc == SQLITE_OK && version == 0 && !*foreign) {
		char set[64];

		rc = sqlite3_exec(db->sq, mlb_state_schema, NULL, NULL, NULL);
		snprintf(set, sizeof(set), "PRAGMA user_version = %d", USER_VERSION);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db->sq, set, NULL, NULL, NULL);
		db->was_reset = rc == SQLITE_OK;
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->sq, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* What was made without a sync; in a journal, what is committed later syncs the tables with it. */
static int
sync_new(struct mlb_db *db)
{
	return mlb_io_sync_file(&mlb_io_os, db->path, NULL) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

/* WAL needs memory shared between processes, which network file systems do not give. */
static int
choose_journal(struct mlb_db *db, bool is_new)
{
	bool network = mlb_fs_is_network(db->path);

	if (network)
		return sqlite3_exec(db->sq, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (!is_new)
		return SQLITE_OK; /* it is kept in the file */
	return sqlite3_exec(db->sq, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL", NULL,
			    NULL, NULL);
}

static bool
means_broken(int rc)
{
	int primary = rc & 0xff;

	return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR ||
	       primary == SQLITE_FORMAT || rc == SQLITE_IOERR_SHORT_READ;
}

static enum verdict
set_up(struct mlb_db *db, int *rc)
{
	bool foreign = false;
	int64_t version = 0;
	struct mlb_stmt *probe;
	int keep = 1;

	sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	sqlite3_busy_timeout(db->sq, BUSY_MS);
	sqlite3_extended_result_codes(db->sq, 1);
	*rc = query_int(db, "PRAGMA user_version", &version);
	if (*rc == SQLITE_OK && version != USER_VERSION && version != 0)
		return BROKEN;
	/* Two that turn one new file to WAL at once are not made to wait by SQLite: one fails. */
	if (*rc == SQLITE_OK && version == 0 && !db->making)
		return ABSENT;
	if (*rc == SQLITE_OK && version == 0)
		*rc = sqlite3_exec(db->sq, SYNC_NEVER, NULL, NULL, NULL);
	if (*rc == SQLITE_OK)
		*rc = choose_journal(db, version == 0);
	if (*rc == SQLITE_OK && version == 0)
		*rc = make_tables(db, &foreign);
	if (*rc == SQLITE_OK)
		*rc = sqlite3_exec(db->sq, SETTINGS, NULL, NULL, NULL);
	if (*rc == SQLITE_OK && version == 0 && !foreign)
		*rc = sync_new(db);
	if (foreign)
		return BROKEN;
	if (*rc == SQLITE_OK && mlb_db_prepare(&probe, db, PROBE, NULL) != 0)
		*rc = sqlite3_errcode(db->sq);
	if (*rc != SQLITE_OK)
		return means_broken(*rc) ? BROKEN : FAILED;
	sqlite3_rollback_hook(db->sq, count_rollback, db);
	return GOOD;
}

static enum verdict
try_open(struct mlb_db *db, struct mlb_err *err)
{
	int rc = sqlite3_open_v2(db->path, &db->sq,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
				 NULL);
	enum verdict v = FAILED;

	if (!db->sq)
		abort();
	if (rc == SQLITE_OK)
		v = set_up(db, &rc);
	/* SQLite falls back to reading where it may not write. */
	if (v == GOOD && sqlite3_db_readonly(db->sq, "main") == 1) {
		v = FAILED;
		rc = SQLITE_READONLY;
	}
	if (v == FAILED)
		fail(db, rc, err);
	if (v != GOOD)
		close_handle(db);
	return v;
}

/* What was found damaged while it was in use, unless another process was faster. */
static void
set_aside_own(const struct mlb_db *db)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	char *path = mlb_asprintf("%s.lock", db->path);
	struct mlb_stat st;

	if (mlb_lock_wait(&lock, path, true, "setting aside a damaged database", -1, NULL) == 0 &&
	    mlb_fs_lstat(&st, db->path, NULL) == 0 && st.ino == db->ino)
		mlb_db_files_aside(db->path, NULL);
	mlb_lock_release(&lock);
	free(path);
}

/* Under a lock: of two processes that find it broken, or absent, the second must not set aside what the first made. */
static enum verdict
replace(struct mlb_db *db, struct mlb_err *err)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	char *path = mlb_asprintf("%s.lock", db->path);
	enum verdict v = FAILED;

	if (mlb_lock_wait(&lock, path, true, "setting aside a damaged database", -1, err))
		goto done;
	db->making = true;
	v = try_open(db, err);
	if (v == BROKEN) {
		db->was_broken = true;
		v = mlb_db_files_aside(db->path, err) ? FAILED : try_open(db, err);
		if (v == BROKEN)
			mlb_err_set(err, MLB_ESYSTEM, "cannot make a database at '%s'", db->path);
	}
done:
	mlb_lock_release(&lock);
	free(path);
	return v;
}

/*
 * Turning a new file to WAL, SQLite does not wait for readers, nor for whoever
 * plays back what a process that died left: nobody looks into the file while
 * another process makes it.  Where no lock can be had, nobody makes one.
 */
static enum verdict
look(struct mlb_db *db, struct mlb_err *err)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	char *path = mlb_asprintf("%s.lock", db->path);
	enum verdict v = ABSENT;
	bool got;

	if (mlb_lock_try(&lock, path, false, "", &got, NULL, NULL) != 0 || got)
		v = try_open(db, err);
	mlb_lock_release(&lock);
	free(path);
	return v;
}

int
mlb_db_open(struct mlb_db **out, const char *path, struct mlb_err *err)
{
	struct mlb_db *db = mlb_calloc(1, sizeof(*db));
	struct mlb_err first = MLB_ERR_INIT, second = MLB_ERR_INIT;
	struct mlb_stat st;
	enum verdict v;

	db->path = mlb_strdup(path);
	v = look(db, &first);
	/* Files that another process is just setting aside or making fail in many ways: under its lock they do not. */
	if (v != GOOD)
		v = replace(db, &second);
	if (v != GOOD) {
		const struct mlb_err *why = first.code ? &first : &second;
		int rc = mlb_err_set(err, why->code ? why->code : MLB_ESYSTEM, "%s",
				     why->text ? why->text : "cannot open the database");

		mlb_err_release(&first);
		mlb_err_release(&second);
		free(db->path);
		free(db);
		return rc;
	}
	mlb_err_release(&first);
	mlb_err_release(&second);
	atomic_store(&db->damaged, false);
	if (mlb_fs_lstat(&st, path, NULL) == 0)
		db->ino = st.ino;
	*out = db;
	return 0;
}

static void
leave_small_journal(struct mlb_db *db)
{
	char *path = mlb_asprintf("%s-wal", db->path);
	struct mlb_stat st;

	if (mlb_fs_lstat(&st, path, NULL) == 0 && st.size <= KEEP)
		sqlite3_db_config(db->sq, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	free(path);
}

/* All pages of the file into the database in memory; false: it cannot be read, or is not ours. */
static bool
copy_from(struct mlb_db *db, const char *name, int flags)
{
	sqlite3 *from = NULL;
	sqlite3_backup *backup = NULL;
	int64_t version = 0;
	bool good = sqlite3_open_v2(name, &from, SQLITE_OPEN_READONLY | flags, NULL) == SQLITE_OK;

	if (good) {
		sqlite3_busy_timeout(from, BUSY_MS);
		backup = sqlite3_backup_init(db->sq, "main", from, "main");
		good = backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
	}
	if (backup && sqlite3_backup_finish(backup) != SQLITE_OK)
		good = false;
	sqlite3_close(from);
	return good && query_int(db, "PRAGMA user_version", &version) == SQLITE_OK &&
	       version == USER_VERSION;
}

static int
open_memory(struct mlb_db *db, struct mlb_err *err)
{
	int rc = sqlite3_open_v2(":memory:", &db->sq,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
				 NULL);

	if (!db->sq)
		abort();
	return rc == SQLITE_OK ? 0 : fail(db, rc, err);
}

int
mlb_db_open_copy(struct mlb_db **out, const char *path, struct mlb_err *err)
{
	struct mlb_db *db = mlb_calloc(1, sizeof(*db));
	char *uri = mlb_db_immutable_uri(path);
	struct mlb_stmt *probe;
	bool foreign;
	int rc;

	db->path = mlb_strdup(path);
	db->copy = true;
	rc = open_memory(db, err);
	if (rc == 0 && !copy_from(db, path, 0) && !copy_from(db, uri, SQLITE_OPEN_URI)) {
		close_handle(db);
		rc = open_memory(db, err);
		if (rc == 0 && make_tables(db, &foreign) != SQLITE_OK)
			rc = fail(db, sqlite3_errcode(db->sq), err);
	}
	if (rc == 0)
		rc = mlb_db_prepare(&probe, db, PROBE, err);
	free(uri);
	if (rc) {
		mlb_db_close(db);
		return rc;
	}
	sqlite3_rollback_hook(db->sq, count_rollback, db);
	*out = db;
	return 0;
}

bool
mlb_db_is_copy(const struct mlb_db *db)
{
	return db->copy;
}

void
mlb_db_close(struct mlb_db *db)
{
	if (!db)
		return;
	if (!db->copy)
		leave_small_journal(db);
	close_handle(db);
	if (atomic_load(&db->damaged) && !db->copy)
		set_aside_own(db);
	free(db->path);
	free(db);
}

void
mlb_db_condemn(struct mlb_db *db)
{
	atomic_store(&db->damaged, true);
}

bool
mlb_db_was_reset(const struct mlb_db *db)
{
	return db->was_reset;
}

bool
mlb_db_was_broken(const struct mlb_db *db)
{
	return db->was_broken;
}

uint64_t
mlb_db_commits(const struct mlb_db *db)
{
	return atomic_load(&db->commits);
}

uint64_t
mlb_db_rollbacks(const struct mlb_db *db)
{
	return atomic_load(&db->rollbacks);
}

int
mlb_db_exec(struct mlb_db *db, const char *sql, struct mlb_err *err)
{
	int rc = sqlite3_exec(db->sq, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc, err);
}

int
mlb_db_begin(struct mlb_db *db, struct mlb_err *err)
{
	return mlb_db_exec(db, "BEGIN IMMEDIATE", err);
}

/* The setting can only be changed outside of a transaction. */
static void
sync_commits(struct mlb_db *db, bool on)
{
	if (db->durable != on)
		sqlite3_exec(db->sq, on ? SYNC_ON : SYNC_OFF, NULL, NULL, NULL);
	db->durable = on;
}

int
mlb_db_begin_durable(struct mlb_db *db, struct mlb_err *err)
{
	int rc;

	sync_commits(db, true);
	rc = mlb_db_begin(db, err);
	if (rc)
		sync_commits(db, false);
	return rc;
}

int
mlb_db_commit(struct mlb_db *db, struct mlb_err *err)
{
	int rc = mlb_db_exec(db, "COMMIT", err);

	if (rc == 0) {
		atomic_fetch_add(&db->commits, 1);
		sync_commits(db, false);
	}
	return rc;
}

void
mlb_db_rollback(struct mlb_db *db)
{
	if (!sqlite3_get_autocommit(db->sq))
		sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
	sync_commits(db, false);
}

/* ---------------------------------------------------------- statements */

int
mlb_db_prepare(struct mlb_stmt **out, struct mlb_db *db, const char *sql, struct mlb_err *err)
{
	sqlite3_mutex *mutex = sqlite3_db_mutex(db->sq);
	struct mlb_stmt *s;
	int rc = SQLITE_OK;

	sqlite3_mutex_enter(mutex);
	s = mlb_strmap_get(&db->stmt, sql);
	if (!s) {
		s = mlb_calloc(1, sizeof(*s));
		rc = sqlite3_prepare_v3(db->sq, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->st, NULL);
		if (rc == SQLITE_OK) {
			s->db = db;
			s->sql = mlb_strdup(sql);
			mlb_strmap_set(&db->stmt, s->sql, s);
		} else {
			free(s);
			rc = fail(db, rc, err);
		}
	}
	sqlite3_mutex_leave(mutex);
	if (rc == SQLITE_OK)
		*out = s;
	return rc;
}

/* A length of 0 is an empty text or blob, not NULL, whatever the pointer. */
void
mlb_stmt_text(struct mlb_stmt *s, int i, const char *v, size_t len)
{
	sqlite3_bind_text64(s->st, i, v ? v : "", v ? len : 0, SQLITE_STATIC, SQLITE_UTF8);
}

void
mlb_stmt_blob(struct mlb_stmt *s, int i, const void *v, size_t len)
{
	sqlite3_bind_blob64(s->st, i, v ? v : "", v ? len : 0, SQLITE_STATIC);
}

void
mlb_stmt_int(struct mlb_stmt *s, int i, int64_t v)
{
	sqlite3_bind_int64(s->st, i, v);
}

void
mlb_stmt_double(struct mlb_stmt *s, int i, double v)
{
	sqlite3_bind_double(s->st, i, v);
}

void
mlb_stmt_null(struct mlb_stmt *s, int i)
{
	sqlite3_bind_null(s->st, i);
}

int
mlb_stmt_step(struct mlb_stmt *s, bool *row, struct mlb_err *err)
{
	int rc = sqlite3_step(s->st);

	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	rc = fail(s->db, rc, err);
	sqlite3_reset(s->st);
	return rc;
}

int
mlb_stmt_run(struct mlb_stmt *s, struct mlb_err *err)
{
	bool row;
	int rc;

	do
		rc = mlb_stmt_step(s, &row, err);
	while (rc == 0 && row);
	sqlite3_reset(s->st);
	return rc;
}

int64_t
mlb_column_int(struct mlb_stmt *s, int i)
{
	return sqlite3_column_int64(s->st, i);
}

double
mlb_column_double(struct mlb_stmt *s, int i)
{
	return sqlite3_column_double(s->st, i);
}

const char *
mlb_column_text(struct mlb_stmt *s, int i, size_t *len)
{
	const char *text = (const char *)sqlite3_column_text(s->st, i);

	if (len)
		*len = (size_t)sqlite3_column_bytes(s->st, i);
	return text ? text : "";
}

const void *
mlb_column_blob(struct mlb_stmt *s, int i, size_t *len)
{
	const void *blob = sqlite3_column_blob(s->st, i);

	*len = blob ? (size_t)sqlite3_column_bytes(s->st, i) : 0;
	return blob ? blob : "";
}

void
mlb_stmt_digest(struct mlb_stmt *s, int i, const struct mlb_digest *d)
{
	mlb_stmt_blob(s, i, d->b, sizeof(d->b));
}

void
mlb_column_digest(struct mlb_stmt *s, int i, struct mlb_digest *out)
{
	size_t len;
	const void *blob = mlb_column_blob(s, i, &len);

	memset(out, 0, sizeof(*out));
	if (len == sizeof(out->b))
		memcpy(out->b, blob, len);
}

bool
mlb_column_is_null(struct mlb_stmt *s, int i)
{
	return sqlite3_column_type(s->st, i) == SQLITE_NULL;
}

void
mlb_stmt_reset(struct mlb_stmt *s)
{
	sqlite3_reset(s->st);
}
