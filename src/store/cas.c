#include "store/cas.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/strmap.h"
#include "os/machine.h"
#include "store/cas_priv.h"
#include "store/cas_stored.h"

#define CROWD 4 /* full packs that are sealed without being asked */

static bool
is_bad(const struct mlb_cas *cas, const struct mlb_digest *digest)
{
	for (size_t i = 0; i < cas->bad.n; i++)
		if (mlb_digest_equal(&cas->bad.v[i], digest))
			return true;
	return false;
}

static void
remove_digest(struct mlb_digests *set, const struct mlb_digest *digest)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		if (!mlb_digest_equal(&set->v[i], digest))
			set->v[n++] = set->v[i];
	set->n = n;
}

/* ---------------------------------------------------------- opening */

/* results.c has the last one: one sync does for all that are made at once. */
static const char *const subdir[] = { "objects", "packs", "tmp", "actions" };

static int
make_dirs(const char *dir, const struct mlb_io *io, struct mlb_err *err)
{
	const char *missing[MLB_ARRAY_LEN(subdir)];
	bool is_new = !mlb_fs_exists(dir);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < MLB_ARRAY_LEN(subdir); i++) {
		char *path = mlb_asprintf("%s/%s", dir, subdir[i]);

		if (!mlb_fs_exists(path))
			missing[n++] = subdir[i];
		free(path);
	}
	if (n)
		rc = mlb_io_mkdirs_in(io, dir, missing, n, err);
	if (is_new)
		mlb_fs_share(dir);
	for (size_t i = 0; i < n; i++) {
		char *path = mlb_asprintf("%s/%s", dir, missing[i]);

		mlb_fs_share(path);
		free(path);
	}
	return rc;
}

/* Blobs of a pack that another process, or one before us, wrote. Under the lock. */
static int
found(void *ctx, struct mlb_packfile *f, const struct mlb_blob *b, struct mlb_err *err)
{
	struct mlb_cas *cas = ctx;
	struct mlb_entry e = {
		.id = b->digest,
		.pack = f,
		.offset = b->offset,
		.size = b->size,
		.stored = (uint32_t)b->stored,
		.state = MLB_ENTRY_READY,
	};

	(void)err;
	if (is_bad(cas, &b->digest))
		return 0;
	if (!mlb_pending_find(&cas->pending, &b->digest))
		mlb_pending_add(&cas->pending, &e);
	return 0;
}

/* Rows of what was found in others' packs, or found damaged. Not being able to write them is no harm. */
static void
index_now(struct mlb_cas *cas)
{
	if ((!mlb_pending_any(&cas->pending, cas->db) && !cas->doomed.n) ||
	    mlb_db_begin(cas->db, NULL) != 0)
		return;
	if (mlb_cas_index(cas, NULL) != 0 || mlb_db_commit(cas->db, NULL) != 0)
		mlb_db_rollback(cas->db);
}

/* Somebody removed packs without a word: then nothing that is remembered counts. */
static bool
misses_packs(const struct mlb_cas *cas)
{
	for (size_t i = 0; i < cas->packs.file.n; i++)
		if (mlb_packs_lost(&cas->packs, cas->packs.file.v[i]))
			return true;
	return false;
}

int
mlb_cas_open(struct mlb_cas **out, const char *dir, struct mlb_db *db, struct mlb_err *err)
{
	return mlb_cas_open_io(out, dir, db, &mlb_io_os, err);
}

int
mlb_cas_open_io(struct mlb_cas **out, const char *dir, struct mlb_db *db, const struct mlb_io *io,
		struct mlb_err *err)
{
	struct mlb_cas *cas;
	char *packs;
	int rc = mlb_db_is_copy(db) ? 0 : make_dirs(dir, io, err);

	if (rc)
		return rc;
	cas = mlb_calloc(1, sizeof(*cas));
	cas->io = io;
	cas->dir = mlb_strdup(dir);
	cas->db = db;
	pthread_mutex_init(&cas->lock, NULL);
	pthread_mutex_init(&cas->sync_lock, NULL);
	packs = mlb_asprintf("%s/packs", dir);
	mlb_packs_init(&cas->packs, packs, "packs/", MLB_BLOB_OBJECT, db, found, cas);
	cas->packs.lock = &cas->lock;
	cas->packs.io = io;
	free(packs);
	rc = mlb_machine_random(&cas->seed, sizeof(cas->seed), err);
	if (rc == 0)
		rc = mlb_packs_open(&cas->packs, err);
	if (rc == 0 && misses_packs(cas))
		mlb_cas_raise(cas, NULL);
	if (rc) {
		mlb_cas_close(cas);
		return rc;
	}
	index_now(cas);
	*out = cas;
	return 0;
}

void
mlb_cas_close(struct mlb_cas *cas)
{
	if (!cas)
		return;
	index_now(cas);
	mlb_loose_drop(cas); /* nobody was told of them */
	mlb_packs_release(&cas->packs);
	mlb_pending_release(&cas->pending);
	mlb_rowset_release(&cas->rows);
	mlb_rowset_release(&cas->sizes);
	mlb_vec_release(&cas->doomed);
	mlb_vec_release(&cas->bad);
	pthread_mutex_destroy(&cas->sync_lock);
	pthread_mutex_destroy(&cas->lock);
	free(cas->dir);
	free(cas);
}

const struct mlb_io *
mlb_cas_io(const struct mlb_cas *cas)
{
	return cas->io;
}

const char *
mlb_cas_dir(const struct mlb_cas *cas)
{
	return cas->dir;
}

char *
mlb_cas_temp(struct mlb_cas *cas, const char *prefix)
{
	uint64_t n = atomic_fetch_add(&cas->count, 1);

	return mlb_asprintf("%s%016llx", prefix,
			    (unsigned long long)mlb_hash64(&n, sizeof(n), cas->seed));
}

/* umask(2) can only be read by changing it, which another thread would see; a new file shows it too. */
unsigned
mlb_cas_umask(struct mlb_cas *cas)
{
	char *prefix, *path;
	unsigned mask = 022;
	struct stat st;
	int fd;

	pthread_mutex_lock(&cas->lock);
	if (!cas->umask_known) {
		prefix = mlb_asprintf("%s/tmp/", cas->dir);
		path = mlb_cas_temp(cas, prefix);
		fd = cas->io->open(cas->io, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
		if (fd >= 0) {
			if (fstat(fd, &st) == 0)
				mask = ~st.st_mode & 0777;
			cas->io->close(cas->io, fd);
			cas->io->unlink(cas->io, path);
		}
		free(path);
		free(prefix);
		cas->umask = mask;
		cas->umask_known = true;
	}
	mask = cas->umask;
	pthread_mutex_unlock(&cas->lock);
	return mask;
}

/* ---------------------------------------------------------- where it rests */

static bool
locate_row(struct mlb_cas *cas, struct mlb_entry *out, const struct mlb_digest *digest)
{
	struct mlb_stmt *s;
	bool row;
	int64_t id;

	if (mlb_db_prepare(&s, cas->db,
			   "SELECT pack, offset, size, stored FROM objects WHERE digest = ?1",
			   NULL) != 0)
		return false;
	mlb_stmt_digest(s, 1, digest);
	if (mlb_stmt_step(s, &row, NULL) != 0 || !row) {
		mlb_stmt_reset(s);
		return false;
	}
	id = mlb_column_int(s, 0);
	*out = (struct mlb_entry){
		.id = *digest,
		.offset = (uint64_t)mlb_column_int(s, 1),
		.size = (uint64_t)mlb_column_int(s, 2),
		.stored = (uint32_t)mlb_column_int(s, 3),
		.state = MLB_ENTRY_WRITTEN,
	};
	mlb_stmt_reset(s);
	if (id == 0)
		return true;
	out->pack = mlb_packs_by_id(&cas->packs, id);
	cas->astray |= !out->pack;
	return out->pack != NULL;
}

bool
mlb_cas_locate(struct mlb_cas *cas, struct mlb_entry *out, const struct mlb_digest *digest)
{
	const struct mlb_entry *e = mlb_pending_find(&cas->pending, digest);

	if (e) {
		*out = *e;
		cas->relied |= e->state == MLB_ENTRY_SYNCING;
		return !e->pack || mlb_packs_alive(&cas->packs, e->pack);
	}
	return !is_bad(cas, digest) && locate_row(cas, out, digest);
}

void
mlb_cas_add(struct mlb_cas *cas, const struct mlb_entry *e)
{
	remove_digest(&cas->bad, &e->id);
	remove_digest(&cas->doomed, &e->id);
	mlb_pending_add(&cas->pending, e);
}

void
mlb_cas_mark_bad(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	bool is_new;

	pthread_mutex_lock(&cas->lock);
	mlb_pending_remove(&cas->pending, digest);
	is_new = !is_bad(cas, digest);
	if (is_new) {
		mlb_vec_push(&cas->bad, *digest);
		mlb_vec_push(&cas->doomed, *digest);
	}
	pthread_mutex_unlock(&cas->lock);
	if (is_new)
		mlb_cas_raise(cas, NULL);
}

bool
mlb_cas_look_again(struct mlb_cas *cas)
{
	if (mlb_packs_look_again(&cas->packs))
		return true;
	if (!cas->astray || cas->found_all)
		return false;
	cas->found_all = true;
	return mlb_packs_find_all(&cas->packs, NULL) == 0;
}

bool
mlb_cas_has(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_entry e;
	bool packed;

	pthread_mutex_lock(&cas->lock);
	packed = mlb_cas_locate(cas, &e, digest) && e.pack;
	pthread_mutex_unlock(&cas->lock);
	/* A loose object may have been put by another project, or removed by hand. */
	if (packed || mlb_loose_exists(cas, digest))
		return true;
	pthread_mutex_lock(&cas->lock);
	packed = mlb_cas_look_again(cas) && mlb_cas_locate(cas, &e, digest) && e.pack;
	pthread_mutex_unlock(&cas->lock);
	return packed;
}

/* ---------------------------------------------------------- putting */

/* Under the lock. */
static bool
is_packed(struct mlb_cas *cas, const struct mlb_digest *digest)
{
	struct mlb_entry known;

	if (!mlb_pending_find(&cas->pending, digest) && mlb_cas_is_new(cas, digest))
		return false;
	return mlb_cas_locate(cas, &known, digest) && known.pack;
}

/*
 * Packs that are full keep descriptors until they are sealed, and a directory of
 * terabytes fills thousands of them before anybody asks for a sync.  If this one
 * fails, the caller's own must fail too: what was put before is gone with it.
 */
static int
make_room(struct mlb_cas *cas, struct mlb_err *err)
{
	int rc;

	if (atomic_exchange(&cas->making_room, true))
		return 0;
	rc = mlb_cas_sync(cas, err);
	if (rc) {
		pthread_mutex_lock(&cas->lock);
		cas->lost = true;
		pthread_mutex_unlock(&cas->lock);
	}
	atomic_store(&cas->making_room, false);
	return rc;
}

static int
put_small(struct mlb_cas *cas, const struct mlb_digest *digest, const void *data, size_t len,
	  struct mlb_err *err)
{
	struct mlb_entry e = { .id = *digest, .size = len };
	struct mlb_blob blob;
	bool crowded;
	int rc = 0;

	pthread_mutex_lock(&cas->lock);
	if (!is_packed(cas, digest)) {
		rc = mlb_packs_append(&cas->packs, &e.pack, &blob, digest, data, len, err);
		if (rc == 0) {
			e.offset = blob.offset;
			e.stored = (uint32_t)blob.stored;
			mlb_cas_add(cas, &e);
		}
	}
	crowded = rc == 0 && cas->packs.n_full >= CROWD;
	pthread_mutex_unlock(&cas->lock);
	return crowded ? make_room(cas, err) : rc;
}

int
mlb_cas_put(struct mlb_cas *cas, struct mlb_digest *out, const void *data, size_t len,
	    struct mlb_err *err)
{
	mlb_sha256_of(out, data, len);
	return mlb_cas_put_right(cas, out, data, len, err);
}

int
mlb_cas_put_right(struct mlb_cas *cas, const struct mlb_digest *digest, const void *data,
		  size_t len, struct mlb_err *err)
{
	if (len < MLB_CAS_SMALL)
		return put_small(cas, digest, data, len, err);
	return mlb_loose_put(cas, digest, data, len, err);
}

static bool
same_times(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* One byte more is asked for than the file had, to see that it did not grow. */
static int
read_small(int fd, const struct stat *before, char *data, const char *path, struct mlb_err *err)
{
	size_t want = (size_t)before->st_size + 1, got = 0;
	struct stat after;

	while (got < want) {
		ssize_t n = read(fd, data + got, want - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlb_err_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got + 1 != want || fstat(fd, &after) != 0 || !same_times(before, &after))
		return mlb_err_set(
			err, MLB_ESYSTEM,
			"'%s' changed while it was read: run again when nothing writes to it",
			path);
	return 0;
}

int
mlb_cas_put_file(struct mlb_cas *cas, struct mlb_digest *out, uint64_t *size, const char *path,
		 struct mlb_err *err)
{
	int rc, fd = cas->io->open(cas->io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	struct stat st;
	char *data;

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	if (fstat(fd, &st) != 0) {
		rc = mlb_err_errno(err, errno, "cannot examine '%s'", path);
	} else if (!S_ISREG(st.st_mode)) {
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is not a regular file", path);
	} else if (st.st_size >= MLB_CAS_SMALL) {
		rc = mlb_loose_put_file(cas, out, size, path, err);
	} else {
		data = mlb_alloc((size_t)st.st_size + 1);
		rc = read_small(fd, &st, data, path, err);
		if (rc == 0)
			rc = mlb_cas_put(cas, out, data, (size_t)st.st_size, err);
		if (rc == 0 && size)
			*size = (uint64_t)st.st_size;
		free(data);
	}
	cas->io->close(cas->io, fd);
	return rc;
}
