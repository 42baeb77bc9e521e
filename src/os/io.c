#include "os/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "os/path.h"

/* ---------------------------------------------------------- the system's own */

static int
os_open(const struct mlb_io *io, const char *path, int flags, unsigned mode)
{
	(void)io;
	return open(path, flags, mode);
}

static int
os_close(const struct mlb_io *io, int fd)
{
	(void)io;
	return close(fd);
}

static ssize_t
os_write(const struct mlb_io *io, int fd, const void *data, size_t len)
{
	(void)io;
	return write(fd, data, len);
}

static ssize_t
os_pwrite(const struct mlb_io *io, int fd, const void *data, size_t len, off_t at)
{
	(void)io;
	return pwrite(fd, data, len, at);
}

static int
os_ftruncate(const struct mlb_io *io, int fd, off_t len)
{
	(void)io;
	return ftruncate(fd, len);
}

static int
os_fsync(const struct mlb_io *io, int fd)
{
	(void)io;
	return fsync(fd);
}

static int
os_fdatasync(const struct mlb_io *io, int fd)
{
	(void)io;
	return fdatasync(fd);
}

static int
os_rename(const struct mlb_io *io, const char *from, const char *to)
{
	(void)io;
	return rename(from, to);
}

static int
os_link(const struct mlb_io *io, const char *from, const char *to)
{
	(void)io;
	return link(from, to);
}

static int
os_unlink(const struct mlb_io *io, const char *path)
{
	(void)io;
	return unlink(path);
}

static int
os_mkdir(const struct mlb_io *io, const char *path, unsigned mode)
{
	(void)io;
	return mkdir(path, mode);
}

static int
os_openat(const struct mlb_io *io, int dir, const char *name, int flags, unsigned mode)
{
	(void)io;
	return openat(dir, name, flags, mode);
}

static int
os_renameat(const struct mlb_io *io, int from_dir, const char *from, int to_dir, const char *to)
{
	(void)io;
	return renameat(from_dir, from, to_dir, to);
}

static int
os_linkat(const struct mlb_io *io, int from_dir, const char *from, int to_dir, const char *to)
{
	(void)io;
	return linkat(from_dir, from, to_dir, to, 0);
}

static int
os_unlinkat(const struct mlb_io *io, int dir, const char *name, int flags)
{
	(void)io;
	return unlinkat(dir, name, flags);
}

static int
os_mkdirat(const struct mlb_io *io, int dir, const char *name, unsigned mode)
{
	(void)io;
	return mkdirat(dir, name, mode);
}

static int
os_symlinkat(const struct mlb_io *io, const char *text, int dir, const char *name)
{
	(void)io;
	return symlinkat(text, dir, name);
}

static bool
os_folds_case(const struct mlb_io *io, const char *dir)
{
	(void)io;
	return mlb_fs_is_case_folding(dir);
}

/* All but syncing. */
#define OTHERS                                                                                     \
	.open = os_open, .close = os_close, .write = os_write, .pwrite = os_pwrite,                \
	.ftruncate = os_ftruncate, .rename = os_rename, .link = os_link, .unlink = os_unlink,      \
	.mkdir = os_mkdir, .openat = os_openat, .renameat = os_renameat, .linkat = os_linkat,      \
	.unlinkat = os_unlinkat, .mkdirat = os_mkdirat, .symlinkat = os_symlinkat,                 \
	.folds_case = os_folds_case

static int
no_sync(const struct mlb_io *io, int fd)
{
	(void)io;
	(void)fd;
	return 0;
}

const struct mlb_io mlb_io_os = {
	.version = MLB_IO_VERSION,
	.fsync = os_fsync,
	.fdatasync = os_fdatasync,
	OTHERS,
};

const struct mlb_io mlb_io_fleeting = {
	.version = MLB_IO_VERSION,
	.fsync = no_sync,
	.fdatasync = no_sync,
	OTHERS,
};

/* ---------------------------------------------------------- by any table */

int
mlb_io_write_all(const struct mlb_io *io, int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = io->write(io, fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
mlb_io_pwrite_all(const struct mlb_io *io, int fd, const void *data, size_t len, uint64_t at)
{
	const char *p = data;

	while (len) {
		ssize_t n = io->pwrite(io, fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* open(2), O_DIRECT: a status flag of the open file, which fcntl may change. */
static bool
set_past(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

int
mlb_io_pwrite_past(const struct mlb_io *io, int fd, const void *data, size_t len, uint64_t at)
{
	int e = EINVAL;

	if (((uintptr_t)data | len | at) % MLB_IO_UNIT == 0 && set_past(fd, true)) {
		e = mlb_io_pwrite_all(io, fd, data, len, at);
		set_past(fd, false);
	}
	/* Also where the file system wants larger units. */
	return e == EINVAL ? mlb_io_pwrite_all(io, fd, data, len, at) : e;
}

int
mlb_io_rename(const struct mlb_io *io, const char *from, const char *to, struct mlb_err *err)
{
	if (io->rename(io, from, to) != 0)
		return mlb_err_errno(err, errno, "cannot rename '%s' to '%s'", from, to);
	return MLB_OK;
}

int
mlb_io_sync_dir(const struct mlb_io *io, const char *path, struct mlb_err *err)
{
	int fd = io->open(io, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int e = 0;

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot open directory '%s'", path);
	/* Some file systems cannot sync a directory, and then need not. */
	if (io->fsync(io, fd) != 0 && errno != EINVAL && errno != ENOTSUP)
		e = errno;
	io->close(io, fd);
	return e ? mlb_err_errno(err, e, "cannot sync directory '%s'", path) : MLB_OK;
}

static int
make_dir(const struct mlb_io *io, const char *dir, bool *made, struct mlb_err *err)
{
	struct mlb_stat st;
	int e;

	if (io->mkdir(io, dir, 0777) == 0) {
		*made = true;
		return MLB_OK;
	}
	e = errno;
	if (mlb_fs_stat(&st, dir, NULL) == 0 && st.type == MLB_F_DIR)
		return MLB_OK;
	return mlb_err_errno(err, e, "cannot make directory '%s'", dir);
}

/* How many bytes of path name the directory that follows the one that its first at bytes name; 0: there is none. */
static size_t
next_dir(const char *path, size_t at)
{
	at += strspn(path + at, "/");
	return path[at] ? at + strcspn(path + at, "/") : 0;
}

static int
sync_parent(const struct mlb_io *io, const char *dir, struct mlb_err *err)
{
	struct mlb_buf parent = MLB_BUF_INIT(64 * MLB_KIB);
	int rc;

	mlb_path_dir(&parent, dir);
	rc = mlb_io_sync_dir(io, mlb_buf_str(&parent), err);
	mlb_buf_release(&parent);
	return rc;
}

/* Syncs come after all else: on most file systems the first one then does the work of all. */
int
mlb_io_mkdirs_in(const struct mlb_io *io, const char *path, const char *const *name, size_t n,
		 struct mlb_err *err)
{
	size_t first = 0; /* length of the path of the first one that was made; 0: none was */
	bool below = false;
	int rc = MLB_OK;

	for (size_t at = next_dir(path, 0); at && rc == MLB_OK; at = next_dir(path, at)) {
		char *dir = mlb_strndup(path, at);
		bool made = false;

		rc = make_dir(io, dir, &made, err);
		if (made && !first)
			first = at;
		free(dir);
	}
	for (size_t i = 0; i < n && rc == MLB_OK; i++) {
		char *dir = mlb_asprintf("%s/%s", path, name[i]);

		rc = make_dir(io, dir, &below, err);
		free(dir);
	}
	if (rc == MLB_OK && below)
		rc = mlb_io_sync_dir(io, path, err);
	for (size_t at = first; at && rc == MLB_OK; at = next_dir(path, at)) {
		char *dir = mlb_strndup(path, at);

		rc = sync_parent(io, dir, err);
		free(dir);
	}
	return rc;
}

int
mlb_io_mkdirs(const struct mlb_io *io, const char *path, struct mlb_err *err)
{
	return mlb_io_mkdirs_in(io, path, NULL, 0, err);
}

int
mlb_io_sync_file(const struct mlb_io *io, const char *path, struct mlb_err *err)
{
	int fd = io->open(io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	int e = 0;

	if (fd < 0 || io->fsync(io, fd) != 0)
		e = errno;
	if (fd >= 0)
		io->close(io, fd);
	return e ? mlb_err_errno(err, e, "cannot sync '%s'", path) : MLB_OK;
}

int
mlb_io_write_new(const struct mlb_io *io, const char *path, unsigned mode, const void *data,
		 size_t len, struct mlb_err *err)
{
	int e, fd = io->open(io, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot make '%s'", path);
	e = mlb_io_write_all(io, fd, data, len);
	if (io->close(io, fd) != 0 && !e)
		e = errno;
	if (!e)
		return MLB_OK;
	io->unlink(io, path);
	return mlb_err_errno(err, e, "cannot write '%s'", path);
}
