/* Directories: made, listed, removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/path.h"

#define PATH_LIMIT (64 * MLB_KIB)

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void
mlb_fs_share(const char *path)
{
	struct mlb_buf above = MLB_BUF_INIT(PATH_LIMIT);
	struct stat st, dir;
	mode_t mode;

	mlb_path_dir(&above, path);
	if (lstat(path, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) &&
	    stat(mlb_buf_str(&above), &dir) == 0 && dir.st_mode & S_ISGID &&
	    dir.st_mode & S_IWGRP) {
		mode = st.st_mode & 07777;
		/* What the owner may do, the group may too. */
		mode |= (mode & 0700) >> 3;
		if (S_ISDIR(st.st_mode))
			mode |= S_ISGID;
		/* It fails on what belongs to someone else, who has seen to it. */
		if (mode != (st.st_mode & 07777))
			(void)chmod(path, mode);
	}
	mlb_buf_release(&above);
}

/* Make path, which is changed and put back; its parents first where they are missing. */
static int
mkdirs(char *path)
{
	size_t len = strlen(path);
	size_t i = len;

	if (mkdir(path, 0777) == 0 || (errno == EEXIST && is_dir(path)))
		return 0;
	if (errno != ENOENT)
		return errno;
	/* Cut off components until one can be made, then put them back one by one. */
	do {
		while (i && path[i - 1] != '/')
			i--;
		while (i && path[i - 1] == '/')
			i--;
		if (!i)
			return ENOENT;
		path[i] = '\0';
	} while (mkdir(path, 0777) != 0 && errno == ENOENT);
	while (i < len) {
		path[i] = '/';
		i += strlen(path + i);
		if (mkdir(path, 0777) != 0 && !(errno == EEXIST && is_dir(path)))
			return errno;
	}
	return 0;
}

int
mlb_fs_mkdirs(const char *path, struct mlb_err *err)
{
	char *copy = mlb_strdup(path);
	size_t len = strlen(copy);
	int e;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	e = mkdirs(copy);
	free(copy);
	if (e == EEXIST)
		return mlb_err_set(err, MLB_ESYSTEM, "'%s' is not a directory", path);
	return e ? mlb_err_errno(err, e, "cannot make directory '%s'", path) : MLB_OK;
}

int
mlb_fs_mkparents(const char *path, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_LIMIT);
	int rc;

	mlb_path_dir(&dir, path);
	rc = mlb_buf_check(&dir, "a path", err);
	if (!rc)
		rc = mlb_fs_mkdirs(mlb_buf_str(&dir), err);
	mlb_buf_release(&dir);
	return rc;
}

int
mlb_fs_real(struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	struct mlb_buf at = MLB_BUF_INIT(PATH_LIMIT), up = MLB_BUF_INIT(PATH_LIMIT);
	int rc = mlb_path_absolute(&at, path, err);
	size_t whole = at.len;
	char *full = mlb_strdup(mlb_buf_str(&at));
	char *real = NULL;

	while (!rc && !(real = realpath(mlb_buf_str(&at), NULL))) {
		if (errno == ENOTDIR)
			rc = mlb_err_set(err, MLB_EINVALID, "'%s' is below a file", path);
		else if (errno != ENOENT)
			rc = mlb_err_errno(err, errno, "cannot follow '%s'", mlb_buf_str(&at));
		else if (mlb_fs_exists(mlb_buf_str(&at)))
			rc = mlb_err_set(err, MLB_EINVALID, "the link '%s' leads nowhere",
					 mlb_buf_str(&at));
		mlb_path_dir(&up, mlb_buf_str(&at));
		mlb_buf_clear(&at);
		mlb_buf_adds(&at, mlb_buf_str(&up));
	}
	if (!rc) {
		const char *rest = full + MLB_MIN(at.len, whole);

		mlb_path_join(out, real, rest + (*rest == '/'));
	}
	free(real);
	free(full);
	mlb_buf_release(&up);
	mlb_buf_release(&at);
	return rc;
}

int
mlb_fs_rmdir_empty_parents(const char *path, const char *stop)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_LIMIT);
	char *slash;

	mlb_buf_adds(&dir, path);
	while (!dir.full && dir.len && (slash = strrchr(dir.data, '/'))) {
		mlb_buf_truncate(&dir, (size_t)(slash - dir.data));
		if (!dir.len || strcmp(dir.data, stop) == 0 || !mlb_path_inside(dir.data, stop) ||
		    rmdir(dir.data) != 0)
			break;
	}
	mlb_buf_release(&dir);
	return MLB_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct mlb_dirent *)a)->name, ((const struct mlb_dirent *)b)->name);
}

static uint8_t
entry_type(int dirfd, const struct dirent *e)
{
	struct stat st;

	switch (e->d_type) {
	case DT_REG:
		return MLB_F_FILE;
	case DT_DIR:
		return MLB_F_DIR;
	case DT_LNK:
		return MLB_F_SYMLINK;
	case DT_UNKNOWN: /* some file systems do not say */
		if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return mlb_ftype_of_mode(st.st_mode);
		return MLB_F_ABSENT;
	default:
		return MLB_F_OTHER;
	}
}

/* All entries of d, unsorted, appended to out; 0 or an errno. */
static int
read_entries(struct mlb_dirents *out, DIR *d)
{
	for (;;) {
		struct dirent *e;

		errno = 0;
		e = readdir(d);
		if (!e)
			return errno;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		mlb_vec_push(out, ((struct mlb_dirent){ .name = mlb_strdup(e->d_name),
							.type = entry_type(dirfd(d), e) }));
	}
}

int
mlb_fs_list(struct mlb_dirents *out, const char *path, struct mlb_err *err)
{
	DIR *d = opendir(path);
	int e;

	if (!d)
		return mlb_err_errno(err, errno, "cannot list '%s'", path);
	e = read_entries(out, d);
	closedir(d);
	if (e)
		return mlb_err_errno(err, e, "cannot list '%s'", path);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return MLB_OK;
}

void
mlb_dirents_release(struct mlb_dirents *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].name);
	mlb_vec_release(d);
}

/*
 * Open a directory that is about to be emptied, never through a symbolic link,
 * and give its owner all rights on it; -1 and errno if that cannot be.
 */
static int
open_to_empty(int parent, const char *name)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, O_RDONLY | flags);
	char by_fd[64];
	struct stat st;
	int e = errno;
	int path_fd;

	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
			fchmod(fd, 0700); /* if not, removing its entries says so */
		return fd;
	}
	if (e != EACCES)
		return -1;
	/* fchmodat follows links, and an O_PATH descriptor can be changed only this way. */
	path_fd = openat(parent, name, O_PATH | flags);
	if (path_fd < 0)
		return -1;
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", path_fd);
	if (chmod(by_fd, 0700) == 0)
		fd = openat(parent, name, O_RDONLY | flags);
	e = errno;
	close(path_fd);
	errno = e;
	return fd;
}

static int remove_at(int parent, const char *name);

static int
remove_dir_at(int parent, const char *name)
{
	struct mlb_dirents entries = MLB_VEC_INIT;
	int fd = open_to_empty(parent, name);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int e;

	if (!d) {
		e = errno;
		if (fd >= 0)
			close(fd);
		return e;
	}
	e = read_entries(&entries, d);
	for (size_t i = 0; !e && i < entries.n; i++)
		e = remove_at(fd, entries.v[i].name);
	closedir(d);
	mlb_dirents_release(&entries);
	if (!e && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		e = errno;
	return e;
}

/* 0 or an errno. unlink first: most entries are files, and it never follows a link. */
static int
remove_at(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return errno;
	return remove_dir_at(parent, name);
}

int
mlb_fs_remove_tree(const char *path, struct mlb_err *err)
{
	char *copy = mlb_strdup(path);
	size_t len = strlen(copy);
	int e;

	/* "link/" would be the directory behind the link. */
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	e = remove_at(AT_FDCWD, copy);
	free(copy);
	return e ? mlb_err_errno(err, e, "cannot remove '%s'", path) : MLB_OK;
}
