/*
 * Remotes that are a directory: of this machine, or mounted (NFS, SMB). An absolute
 * path, or file:///path.
 *
 * 1. A name is a file below the root. It is written in .tmp/ beside, synced, and then
 *    given its name (dir_put.c); nothing is changed in place.
 * 2. Threads of a pool do what may block, a step at a time (dir_work.c); sink, entry
 *    and done are called on the owner's.
 * 3. A root that is not there is no empty remote: it may be a mount that is missing.
 *    It is not made.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "remotes/backends.h"
#include "remotes/dir_int.h"
#include "remotes/fault.h"
#include "remotes/url.h"

#define MOST 16

struct dir {
	struct mlb_remote base;
	char *name;            /* of the remote */
	char *root;            /* without a '/' at its end: "" is the root of all */
	struct mlb_pool *pool; /* NULL until something is asked */
	int wake;              /* eventfd */
	bool swept;            /* .tmp/ was looked through, or is being */
	/* Jobs whose step was taken, in order. */
	struct dir_job *first, *last;
};

/* ---------------------------------------------------------- how it fails */

static const char *
verb_text(enum mlb_remote_verb v)
{
	static const char *const text[] = { [MLB_REMOTE_GET] = "read",
					    [MLB_REMOTE_PUT] = "write",
					    [MLB_REMOTE_STAT] = "examine",
					    [MLB_REMOTE_LIST] = "list",
					    [MLB_REMOTE_DELETE] = "delete" };

	return text[v];
}

static enum mlb_remote_fault
fault_of(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
		return MLB_FAULT_FULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return MLB_FAULT_DENIED;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return MLB_FAULT_BUSY;
	case ENOENT: /* something was removed under our hands */
	case EIO:
	case ESTALE:
	case EAGAIN:
	case ETIMEDOUT:
	case EHOSTDOWN:
		return MLB_FAULT_TRANSIENT;
	default:
		return MLB_FAULT_OTHER;
	}
}

static void
fail(struct dir *d, struct dir_job *j)
{
	struct mlb_remote_op *op = j->op;
	bool reads = op->verb == MLB_REMOTE_GET || op->verb == MLB_REMOTE_STAT;
	char room[128];

	if (j->placeless)
		mlb_remote_fail(op, MLB_FAULT_PLACE,
				"remote '%s': there is no directory '%s': mount it, or make it "
				"(mkdir) if it is to be new",
				d->name, *d->root ? d->root : "/");
	else if (reads && (j->e == ENOENT || j->e == ENOTDIR))
		mlb_remote_fail(op, MLB_FAULT_ABSENT, "remote '%s' has no '%s'", d->name, op->name);
	else if (j->e == EEXIST && op->if_absent)
		mlb_remote_fail(op, MLB_FAULT_EXISTS, "remote '%s' has '%s' already", d->name,
				op->name);
	else
		mlb_remote_fail(op, fault_of(j->e), "cannot %s '%s/%s' of remote '%s': %s",
				verb_text(op->verb), d->root, j->which ? j->which : op->name,
				d->name, strerror_r(j->e, room, sizeof(room)));
}

/* ---------------------------------------------------------- steps */

static void
add_ready(struct dir *d, struct dir_job *j)
{
	j->ready = NULL;
	if (d->first)
		d->last->ready = j;
	else
		d->first = j;
	d->last = j;
}

static void
take_ready(struct dir *d, struct dir_job *j)
{
	struct dir_job *before = NULL;

	for (struct dir_job *i = d->first; i != j; i = i->ready)
		before = i;
	if (before)
		before->ready = j->ready;
	else
		d->first = j->ready;
	if (d->last == j)
		d->last = before;
}

static void
stepped(struct mlb_task *t)
{
	struct dir_job *j = (struct dir_job *)t;

	j->busy = false;
	add_ready(j->dir, j);
}

static void
take_step(struct dir *d, struct dir_job *j)
{
	j->busy = true;
	mlb_pool_add(d->pool, &j->task);
}

static void
end(struct dir_job *j)
{
	struct mlb_remote_op *op = j->op;

	dir_job_release(j);
	op->backend = NULL;
	op->done(op);
}

static int
give_entries(struct dir_job *j)
{
	int rc = 0;

	for (size_t i = 0; i < j->entries.n; i++) {
		const struct mlb_remote_entry e = { .name = j->entries.v[i].name,
						    .size = j->entries.v[i].size,
						    .mtime = j->entries.v[i].mtime };

		if (!rc)
			rc = j->op->entry(j->op, &e, &j->op->err);
		free(j->entries.v[i].name);
	}
	j->entries.n = 0;
	return rc;
}

/* What a step has brought goes to the caller. */
static int
give(struct dir_job *j)
{
	struct mlb_remote_op *op = j->op;
	int rc = 0;

	op->total = op->verb == MLB_REMOTE_PUT ? 0 : j->total;
	op->mtime = j->mtime;
	if (op->verb == MLB_REMOTE_PUT)
		op->moved = j->at;
	else if (op->verb == MLB_REMOTE_DELETE)
		op->moved = j->got;
	else if (op->verb == MLB_REMOTE_LIST)
		rc = give_entries(j);
	else if (j->got)
		rc = op->sink(op, j->room, j->got, &op->err);
	if (!rc && op->verb == MLB_REMOTE_GET)
		op->moved += j->got;
	return rc;
}

/* A directory that is not there is empty, where the root is. */
static bool
is_empty_list(const struct dir_job *j)
{
	return j->op->verb == MLB_REMOTE_LIST && (j->e == ENOENT || j->e == ENOTDIR) &&
	       !j->placeless;
}

static void
go_on(struct dir *d, struct dir_job *j)
{
	int rc = j->e || j->op->rc ? 0 : give(j);

	if (rc)
		mlb_remote_fail_caller(j->op, rc);
	else if (j->e && !is_empty_list(j))
		fail(d, j);
	if (j->e || j->last || j->op->rc)
		end(j);
	else
		take_step(d, j);
}

/* ---------------------------------------------------------- the backend */

static int
check_url(char **root, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct mlb_url u;
	int rc = mlb_url_parse(&u, c->url, err);

	if (!rc && *u.host && strcmp(u.host, "localhost") != 0)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "the files of host '%s' are not those of this machine: write "
				 "file:///PATH with three '/', or %s:PATH to reach it by ssh",
				 u.host, u.host);
	else if (!rc && (u.query || *u.path != '/'))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "a directory is written as /PATH or file:///PATH, with '?' and "
				 "'#' of the latter as %%3F and %%23");
	if (rc) {
		mlb_err_wrap(err, "remote '%s'", c->name);
	} else {
		size_t n = strlen(u.path);

		while (n && u.path[n - 1] == '/')
			n--;
		*root = mlb_strndup(u.path, n);
	}
	mlb_url_release(&u);
	return rc;
}

static void
dir_close(struct mlb_remote *r)
{
	struct dir *d = (struct dir *)r;

	if (!d)
		return;
	mlb_pool_free(d->pool);
	if (d->wake >= 0)
		close(d->wake);
	free(d->name);
	free(d->root);
	free(d);
}

static int
dir_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct dir *d = mlb_calloc(1, sizeof(*d));
	int rc;

	d->base.backend = &mlb_remote_dir;
	d->name = mlb_strdup(c->name);
	d->wake = -1;
	rc = check_url(&d->root, c, err);
	if (!rc) {
		d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (d->wake < 0)
			rc = mlb_err_errno(err, errno, "cannot make an event descriptor");
	}
	if (rc) {
		dir_close(&d->base);
		return rc;
	}
	*out = &d->base;
	return 0;
}

static void
dir_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct dir *d = (struct dir *)r;
	struct dir_job *j = mlb_calloc(1, sizeof(*j));

	mlb_remote_begin(op);
	op->backend = j;
	j->task.work = dir_step;
	j->task.done = stepped;
	j->op = op;
	j->dir = d;
	j->root = d->root;
	j->fd = -1;
	if (op->name)
		j->path = mlb_asprintf("%s/%s", d->root, op->name);
	if (op->verb == MLB_REMOTE_PUT) {
		j->sweep = !d->swept;
		d->swept = true;
	}
	if (d->pool || mlb_pool_new(&d->pool, MOST, &op->err) == 0) {
		take_step(d, j);
		return;
	}
	/* It ends in wait; no thread of ours takes part in that. */
	op->rc = op->err.code;
	op->fault = MLB_FAULT_BUSY;
	j->last = true;
	add_ready(d, j);
}

static int
dir_wait(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	struct dir *d = (struct dir *)r;
	struct pollfd fds[] = { { .fd = d->wake, .events = POLLIN },
				{ .fd = d->pool ? mlb_pool_fd(d->pool) : -1, .events = POLLIN } };
	uint64_t count;

	if (poll(fds, MLB_ARRAY_LEN(fds), d->first ? 0 : timeout) < 0 && errno != EINTR)
		return mlb_err_errno(err, errno, "cannot wait for files of remote '%s'", d->name);
	while (read(d->wake, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	if (d->pool)
		mlb_pool_dispatch(d->pool);
	while (d->first) {
		struct dir_job *j = d->first;

		d->first = j->ready;
		go_on(d, j);
	}
	return 0;
}

static void
dir_wake(struct mlb_remote *r)
{
	uint64_t one = 1;

	while (write(((struct dir *)r)->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void
dir_cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct dir *d = (struct dir *)r;
	struct dir_job *j = op->backend;
	struct pollfd fd = { .fd = d->pool ? mlb_pool_fd(d->pool) : -1, .events = POLLIN };

	/* A step cannot be left: it reads and writes what the caller will free. */
	while (j->busy)
		if (poll(&fd, 1, -1) > 0)
			mlb_pool_dispatch(d->pool);
	take_ready(d, j);
	if (op->verb == MLB_REMOTE_PUT && j->last && !j->e)
		give(j); /* it has its name already */
	else
		mlb_remote_fail(op, MLB_FAULT_CANCELLED, "cancelled");
	end(j);
}

static const char *const schemes[] = { "", "file", NULL };
static const char *const keys[] = { NULL };

const struct mlb_remote_backend mlb_remote_dir = {
	.abi = MLB_REMOTE_ABI,
	.name = "dir",
	.summary = "a directory of this machine or mounted on it: /PATH, file:///PATH",
	.schemes = schemes,
	.keys = keys,
	.most = MOST,
	.open = dir_open,
	.start = dir_start,
	.wait = dir_wait,
	.wake = dir_wake,
	.cancel = dir_cancel,
	.close = dir_close,
};
