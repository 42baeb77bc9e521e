/*
 * Large files, put together from their chunks in parts/HEX of the remote's directory.
 *
 * 1. What a file has there already, from a fetch that was interrupted, is hashed chunk
 *    by chunk, and not got again where it is right. So nothing has to be written down.
 * 2. Chunks that another large file here has, by its list, are copied from there.
 * 3. A chunk is written only after it was found right; and the whole file is hashed
 *    once more before the cache takes it, for its list may lie.
 * 4. Whoever puts a file together holds its lock (flock): another one uses a name of
 *    its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/hex.h"
#include "engine/fetch.h"
#include "os/io.h"
#include "os/machine.h"

#define BATCH_CHUNKS 200000 /* of files that are got together */
#define BATCH_FILES 64
#define SPARE (64 * MLB_MIB)           /* bytes that stay free on the disk */
#define LISTS_CHUNKS ((size_t)4 << 20) /* of other files that are looked at */

/* Where a chunk is to be had here. */
struct source {
	struct mlb_digest chunk;
	struct mlb_digest file;
	uint64_t offset;
};
MLB_VEC_NAMED(sources, struct source);

/* ---------------------------------------------------------- lists */

static void
file_free(struct mlb_fetch_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	mlb_chunks_release(&file->list);
	free(file->offset);
	free(file->next);
	free(file->have);
	free(file->path);
	free(file);
}

bool
mlb_fetch_take_list(struct mlb_fetching *f, const struct mlb_fetch_need *n,
		    const struct mlb_buf *data)
{
	struct mlb_fetch_file *file = mlb_calloc(1, sizeof(*file));

	file->fd = -1;
	file->f = f;
	file->at = n->at;
	if (mlb_chunks_parse(&file->list, mlb_buf_str(data), data->len, NULL) != 0 ||
	    !mlb_digest_equal(&file->list.file, &n->at.at.digest) ||
	    file->list.size != n->at.at.size) {
		file_free(file);
		return false;
	}
	mlb_remote_view_put_list(f->t->view, &file->list.file, mlb_buf_str(data), data->len);
	mlb_crew_lock(f->crew);
	mlb_vec_push(&f->files, file);
	mlb_crew_unlock(f->crew);
	return true;
}

static int
by_digest(const void *a, const void *b, void *ctx)
{
	const struct mlb_chunks *list = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int cmp = mlb_digest_cmp(&list->chunk.v[x].digest, &list->chunk.v[y].digest);

	return cmp ? cmp : (x > y) - (x < y);
}

/* Offsets, and which chunks are equal: the first of them leads to the others. */
static void
survey(struct mlb_fetch_file *file)
{
	size_t n = file->list.chunk.n;
	uint32_t *order = mlb_calloc(n, sizeof(*order));
	uint64_t at = 0;

	file->offset = mlb_calloc(n, sizeof(*file->offset));
	file->next = mlb_calloc(n, sizeof(*file->next));
	file->have = mlb_calloc(n, 1);
	for (size_t i = 0; i < n; i++) {
		order[i] = (uint32_t)i;
		file->offset[i] = at;
		at += file->list.chunk.v[i].size;
	}
	qsort_r(order, n, sizeof(*order), by_digest, &file->list);
	for (size_t i = 1; i < n; i++) {
		const struct mlb_chunk *x = &file->list.chunk.v[order[i - 1]];
		const struct mlb_chunk *y = &file->list.chunk.v[order[i]];

		if (!mlb_digest_equal(&x->digest, &y->digest))
			continue;
		file->next[order[i - 1]] = order[i] + 1;
		file->have[order[i]] = 2; /* by the first one */
	}
	free(order);
}

/* ---------------------------------------------------------- its place */

static int
open_part(struct mlb_fetch_file *file, struct mlb_err *err)
{
	const char *dir = mlb_remote_view_dir(file->f->t->view);
	char hex[MLB_HEX_LEN + 1];
	uint64_t r = 0;

	mlb_digest_hex(hex, &file->list.file);
	file->path = mlb_asprintf("%s/parts/%s", dir, hex);
	file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (file->fd >= 0 && flock(file->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	mlb_machine_random(&r, sizeof(r), NULL);
	file->path = mlb_asprintf("%s/parts/%s-%016llx", dir, hex, (unsigned long long)r);
	file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return file->fd < 0 ? mlb_err_errno(err, errno, "cannot make '%s'", file->path) : 0;
}

/* A list may claim any size: it is not begun where the disk has no room for it. */
static int
check_room(struct mlb_fetch_file *file, const struct stat *st, struct mlb_err *err)
{
	uint64_t has = (uint64_t)st->st_blocks * 512, room;
	struct statvfs fs;

	if (fstatvfs(file->fd, &fs) != 0)
		return 0;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (file->list.size <= has || file->list.size - has + SPARE <= room)
		return 0;
	return mlb_err_set(
		err, MLB_ESYSTEM,
		"no space for an object of %llu bytes in '%s': free some, or have `mlbuild "
		"gc` do so",
		(unsigned long long)file->list.size, file->path);
}

static bool
read_at(int fd, void *data, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)data + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static bool
is_chunk(const struct mlb_chunk *c, const void *data)
{
	struct mlb_digest now;

	mlb_sha256_of(&now, data, c->size);
	return mlb_digest_equal(&now, &c->digest);
}

static int
write_chunk(struct mlb_fetch_file *file, uint32_t first, const void *data, struct mlb_err *err)
{
	for (uint32_t i = first;; i = file->next[i] - 1) {
		int e = mlb_io_pwrite_all(mlb_cas_io(file->f->t->cas), file->fd, data,
					  file->list.chunk.v[i].size, file->offset[i]);

		if (e)
			return mlb_err_errno(err, e, "cannot write '%s'", file->path);
		if (!file->next[i])
			return 0;
	}
}

/* What an earlier fetch left there. Chunks that only look as if they were there (zeros) are hashed too. */
static int
take_left(struct mlb_fetch_file *file, struct mlb_err *err)
{
	uint8_t *data = mlb_alloc(MLB_CHUNK_MAX);
	int rc = 0;

	for (size_t i = 0; i < file->list.chunk.n && rc == 0; i++) {
		const struct mlb_chunk *c = &file->list.chunk.v[i];

		if (file->have[i] || !read_at(file->fd, data, c->size, file->offset[i]) ||
		    !is_chunk(c, data))
			continue;
		/* Of equal ones the others may not have been written. */
		if (file->next[i])
			rc = write_chunk(file, (uint32_t)i, data, err);
		file->have[i] = rc == 0;
	}
	free(data);
	return rc;
}

static int
begin_file(struct mlb_fetch_file *file, struct mlb_err *err)
{
	struct stat st;
	int rc = open_part(file, err);

	if (rc)
		return rc;
	if (fstat(file->fd, &st) != 0)
		return mlb_err_errno(err, errno, "cannot examine '%s'", file->path);
	rc = check_room(file, &st, err);
	if (rc)
		return rc;
	survey(file);
	if (ftruncate(file->fd, (off_t)file->list.size) != 0)
		rc = mlb_err_errno(err, errno, "cannot write '%s'", file->path);
	if (rc == 0 && st.st_blocks)
		rc = take_left(file, err);
	return rc;
}

/* ---------------------------------------------------------- what other files have */

struct looking {
	struct mlb_fetching *f;
	struct sources *out;
};

static int
take_source_list(void *ctx, const struct mlb_digest *digest, const char *path)
{
	struct looking *l = ctx;
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	struct mlb_chunks list;
	uint64_t at = 0;

	if (!mlb_cas_has(l->f->t->cas, digest) || mlb_fs_read(&data, path, NULL) != 0 ||
	    mlb_chunks_parse(&list, mlb_buf_str(&data), data.len, NULL) != 0) {
		mlb_buf_release(&data);
		return 0;
	}
	for (size_t i = 0; i < list.chunk.n; i++) {
		const struct source s = { list.chunk.v[i].digest, *digest, at };

		mlb_vec_push(l->out, s);
		at += list.chunk.v[i].size;
	}
	mlb_chunks_release(&list);
	mlb_buf_release(&data);
	return l->out->n > LISTS_CHUNKS;
}

static int
by_chunk(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return mlb_digest_cmp(&x->chunk, &y->chunk);
}

static const struct source *
find_source(const struct sources *all, const struct mlb_digest *chunk)
{
	const struct source want = { .chunk = *chunk };

	return all->n ? bsearch(&want, all->v, all->n, sizeof(want), by_chunk) : NULL;
}

/* In the order of the file, which is most likely that of the other one. */
static int
reuse(struct mlb_fetch_file *file, const struct sources *all, struct mlb_err *err)
{
	struct mlb_fetching *f = file->f;
	uint8_t *data = mlb_alloc(MLB_CHUNK_MAX);
	struct mlb_digest open_file = { { 0 } };
	int rc = 0, fd = -1;

	for (size_t i = 0; i < file->list.chunk.n && rc == 0; i++) {
		const struct mlb_chunk *c = &file->list.chunk.v[i];
		const struct source *s = file->have[i] ? NULL : find_source(all, &c->digest);

		if (!s)
			continue;
		if (fd < 0 || !mlb_digest_equal(&open_file, &s->file)) {
			if (fd >= 0)
				close(fd);
			fd = -1;
			open_file = s->file;
			mlb_cas_open_large(f->t->cas, &fd, &s->file, NULL);
		}
		if (fd < 0 || !read_at(fd, data, c->size, s->offset) || !is_chunk(c, data))
			continue;
		rc = write_chunk(file, (uint32_t)i, data, err);
		file->have[i] = rc == 0;
		f->report->reused += c->size;
	}
	if (fd >= 0)
		close(fd);
	free(data);
	return rc;
}

/* ---------------------------------------------------------- getting */

int
mlb_fetch_take_chunk(struct mlb_fetching *f, const struct mlb_fetch_need *n, const void *data,
		     size_t len, struct mlb_err *err)
{
	int rc;

	(void)f;
	if (len != n->file->list.chunk.v[n->chunk].size) {
		mlb_fetch_damaged(f, n, false);
		return 0;
	}
	rc = write_chunk(n->file, n->chunk, data, err);
	n->file->have[n->chunk] = rc == 0;
	return rc;
}

static void
need_chunks(struct mlb_fetching *f, struct mlb_fetch_file *file, struct mlb_fetch_needs *needs)
{
	for (size_t i = 0; i < file->list.chunk.n; i++) {
		struct mlb_fetch_need n = { .file = file, .chunk = (uint32_t)i };

		if (file->have[i])
			continue;
		if (mlb_remote_view_locate(f->t->view, &n.at, &file->list.chunk.v[i].digest) &&
		    n.at.at.type == MLB_BLOB_OBJECT) {
			mlb_vec_push(needs, n);
			continue;
		}
		file->failed = true;
		mlb_digest_set_add(&f->absent, &file->list.file);
		f->report->absent++;
		return;
	}
}

/* The list itself lies: then so does whoever says that it is this file. */
static void
file_is_wrong(struct mlb_fetching *f, struct mlb_fetch_file *file)
{
	struct mlb_fetch_need n = { .at = file->at };

	unlink(file->path);
	mlb_fetch_damaged(f, &n, false);
}

static int
into_cache(struct mlb_fetch_file *file, struct mlb_err *err)
{
	struct mlb_fetching *f = file->f;
	struct mlb_digest now;
	int rc;

	if (file->list.size < MLB_CAS_SMALL) { /* nobody cuts these, but who is to know */
		rc = mlb_cas_put_file(f->t->cas, &now, NULL, file->path, err);
		unlink(file->path);
		return rc;
	}
	if (fchmod(file->fd, 0444 & ~mlb_cas_umask(f->t->cas)) != 0)
		return mlb_err_errno(err, errno, "cannot protect '%s'", file->path);
	return mlb_cas_put_temp(f->t->cas, &file->list.file, file->path, err);
}

static void
finish_file(struct mlb_step *s)
{
	struct mlb_fetch_file *file = (struct mlb_fetch_file *)s;
	struct mlb_fetching *f = file->f;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest now;
	int rc = mlb_fs_hash_open(&now, file->fd, file->path, &err);

	if (rc == 0 && !mlb_digest_equal(&now, &file->list.file)) {
		file_is_wrong(f, file);
	} else if (rc == 0) {
		rc = into_cache(file, &err);
		mlb_crew_lock(f->crew);
		if (rc == 0)
			mlb_digest_set_add(&f->got, &file->list.file);
		f->report->objects += rc == 0;
		f->report->bytes += file->list.size;
		f->unsynced += file->list.size;
		mlb_crew_unlock(f->crew);
	}
	if (rc)
		mlb_fetch_failed(f, rc, &err);
	mlb_fetch_end(f);
}

static int
finish_files(struct mlb_fetching *f, struct mlb_fetch_files *files, struct mlb_err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		struct mlb_fetch_file *file = files->v[i];

		if (file->failed)
			continue;
		file->step.work = finish_file;
		mlb_crew_lock(f->crew);
		f->in_flight++;
		mlb_crew_unlock(f->crew);
		mlb_crew_add(f->crew, &file->step);
	}
	return mlb_fetch_wait(f, 0, UINT64_MAX, err);
}

static int
fetch_batch(struct mlb_fetching *f, struct mlb_fetch_files *files, const struct sources *sources,
	    struct mlb_err *err)
{
	struct mlb_fetch_needs needs = MLB_VEC_INIT;
	int rc = 0;

	for (size_t i = 0; i < files->n && rc == 0; i++) {
		rc = begin_file(files->v[i], err);
		if (rc == 0)
			rc = reuse(files->v[i], sources, err);
		if (rc == 0)
			need_chunks(f, files->v[i], &needs);
	}
	if (rc == 0)
		rc = mlb_fetch_blobs(f, &needs, false, err);
	if (rc == 0)
		rc = mlb_fetch_again(f, err);
	if (rc == 0)
		rc = finish_files(f, files, err);
	mlb_fetch_drain(f);
	mlb_vec_release(&needs);
	return rc;
}

int
mlb_fetch_large(struct mlb_fetching *f, struct mlb_err *err)
{
	struct sources sources = MLB_VEC_INIT;
	struct looking l = { f, &sources };
	size_t i = 0;
	int rc = 0;

	if (f->files.n)
		mlb_remote_view_each_list(f->t->view, take_source_list, &l);
	if (sources.n)
		qsort(sources.v, sources.n, sizeof(*sources.v), by_chunk);
	while (i < f->files.n && rc == 0) {
		struct mlb_fetch_files batch = MLB_VEC_INIT;
		size_t chunks = 0;

		for (; i < f->files.n && batch.n < BATCH_FILES && chunks < BATCH_CHUNKS; i++) {
			mlb_vec_push(&batch, f->files.v[i]);
			chunks += f->files.v[i]->list.chunk.n;
		}
		rc = fetch_batch(f, &batch, &sources, err);
		for (size_t k = 0; k < batch.n; k++)
			if (batch.v[k]->fd >= 0) {
				close(batch.v[k]->fd);
				batch.v[k]->fd = -1;
			}
		mlb_vec_release(&batch);
		/* Lists that lied, and are elsewhere too: more files. */
		if (rc == 0)
			rc = mlb_fetch_again(f, err);
	}
	for (size_t k = 0; k < f->files.n; k++)
		file_free(f->files.v[k]);
	f->files.n = 0;
	mlb_vec_release(&sources);
	return rc;
}
