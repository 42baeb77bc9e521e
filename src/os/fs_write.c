/* Making new files and directories under names that nobody else uses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/io.h"
#include "os/machine.h"
#include "os/path.h"

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

int
mlb_fs_write(const char *path, const void *data, size_t len, bool sync, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_LIMIT), tmp = MLB_BUF_INIT(PATH_LIMIT);
	int rc, e, fd = -1;

	mlb_path_dir(&dir, path);
	rc = mlb_temp_name(&tmp, mlb_buf_str(&dir), ".mlbuild-", err);
	if (rc)
		goto out;
	fd = open(mlb_buf_str(&tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		rc = mlb_err_errno(err, errno, "cannot write '%s'", path);
		goto out;
	}
	keep_mode(fd, path);
	e = mlb_fd_write(fd, data, len);
	if (!e && sync && fsync(fd) != 0)
		e = errno;
	if (close(fd) != 0 && !e)
		e = errno;
	if (!e && rename(mlb_buf_str(&tmp), path) != 0)
		e = errno;
	if (e) {
		unlink(mlb_buf_str(&tmp));
		rc = mlb_err_errno(err, e, "cannot write '%s'", path);
		goto out;
	}
out:
	mlb_buf_release(&tmp);
	mlb_buf_release(&dir);
	return rc;
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
