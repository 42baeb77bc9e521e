#include "store/packs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fs.h"
#include "store/condemned.h"
#include "store/packs_priv.h"
#include "store/state.h"

#define MAX_OPEN 64 /* descriptors kept to read from */
#define RACY                                                                                       \
	100000000 /* ns: a directory that changed so recently may change again and show the same mtime */
#define RACY_COARSE 2000000000 /* the same where its file system counts seconds */

/* In the place of how far a file is indexed: gc has set it aside. */
#define ASIDE UINT64_MAX

void
mlb_packs_init(struct mlb_packs *p, const char *dir, const char *prefix, uint8_t type,
	       struct mlb_db *db, mlb_packs_found found, void *ctx)
{
	memset(p, 0, sizeof(*p));
	p->io = &mlb_io_os;
	p->dir = mlb_strdup(dir);
	p->prefix = prefix;
	p->type = type;
	p->db = db;
	p->found = found;
	p->ctx = ctx;
	pthread_cond_init(&p->idle, NULL);
}

static void
file_free(struct mlb_packs *p, struct mlb_packfile *f)
{
	mlb_pack_writer_close(f->writer);
	if (f->fd >= 0) {
		p->io->close(p->io, f->fd);
		p->n_open--;
	}
	free(f->name);
	free(f->old_name);
	free(f);
}

void
mlb_packs_release(struct mlb_packs *p)
{
	for (size_t i = 0; i < p->file.n; i++)
		file_free(p, p->file.v[i]);
	mlb_vec_release(&p->file);
	mlb_vec_release(&p->current);
	if (p->dir)
		pthread_cond_destroy(&p->idle);
	free(p->dir);
	p->dir = NULL;
}

struct mlb_packfile *
mlb_packs_add(struct mlb_packs *p, const char *name)
{
	struct mlb_packfile *f = mlb_calloc(1, sizeof(*f));

	f->name = mlb_strdup(name);
	f->fd = -1;
	f->row = MLB_ROW_STALE;
	mlb_vec_push(&p->file, f);
	return f;
}

void
mlb_packs_drop_last(struct mlb_packs *p)
{
	file_free(p, p->file.v[--p->file.n]);
	p->last = NULL;
}

struct mlb_packfile *
mlb_packs_by_name(struct mlb_packs *p, const char *name)
{
	for (size_t i = p->file.n; i > 0; i--)
		if (strcmp(p->file.v[i - 1]->name, name) == 0)
			return p->file.v[i - 1];
	return NULL;
}

/* ---------------------------------------------------------- the table */

/* What a row says of a file: a new one, or another name for one that we know. */
static void
take_row(struct mlb_packs *p, int64_t id, const char *name, uint64_t indexed)
{
	struct mlb_packfile *f = NULL;

	for (size_t i = 0; i < p->file.n && !f; i++)
		if (p->file.v[i]->id == id)
			f = p->file.v[i];
	if (!f)
		f = mlb_packs_by_name(p, name);
	if (!f) {
		f = mlb_packs_add(p, name);
		f->row = MLB_ROW_GOOD;
	}
	f->id = id;
	if (f->writer || f->row != MLB_ROW_GOOD)
		return; /* we know better */
	if (strcmp(f->name, name) != 0) {
		free(f->name);
		f->name = mlb_strdup(name);
		f->gone = false;
	}
	f->again |= indexed == ASIDE;
	f->synced = indexed == ASIDE ? 0 : indexed;
}

#define ROWS "SELECT id, name, indexed FROM packs"

static int
read_rows(struct mlb_packs *p, struct mlb_stmt *s, struct mlb_err *err)
{
	size_t len = strlen(p->prefix);
	bool row;
	int rc;

	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		const char *name = mlb_column_text(s, 1, NULL);

		if (strncmp(name, p->prefix, len) == 0 &&
		    (mlb_pack_name_open(name + len) || mlb_pack_name_sealed(name + len)))
			take_row(p, mlb_column_int(s, 0), name + len,
				 (uint64_t)mlb_column_int(s, 2));
	}
	mlb_stmt_reset(s);
	return rc;
}

int
mlb_packs_load(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, p->db, ROWS, err);

	if (rc == 0)
		rc = read_rows(p, s, err);
	p->loaded = rc == 0;
	return rc;
}

/* Rows that were rolled back are not there, and another process may have taken their ids. */
static void
settle_rows(struct mlb_packs *p)
{
	bool undone = mlb_db_rollbacks(p->db) != p->rollbacks;
	bool done = mlb_db_commits(p->db) != p->commits;

	if (!undone && !done)
		return;
	for (size_t i = 0; i < p->file.n; i++) {
		struct mlb_packfile *f = p->file.v[i];

		if (f->row == MLB_ROW_WRITTEN && undone) {
			f->row = MLB_ROW_STALE;
			f->id = 0;
		} else if (f->row == MLB_ROW_WRITTEN) {
			f->row = MLB_ROW_GOOD;
		}
	}
	p->rollbacks = mlb_db_rollbacks(p->db);
	p->commits = mlb_db_commits(p->db);
}

static struct mlb_packfile *
find_id(struct mlb_packs *p, int64_t id)
{
	if (p->last && p->last->id == id)
		return p->last;
	for (size_t i = 0; i < p->file.n; i++)
		if (p->file.v[i]->id == id)
			return p->last = p->file.v[i];
	return NULL;
}

/* Below the cache; owned by the caller. */
static char *
cache_of(const struct mlb_packs *p)
{
	return mlb_strndup(p->dir, strlen(p->dir) - strlen(p->prefix));
}

bool
mlb_packs_alive(const struct mlb_packs *p, struct mlb_packfile *f)
{
	char *cache, *path;

	if (!f->gone)
		return true;
	cache = cache_of(p);
	path = mlb_asprintf("%s%s", p->prefix, f->name);
	f->gone = !mlb_condemned_return(cache, path);
	f->again |= !f->gone;
	free(path);
	free(cache);
	return !f->gone;
}

bool
mlb_packs_lost(const struct mlb_packs *p, const struct mlb_packfile *f)
{
	char *cache, *path;
	bool has;

	if (!f->gone)
		return false;
	cache = cache_of(p);
	path = mlb_asprintf("%s%s", p->prefix, f->name);
	has = mlb_condemned_has(cache, path);
	free(path);
	free(cache);
	return !has;
}

struct mlb_packfile *
mlb_packs_by_id(struct mlb_packs *p, int64_t id)
{
	struct mlb_packfile *f;
	struct mlb_stmt *s;

	settle_rows(p);
	if (!p->loaded)
		mlb_packs_load(p, NULL);
	f = find_id(p, id);
	/* Another process may have made it since. */
	if (!f && mlb_db_prepare(&s, p->db, ROWS " WHERE id = ?1", NULL) == 0) {
		mlb_stmt_int(s, 1, id);
		read_rows(p, s, NULL);
		f = find_id(p, id);
	}
	return f && mlb_packs_alive(p, f) ? f : NULL;
}

/* The id of the row with this name, 0 if there is none. */
static int
row_id(struct mlb_packs *p, const char *name, int64_t *id, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s%s", p->prefix, name);
	struct mlb_stmt *s;
	bool row = false;
	int rc = mlb_db_prepare(&s, p->db, "SELECT id FROM packs WHERE name = ?1", err);

	*id = 0;
	if (rc == 0) {
		mlb_stmt_text(s, 1, full, strlen(full));
		rc = mlb_stmt_step(s, &row, err);
		if (rc == 0 && row)
			*id = mlb_column_int(s, 0);
		mlb_stmt_reset(s);
	}
	free(full);
	return rc;
}

static int
write_row(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s%s", p->prefix, f->name);
	int64_t indexed = f->again                        ? (int64_t)ASIDE
			  : mlb_pack_name_sealed(f->name) ? 0
							  : (int64_t)f->synced,
		id;
	struct mlb_stmt *s;
	int rc = row_id(p, f->name, &id, err);

	if (rc == 0 && !id && f->old_name)
		rc = row_id(p, f->old_name, &id, err);
	if (rc == 0)
		rc = mlb_db_prepare(&s, p->db,
				    "INSERT INTO packs (id, name, indexed) VALUES (?1, ?2, ?3)"
				    " ON CONFLICT (id) DO UPDATE SET name = ?2, indexed = ?3",
				    err);
	if (rc == 0) {
		if (id)
			mlb_stmt_int(s, 1, id);
		else
			mlb_stmt_null(s, 1);
		mlb_stmt_text(s, 2, full, strlen(full));
		mlb_stmt_int(s, 3, indexed);
		rc = mlb_stmt_run(s, err);
	}
	if (rc == 0 && !id)
		rc = row_id(p, f->name, &id, err);
	if (rc == 0) {
		f->id = id;
		f->row = MLB_ROW_WRITTEN;
	}
	free(full);
	return rc;
}

static int
delete_row(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	struct mlb_stmt *s;
	int rc = mlb_db_prepare(&s, p->db, "DELETE FROM packs WHERE id = ?1", err);

	if (rc)
		return rc;
	mlb_stmt_int(s, 1, f->id);
	f->id = 0;
	return mlb_stmt_run(s, err);
}

/* gc has it: should it come back, rows may name other copies that are gone by then. */
static int
write_aside(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	if (f->again)
		return 0;
	f->again = true;
	return write_row(p, f, err);
}

static char *
seen_name(const struct mlb_packs *p)
{
	return mlb_asprintf("seen %s", p->prefix);
}

static int64_t
seen(struct mlb_packs *p)
{
	struct mlb_buf value = MLB_BUF_INIT(64);
	char *name = seen_name(p);
	int64_t mtime = 0;

	if (mlb_meta_get(p->db, name, &value, NULL) == 0 && value.len == sizeof(mtime))
		memcpy(&mtime, value.data, sizeof(mtime));
	mlb_buf_release(&value);
	free(name);
	return mtime;
}

bool
mlb_packs_racy(int64_t mtime)
{
	return mlb_clock_wall() - mtime < (mtime % 1000000000 ? RACY : RACY_COARSE);
}

/* What was listed is all there is, unless it changed just now or something could not be looked into. */
static int
write_seen(struct mlb_packs *p, struct mlb_err *err)
{
	char *name;
	int rc;

	if (!p->listed || p->skipped || p->racy || seen(p) == p->listed)
		return 0;
	name = seen_name(p);
	rc = mlb_meta_set(p->db, name, &p->listed, sizeof(p->listed), err);
	free(name);
	return rc;
}

int
mlb_packs_write_rows(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_stat st;
	int rc = mlb_fs_stat(&st, p->dir, err);

	settle_rows(p);
	if (rc == 0 && st.type == MLB_F_DIR && st.mtime != p->listed)
		rc = mlb_packs_refresh(p, err);
	for (size_t i = 0; i < p->file.n && rc == 0; i++) {
		struct mlb_packfile *f = p->file.v[i];

		/* Gone with the whole directory: it may come back. */
		if (f->gone && f->id && st.type == MLB_F_DIR)
			rc = mlb_packs_lost(p, f) ? delete_row(p, f, err) : write_aside(p, f, err);
		else if (!f->gone && (f->row == MLB_ROW_STALE || f->writer))
			rc = write_row(p, f, err);
	}
	return rc ? rc : write_seen(p, err);
}

int
mlb_packs_forget(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_stmt *s;
	size_t n = 0;
	int rc = mlb_db_prepare(&s, p->db,
				"DELETE FROM packs WHERE substr(name, 1, length(?1)) = ?1", err);

	if (rc)
		return rc;
	mlb_stmt_text(s, 1, p->prefix, strlen(p->prefix));
	rc = mlb_stmt_run(s, err);
	for (size_t i = 0; i < p->file.n; i++) {
		struct mlb_packfile *f = p->file.v[i];

		f->row = MLB_ROW_STALE;
		f->id = 0;
		if (f->writer || f->readers)
			p->file.v[n++] = f;
		else
			file_free(p, f);
	}
	p->file.n = n;
	p->last = NULL;
	p->loaded = true;
	return rc;
}

int
mlb_packs_open(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_stat st;
	int rc;

	/* Who may not even look into the cache has none. */
	if (mlb_db_is_copy(p->db) && mlb_fs_stat(&st, p->dir, NULL))
		return 0;
	rc = mlb_fs_stat(&st, p->dir, err);
	if (rc || st.type != MLB_F_DIR)
		return rc;
	p->listed = seen(p);
	/* Appending changes no directory: whoever did may have died before it wrote rows. */
	return p->listed == st.mtime && !mlb_packs_grown(p) ? 0 : mlb_packs_refresh(p, err);
}

/* ---------------------------------------------------------- reading */

/* Others may be read at any moment by other threads: only idle descriptors are closed. */
static void
close_idle(struct mlb_packs *p)
{
	for (size_t i = 0; i < p->file.n; i++) {
		struct mlb_packfile *f = p->file.v[i];

		if (f->fd >= 0 && !f->readers && !f->writer) {
			p->io->close(p->io, f->fd);
			f->fd = -1;
			p->n_open--;
		}
	}
}

int
mlb_packs_open_fd(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	char *path;
	int e;

	if (f->fd >= 0)
		return 0;
	if (p->n_open >= MAX_OPEN)
		close_idle(p);
	path = mlb_asprintf("%s/%s", p->dir, f->name);
	f->fd = p->io->open(p->io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	e = errno;
	if (f->fd < 0 && e == ENOENT) {
		f->gone = true;
		e = mlb_err_set(err, MLB_ENOTFOUND, "'%s' is not there", path);
	} else if (f->fd < 0) {
		e = mlb_err_errno(err, e, "cannot read '%s'", path);
	}
	free(path);
	if (f->fd < 0)
		return e;
	p->n_open++;
	return 0;
}

int
mlb_packs_begin_read(struct mlb_packs *p, struct mlb_packfile *f, uint64_t offset,
		     struct mlb_err *err)
{
	int rc = 0;

	mlb_packs_wait(p, f);
	/* One that is full was flushed, and belongs to the thread that syncs. */
	if (f->writer && !f->full && offset >= mlb_pack_writer_flushed(f->writer))
		rc = mlb_pack_flush(f->writer, err);
	if (rc == 0)
		rc = mlb_packs_open_fd(p, f, err);
	if (rc == 0)
		f->readers++;
	return rc;
}

void
mlb_packs_end_read(struct mlb_packs *p, struct mlb_packfile *f)
{
	(void)p;
	f->readers--;
}
