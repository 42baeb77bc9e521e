/*
 * A PUT into a directory: a file in .tmp/ below the root, synced, then given its
 * name by rename(2), or by link(2), which fails where there is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/fs.h"
#include "os/machine.h"
#include "remotes/dir_int.h"

#define STEP (8 * MLB_MIB)
#define HOST_MAX 32
#define ABANDONED 86400 /* s: a temporary file that old is nobody's */

/* HOST-PID-RANDOM: tells a person who left it. */
static char *
temp_path(const char *root)
{
	char host[HOST_MAX + 1] = "", hex[17];
	uint64_t r = 0;

	if (gethostname(host, HOST_MAX) != 0)
		host[0] = '\0';
	host[strcspn(host, "/")] = '\0';
	mlb_machine_random(&r, sizeof(r), NULL);
	mlb_hex_encode(hex, &r, sizeof(r));
	return mlb_asprintf("%s/" DIR_TMP "/%s-%ld-%s", root, host, (long)getpid(), hex);
}

static int
sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int e = 0;

	if (fd < 0)
		return errno == EACCES ? 0 : errno;
	/* Some file systems have no such thing, and need none. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
		e = errno;
	close(fd);
	return e;
}

/* The directory that path is in, synced. */
static int
sync_above(const char *path)
{
	char *above = mlb_strndup(path, (size_t)(strrchr(path, '/') - path));
	int e = sync_dir(*above ? above : "/");

	free(above);
	return e;
}

static int
make_dir(const char *path)
{
	if (mkdir(path, 0777) != 0)
		return errno == EEXIST ? 0 : errno;
	mlb_fs_share(path);
	return sync_above(path);
}

/* The directories of a file below root, which must be there. */
static int
make_dirs(const char *root, const char *file)
{
	char *path = mlb_strdup(file);
	char *slash = path + strlen(root);
	int e = 0;

	while (!e && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		e = make_dir(path);
		*slash = '/';
	}
	free(path);
	return e;
}

static int
open_temp(struct dir_job *j)
{
	char *path = temp_path(j->root);
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int e = 0;

	j->fd = open(path, flags, 0444);
	if (j->fd < 0 && errno == ENOENT) {
		e = make_dirs(j->root, path);
		if (!e)
			j->fd = open(path, flags, 0444);
	}
	if (j->fd < 0) {
		e = e ? e : errno;
		free(path);
		return e;
	}
	mlb_fs_share(path);
	j->temp = path;
	return 0;
}

/* What was left by those that were killed, by the clock of the file system. */
static void
sweep(const char *root, time_t now)
{
	char *dir = mlb_asprintf("%s/" DIR_TMP, root);
	struct mlb_dirents list = MLB_VEC_INIT;

	if (mlb_fs_list(&list, dir, NULL) == 0)
		for (size_t i = 0; i < list.n; i++) {
			char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);
			struct stat st;

			if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
			    now - st.st_mtime > ABANDONED)
				unlink(path);
			free(path);
		}
	mlb_dirents_release(&list);
	free(dir);
}

static int
begin(struct dir_job *j)
{
	struct stat st;
	int e;

	if (j->op->if_absent && lstat(j->path, &st) == 0)
		return EEXIST;
	e = open_temp(j);
	if (!e && j->sweep && fstat(j->fd, &st) == 0)
		sweep(j->root, st.st_mtime);
	return e;
}

/* Does the name lead to our file? NFS does a thing twice where an answer was lost. */
static bool
is_ours(const struct dir_job *j)
{
	struct stat ours, there;

	return fstat(j->fd, &ours) == 0 && lstat(j->path, &there) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int
place_once(struct dir_job *j)
{
	int e;

	if (!j->op->if_absent) {
		if (rename(j->temp, j->path) == 0)
			return 0;
	} else if (link(j->temp, j->path) == 0) {
		unlink(j->temp);
		return 0;
	} else if (errno == EPERM || errno == ENOTSUP || errno == ENOSYS || errno == EMLINK) {
		/* A file system without hard links. */
		if (renameat2(AT_FDCWD, j->temp, AT_FDCWD, j->path, RENAME_NOREPLACE) == 0)
			return 0;
	}
	e = errno;
	if ((e == EEXIST || e == ENOENT) && is_ours(j)) {
		unlink(j->temp);
		return 0;
	}
	return e;
}

/* The name, where its directories may have to be made first. */
static int
place(struct dir_job *j)
{
	int e = place_once(j);

	if (e == ENOENT) {
		e = make_dirs(j->root, j->path);
		e = e ? e : place_once(j);
	}
	if (e)
		return e;
	free(j->temp);
	j->temp = NULL;
	return sync_above(j->path);
}

static int
write_some(struct dir_job *j)
{
	uint64_t from = j->at, end = MLB_MIN(j->op->size, j->at + STEP);

	while (j->at < end) {
		ssize_t n = write(j->fd, (const char *)j->op->data + j->at, end - j->at);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			j->at += (uint64_t)n;
	}
	mlb_fs_write_soon(j->fd, from, end - from);
	return 0;
}

static int
finish(struct dir_job *j)
{
	struct stat st;
	int e;

	if (fsync(j->fd) != 0 || fstat(j->fd, &st) != 0)
		return errno;
	e = place(j);
	if (!e)
		j->mtime = st.st_mtime;
	j->last = true;
	return e;
}

void
dir_put_step(struct dir_job *j)
{
	if (j->fd < 0)
		j->e = begin(j);
	if (!j->e)
		j->e = write_some(j);
	if (!j->e && j->at == j->op->size)
		j->e = finish(j);
}
