/* Reading, copying and moving the contents of files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/io.h"

#define BUFFER_SIZE ((size_t)512 * 1024)

/* Open a regular file to read it from its beginning to its end. */
static int
open_regular(int *fd, struct stat *st, const char *path, struct mlb_err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	if (fstat(*fd, st) != 0) {
		int e = errno;

		close(*fd);
		return mlb_err_errno(err, e, "cannot examine '%s'", path);
	}
	if (!S_ISREG(st->st_mode)) {
		close(*fd);
		return mlb_err_set(err, MLB_EINVALID, "'%s' is not a regular file", path);
	}
	if ((size_t)st->st_size > BUFFER_SIZE)
		posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return MLB_OK;
}

/* Room for the whole file if it is small, and for one byte more to see its end. */
static size_t
buffer_size(const struct stat *st)
{
	return (size_t)MLB_MIN((uint64_t)st->st_size + 1, BUFFER_SIZE);
}

/* From where it stands to the end: 0 or an errno. */
static int
hash_rest(struct mlb_digest *out, uint64_t *size, int fd, size_t cap)
{
	char *buf = mlb_alloc(cap);
	struct mlb_sha256 h;
	ssize_t n;
	int e;

	*size = 0;
	mlb_sha256_init(&h);
	while ((n = mlb_fd_read(fd, buf, cap)) > 0) {
		mlb_sha256_update(&h, buf, (size_t)n);
		*size += (uint64_t)n;
	}
	e = n < 0 ? errno : 0;
	free(buf);
	mlb_sha256_final(&h, out);
	return e;
}

int
mlb_fs_hash(struct mlb_digest *out, uint64_t *size, const char *path, struct mlb_err *err)
{
	struct stat st = { 0 };
	uint64_t total;
	int fd, e, rc = open_regular(&fd, &st, path, err);

	if (rc)
		return rc;
	e = hash_rest(out, &total, fd, buffer_size(&st));
	close(fd);
	if (e)
		return mlb_err_errno(err, e, "cannot read '%s'", path);
	if (size)
		*size = total;
	return MLB_OK;
}

int
mlb_fs_hash_open(struct mlb_digest *out, int fd, const char *path, struct mlb_err *err)
{
	uint64_t size;
	int e = lseek(fd, 0, SEEK_SET) < 0 ? errno : hash_rest(out, &size, fd, BUFFER_SIZE);

	return e ? mlb_err_errno(err, e, "cannot read '%s'", path) : 0;
}

struct copy {
	const struct mlb_io *io;
	const char *from, *to;
	int in, out;
	size_t cap; /* of the buffer */
};

static int
copy_bytes(const struct copy *c, struct mlb_digest *digest, struct mlb_err *err)
{
	char *buf = mlb_alloc(c->cap);
	struct mlb_sha256 h;
	int rc = MLB_OK;

	mlb_sha256_init(&h);
	for (;;) {
		ssize_t n = mlb_fd_read(c->in, buf, c->cap);
		int e;

		if (n < 0)
			rc = mlb_err_errno(err, errno, "cannot read '%s'", c->from);
		if (n <= 0)
			break;
		if (digest)
			mlb_sha256_update(&h, buf, (size_t)n);
		e = mlb_io_write_all(c->io, c->out, buf, (size_t)n);
		if (e) {
			rc = mlb_err_errno(err, e, "cannot write '%s'", c->to);
			break;
		}
	}
	if (digest && !rc)
		mlb_sha256_final(&h, digest);
	free(buf);
	return rc;
}

int
mlb_fs_copy_into(int out, const char *to, const char *from, bool clone, bool *reflinked,
		 struct mlb_digest *digest, struct mlb_err *err)
{
	struct copy c = { .io = &mlb_io_os, .from = from, .to = to, .out = out };
	struct stat st = { 0 };
	int rc = open_regular(&c.in, &st, from, err);

	if (rc)
		return rc;
	c.cap = buffer_size(&st);
	*reflinked = clone && ioctl(out, FICLONE, c.in) == 0;
	if (!*reflinked)
		rc = copy_bytes(&c, digest, err);
	close(c.in);
	return rc;
}

int
mlb_fs_copy(const char *from, const char *to, unsigned mode, bool *reflinked,
	    struct mlb_digest *digest, struct mlb_err *err)
{
	return mlb_io_copy(&mlb_io_os, from, to, mode, reflinked, digest, err);
}

int
mlb_io_copy(const struct mlb_io *io, const char *from, const char *to, unsigned mode,
	    bool *reflinked, struct mlb_digest *digest, struct mlb_err *err)
{
	struct copy c = { .io = io, .from = from, .to = to, .out = -1 };
	bool cloned = false;
	struct stat st = { 0 };
	int rc = open_regular(&c.in, &st, from, err);

	if (rc)
		return rc;
	c.cap = buffer_size(&st);
	c.out = io->open(io, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c.out < 0) {
		rc = mlb_err_errno(err, errno, "cannot make '%s'", to);
		close(c.in);
		return rc;
	}
	if (digest)
		*digest = (struct mlb_digest){ { 0 } };
	/* Whatever the reason for which it cannot be cloned: reading and writing remain. */
	cloned = ioctl(c.out, FICLONE, c.in) == 0;
	if (!cloned)
		rc = copy_bytes(&c, digest, err);
	if (!rc && fchmod(c.out, mode) != 0)
		rc = mlb_err_errno(err, errno, "cannot set the permissions of '%s'", to);
	if (io->close(io, c.out) != 0 && !rc)
		rc = mlb_err_errno(err, errno, "cannot write '%s'", to);
	close(c.in);
	if (rc)
		io->unlink(io, to);
	else if (reflinked)
		*reflinked = cloned;
	return rc;
}
