/* What is in the way of a tree. */
#include "store/tree_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/fs.h"
#include "os/io.h"

#define MAX_NAMES 1000 /* for what is kept of one path */

void
mlb_keep_init(struct mlb_keep *k, const struct mlb_placing *p, const char *to, int root)
{
	k->p = p;
	k->to = to;
	k->root = root;
	k->fd = -1;
	pthread_mutex_init(&k->lock, NULL);
}

void
mlb_keep_release(struct mlb_keep *k)
{
	if (k->fd >= 0)
		close(k->fd);
	pthread_mutex_destroy(&k->lock);
}

static int
fail_at(const struct mlb_keep *k, const char *what, const char *path, struct mlb_err *err)
{
	return mlb_err_errno(err, errno, "cannot %s '%s/%s'", what, k->to, path);
}

static int
open_aside(struct mlb_keep *k, struct mlb_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&k->lock);
	if (k->fd < 0) {
		rc = mlb_fs_mkdirs(k->p->aside, err);
		if (rc == 0)
			k->fd = open(k->p->aside, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (rc == 0 && k->fd < 0)
			rc = mlb_err_errno(err, errno, "cannot open '%s'", k->p->aside);
	}
	pthread_mutex_unlock(&k->lock);
	return rc;
}

static int
move_far(const struct mlb_keep *k, const char *path, const char *kept, struct mlb_err *err)
{
	char *from = mlb_asprintf("%s/%s", k->to, path);
	char *to = mlb_asprintf("%s/%s", k->p->aside, kept);
	int rc = mlb_fs_move(from, to, err);

	free(to);
	free(from);
	return rc;
}

/* Of a directory a part may be kept already: then the rest gets a name of its own. */
static bool
is_taken(int e)
{
	return e == EEXIST || e == ENOTEMPTY || e == EISDIR || e == ENOTDIR;
}

/* 0 or errno */
static int
move_to(struct mlb_keep *k, int dir, const char *name, const char *kept)
{
	struct mlb_dir_at at = MLB_DIR_AT_INIT(k->fd);
	const char *slash = strrchr(kept, '/'), *last;
	char *parent = mlb_strndup(kept, slash ? (size_t)(slash + 1 - kept) : 0);
	const struct mlb_io *io = mlb_cas_io(k->p->cas);
	int e = mlb_mkdirs_at(k->fd, parent, io);
	int to = e ? -1 : mlb_dir_at(&at, kept, &last);

	if (!e && (to < 0 || io->renameat(io, dir, name, to, last) != 0))
		e = errno;
	mlb_dir_at_close(&at);
	free(parent);
	return e;
}

/* To the same path below the directory for what is kept. */
static int
move_aside(struct mlb_keep *k, int dir, const char *name, const char *path, struct mlb_err *err)
{
	char *kept = mlb_strdup(path);
	int e, rc = open_aside(k, err);

	if (rc == 0) {
		e = move_to(k, dir, name, kept);
		for (unsigned n = 1; is_taken(e) && n <= MAX_NAMES; n++) {
			free(kept);
			kept = mlb_asprintf("%s~%u", path, n);
			e = move_to(k, dir, name, kept);
		}
		errno = e;
		if (e == EXDEV)
			rc = move_far(k, path, kept, err);
		else if (e)
			rc = fail_at(k, "keep", path, err);
	}
	if (rc == 0)
		mlb_placed_add(k->p->count, 0, 0, 0, 1);
	free(kept);
	return rc;
}

bool
mlb_placing_may_lose(const struct mlb_placing *p, const struct mlb_digest *digest)
{
	if (p->spare && !mlb_digest_set_has(p->spare, digest))
		return false;
	return mlb_cas_sure(p->cas, digest);
}

/* Has the cache what is there now? What was seen of it, if it was, may be of an earlier time. */
static bool
is_recoverable(const struct mlb_keep *k, const char *path, const struct mlb_stat *st,
	       const struct mlb_seen *have)
{
	const struct mlb_place p = { k->root, k->to, NULL, path, false, NULL, NULL };
	struct mlb_seen now = { .path = path };

	if (st->type != MLB_F_FILE && st->type != MLB_F_SYMLINK)
		return false;
	mlb_seen_stat(&now, st);
	if (have && (have->flags & MLB_SEEN_KNOWN) && !(have->flags & MLB_SEEN_RACY) &&
	    now.ino == have->ino && now.size == have->size && now.mtime == have->mtime &&
	    (now.ctime == have->ctime || (now.flags & have->flags & MLB_SEEN_LINKED)))
		return mlb_placing_may_lose(k->p, &have->digest);
	/* What cannot be read, or be in a tree, is in no cache. */
	return mlb_seen_read(&now, &p, NULL, NULL) == 0 && mlb_placing_may_lose(k->p, &now.digest);
}

static int
remove_in_way(struct mlb_keep *k, const char *path, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s/%s", k->to, path);
	int rc = mlb_fs_remove_tree(full, err);

	free(full);
	return rc;
}

int
mlb_keep_unknown(struct mlb_keep *k, int dir, const char *name, const char *path,
		 const struct mlb_seen *have, bool *left, struct mlb_err *err)
{
	struct mlb_stat st;
	int errnum;

	*left = false;
	if (k->p->fresh || (!k->p->aside && !k->p->force))
		return 0;
	errnum = mlb_stat_at(&st, dir, name, false);
	if (errnum)
		return mlb_err_errno(err, errnum, "cannot examine '%s/%s'", k->to, path);
	if (st.type == MLB_F_ABSENT)
		return 0;
	if (k->p->force) {
		*left = st.type == MLB_F_DIR;
		return *left ? remove_in_way(k, path, err) : 0;
	}
	*left = !is_recoverable(k, path, &st, have);
	return *left ? move_aside(k, dir, name, path, err) : 0;
}
