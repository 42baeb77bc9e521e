/*
 * The cache's generation: what was seen in the store is still there as long as
 * this number is the same.
 *
 *   cache/v1/generation   16 hexadecimal digits and a line feed
 *
 * It begins at random, so that a cache that was removed and made again has
 * another one, and is raised before anything is removed. It is read and written
 * in place, under a lock on the file. Zero stands for "unknown".
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/machine.h"
#include "store/cas_priv.h"

#define LEN (2 * sizeof(uint64_t) + 1)

static int
fail(const char *path, struct mlb_err *err)
{
	return mlb_err_errno(err, errno, "cannot use '%s'", path);
}

/* The file, locked; a descriptor or a negative code. */
static int
open_locked(const struct mlb_io *io, const char *path, int flags, int lock, struct mlb_err *err)
{
	int fd = io->open(io, path, flags | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd < 0)
		return fail(path, err);
	if (flags & O_CREAT)
		mlb_fs_share(path);
	while (flock(fd, lock) != 0) {
		if (errno == EINTR)
			continue;
		fail(path, err);
		io->close(io, fd);
		return MLB_ESYSTEM;
	}
	return fd;
}

/* What is no number reads as zero. */
static uint64_t
read_number(int fd)
{
	char text[LEN + 1]; /* one more, to see that it ends there */
	uint64_t value = 0;
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n != (ssize_t)LEN || text[LEN - 1] != '\n' ||
	    !mlb_hex_decode(&value, text, sizeof(value)))
		return 0;
	return be64toh(value);
}

static int
write_number(const struct mlb_io *io, int fd, const char *path, uint64_t value, bool sync,
	     struct mlb_err *err)
{
	char text[LEN];

	value = htobe64(value);
	mlb_hex_encode(text, &value, sizeof(value));
	text[LEN - 1] = '\n'; /* in the place of the NUL */
	errno = mlb_io_pwrite_all(io, fd, text, LEN, 0);
	if (errno || io->ftruncate(io, fd, LEN) != 0 || (sync && io->fsync(io, fd) != 0))
		return fail(path, err);
	return 0;
}

/* With the file locked for writing: the number that follows, which is never zero. */
static int
write_next(const struct mlb_io *io, int fd, const char *path, struct mlb_err *err)
{
	uint64_t value = read_number(fd);
	bool is_first = value ==
			0; /* it need not be synced: lost, another first one takes its place */
	int rc = 0;

	if (is_first)
		rc = mlb_machine_random(&value, sizeof(value), err);
	if (++value == 0)
		value = 1;
	return rc ? rc : write_number(io, fd, path, value, !is_first, err);
}

static uint64_t
read_file(const struct mlb_io *io, const char *path)
{
	int fd = open_locked(io, path, O_RDONLY, LOCK_SH, NULL);
	uint64_t value = fd < 0 ? 0 : read_number(fd);

	if (fd >= 0)
		io->close(io, fd);
	return value;
}

/* Only where it has none: in between another process may have made one. */
static void
make_first(const struct mlb_io *io, const char *path)
{
	int fd = open_locked(io, path, O_RDWR | O_CREAT, LOCK_EX, NULL);

	if (fd < 0)
		return;
	if (read_number(fd) == 0)
		write_next(io, fd, path, NULL);
	io->close(io, fd);
}

static char *
generation_path(const struct mlb_cas *cas)
{
	return mlb_asprintf("%s/generation", cas->dir);
}

uint64_t
mlb_cas_generation(struct mlb_cas *cas)
{
	char *path = generation_path(cas);
	uint64_t value = 0;

	if (!atomic_load(&cas->distrusted)) {
		value = read_file(cas->io, path);
		if (value == 0) {
			make_first(cas->io, path);
			value = read_file(cas->io, path);
		}
	}
	free(path);
	return value;
}

int
mlb_cas_raise(struct mlb_cas *cas, struct mlb_err *err)
{
	char *path = generation_path(cas);
	int fd = open_locked(cas->io, path, O_RDWR | O_CREAT, LOCK_EX, err);
	int rc = fd < 0 ? fd : write_next(cas->io, fd, path, err);

	if (fd >= 0)
		cas->io->close(cas->io, fd);
	/* Others will find out by what they miss; we know now. */
	if (rc)
		atomic_store(&cas->distrusted, true);
	free(path);
	return rc;
}

uint64_t
mlb_cas_ticket(struct mlb_cas *cas)
{
	uint64_t ticket;

	pthread_mutex_lock(&cas->lock);
	ticket = cas->syncs + 1;
	pthread_mutex_unlock(&cas->lock);
	return ticket;
}

bool
mlb_cas_durable(struct mlb_cas *cas, uint64_t ticket)
{
	bool is;

	pthread_mutex_lock(&cas->lock);
	is = cas->synced >= ticket;
	pthread_mutex_unlock(&cas->lock);
	return is;
}
