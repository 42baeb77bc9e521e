/* Roots: whose word it is that something is needed. */
#include <stdlib.h>
#include <string.h>

#include "engine/commits.h"
#include "engine/experiment.h"
#include "engine/gc.h"
#include "os/fs.h"
#include "os/path.h"

enum {
	MAX_LOCK = 1 << 30,
	MAX_PATH_BYTES = 64 * 1024,
	DAY_SECONDS = 24 * 60 * 60,
	AWAY_DAYS = 30 /* a disk may be away for so long, whatever --keep-days says */
};

/* ---------------------------------------------------------- locks */

static void
take_text(struct mlb_gc_state *s, struct mlb_lockfile *lock, const char *text, size_t len)
{
	if (lock)
		mlb_needs_of_lock(&s->own, lock);
	else
		mlb_needs_of_text(&s->own, text, len);
}

static void
take_lock(void *ctx, struct mlb_lockfile *lock, const char *text, size_t len)
{
	take_text(ctx, lock, text, len);
}

static int
take_foreign(void *ctx, const char *text, size_t len, struct mlb_err *err)
{
	struct mlb_lockfile lock;

	(void)err;
	mlb_lockfile_init(&lock);
	take_text(ctx, mlb_lockfile_parse(&lock, text, len, NULL) == 0 ? &lock : NULL, text, len);
	mlb_lockfile_release(&lock);
	return 0;
}

/* Of a repository that libgit2 cannot read, which has no pins, git tells what branches and tags need. */
static int
take_unreadable(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_vcs_foreign_each(s->p->root, "mlbuild.lock", take_foreign, s, &why);

	if (rc)
		mlb_err_set(err, MLB_ESYSTEM,
			    "what branches and tags need is not known (%s; %s): nothing is removed",
			    s->p->vcs_why, why.text);
	mlb_err_release(&why);
	return rc ? MLB_ESYSTEM : 0;
}

static int
take_own_lock(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	char *path = mlb_project_path(s->p, "mlbuild.lock");
	struct mlb_lockfile lock;
	int rc = mlb_fs_exists(path) ? mlb_fs_read(&text, path, err) : 0;

	mlb_lockfile_init(&lock);
	if (rc == 0)
		take_text(s,
			  mlb_lockfile_parse(&lock, mlb_buf_str(&text), text.len, NULL) == 0 ? &lock
											     : NULL,
			  mlb_buf_str(&text), text.len);
	mlb_lockfile_release(&lock);
	mlb_buf_release(&text);
	free(path);
	return rc;
}

/* ---------------------------------------------------------- experiments */

/* Those that git has are references. */
static int
take_experiments(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_experiment_list l;
	int rc = mlb_experiment_list(&l, s->p, err);

	for (size_t i = 0; i < l.all.n && rc == 0; i++) {
		struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
		struct mlb_lockfile lock;

		mlb_lockfile_init(&lock);
		if (!l.all.v[i].shared)
			rc = mlb_experiment_lock(s->p, &l.all.v[i], &text, err);
		if (rc == 0 && text.len)
			take_text(s,
				  mlb_lockfile_parse(&lock, mlb_buf_str(&text), text.len, NULL) == 0
					  ? &lock
					  : NULL,
				  mlb_buf_str(&text), text.len);
		mlb_lockfile_release(&lock);
		mlb_buf_release(&text);
	}
	mlb_experiment_list_release(&l);
	return rc;
}

static void
keep_own(struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->own.root.n; i++)
		mlb_gc_keep_root(s, s->own.root.v[i].kind, &s->own.root.v[i].digest);
}

/* ---------------------------------------------------------- other projects */

static bool
is_project(const char *dir)
{
	char *ini = mlb_asprintf("%s/mlbuild.ini", dir);
	bool is = mlb_fs_exists(ini);

	free(ini);
	return is;
}

/* Does a directory with this path hold anything? Where a disk was mounted there is an empty one, or none. */
static bool
holds_something(const char *dir)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	bool any = mlb_fs_list(&list, dir, NULL) == 0 && list.n;

	mlb_dirents_release(&list);
	return any;
}

/*
 * Of a disk that is only away nothing is to be seen. The directory that the project
 * was in says that it is not: by being the one of then, on the same file system; or,
 * where that was not written down, by what is in it.
 */
static bool
is_disk_here(const struct mlb_roots *r)
{
	struct mlb_buf parent = MLB_BUF_INIT(MAX_PATH_BYTES);
	bool here;

	mlb_path_dir(&parent, r->dir);
	if (mlb_fs_exists(r->dir))
		here = holds_something(r->dir);
	else if (r->on)
		here = mlb_fs_whereabouts(r->dir) == r->on;
	else
		here = holds_something(mlb_buf_str(&parent));
	mlb_buf_release(&parent);
	return here;
}

/* A project that was on this machine and has not been there for long needs nothing. */
static bool
is_gone(const struct mlb_gc_state *s, const struct mlb_roots *r, const char *host, int64_t mtime)
{
	int64_t days = s->opt->keep_days > AWAY_DAYS ? s->opt->keep_days : AWAY_DAYS;

	return host[0] && r->host && strcmp(r->host, host) == 0 && r->dir && r->dir[0] == '/' &&
	       mtime <= s->now - days * DAY_SECONDS * 1000000000 && !is_project(r->dir) &&
	       is_disk_here(r);
}

/* Ours, from when the project had another name. */
static bool
is_own(const struct mlb_gc_state *s, const struct mlb_roots *r, const char *host)
{
	return r->host && r->dir && strcmp(r->host, host) == 0 && strcmp(r->dir, s->p->root) == 0;
}

static int
take_roots(struct mlb_gc_state *s, const char *path, const char *host, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_roots r = { 0 };
	struct mlb_stat st;
	int rc = mlb_fs_lstat(&st, path, err);

	if (rc == 0 && st.type == MLB_F_ABSENT)
		return 0;
	if (rc == 0)
		rc = mlb_fs_read(&text, path, err);
	if (rc == 0 && mlb_roots_parse(&r, mlb_buf_str(&text), text.len, NULL) != 0) {
		rc = mlb_err_set(err, MLB_ECORRUPT,
				 "'%s' cannot be read, so that nobody knows what that project "
				 "needs: nothing is removed; a build there writes it anew",
				 path);
	} else if (rc == 0 && (is_own(s, &r, host) || is_gone(s, &r, host, st.mtime))) {
		mlb_strvec_push(&s->dead_roots, path);
	} else if (rc == 0) {
		for (size_t i = 0; i < r.root.n; i++)
			mlb_gc_keep_root(s, r.root.v[i].kind, &r.root.v[i].digest);
	}
	mlb_roots_release(&r);
	mlb_buf_release(&text);
	return rc;
}

static int
take_others(struct mlb_gc_state *s, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/roots", s->inv.dir), *own = mlb_needs_path(s->p);
	char *host = mlb_needs_host();
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		if (!mlb_needs_is_temporary(list.v[i].name) && strcmp(path, own) != 0 &&
		    list.v[i].type == MLB_F_FILE)
			rc = take_roots(s, path, host, err);
		free(path);
	}
	mlb_dirents_release(&list);
	free(host);
	free(own);
	free(dir);
	return rc;
}

int
mlb_gc_keep_roots(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_commits commits = { .p = s->p,
				       .seen = MLB_STRMAP_INIT,
				       .arena = MLB_ARENA_INIT,
				       .fn = take_lock,
				       .ctx = s };
	int rc = take_own_lock(s, err);

	if (rc == 0)
		rc = mlb_project_vcs(s->p, err);
	if (rc == 0 && !s->p->vcs && mlb_vcs_near(s->p->root))
		rc = take_unreadable(s, err);
	if (rc == 0 && s->p->vcs)
		rc = mlb_commits_take_all(&commits, err);
	if (rc == 0)
		rc = take_experiments(s, err);
	if (rc == 0)
		rc = take_others(s, err);
	if (rc == 0) {
		mlb_roots_sort(&s->own);
		keep_own(s);
	}
	mlb_gc_keep_young(s);
	mlb_gc_keep_recent(s);
	/* After all else, by which results were kept. They may keep more. */
	if (rc == 0 && s->p->vcs)
		rc = mlb_gc_take_pins(s, err);
	if (rc == 0) {
		mlb_roots_sort(&s->own);
		keep_own(s);
	}
	mlb_commits_release(&commits);
	return rc;
}
