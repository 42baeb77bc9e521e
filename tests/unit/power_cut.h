/*
 * A disk of which the power can be cut (a table for os/io.h).  It keeps what was
 * synced, of each file its bytes and of each directory its names; cut() makes the
 * tree what it may be after the power went, which is more or less than that.
 */
#ifndef TESTS_UNIT_POWER_CUT_H
#define TESTS_UNIT_POWER_CUT_H

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "os/fs.h"
#include "os/io.h"

enum cut {
	CUT_NOTHING, /* the process died, and the power stayed */
	CUT_ALL,     /* what was not synced is gone */
	CUT_BYTES,   /* names are there; of bytes that were not synced, zeros */
	CUT_SOME,    /* any of that, for each file and directory */
	CUT_N
};

struct cut_name {
	char *name;
	ino_t ino;
};

struct cut_inode {
	ino_t ino;
	bool dir;
	char *path; /* of a directory where it is; of a file a second link to it */
	struct mlb_buf synced;
	MLB_VEC(struct cut_name) name; /* of a directory, as synced */
};

struct cut_disk {
	struct mlb_io io; /* first */
	long calls;       /* so far */
	long cut_at;      /* the number of the first call that is not made any more; 0: never */
	bool off;
	uint64_t random;
	MLB_VEC(struct cut_inode *) inode;
};

static inline struct cut_disk *
disk_of(const struct mlb_io *io)
{
	return (struct cut_disk *)(uintptr_t)io;
}

static inline bool
disk_off(const struct mlb_io *io)
{
	struct cut_disk *d = disk_of(io);

	d->calls++;
	d->off |= d->cut_at && d->calls >= d->cut_at;
	errno = EIO;
	return d->off;
}

static inline struct cut_inode *
disk_find(struct cut_disk *d, ino_t ino)
{
	for (size_t i = 0; i < d->inode.n; i++)
		if (d->inode.v[i]->ino == ino)
			return d->inode.v[i];
	return NULL;
}

/* A file gets a second link: its bytes outlive its name, and its inode is not used again. */
static inline struct cut_inode *
disk_add(struct cut_disk *d, const char *path)
{
	struct cut_inode *inode = mlb_calloc(1, sizeof(*inode));
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	inode->ino = st.st_ino;
	inode->dir = S_ISDIR(st.st_mode);
	mlb_buf_init(&inode->synced, MLB_GIB);
	if (inode->dir) {
		inode->path = mlb_strdup(path);
	} else {
		inode->path = mlb_asprintf("links/%llu", (unsigned long long)st.st_ino);
		assert_int_equal(link(path, inode->path), 0);
	}
	mlb_vec_push(&d->inode, inode);
	return inode;
}

static inline void
disk_forget_names(struct cut_inode *inode)
{
	for (size_t i = 0; i < inode->name.n; i++)
		free(inode->name.v[i].name);
	inode->name.n = 0;
}

static inline void
disk_list(struct cut_inode *inode)
{
	DIR *dir = opendir(inode->path);
	struct dirent *e;

	assert_non_null(dir);
	disk_forget_names(inode);
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			struct cut_name name = { mlb_strdup(e->d_name), e->d_ino };

			mlb_vec_push(&inode->name, name);
		}
	closedir(dir);
}

static inline void
disk_sync(struct cut_disk *d, struct cut_inode *inode)
{
	(void)d;
	if (inode->dir) {
		disk_list(inode);
	} else {
		mlb_buf_clear(&inode->synced);
		assert_int_equal(mlb_fs_read(&inode->synced, inode->path, NULL), 0);
	}
}

/* ---------------------------------------------------------- the table */

static inline int
disk_open(const struct mlb_io *io, const char *path, int flags, unsigned mode)
{
	struct stat st;
	int fd;

	if ((flags & O_CREAT) && disk_off(io))
		return -1;
	fd = mlb_io_os.open(io, path, flags, mode);
	if (fd >= 0 && (flags & O_CREAT)) {
		assert_int_equal(fstat(fd, &st), 0);
		if (!disk_find(disk_of(io), st.st_ino))
			disk_add(disk_of(io), path);
	}
	return fd;
}

static inline int
disk_close(const struct mlb_io *io, int fd)
{
	return mlb_io_os.close(io, fd);
}

static inline ssize_t
disk_write(const struct mlb_io *io, int fd, const void *data, size_t len)
{
	return disk_off(io) ? -1 : mlb_io_os.write(io, fd, data, len);
}

static inline ssize_t
disk_pwrite(const struct mlb_io *io, int fd, const void *data, size_t len, off_t at)
{
	return disk_off(io) ? -1 : mlb_io_os.pwrite(io, fd, data, len, at);
}

static inline int
disk_ftruncate(const struct mlb_io *io, int fd, off_t len)
{
	return disk_off(io) ? -1 : mlb_io_os.ftruncate(io, fd, len);
}

static inline int
disk_fsync(const struct mlb_io *io, int fd)
{
	struct cut_inode *inode;
	struct stat st;

	if (disk_off(io))
		return -1;
	assert_int_equal(fstat(fd, &st), 0);
	inode = disk_find(disk_of(io), st.st_ino);
	assert_non_null(inode);
	disk_sync(disk_of(io), inode);
	return 0;
}

static inline int
disk_rename(const struct mlb_io *io, const char *from, const char *to)
{
	return disk_off(io) ? -1 : mlb_io_os.rename(io, from, to);
}

static inline int
disk_link(const struct mlb_io *io, const char *from, const char *to)
{
	return disk_off(io) ? -1 : mlb_io_os.link(io, from, to);
}

static inline int
disk_unlink(const struct mlb_io *io, const char *path)
{
	return disk_off(io) ? -1 : mlb_io_os.unlink(io, path);
}

static inline int
disk_mkdir(const struct mlb_io *io, const char *path, unsigned mode)
{
	int rc = disk_off(io) ? -1 : mlb_io_os.mkdir(io, path, mode);

	if (rc == 0)
		disk_add(disk_of(io), path);
	return rc;
}

/* ---------------------------------------------------------- on and off */

/* All below a directory is there for good. */
static inline void
disk_adopt(struct cut_disk *d, const char *path)
{
	struct cut_inode *inode = disk_add(d, path);

	disk_sync(d, inode);
	for (size_t i = 0; inode->dir && i < inode->name.n; i++) {
		char *inner = mlb_asprintf("%s/%s", path, inode->name.v[i].name);

		if (strcmp(path, ".") != 0 || strcmp(inode->name.v[i].name, "cache") == 0)
			disk_adopt(d, inner);
		free(inner);
	}
}

/* The disk is the tree ./cache, as it is now. */
static inline void
disk_on(struct cut_disk *d, long cut_at, uint64_t seed)
{
	memset(d, 0, sizeof(*d));
	d->io = (struct mlb_io){
		.version = MLB_IO_VERSION,
		.open = disk_open,
		.close = disk_close,
		.write = disk_write,
		.pwrite = disk_pwrite,
		.ftruncate = disk_ftruncate,
		.fsync = disk_fsync,
		.fdatasync = disk_fsync,
		.rename = disk_rename,
		.link = disk_link,
		.unlink = disk_unlink,
		.mkdir = disk_mkdir,
		/* Of what is put into the workspace nothing is kept. */
		.openat = mlb_io_os.openat,
		.renameat = mlb_io_os.renameat,
		.linkat = mlb_io_os.linkat,
		.unlinkat = mlb_io_os.unlinkat,
		.mkdirat = mlb_io_os.mkdirat,
		.symlinkat = mlb_io_os.symlinkat,
		.folds_case = mlb_io_os.folds_case,
	};
	d->cut_at = cut_at;
	d->random = seed;
	assert_int_equal(mkdir("links", 0777), 0);
	disk_adopt(d, ".");
}

static inline unsigned
disk_random(struct cut_disk *d, unsigned below)
{
	d->random = d->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(d->random >> 33) % below;
}

/* What is read of a file afterwards. */
static inline void
disk_bytes(struct cut_disk *d, struct mlb_buf *out, struct cut_inode *inode, enum cut how)
{
	struct mlb_buf now = MLB_BUF_INIT(MLB_GIB);
	unsigned what = how == CUT_ALL ? 0 : how == CUT_BYTES ? 1 : disk_random(d, 4);

	assert_int_equal(mlb_fs_read(&now, inode->path, NULL), 0);
	mlb_buf_clear(out);
	if (what <= 1)
		mlb_buf_add(out, mlb_buf_str(&inode->synced), inode->synced.len);
	while (what == 1 && out->len < now.len)
		mlb_buf_add(out, "", 1);
	if (what == 2)
		mlb_buf_add(out, mlb_buf_str(&now), now.len);
	if (what == 3) {
		size_t keep = MLB_MIN(inode->synced.len, now.len);

		mlb_buf_add(out, mlb_buf_str(&now),
			    keep + disk_random(d, (unsigned)(now.len - keep) + 1));
	}
	mlb_buf_release(&now);
}

static inline void
disk_rebuild(struct cut_disk *d, struct cut_inode *inode, const char *to, enum cut how)
{
	struct mlb_buf bytes = MLB_BUF_INIT(MLB_GIB);
	struct timespec times[2];
	struct stat st;

	if (!inode->dir) {
		disk_bytes(d, &bytes, inode, how);
		assert_int_equal(mlb_fs_write(to, mlb_buf_str(&bytes), bytes.len, false, NULL), 0);
		assert_int_equal(stat(inode->path, &st), 0);
		times[0] = times[1] = st.st_mtim;
		assert_int_equal(utimensat(AT_FDCWD, to, times, 0), 0);
		mlb_buf_release(&bytes);
		return;
	}
	assert_int_equal(mkdir(to, 0777), 0);
	if (how == CUT_BYTES || (how == CUT_SOME && disk_random(d, 2)))
		disk_list(inode);
	for (size_t i = 0; i < inode->name.n; i++) {
		char *inner = mlb_asprintf("%s/%s", to, inode->name.v[i].name);
		struct cut_inode *next = disk_find(d, inode->name.v[i].ino);

		if (next)
			disk_rebuild(d, next, inner, how);
		free(inner);
	}
}

/* The power goes, and comes back. */
static inline void
disk_cut(struct cut_disk *d, enum cut how)
{
	struct stat st;

	if (how != CUT_NOTHING) {
		assert_int_equal(stat(".", &st), 0);
		disk_rebuild(d, disk_find(d, st.st_ino), "after", how);
		assert_int_equal(mlb_fs_remove_tree("cache", NULL), 0);
		if (rename("after/cache", "cache") != 0)
			assert_int_equal(errno, ENOENT);
		assert_int_equal(mlb_fs_remove_tree("after", NULL), 0);
	}
	assert_int_equal(mlb_fs_remove_tree("links", NULL), 0);
	for (size_t i = 0; i < d->inode.n; i++) {
		struct cut_inode *inode = d->inode.v[i];

		disk_forget_names(inode);
		mlb_vec_release(&inode->name);
		mlb_buf_release(&inode->synced);
		free(inode->path);
		free(inode);
	}
	mlb_vec_release(&d->inode);
}

#endif
