/* Directories by descriptor: no path is too long, and none is looked up twice in a row. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/scan_walk.h"
#include "store/tree.h"

/* From where it is, if the way leads down from there. */
static int
go_to(struct mlb_dir_at *d, const char *path, size_t len)
{
	size_t known = d->fd >= 0 && d->dir.len < len && memcmp(d->dir.data, path, d->dir.len) == 0
			       ? d->dir.len
			       : 0;
	int next;

	mlb_buf_clear(&d->dir);
	mlb_buf_add(&d->dir, path, len);
	if (d->dir.full) {
		errno = ENAMETOOLONG;
		next = -1;
	} else {
		next = mlb_open_at(known ? d->fd : d->root, NULL, mlb_buf_str(&d->dir) + known,
				   O_PATH | O_DIRECTORY | O_NOFOLLOW);
	}
	if (d->fd >= 0)
		close(d->fd);
	d->fd = next;
	return next;
}

int
mlb_dir_at(struct mlb_dir_at *d, const char *path, const char **name)
{
	size_t end = strlen(path), len;

	if (end && path[end - 1] == '/')
		end--;
	for (len = end; len && path[len - 1] != '/';)
		len--;
	*name = path + len;
	if (len == 0)
		return d->root;
	if (d->fd >= 0 && d->dir.len == len && memcmp(d->dir.data, path, len) == 0)
		return d->fd;
	return go_to(d, path, len);
}

void
mlb_dir_at_close(struct mlb_dir_at *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	mlb_buf_release(&d->dir);
}

/* Go down into the directory, which is made if it is absent; at is closed unless it is root. */
static int
enter(int root, int at, const char *name, const struct mlb_io *io)
{
	int next = -1, e = 0;

	if (io->mkdirat(io, at, name, 0777) != 0 && errno != EEXIST)
		e = errno;
	if (!e)
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (next < 0 && !e)
		e = errno;
	if (at != root)
		close(at);
	errno = e;
	return next;
}

int
mlb_mkdirs_at(int root, const char *path, const struct mlb_io *io)
{
	struct mlb_buf name = MLB_BUF_INIT(MLB_TREE_PATH_MAX);
	int at = root, e = 0;

	while (at >= 0 && *path) {
		size_t len = strcspn(path, "/");

		mlb_buf_clear(&name);
		mlb_buf_add(&name, path, len);
		if (len)
			at = enter(root, at, mlb_buf_str(&name), io);
		path += len + (path[len] == '/');
	}
	if (at < 0)
		e = errno;
	else if (at != root)
		close(at);
	mlb_buf_release(&name);
	return e;
}
