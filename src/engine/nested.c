#include "engine/nested.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/runid.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/vcs_mirror.h"

enum { MAX_PATH_BYTES = 64 * 1024, MAX_CONFIG = 16 << 20, TRIES = 100 };

/* ---------------------------------------------------------- the private directory */

static char *
all_dir(const struct mlb_project *outer)
{
	return mlb_asprintf("%s/reproduce", outer->state_dir);
}

/* Is the file that we hold still the one of this name? Who sweeps removes a lock while holding it. */
static bool
is_still_ours(const struct mlb_lock *lock, const char *path)
{
	struct stat held, named;

	return fstat(lock->fd, &held) == 0 && stat(path, &named) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* What a killed process left: its lock is free. */
static void
sweep(const char *all)
{
	struct mlb_dirents list = MLB_VEC_INIT;

	if (mlb_fs_list(&list, all, NULL) < 0)
		list.n = 0;
	for (size_t i = 0; i < list.n; i++) {
		size_t len = strlen(list.v[i].name);
		struct mlb_lock lock = MLB_LOCK_INIT;
		bool got = false;
		char *path, *dir;

		if (len < 6 || strcmp(list.v[i].name + len - 5, ".lock") != 0)
			continue;
		path = mlb_asprintf("%s/%s", all, list.v[i].name);
		dir = mlb_strndup(path, strlen(path) - 5);
		if (mlb_lock_try(&lock, path, true, "sweeping", &got, NULL, NULL) == 0 && got &&
		    mlb_fs_remove_tree(dir, NULL) == 0)
			(void)mlb_fs_unlink(path, NULL);
		mlb_lock_release(&lock);
		free(dir);
		free(path);
	}
	mlb_dirents_release(&list);
}

/* A lock with a name of its own; others may sweep, and remove the directory around it, at the same time. */
static int
take_name(struct mlb_nested *n, const char *all, struct mlb_err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < TRIES && rc == 0; i++) {
		struct mlb_err why = MLB_ERR_INIT;
		char *id = mlb_new_run_id();
		bool got = false;

		rc = mlb_fs_mkdirs(all, err);
		n->dir = mlb_asprintf("%s/%s", all, id);
		n->lock_path = mlb_asprintf("%s.lock", n->dir);
		free(id);
		if (rc == 0 &&
		    mlb_lock_try(&n->lock, n->lock_path, true, "reproducing", &got, NULL, &why) &&
		    mlb_fs_exists(all))
			rc = mlb_err_set(err, why.code, "%s", why.text);
		mlb_err_release(&why);
		if (rc == 0 && got && is_still_ours(&n->lock, n->lock_path))
			return mlb_fs_mkdirs(n->dir, err);
		mlb_lock_release(&n->lock);
		free(n->lock_path);
		free(n->dir);
		n->lock_path = n->dir = NULL;
	}
	return rc ? rc : mlb_err_set(err, MLB_ESYSTEM, "cannot make a directory in '%s'", all);
}

int
mlb_nested_begin(struct mlb_nested *n, struct mlb_project *outer, struct mlb_err *err)
{
	char *all = all_dir(outer);
	int rc = mlb_project_state_dir(outer, err);

	n->outer = outer;
	sweep(all);
	if (rc == 0)
		rc = take_name(n, all, err);
	free(all);
	return rc;
}

void
mlb_nested_end(struct mlb_nested *n)
{
	char *all;

	if (!n->dir)
		return;
	all = all_dir(n->outer);
	if (mlb_fs_remove_tree(n->dir, NULL) == 0)
		(void)mlb_fs_unlink(n->lock_path, NULL);
	mlb_lock_release(&n->lock);
	(void)rmdir(all); /* not while others are in it */
	free(all);
	free(n->lock_path);
	free(n->dir);
	*n = (struct mlb_nested)MLB_NESTED_INIT;
}

bool
mlb_nested_cancelled(struct mlb_nested *n)
{
	struct pollfd fd = { n->outer->cancel_fd, POLLIN, 0 };

	return poll(&fd, 1, 0) > 0;
}

/* ---------------------------------------------------------- a commit's files */

void
mlb_nested_root_release(struct mlb_nested_root *r)
{
	for (size_t i = 0; i < r->absent.n; i++)
		free(r->absent.v[i].path);
	mlb_vec_release(&r->absent);
	free(r->path);
	free(r->top);
	*r = (struct mlb_nested_root){ 0 };
}

struct link {
	char *path;
	struct mlb_vcs_entry entry;
};

struct writing {
	struct mlb_nested *n;
	struct mlb_nested_root *r;
	const char *commit;
	struct mlb_buf to;
	MLB_VEC(struct link) link; /* made last, so that nothing is written through one */
};

static void
add_absent(struct mlb_nested_root *r, const char *path, const struct mlb_vcs_written *w, bool exec)
{
	struct mlb_nested_absent a = { .path = mlb_strdup(path), .exec = exec };

	if (w && mlb_digest_parse(&a.digest, w->lfs_digest, strlen(w->lfs_digest))) {
		a.lfs = true;
		a.size = w->lfs_size;
	}
	mlb_vec_push(&r->absent, a);
}

/* From its repository in the workspace. */
static int
write_submodule(struct writing *w, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	bool found;
	int rc = mlb_nested_submodule(w->r->path, w->n, e, &found, err);

	if (rc == 0 && !found)
		add_absent(w->r, e->path, NULL, false);
	return rc;
}

static int
write_entry(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	struct writing *w = ctx;
	struct mlb_vcs_written written;
	int rc;

	if (mlb_nested_cancelled(w->n))
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	if (mlb_path_inside(e->path, ".mlbuild"))
		return 0;
	if (e->kind == MLB_VCS_SUBMODULE)
		return write_submodule(w, e, err);
	if (e->kind == MLB_VCS_LINK) {
		struct link l = { mlb_strdup(e->path), *e };

		mlb_vec_push(&w->link, l);
		return 0;
	}
	mlb_path_join(&w->to, w->r->path, e->path);
	rc = mlb_fs_mkparents(mlb_buf_str(&w->to), err);
	if (rc == 0)
		rc = mlb_vcs_blob_write(w->n->outer->vcs, w->commit, e, mlb_buf_str(&w->to),
					&written, err);
	if (rc == 0 && written.is_lfs)
		add_absent(w->r, e->path, &written, e->kind == MLB_VCS_EXEC);
	return rc;
}

/* One that leaves the project means what it means in the workspace. */
static int
write_link(struct writing *w, const struct link *l, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_PATH_BYTES), place = MLB_BUF_INIT(MAX_PATH_BYTES),
		       normal = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_vcs_blob_read(w->n->outer->vcs, l->entry.id, &text, err);

	mlb_path_join(&w->to, w->r->path, l->path);
	if (rc == 0)
		rc = mlb_fs_mkparents(mlb_buf_str(&w->to), err);
	if (rc == 0 && mlb_buf_str(&text)[0] != '/') {
		mlb_path_dir(&place, l->path);
		mlb_buf_addf(&place, "/%s", mlb_buf_str(&text));
		if (mlb_path_normalize(&normal, mlb_buf_str(&place), NULL) != 0) {
			mlb_buf_clear(&text);
			mlb_buf_addf(&text, "%s/%s", w->n->outer->root, mlb_buf_str(&place));
		}
	}
	if (rc == 0 && symlink(mlb_buf_str(&text), mlb_buf_str(&w->to)) != 0)
		rc = mlb_err_errno(err, errno, "cannot make the link '%s'", mlb_buf_str(&w->to));
	mlb_buf_release(&normal);
	mlb_buf_release(&place);
	mlb_buf_release(&text);
	return rc;
}

/* What is not committed, but configures this machine. */
static int
copy_config(const struct mlb_nested_root *r, const struct mlb_project *outer, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_CONFIG);
	char *from = mlb_asprintf("%s/config.ini", outer->state_dir);
	char *to = mlb_asprintf("%s/.mlbuild/config.ini", r->path);
	int rc = 0;

	if (mlb_fs_exists(from)) {
		rc = mlb_fs_read(&text, from, err);
		if (rc == 0)
			rc = mlb_fs_mkparents(to, err);
		if (rc == 0)
			rc = mlb_fs_write(to, mlb_buf_str(&text), text.len, false, err);
	}
	mlb_buf_release(&text);
	free(to);
	free(from);
	return rc;
}

int
mlb_nested_tree(struct mlb_nested_root *out, struct mlb_nested *n, const char *commit,
		const char *name, struct mlb_err *err)
{
	struct writing w = {
		.n = n, .r = out, .commit = commit, .to = MLB_BUF_INIT(MAX_PATH_BYTES)
	};
	struct mlb_vcs *vcs = n->outer->vcs;
	int rc;

	*out = (struct mlb_nested_root){ 0 };
	out->top = mlb_asprintf("%s/%s", n->dir, name);
	out->path = mlb_asprintf("%s/%s", out->top, mlb_vcs_prefix(vcs));
	out->path[strlen(out->path) - 1] = '\0';
	rc = mlb_fs_mkdirs(out->path, err);
	if (rc == 0)
		rc = mlb_vcs_tree_each(vcs, commit, ".", write_entry, &w, err);
	for (size_t i = 0; i < w.link.n && rc == 0; i++)
		rc = write_link(&w, &w.link.v[i], err);
	if (rc == 0)
		rc = mlb_vcs_mirror(vcs, commit, out->top, err);
	if (rc == 0)
		rc = copy_config(out, n->outer, err);
	for (size_t i = 0; i < w.link.n; i++)
		free(w.link.v[i].path);
	mlb_vec_release(&w.link);
	mlb_buf_release(&w.to);
	return rc;
}

int
mlb_nested_expose(const struct mlb_nested_root *r, struct mlb_nested *n,
		  const struct mlb_config *config, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < config->expose.n && rc == 0; i++) {
		struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
		char *from = NULL, *to = NULL;

		/* What is wrong with it is said when the graph is compiled. */
		if (mlb_path_normalize(&path, config->expose.v[i].s, NULL) == 0) {
			from = mlb_project_path(n->outer, mlb_buf_str(&path));
			to = mlb_asprintf("%s/%s", r->path, mlb_buf_str(&path));
			if (mlb_fs_exists(from) && !mlb_fs_exists(to)) {
				rc = mlb_fs_mkparents(to, err);
				if (rc == 0 && symlink(from, to) != 0)
					rc = mlb_err_errno(err, errno, "cannot make the link '%s'",
							   to);
			}
		}
		mlb_buf_release(&path);
		free(from);
		free(to);
	}
	return rc;
}

/* ---------------------------------------------------------- a project there */

static void
share_with_outer(struct mlb_project *p, struct mlb_project *outer)
{
	int fd = fcntl(outer->cancel_fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0) {
		close(p->cancel_fd);
		p->cancel_fd = fd;
	}
	p->suspension = outer->suspension;
}

int
mlb_nested_project(struct mlb_project **out, struct mlb_nested *n,
		   const struct mlb_nested_open *open, struct mlb_err *err)
{
	const struct mlb_open o = { .dir = open->root->path,
				    .param = open->param,
				    .n_params = open->n_params };
	struct mlb_project *p;
	int rc = mlb_project_open(&p, &o, err);

	if (rc)
		return rc;
	share_with_outer(p, n->outer);
	p->past = (uint8_t)open->past;
	if (open->state_dir) {
		free(p->state_dir);
		p->state_dir = mlb_strdup(open->state_dir);
	}
	p->vcs_tried = true;
	p->vcs_why = mlb_strdup("");
	rc = mlb_vcs_mirror_open(&p->vcs, p->root, err);
	if (rc)
		mlb_project_close(p);
	else
		*out = p;
	return rc;
}

/* As mlb_project_cache_dir has it. */
static char *
cache_of(const struct mlb_project *outer, const char *dir)
{
	if (!dir[0])
		return mlb_asprintf("%s/cache/v1", outer->state_dir);
	if (dir[0] == '/')
		return mlb_asprintf("%s/v1", dir);
	return mlb_asprintf("%s/%s/v1", outer->root, dir);
}

char *
mlb_nested_cache(struct mlb_nested *n, const struct mlb_config *config)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	char *then = cache_of(n->outer, config->cache_dir);
	char *now = NULL;

	if (mlb_project_config(n->outer, &ignored) == 0)
		now = cache_of(n->outer, n->outer->config->cache_dir);
	mlb_err_release(&ignored);
	/* The commit may name another one than is in use today: it counts where it is there, and was chosen. */
	if (!now || (config->cache_dir[0] && mlb_fs_exists(then))) {
		free(now);
		return then;
	}
	free(then);
	return now;
}
