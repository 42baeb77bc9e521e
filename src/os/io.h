/*
 * What the store asks of the operating system when it writes, opens what it has, or
 * puts something into the workspace, as one small table, so that a test can make the Nth call fail, or drop what was not synced.  The
 * program knows one: mlb_io_os.
 *
 * 1. A member does what the system call of its name does: -1 and errno on failure.
 *    It may be interrupted (EINTR) and may write a part, as that may.
 * 2. Members may be called from several threads at once.
 * 3. Looking at what is there (lstat, listing) is not part of it: that changes
 *    nothing. Reading is by the descriptors that open gives.
 *
 * Ownership: whoever opens a store keeps the table for as long as the store is open.
 */
#ifndef OS_IO_H
#define OS_IO_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/hash.h"
#include "mlbuild/err.h"

#define MLB_IO_VERSION 3
#define MLB_IO_UNIT ((size_t)4096) /* bytes */

struct mlb_io {
	int version; /* MUST be MLB_IO_VERSION */
	/* All MUST; io is the table itself, which may be part of something larger. */
	int (*open)(const struct mlb_io *io, const char *path, int flags, unsigned mode);
	int (*close)(const struct mlb_io *io, int fd);
	ssize_t (*write)(const struct mlb_io *io, int fd, const void *data, size_t len);
	ssize_t (*pwrite)(const struct mlb_io *io, int fd, const void *data, size_t len, off_t at);
	int (*ftruncate)(const struct mlb_io *io, int fd, off_t len);
	int (*fsync)(const struct mlb_io *io, int fd);
	int (*fdatasync)(const struct mlb_io *io, int fd);
	int (*rename)(const struct mlb_io *io, const char *from, const char *to);
	int (*link)(const struct mlb_io *io, const char *from, const char *to);
	int (*unlink)(const struct mlb_io *io, const char *path);
	int (*mkdir)(const struct mlb_io *io, const char *path, unsigned mode);
	/* Relative to a directory that is open, or to AT_FDCWD. */
	int (*openat)(const struct mlb_io *io, int dir, const char *name, int flags, unsigned mode);
	int (*renameat)(const struct mlb_io *io, int from_dir, const char *from, int to_dir,
			const char *to);
	int (*linkat)(const struct mlb_io *io, int from_dir, const char *from, int to_dir,
		      const char *to);
	int (*unlinkat)(const struct mlb_io *io, int dir, const char *name, int flags);
	int (*mkdirat)(const struct mlb_io *io, int dir, const char *name, unsigned mode);
	int (*symlinkat)(const struct mlb_io *io, const char *text, int dir, const char *name);
	/* Are names folded in this directory? It cannot fail. */
	bool (*folds_case)(const struct mlb_io *io, const char *dir);
	/* MAY; asked between the parts of a large file that is read: true ends that (MLB_EINTERRUPTED). */
	bool (*stops)(const struct mlb_io *io);
};

extern const struct mlb_io mlb_io_os;

/* The same without syncing: for what is gone when the process is. */
extern const struct mlb_io mlb_io_fleeting;

/* All of it, over interruptions and partial writes; 0 or an errno. */
int mlb_io_write_all(const struct mlb_io *io, int fd, const void *data, size_t len);
int mlb_io_pwrite_all(const struct mlb_io *io, int fd, const void *data, size_t len, uint64_t at);

/*
 * The same, past the page cache where the file system can and address, length and
 * offset are multiples of MLB_IO_UNIT: what is synced soon and not read soon is
 * written so with a fifth of the processor time.  The descriptor must not be used
 * for anything but syncing meanwhile.
 */
int mlb_io_pwrite_past(const struct mlb_io *io, int fd, const void *data, size_t len, uint64_t at);

/* What the functions mlb_fs_… of these names do. */
int mlb_io_rename(const struct mlb_io *io, const char *from, const char *to, struct mlb_err *err);
int mlb_io_sync_dir(const struct mlb_io *io, const char *path, struct mlb_err *err);
int mlb_io_copy(const struct mlb_io *io, const char *from, const char *to, unsigned mode,
		bool *reflinked, struct mlb_digest *digest, struct mlb_err *err);

int mlb_io_read(const struct mlb_io *io, struct mlb_buf *out, const char *path,
		struct mlb_err *err);
int mlb_io_hash(const struct mlb_io *io, struct mlb_digest *out, uint64_t *size, const char *path,
		struct mlb_err *err);

/*
 * The same, and mlb_io_copy, but MLB_EINTERRUPTED as soon as io wants no more. The
 * copy is for keeping: of a large file nothing of it is left in the page cache.
 */
int mlb_io_hash_unless(const struct mlb_io *io, struct mlb_digest *out, uint64_t *size,
		       const char *path, struct mlb_err *err);
int mlb_io_copy_unless(const struct mlb_io *io, const char *from, const char *to, unsigned mode,
		       bool *reflinked, struct mlb_digest *digest, struct mlb_err *err);

/*
 * Copy into a new, empty file that is open for reading and writing as `out`; `to`
 * is its name for messages.  clone false: bytes are copied in any case.
 */
int mlb_io_copy_into(const struct mlb_io *io, int out, const char *to, const char *from, bool clone,
		     bool *reflinked, struct mlb_digest *digest, struct mlb_err *err);

/* A directory and its parents, of which the name of each that was not there is synced. */
int mlb_io_mkdirs(const struct mlb_io *io, const char *path, struct mlb_err *err);

/* The same, and n directories of these names in it. */
int mlb_io_mkdirs_in(const struct mlb_io *io, const char *path, const char *const *name, size_t n,
		     struct mlb_err *err);

int mlb_io_sync_file(const struct mlb_io *io, const char *path, struct mlb_err *err); /* fsync */

/* A new file with this content, which is not synced. Unlinked again on failure. */
int mlb_io_write_new(const struct mlb_io *io, const char *path, unsigned mode, const void *data,
		     size_t len, struct mlb_err *err);

#endif
