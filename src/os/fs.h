/*
 * Files.  Every function returns 0 or a negative code with a message that names
 * the path.  Paths are NUL-terminated and may be absolute or relative to the
 * process's current directory, which the library never changes; the engine
 * passes absolute ones.  Nothing here knows what the files are for.
 */
#ifndef OS_FS_H
#define OS_FS_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

enum mlb_ftype { MLB_F_ABSENT = 0, MLB_F_FILE, MLB_F_DIR, MLB_F_SYMLINK, MLB_F_OTHER };

/* What lstat says, as far as it matters for change detection. Times in ns since 1970. */
struct mlb_stat {
	uint64_t ino;
	uint64_t dev;
	uint64_t size;
	int64_t mtime;
	int64_t ctime;
	uint32_t nlink;
	uint8_t type;    /* enum mlb_ftype */
	bool exec;       /* owner may execute */
};

/* lstat; an absent path (ENOENT, ENOTDIR) is success with type MLB_F_ABSENT. */
int mlb_fs_lstat(struct mlb_stat *out, const char *path, struct mlb_err *err);
int mlb_fs_stat(struct mlb_stat *out, const char *path, struct mlb_err *err); /* follows links */
bool mlb_fs_exists(const char *path);
bool mlb_fs_may_write(const char *path); /* errno says why not */
bool mlb_stat_same(const struct mlb_stat *a, const struct mlb_stat *b); /* ino size mtime ctime type exec */

int mlb_fs_read(struct mlb_buf *out, const char *path, struct mlb_err *err); /* appends the whole file */

/*
 * Replace a file atomically: temporary name beside it, write, fsync if asked, rename.
 * After a power cut it is the old one or, if it was synced, the new one, whole;
 * which of them only mlb_fs_sync_dir settles.
 */
int mlb_fs_write(const char *path, const void *data, size_t len, bool sync, struct mlb_err *err);

/*
 * The same for a file of a person's: where path is a link, what it leads to is
 * replaced, and what is no file (a device, a named pipe) is written to.
 */
int mlb_fs_rewrite(const char *path, const void *data, size_t len, bool sync, struct mlb_err *err);

/*
 * The same in two steps, with syncing, so that something else can be synced beside
 * it: the file is written under its temporary name, and a thread syncs it.  The end
 * waits for that, and renames it, or (unless wanted) drops it.  data is borrowed
 * until then; the end must be called, and frees r.
 */
struct mlb_fs_rewriting;
int mlb_fs_rewrite_begin(struct mlb_fs_rewriting **out, const char *path, const void *data, size_t len,
			 struct mlb_err *err);
int mlb_fs_rewrite_end(struct mlb_fs_rewriting *r, bool wanted, struct mlb_err *err);

int mlb_fs_mkdirs(const char *path, struct mlb_err *err);            /* and parents; existing is fine */
int mlb_fs_mkparents(const char *path, struct mlb_err *err);         /* the parents of a file */
/*
 * Where the directory above is a group's (setgid, and writable for the group),
 * what was made in it becomes so too, whatever the umask: write permission for the
 * group where the owner has it, and setgid for directories.
 */
void mlb_fs_share(const char *path);
int mlb_fs_rename(const char *from, const char *to, struct mlb_err *err);
int mlb_fs_unlink(const char *path, struct mlb_err *err);            /* absent is fine */
int mlb_fs_remove_tree(const char *path, struct mlb_err *err);       /* absent is fine; never follows links; makes 0555 directories writable */
int mlb_fs_rmdir_empty_parents(const char *path, const char *stop);  /* remove empty parents below stop; 0 always */
void mlb_fs_write_soon(int fd, uint64_t at, uint64_t len);          /* a hint: have the disk begin now, what is written will be synced */
int mlb_fs_sync_dir(const char *path, struct mlb_err *err);
int mlb_fs_readlink(struct mlb_buf *out, const char *path, struct mlb_err *err);
int mlb_fs_real(struct mlb_buf *out, const char *path, struct mlb_err *err); /* absolute, without links; what does not exist stays as it is (MLB_EINVALID: below a file). Replaces out */
int mlb_fs_tempdir(struct mlb_buf *out, const char *parent, const char *prefix, struct mlb_err *err);

/* One directory's entries without "." and "..", sorted bytewise. types[i] is enum mlb_ftype. */
struct mlb_dirent {
	char *name;   /* owned */
	uint8_t type; /* enum mlb_ftype */
};
MLB_VEC_NAMED(mlb_dirents, struct mlb_dirent);
int mlb_fs_list(struct mlb_dirents *out, const char *path, struct mlb_err *err);
void mlb_dirents_release(struct mlb_dirents *d);

/* The SHA-256 and size of a regular file (follows a symbolic link). */
int mlb_fs_hash(struct mlb_digest *out, uint64_t *size, const char *path, struct mlb_err *err);

/* The same for up to `most` bytes of a descriptor, from where it is; about `expected` are there. 0 or an errno. */
struct mlb_io;
int mlb_fd_hash(struct mlb_digest *out, uint64_t *size, int fd, uint64_t expected, uint64_t most,
		const struct mlb_io *unless);

/*
 * Copy a regular file to a new name (which must not exist): by reflink where
 * the file system can, else by reading and writing. *reflinked (may be NULL)
 * tells which; digest (may be NULL) receives the SHA-256 of what was copied
 * and is only computed when bytes were read: after a reflink it is zero.
 * mode is the new file's permissions.  On failure the new name is unlinked.
 */
int mlb_fs_copy(const char *from, const char *to, unsigned mode, bool *reflinked,
		struct mlb_digest *digest, struct mlb_err *err);

int mlb_fs_hash_open(struct mlb_digest *out, int fd, const char *path, struct mlb_err *err); /* from the beginning */

/* Copy a file, link or tree to a name that is free, with permissions and times. What is there after a failure stays. */
int mlb_fs_copy_tree(const char *from, const char *to, struct mlb_err *err);

/* Move a file or tree; falls back to copy and remove across file systems. */
int mlb_fs_move(const char *from, const char *to, struct mlb_err *err);

bool mlb_fs_is_network(const char *path);     /* NFS, SMB, FUSE and the like by statfs magic */
bool mlb_fs_is_case_folding(const char *dir); /* probes with a temporary file where it must */

/*
 * What tells where `path` is from another place of that name: the directory that it is
 * in, on which file system, and whether `path` is on the same one, as it is where it is
 * absent. The same after a restart, but on some file systems. 0: it is not known.
 */
uint64_t mlb_fs_whereabouts(const char *path);

int mlb_fs_errno_beside(const char *path); /* why no file can be made beside this one, 0: it can be */

/* The file system's own clock in ns: creates or touches a file in dir and reads its ctime. */
int mlb_fs_clock(int64_t *out, const char *dir, struct mlb_err *err);

#endif
