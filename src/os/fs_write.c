/* Making new files and directories under names that nobody else uses. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/io.h"
#include "os/machine.h"
#include "os/path.h"
#include "os/pool.h"

#define PATH_LIMIT (64 * MLB_KIB)

void
mlb_fs_write_soon(int fd, uint64_t at, uint64_t len)
{
#ifdef SYNC_FILE_RANGE_WRITE
	sync_file_range(fd, (off_t)at, (off_t)len, SYNC_FILE_RANGE_WRITE);
#else
	(void)fd;
	(void)at;
	(void)len;
#endif
}

int
mlb_temp_name(struct mlb_buf *out, const char *dir, const char *prefix, struct mlb_err *err)
{
	char hex[17];
	uint64_t r;
	int rc = mlb_machine_random(&r, sizeof(r), err);

	if (rc)
		return rc;
	mlb_hex_encode(hex, &r, sizeof(r));
	mlb_path_join(out, dir, prefix);
	mlb_buf_adds(out, hex);
	return mlb_buf_check(out, "a path", err);
}

/* A file that is replaced keeps its permissions; a new one gets what umask leaves. */
static void
keep_mode(int fd, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && fchmod(fd, st.st_mode & 0777) != 0)
		return;
}

/* A file under its temporary name. */
struct fresh {
	struct mlb_buf tmp;
	const char *path; /* where it goes; borrowed */
	int fd;
};

/* Write it; on failure nothing is left. */
static int
begin(struct fresh *f, const char *path, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_LIMIT);
	int e, rc;

	mlb_buf_init(&f->tmp, PATH_LIMIT);
	f->path = path;
	mlb_path_dir(&dir, path);
	rc = mlb_temp_name(&f->tmp, mlb_buf_str(&dir), ".mlbuild-", err);
	mlb_buf_release(&dir);
	if (rc)
		goto fail;
	f->fd = open(mlb_buf_str(&f->tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		rc = mlb_err_errno(err, errno, "cannot write '%s'", path);
		goto fail;
	}
	keep_mode(f->fd, path);
	e = mlb_fd_write(f->fd, data, len);
	if (!e)
		return MLB_OK;
	close(f->fd);
	unlink(mlb_buf_str(&f->tmp));
	rc = mlb_err_errno(err, e, "cannot write '%s'", path);
fail:
	mlb_buf_release(&f->tmp);
	return rc;
}

/* Put it in its place, unless something (an errno) went wrong with it. */
static int
place(struct fresh *f, int e, struct mlb_err *err)
{
	int rc = MLB_OK;

	if (close(f->fd) != 0 && !e)
		e = errno;
	if (!e && rename(mlb_buf_str(&f->tmp), f->path) != 0)
		e = errno;
	if (e) {
		unlink(mlb_buf_str(&f->tmp));
		rc = mlb_err_errno(err, e, "cannot write '%s'", f->path);
	}
	mlb_buf_release(&f->tmp);
	return rc;
}

int
mlb_fs_write(const char *path, const void *data, size_t len, bool sync, struct mlb_err *err)
{
	struct fresh f;
	int rc = begin(&f, path, data, len, err);

	if (rc)
		return rc;
	return place(&f, sync && fsync(f.fd) != 0 ? errno : 0, err);
}

/* Into what is no regular file: it is not to be replaced by one. */
static int
write_into(const char *path, const void *data, size_t len, struct mlb_err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int e;

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot write '%s'", path);
	e = mlb_fd_write(fd, data, len);
	if (close(fd) != 0 && !e)
		e = errno;
	return e ? mlb_err_errno(err, e, "cannot write '%s'", path) : MLB_OK;
}

int
mlb_fs_rewrite(const char *path, const void *data, size_t len, bool sync, struct mlb_err *err)
{
	struct mlb_buf real = MLB_BUF_INIT(PATH_LIMIT);
	struct stat st;
	int rc;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_into(path, data, len, err);
	rc = mlb_fs_real(&real, path, err);
	if (!rc)
		rc = mlb_fs_write(mlb_buf_str(&real), data, len, sync, err);
	mlb_buf_release(&real);
	return rc;
}

struct mlb_fs_rewriting {
	struct mlb_buf
		real; /* path of the file; empty: it is no regular one, and written to at the end */
	const char *path;
	const void *data;
	size_t len;
	struct fresh fresh;
	pthread_t thread;
	bool threaded;
	int error; /* of syncing; the thread's until it is joined */
};

static void *
sync_fresh(void *arg)
{
	struct mlb_fs_rewriting *r = arg;

	r->error = fsync(r->fresh.fd) != 0 ? errno : 0;
	return NULL;
}

int
mlb_fs_rewrite_begin(struct mlb_fs_rewriting **out, const char *path, const void *data, size_t len,
		     struct mlb_err *err)
{
	struct mlb_fs_rewriting *r = mlb_calloc(1, sizeof(*r));
	struct stat st;
	int rc = MLB_OK;

	mlb_buf_init(&r->real, PATH_LIMIT);
	r->path = path;
	r->data = data;
	r->len = len;
	if (stat(path, &st) != 0 || S_ISREG(st.st_mode)) {
		rc = mlb_fs_real(&r->real, path, err);
		if (!rc)
			rc = begin(&r->fresh, mlb_buf_str(&r->real), data, len, err);
		if (rc) {
			mlb_buf_release(&r->real);
			free(r);
			return rc;
		}
		r->threaded = mlb_thread_start(&r->thread, sync_fresh, r) == 0;
	}
	*out = r;
	return MLB_OK;
}

int
mlb_fs_rewrite_end(struct mlb_fs_rewriting *r, bool wanted, struct mlb_err *err)
{
	int rc = MLB_OK;

	if (r->threaded)
		pthread_join(r->thread, NULL);
	else if (r->real.len && wanted)
		sync_fresh(r);
	if (!r->real.len)
		rc = wanted ? write_into(r->path, r->data, r->len, err) : MLB_OK;
	else if (wanted)
		rc = place(&r->fresh, r->error, err);
	else
		place(&r->fresh, ECANCELED, NULL);
	mlb_buf_release(&r->real);
	free(r);
	return rc;
}

int
mlb_fs_tempdir(struct mlb_buf *out, const char *parent, const char *prefix, struct mlb_err *err)
{
	int rc = mlb_temp_name(out, parent, prefix, err);

	if (rc)
		return rc;
	if (mkdir(mlb_buf_str(out), 0777) != 0)
		return mlb_err_errno(err, errno, "cannot make directory '%s'", mlb_buf_str(out));
	return MLB_OK;
}

int
mlb_fs_sync_dir(const char *path, struct mlb_err *err)
{
	return mlb_io_sync_dir(&mlb_io_os, path, err);
}
