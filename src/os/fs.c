#include "os/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs_priv.h"
#include "os/io.h"

#define NS_PER_S INT64_C(1000000000)

static void
fill_stat(struct mlb_stat *out, const struct stat *st)
{
	*out = (struct mlb_stat){
		.ino = st->st_ino,
		.dev = st->st_dev,
		.size = (uint64_t)st->st_size,
		.mtime = (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec,
		.ctime = (int64_t)st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec,
		.nlink = (uint32_t)st->st_nlink,
		.type = mlb_ftype_of_mode(st->st_mode),
		.exec = (st->st_mode & S_IXUSR) != 0,
	};
}

uint8_t
mlb_ftype_of_mode(unsigned mode)
{
	if (S_ISREG(mode))
		return MLB_F_FILE;
	if (S_ISDIR(mode))
		return MLB_F_DIR;
	if (S_ISLNK(mode))
		return MLB_F_SYMLINK;
	return MLB_F_OTHER;
}

static int
do_stat(struct mlb_stat *out, const char *path, int flags, struct mlb_err *err)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, flags) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return mlb_err_errno(err, errno, "cannot examine '%s'", path);
		*out = (struct mlb_stat){ .type = MLB_F_ABSENT };
		return MLB_OK;
	}
	fill_stat(out, &st);
	return MLB_OK;
}

int
mlb_fs_lstat(struct mlb_stat *out, const char *path, struct mlb_err *err)
{
	return do_stat(out, path, AT_SYMLINK_NOFOLLOW, err);
}

int
mlb_fs_stat(struct mlb_stat *out, const char *path, struct mlb_err *err)
{
	return do_stat(out, path, 0, err);
}

bool
mlb_fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool
mlb_fs_may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

bool
mlb_stat_same(const struct mlb_stat *a, const struct mlb_stat *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
	       a->ctime == b->ctime && a->type == b->type && a->exec == b->exec;
}

ssize_t
mlb_fd_read(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

int
mlb_fd_write(int fd, const void *data, size_t len)
{
	return mlb_io_write_all(&mlb_io_os, fd, data, len);
}

/* Read to the end. A full buffer and one byte more in the file is too much. */
static int
read_all(struct mlb_buf *out, int fd, size_t size_hint)
{
	for (;;) {
		char extra;
		size_t room;
		ssize_t n;

		if (out->len == out->max) {
			n = mlb_fd_read(fd, &extra, 1);
			out->full = n > 0;
			return n < 0 ? errno : 0;
		}
		/* One byte more than the size, so that the end is seen without growing. */
		if (out->cap < out->len + 2)
			mlb_buf_reserve(out, MLB_MIN(MLB_MAX(size_hint + 1, out->len + 4096),
						     out->max - out->len));
		room = MLB_MIN(out->cap - 1 - out->len, out->max - out->len);
		n = mlb_fd_read(fd, out->data + out->len, room);
		if (n <= 0)
			return n < 0 ? errno : 0;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		size_hint = 0;
	}
}

int
mlb_fs_read(struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	return mlb_io_read(&mlb_io_os, out, path, err);
}

int
mlb_io_read(const struct mlb_io *io, struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	int fd = io->open(io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	struct stat st;
	int e;

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	e = read_all(out, fd, fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0);
	io->close(io, fd);
	if (e)
		return mlb_err_errno(err, e, "cannot read '%s'", path);
	if (out->full)
		return mlb_err_set(err, MLB_ETOOBIG, "'%s' is larger than %zu bytes", path,
				   out->max);
	return MLB_OK;
}

int
mlb_fs_rename(const char *from, const char *to, struct mlb_err *err)
{
	return mlb_io_rename(&mlb_io_os, from, to, err);
}

int
mlb_fs_unlink(const char *path, struct mlb_err *err)
{
	if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
		return mlb_err_errno(err, errno, "cannot remove '%s'", path);
	return MLB_OK;
}

int
mlb_fs_readlink(struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	char target[4097]; /* PATH_MAX: the kernel makes no longer link */
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return mlb_err_errno(err, errno, "cannot read link '%s'", path);
	mlb_buf_clear(out);
	mlb_buf_add(out, target, (size_t)n);
	return mlb_buf_check(out, path, err);
}
