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
#include "os/hasher.h"
#include "os/io.h"

#define BUFFER_SIZE ((size_t)512 * 1024)
#define SOON (8 * MLB_MIB) /* bytes that the disk is told to write at once */
#define PAST                                                                                       \
	(32 * MLB_MIB) /* of a file from which on what is kept is written past the page cache */

/* Open a regular file to read it from its beginning to its end. */
static int
open_regular(const struct mlb_io *io, int *fd, struct stat *st, const char *path,
	     struct mlb_err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	*fd = io->open(io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (*fd < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", path);
	if (fstat(*fd, st) != 0) {
		int e = errno;

		io->close(io, *fd);
		return mlb_err_errno(err, e, "cannot examine '%s'", path);
	}
	if (!S_ISREG(st->st_mode)) {
		io->close(io, *fd);
		return mlb_err_set(err, MLB_EINVALID, "'%s' is not a regular file", path);
	}
	if ((size_t)st->st_size > BUFFER_SIZE)
		posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return MLB_OK;
}

int
mlb_fs_hash(struct mlb_digest *out, uint64_t *size, const char *path, struct mlb_err *err)
{
	return mlb_io_hash(&mlb_io_os, out, size, path, err);
}

/* What mlb_fd_hash gave. */
static int
fail_read(const char *path, int errnum, struct mlb_err *err)
{
	return errnum == ECANCELED ? mlb_err_set(err, MLB_EINTERRUPTED, "interrupted")
				   : mlb_err_errno(err, errnum, "cannot read '%s'", path);
}

/* Does who asked for it want no more of a file of which `at` bytes are done? */
static bool
is_stopped(const struct mlb_io *unless, uint64_t at)
{
	return unless && unless->stops && at && unless->stops(unless);
}

static int
hash_file(const struct mlb_io *io, struct mlb_digest *out, uint64_t *size, const char *path,
	  const struct mlb_io *unless, struct mlb_err *err)
{
	struct stat st = { 0 };
	uint64_t total = 0;
	int fd, e, rc = open_regular(io, &fd, &st, path, err);

	if (rc)
		return rc;
	e = mlb_fd_hash(out, &total, fd, (uint64_t)st.st_size, UINT64_MAX, unless);
	io->close(io, fd);
	if (e)
		return fail_read(path, e, err);
	if (size)
		*size = total;
	return MLB_OK;
}

int
mlb_io_hash(const struct mlb_io *io, struct mlb_digest *out, uint64_t *size, const char *path,
	    struct mlb_err *err)
{
	return hash_file(io, out, size, path, NULL, err);
}

int
mlb_io_hash_unless(const struct mlb_io *io, struct mlb_digest *out, uint64_t *size,
		   const char *path, struct mlb_err *err)
{
	return hash_file(io, out, size, path, io, err);
}

int
mlb_fs_hash_open(struct mlb_digest *out, int fd, const char *path, struct mlb_err *err)
{
	struct stat st = { 0 };
	uint64_t size;
	int e = 0;

	if (lseek(fd, 0, SEEK_SET) < 0 || fstat(fd, &st) != 0)
		e = errno;
	if (e == 0)
		e = mlb_fd_hash(out, &size, fd, (uint64_t)st.st_size, UINT64_MAX, NULL);
	return e ? mlb_err_errno(err, e, "cannot read '%s'", path) : 0;
}

int
mlb_fd_hash(struct mlb_digest *out, uint64_t *size, int fd, uint64_t expected, uint64_t most,
	    const struct mlb_io *unless)
{
	struct mlb_hasher *h = mlb_hasher_new(expected, NULL, NULL);
	uint64_t total = 0;
	ssize_t n = 0;
	int e = 0;

	while (total < most) {
		size_t cap;
		void *room;

		if (is_stopped(unless, total)) {
			e = ECANCELED;
			break;
		}
		room = mlb_hasher_room(h, &cap);

		n = mlb_fd_read(fd, room, (size_t)MLB_MIN(cap, most - total));
		if (n <= 0)
			break;
		mlb_hasher_add(h, (size_t)n);
		total += (uint64_t)n;
	}
	if (n < 0)
		e = errno;
	mlb_hasher_end(h, out);
	*size = total;
	return e;
}

struct copy {
	const struct mlb_io *io;
	const char *from, *to;
	int in, out;
	uint64_t size;               /* that it has, probably */
	uint64_t written;            /* bytes */
	bool past;                   /* past the page cache */
	const struct mlb_io *unless; /* it wants no more; NULL: it is not asked */
};

/* The disk begins early to write what will probably be synced. */
static int
write_part(void *ctx, const void *data, size_t n)
{
	struct copy *c = ctx;
	uint64_t at = c->written;
	int e;

	if (c->past) {
		e = mlb_io_pwrite_past(c->io, c->out, data, n, at);
	} else {
		e = mlb_io_write_all(c->io, c->out, data, n);
		if (!e && (at + n) / SOON > at / SOON)
			mlb_fs_write_soon(c->out, at / SOON * SOON, SOON);
	}
	c->written += n;
	return e;
}

/* Fill a buffer, so that all parts but the last are whole units; it ends with a failure only where that is told. */
static ssize_t
read_part(int fd, char *out, size_t cap)
{
	size_t got = 0;

	while (got < cap) {
		ssize_t n = mlb_fd_read(fd, out + got, cap - got);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int
copy_hashed(struct copy *c, struct mlb_digest *digest, struct mlb_err *err)
{
	struct mlb_hasher *h = mlb_hasher_new(c->size, write_part, c);
	uint64_t read = 0;
	int e, rc = MLB_OK;

	while (rc == MLB_OK) {
		size_t cap;
		char *room = mlb_hasher_room(h, &cap);
		ssize_t n;

		if (!room)
			break;
		n = read_part(c->in, room, cap);
		if (n < 0)
			rc = mlb_err_errno(err, errno, "cannot read '%s'", c->from);
		else if (n > 0 && is_stopped(c->unless, read))
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
		if (n <= 0)
			break;
		if (rc == MLB_OK)
			mlb_hasher_add(h, (size_t)n);
		read += (uint64_t)n;
	}
	e = mlb_hasher_end(h, rc ? NULL : digest);
	if (e && rc == MLB_OK)
		rc = mlb_err_errno(err, e, "cannot write '%s'", c->to);
	return rc;
}

static int
copy_bytes(struct copy *c, struct mlb_err *err)
{
	size_t cap = (size_t)MLB_MIN(c->size + 1, BUFFER_SIZE);
	char *buf = mlb_alloc(cap);
	int e, rc = MLB_OK;

	while (rc == MLB_OK) {
		ssize_t n = mlb_fd_read(c->in, buf, cap);

		if (n < 0)
			rc = mlb_err_errno(err, errno, "cannot read '%s'", c->from);
		else if (n > 0 && is_stopped(c->unless, c->written))
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
		if (n <= 0 || rc)
			break;
		e = write_part(c, buf, (size_t)n);
		if (e)
			rc = mlb_err_errno(err, e, "cannot write '%s'", c->to);
	}
	free(buf);
	return rc;
}

static int
copy_content(struct copy *c, struct mlb_digest *digest, struct mlb_err *err)
{
	return digest ? copy_hashed(c, digest, err) : copy_bytes(c, err);
}

int
mlb_io_copy_into(const struct mlb_io *io, int out, const char *to, const char *from, bool clone,
		 bool *reflinked, struct mlb_digest *digest, struct mlb_err *err)
{
	struct copy c = { .io = io, .from = from, .to = to, .out = out };
	struct stat st = { 0 };
	int rc = open_regular(io, &c.in, &st, from, err);

	if (rc)
		return rc;
	c.size = (uint64_t)st.st_size;
	*reflinked = clone && ioctl(out, FICLONE, c.in) == 0;
	if (!*reflinked)
		rc = copy_content(&c, digest, err);
	io->close(io, c.in);
	return rc;
}

int
mlb_fs_copy(const char *from, const char *to, unsigned mode, bool *reflinked,
	    struct mlb_digest *digest, struct mlb_err *err)
{
	return mlb_io_copy(&mlb_io_os, from, to, mode, reflinked, digest, err);
}

static int
copy_file(const struct mlb_io *io, const char *from, const char *to, unsigned mode, bool *reflinked,
	  struct mlb_digest *digest, const struct mlb_io *unless, struct mlb_err *err)
{
	struct copy c = { .io = io, .from = from, .to = to, .out = -1, .unless = unless };
	bool cloned = false;
	struct stat st = { 0 };
	int rc = open_regular(io, &c.in, &st, from, err);

	if (rc)
		return rc;
	c.size = (uint64_t)st.st_size;
	c.past = unless && c.size >= PAST;
	c.out = io->open(io, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c.out < 0) {
		rc = mlb_err_errno(err, errno, "cannot make '%s'", to);
		io->close(io, c.in);
		return rc;
	}
	if (digest)
		*digest = (struct mlb_digest){ { 0 } };
	/* Whatever the reason for which it cannot be cloned: reading and writing remain. */
	cloned = ioctl(c.out, FICLONE, c.in) == 0;
	if (!cloned)
		rc = copy_content(&c, digest, err);
	if (!rc && fchmod(c.out, mode) != 0)
		rc = mlb_err_errno(err, errno, "cannot set the permissions of '%s'", to);
	if (io->close(io, c.out) != 0 && !rc)
		rc = mlb_err_errno(err, errno, "cannot write '%s'", to);
	io->close(io, c.in);
	if (rc)
		io->unlink(io, to);
	else if (reflinked)
		*reflinked = cloned;
	return rc;
}

int
mlb_io_copy(const struct mlb_io *io, const char *from, const char *to, unsigned mode,
	    bool *reflinked, struct mlb_digest *digest, struct mlb_err *err)
{
	return copy_file(io, from, to, mode, reflinked, digest, NULL, err);
}

int
mlb_io_copy_unless(const struct mlb_io *io, const char *from, const char *to, unsigned mode,
		   bool *reflinked, struct mlb_digest *digest, struct mlb_err *err)
{
	return copy_file(io, from, to, mode, reflinked, digest, io, err);
}
