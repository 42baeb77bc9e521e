/* A table of calls (os/io.h) that fails the Nth one, once or for good. */
#ifndef TESTS_UNIT_FAULTY_IO_H
#define TESTS_UNIT_FAULTY_IO_H

#include "unit.h"

#include <errno.h>
#include <pthread.h>

#include "os/io.h"

struct faulty_io {
	struct mlb_io io; /* first: a pointer to it is one to all of this */
	pthread_mutex_t lock;
	long calls;    /* so far, but those that only give something back */
	long fail_at;  /* the number of the call that fails, 0: none */
	bool for_good; /* and all after it */
	bool part;     /* a write that fails has written a part */
	int error;     /* errno */
	bool failed;   /* one did */
};

static inline struct faulty_io *
faulty_of(const struct mlb_io *io)
{
	return (struct faulty_io *)(uintptr_t)io;
}

static inline bool
faulty_hit(const struct mlb_io *io)
{
	struct faulty_io *f = faulty_of(io);
	bool hit;

	pthread_mutex_lock(&f->lock);
	f->calls++;
	hit = f->fail_at && (f->calls == f->fail_at || (f->for_good && f->calls > f->fail_at));
	f->failed |= hit;
	pthread_mutex_unlock(&f->lock);
	if (hit)
		errno = f->error;
	return hit;
}

static inline int
faulty_open(const struct mlb_io *io, const char *path, int flags, unsigned mode)
{
	return faulty_hit(io) ? -1 : mlb_io_os.open(io, path, flags, mode);
}

static inline int
faulty_close(const struct mlb_io *io, int fd)
{
	return mlb_io_os.close(io, fd);
}

static inline ssize_t
faulty_write(const struct mlb_io *io, int fd, const void *data, size_t len)
{
	if (!faulty_hit(io))
		return mlb_io_os.write(io, fd, data, len);
	if (faulty_of(io)->part && mlb_io_os.write(io, fd, data, len / 2) < 0)
		fail();
	errno = faulty_of(io)->error;
	return -1;
}

static inline ssize_t
faulty_pwrite(const struct mlb_io *io, int fd, const void *data, size_t len, off_t at)
{
	if (!faulty_hit(io))
		return mlb_io_os.pwrite(io, fd, data, len, at);
	if (faulty_of(io)->part && mlb_io_os.pwrite(io, fd, data, len / 2, at) < 0)
		fail();
	errno = faulty_of(io)->error;
	return -1;
}

static inline int
faulty_ftruncate(const struct mlb_io *io, int fd, off_t len)
{
	return faulty_hit(io) ? -1 : mlb_io_os.ftruncate(io, fd, len);
}

static inline int
faulty_fsync(const struct mlb_io *io, int fd)
{
	return faulty_hit(io) ? -1 : mlb_io_os.fsync(io, fd);
}

static inline int
faulty_fdatasync(const struct mlb_io *io, int fd)
{
	return faulty_hit(io) ? -1 : mlb_io_os.fdatasync(io, fd);
}

static inline int
faulty_rename(const struct mlb_io *io, const char *from, const char *to)
{
	return faulty_hit(io) ? -1 : mlb_io_os.rename(io, from, to);
}

static inline int
faulty_link(const struct mlb_io *io, const char *from, const char *to)
{
	return faulty_hit(io) ? -1 : mlb_io_os.link(io, from, to);
}

static inline int
faulty_unlink(const struct mlb_io *io, const char *path)
{
	return faulty_hit(io) ? -1 : mlb_io_os.unlink(io, path);
}

static inline int
faulty_mkdir(const struct mlb_io *io, const char *path, unsigned mode)
{
	return faulty_hit(io) ? -1 : mlb_io_os.mkdir(io, path, mode);
}

static inline int
faulty_openat(const struct mlb_io *io, int dir, const char *name, int flags, unsigned mode)
{
	return faulty_hit(io) ? -1 : mlb_io_os.openat(io, dir, name, flags, mode);
}

static inline int
faulty_renameat(const struct mlb_io *io, int from_dir, const char *from, int to_dir, const char *to)
{
	return faulty_hit(io) ? -1 : mlb_io_os.renameat(io, from_dir, from, to_dir, to);
}

static inline int
faulty_linkat(const struct mlb_io *io, int from_dir, const char *from, int to_dir, const char *to)
{
	return faulty_hit(io) ? -1 : mlb_io_os.linkat(io, from_dir, from, to_dir, to);
}

static inline int
faulty_unlinkat(const struct mlb_io *io, int dir, const char *name, int flags)
{
	return faulty_hit(io) ? -1 : mlb_io_os.unlinkat(io, dir, name, flags);
}

static inline int
faulty_mkdirat(const struct mlb_io *io, int dir, const char *name, unsigned mode)
{
	return faulty_hit(io) ? -1 : mlb_io_os.mkdirat(io, dir, name, mode);
}

static inline int
faulty_symlinkat(const struct mlb_io *io, const char *text, int dir, const char *name)
{
	return faulty_hit(io) ? -1 : mlb_io_os.symlinkat(io, text, dir, name);
}

static inline void
faulty_init(struct faulty_io *f, long fail_at, bool for_good, int error)
{
	memset(f, 0, sizeof(*f));
	f->io = (struct mlb_io){
		.version = MLB_IO_VERSION,
		.open = faulty_open,
		.close = faulty_close,
		.write = faulty_write,
		.pwrite = faulty_pwrite,
		.ftruncate = faulty_ftruncate,
		.fsync = faulty_fsync,
		.fdatasync = faulty_fdatasync,
		.rename = faulty_rename,
		.link = faulty_link,
		.unlink = faulty_unlink,
		.mkdir = faulty_mkdir,
		.openat = faulty_openat,
		.renameat = faulty_renameat,
		.linkat = faulty_linkat,
		.unlinkat = faulty_unlinkat,
		.mkdirat = faulty_mkdirat,
		.symlinkat = faulty_symlinkat,
		.folds_case = mlb_io_os.folds_case,
	};
	pthread_mutex_init(&f->lock, NULL);
	f->fail_at = fail_at;
	f->for_good = for_good;
	f->error = error;
}

#endif
