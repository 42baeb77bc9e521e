/* Looking at and reading files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/scan_walk.h"
#include "store/tree.h"

#define READ_SIZE 65536 /* bytes that are read at once, without a buffer of their own */
#define TRIES 3         /* for what changes while it is read */

static int64_t
nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void
convert(struct mlb_stat *out, const struct stat *st)
{
	out->ino = st->st_ino;
	out->dev = st->st_dev;
	out->size = (uint64_t)st->st_size;
	out->mtime = nanoseconds(&st->st_mtim);
	out->ctime = nanoseconds(&st->st_ctim);
	out->nlink = (uint32_t)st->st_nlink;
	out->exec = (st->st_mode & S_IXUSR) != 0;
	if (S_ISREG(st->st_mode))
		out->type = MLB_F_FILE;
	else if (S_ISDIR(st->st_mode))
		out->type = MLB_F_DIR;
	else
		out->type = S_ISLNK(st->st_mode) ? MLB_F_SYMLINK : MLB_F_OTHER;
}

int
mlb_stat_at(struct mlb_stat *out, int dir, const char *path, bool follow)
{
	struct stat st;

	if (fstatat(dir, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
		memset(out, 0, sizeof(*out));
		return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	}
	convert(out, &st);
	return 0;
}

int
mlb_stat_fd(struct mlb_stat *out, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	convert(out, &st);
	return 0;
}

/* Go down a path that is too long for one system call; the rest of it is in *path. */
static int
open_part(int root, const char **path)
{
	int fd = root;

	while (strlen(*path) >= PATH_MAX) {
		char part[PATH_MAX];
		const char *slash = memrchr(*path, '/', PATH_MAX - 1);
		int next;

		if (!slash || slash == *path) {
			errno = ENAMETOOLONG;
			next = -1;
		} else {
			memcpy(part, *path, (size_t)(slash - *path));
			part[slash - *path] = '\0';
			*path = slash + 1;
			next = openat(fd, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
		}
		if (fd != root)
			close(fd);
		fd = next;
		if (fd < 0)
			break;
	}
	return fd;
}

int
mlb_open_at(int root, const char *dir, const char *path, int flags)
{
	char small[512];
	size_t dir_len = dir ? strlen(dir) : 0;
	size_t len = strlen(path);
	char *full = dir_len + len + 2 <= sizeof(small) ? small : mlb_alloc(dir_len + len + 2);
	const char *rest = full;
	int at, fd = -1, saved;

	if (dir_len) {
		memcpy(full, dir, dir_len);
		full[dir_len++] = '/';
	}
	memcpy(full + dir_len, path, len + 1);
	len += dir_len;
	if (len > 1 && full[len - 1] == '/') /* a slash at the end would follow a link */
		full[len - 1] = '\0';
	at = open_part(root, &rest);
	if (at >= 0)
		fd = openat(at, rest, flags | O_CLOEXEC);
	saved = errno;
	if (at >= 0 && at != root)
		close(at);
	if (full != small)
		free(full);
	errno = saved;
	return fd;
}

bool
mlb_racy(int64_t ctime, int64_t now)
{
	if (now == INT64_MIN)
		return true;
	return ctime > now - (ctime % 1000000000 ? MLB_RACY_NS : MLB_RACY_COARSE_NS);
}

static int
fail_read(const struct mlb_place *p, int errnum, struct mlb_err *err)
{
	const char *dir = p->dir && p->dir[0] ? p->dir : "";

	if (errnum == ECANCELED)
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	return mlb_err_errno(err, errnum, "cannot read '%s%s%s'", dir, dir[0] ? "/" : "", p->path);
}

static int
fail_place(const struct mlb_place *p, const char *what, struct mlb_err *err)
{
	const char *dir = p->dir && p->dir[0] ? p->dir : "";

	return mlb_err_set(err, MLB_EINVALID, "'%s%s%s' %s", dir, dir[0] ? "/" : "", p->path, what);
}

/* ------------------------------------------------------------ content */

/* Up to len bytes, fewer only at the end of the file; or -1 with errno. */
static ssize_t
read_full(int fd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, (char *)data + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int
hash_content(struct mlb_digest *out, int fd, uint64_t size, const struct mlb_place *p,
	     struct mlb_err *err)
{
	uint8_t data[READ_SIZE];
	int errnum = 0;

	/* If it shrank, its stat will tell. */
	if (size > sizeof(data)) {
		errnum = mlb_fd_hash(out, &size, fd, size, size, p->unless);
	} else {
		ssize_t n = read_full(fd, data, (size_t)size);

		errnum = n < 0 ? errno : 0;
		mlb_sha256_of(out, data, n > 0 ? (size_t)n : 0);
	}
	return errnum ? fail_read(p, errnum, err) : 0;
}

/* What comes back is only stored where the file stood still. */
static int
store_small(struct mlb_digest *out, int fd, const struct mlb_stat *before,
	    const struct mlb_place *p, struct mlb_cas *cas, struct mlb_err *err)
{
	char *data = mlb_alloc((size_t)before->size + 1);
	ssize_t n = read_full(fd, data, (size_t)before->size);
	int rc = 0;

	if (n < 0)
		rc = fail_read(p, errno, err);
	else
		rc = mlb_cas_put(cas, out, data, (size_t)n, err);
	free(data);
	return rc;
}

static int
store_large(struct mlb_digest *out, const struct mlb_place *p, struct mlb_cas *cas,
	    struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(MLB_TREE_PATH_MAX + (size_t)2 * PATH_MAX);
	uint64_t size;
	int rc;

	mlb_buf_addf(&path, "%s/%s%s%s", p->root_dir, p->dir ? p->dir : "",
		     p->dir && p->dir[0] ? "/" : "", p->path);
	rc = mlb_buf_check(&path, "a path", err);
	if (rc == 0)
		rc = mlb_cas_put_file(cas, out, &size, mlb_buf_str(&path), err);
	mlb_buf_release(&path);
	return rc;
}

/* With seen, *st says what it was before. */
static int
read_once(struct mlb_digest *out, struct mlb_stat *st, bool seen, int fd, const struct mlb_place *p,
	  struct mlb_cas *cas, bool *moved, struct mlb_err *err)
{
	struct mlb_stat after = { 0 };
	int errnum = seen ? 0 : mlb_stat_fd(st, fd);
	int rc;

	if (errnum)
		return fail_read(p, errnum, err);
	if (st->type != MLB_F_FILE)
		return fail_place(p, "is not a regular file any more: try again", err);
	if (!cas)
		rc = hash_content(out, fd, st->size, p, err);
	else if (st->size < MLB_CAS_SMALL)
		rc = store_small(out, fd, st, p, cas, err);
	else
		rc = store_large(out, p, cas, err);
	if (rc < 0)
		return rc;
	errnum = mlb_stat_fd(&after, fd);
	if (errnum)
		return fail_read(p, errnum, err);
	*moved = !mlb_stat_same(st, &after);
	if (!*moved)
		*st = after;
	return 0;
}

int
mlb_place_read(struct mlb_digest *out, struct mlb_stat *st, const struct mlb_place *p,
	       struct mlb_cas *cas, struct mlb_err *err)
{
	int flags = O_RDONLY | O_NOCTTY | O_NONBLOCK | (p->follow ? 0 : O_NOFOLLOW);

	for (int i = 0; i < TRIES; i++) {
		int fd = mlb_open_at(p->root, p->dir, p->path, flags);
		bool moved = false, seen = i == 0 && p->seen;
		int rc;

		if (fd < 0)
			return fail_read(p, errno, err);
		if (seen)
			*st = *p->seen;
		rc = read_once(out, st, seen, fd, p, cas, &moved, err);
		close(fd);
		if (rc < 0 || !moved)
			return rc;
	}
	return fail_place(p, "changes while it is read: stop what writes to it and try again", err);
}

static unsigned
depth_of(const char *path)
{
	unsigned depth = 0;

	while ((path = strchr(path, '/')) != NULL) {
		depth++;
		path++;
	}
	return depth;
}

static int
read_link(struct mlb_digest *out, struct mlb_stat *st, const struct mlb_place *p,
	  struct mlb_cas *cas, struct mlb_err *err)
{
	char text[MLB_TREE_LINK_MAX + 1];
	int fd = mlb_open_at(p->root, p->dir, p->path, O_PATH | O_NOFOLLOW);
	ssize_t n = -1;
	int errnum = fd < 0 ? errno : mlb_stat_fd(st, fd);
	int rc;

	if (errnum == 0 && st->type == MLB_F_SYMLINK) {
		n = readlinkat(fd, "", text, sizeof(text));
		errnum = n < 0 ? errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (errnum)
		return fail_read(p, errnum, err);
	if (n < 0)
		return fail_place(p, "is not a link any more: try again", err);
	rc = mlb_tree_check_link(text, (size_t)n, depth_of(p->path), err);
	if (rc < 0)
		return mlb_err_wrap(err, "'%s%s%s'", p->dir ? p->dir : "",
				    p->dir && p->dir[0] ? "/" : "", p->path);
	if (cas)
		return mlb_cas_put(cas, out, text, (size_t)n, err);
	mlb_sha256_of(out, text, (size_t)n);
	return 0;
}

int
mlb_seen_read(struct mlb_seen *seen, const struct mlb_place *p, struct mlb_cas *cas,
	      struct mlb_err *err)
{
	struct mlb_stat st = { 0 };
	const struct mlb_stat was = { .ino = seen->ino,
				      .size = seen->size,
				      .mtime = seen->mtime,
				      .ctime = seen->ctime,
				      .exec = seen->kind == MLB_T_EXEC,
				      .type = MLB_F_FILE };
	struct mlb_place at = *p;
	int rc;

	at.seen = seen->ino ? &was : NULL;
	if (seen->kind == MLB_T_LINK)
		rc = read_link(&seen->digest, &st, p, cas, err);
	else
		rc = mlb_place_read(&seen->digest, &st, &at, cas, err);
	if (rc < 0)
		return rc;
	mlb_seen_stat(seen, &st);
	seen->flags |= MLB_SEEN_KNOWN;
	return 0;
}

void
mlb_seen_stat(struct mlb_seen *seen, const struct mlb_stat *st)
{
	seen->ino = st->ino;
	seen->size = st->size;
	seen->mtime = st->mtime;
	seen->ctime = st->ctime;
	seen->flags = st->type == MLB_F_FILE && st->nlink > 1 ? MLB_SEEN_LINKED : 0;
	if (st->type == MLB_F_SYMLINK)
		seen->kind = MLB_T_LINK;
	else
		seen->kind = st->exec ? MLB_T_EXEC : MLB_T_FILE;
}
