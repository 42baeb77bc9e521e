/* What workers do for the directory backend: one step of an operation. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remotes/dir_int.h"

#define READ_STEP MLB_MIB
#define LIST_STEP 512
#define DELETE_STEP 64

static bool
is_absent(int e)
{
	return e == ENOENT || e == ENOTDIR;
}

/* A regular file's facts. What is none is no name of ours. */
static int
examine(struct dir_job *j, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return ENOENT;
	j->total = (uint64_t)st->st_size;
	j->mtime = st->st_mtime;
	return 0;
}

static int
open_file(struct dir_job *j)
{
	const struct mlb_remote_op *op = j->op;
	struct stat st;
	int e;

	/* O_NONBLOCK: a named pipe must not keep us. */
	j->fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (j->fd < 0)
		return errno == ELOOP ? ENOENT : errno;
	if (fstat(j->fd, &st) != 0)
		return errno;
	e = examine(j, &st);
	if (e)
		return e;
	j->at = MLB_MIN(op->offset, j->total);
	j->end = op->len < j->total - j->at ? j->at + op->len : j->total;
	if (j->end > j->at)
		j->room = mlb_alloc(MLB_MIN(READ_STEP, j->end - j->at));
	posix_fadvise(j->fd, (off_t)j->at, (off_t)(j->end - j->at), POSIX_FADV_SEQUENTIAL);
	return 0;
}

static void
get_step(struct dir_job *j)
{
	size_t want;

	j->got = 0;
	if (j->fd < 0)
		j->e = open_file(j);
	if (j->e)
		return;
	want = MLB_MIN(READ_STEP, j->end - j->at);
	while (j->got < want) {
		ssize_t n = pread(j->fd, j->room + j->got, want - j->got, (off_t)(j->at + j->got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			j->e = n < 0 ? errno : EIO; /* it became shorter */
			return;
		}
		j->got += (size_t)n;
	}
	j->at += want;
	j->last = j->at == j->end;
}

static void
stat_step(struct dir_job *j)
{
	struct stat st;

	j->e = lstat(j->path, &st) != 0 ? errno : examine(j, &st);
	j->last = true;
}

static void
add_entry(struct dir_job *j, const struct dirent *d)
{
	struct dir_entry e;
	struct stat st;

	if ((d->d_type != DT_REG && d->d_type != DT_UNKNOWN) || !mlb_remote_name_valid(d->d_name))
		return;
	/* It may just have been removed. */
	if (fstatat(dirfd(j->listing), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	e.name = mlb_strdup(d->d_name);
	e.size = (uint64_t)st.st_size;
	e.mtime = st.st_mtime;
	mlb_vec_push(&j->entries, e);
}

static void
list_step(struct dir_job *j)
{
	const struct dirent *d;

	if (!j->listing && !(j->listing = opendir(j->path))) {
		j->e = errno;
		return;
	}
	for (unsigned i = 0; i < LIST_STEP; i++) {
		errno = 0;
		d = readdir(j->listing);
		if (!d) {
			j->e = errno;
			j->last = true;
			return;
		}
		add_entry(j, d);
	}
}

static void
delete_step(struct dir_job *j)
{
	size_t end = MLB_MIN(j->op->n_names, j->got + DELETE_STEP);

	for (; j->got < end && !j->e; j->got++) {
		char *path = mlb_asprintf("%s/%s", j->root, j->op->names[j->got]);

		j->which = j->op->names[j->got];
		if (unlink(path) != 0 && !is_absent(errno) && errno != EISDIR)
			j->e = errno;
		free(path);
	}
	j->last = j->got == j->op->n_names;
}

/* Nothing below a root that is not there: that is no empty remote. */
static bool
lost_root(const char *root)
{
	struct stat st;

	return stat(*root ? root : "/", &st) != 0 ? is_absent(errno) : !S_ISDIR(st.st_mode);
}

void
dir_step(struct mlb_task *t)
{
	struct dir_job *j = (struct dir_job *)t;

	switch (j->op->verb) {
	case MLB_REMOTE_GET:
		get_step(j);
		break;
	case MLB_REMOTE_PUT:
		dir_put_step(j);
		break;
	case MLB_REMOTE_STAT:
		stat_step(j);
		break;
	case MLB_REMOTE_LIST:
		list_step(j);
		break;
	case MLB_REMOTE_DELETE:
		delete_step(j);
		break;
	}
	if (is_absent(j->e))
		j->placeless = lost_root(j->root);
	/* Deleting tells by itself nothing of a root that is not there. */
	if (j->op->verb == MLB_REMOTE_DELETE && j->last && !j->e && lost_root(j->root)) {
		j->e = ENOENT;
		j->placeless = true;
	}
}

void
dir_job_release(struct dir_job *j)
{
	if (j->temp)
		unlink(j->temp);
	if (j->fd >= 0)
		close(j->fd);
	if (j->listing)
		closedir(j->listing);
	for (size_t i = 0; i < j->entries.n; i++)
		free(j->entries.v[i].name);
	mlb_vec_release(&j->entries);
	free(j->temp);
	free(j->path);
	free(j->room);
	free(j);
}
