#include "engine/job_files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "os/fs.h"
#include "os/path.h"

#define MAX_NAME 200 /* bytes of a file name that is made from a node's */
#define ID_LEN 32
#define MAX_NESTING 16

/* ------------------------------------------------------------------ names */

bool
mlb_jobfiles_is_job(const char *job)
{
	for (int depth = 0; job && depth < MAX_NESTING; depth++) {
		if (strspn(job, "0123456789abcdef") != ID_LEN)
			return false;
		job += ID_LEN;
		if (job[0] == '\0')
			return true;
		if (*job++ != '/')
			return false;
	}
	return false;
}

void
mlb_jobfiles_name(struct mlb_buf *out, const char *name)
{
	size_t len = strlen(name);

	mlb_buf_clear(out);
	if (name[0] == '.' || name[0] == '\0')
		mlb_buf_addc(out, '_');
	for (size_t i = 0; i < len && out->len < MAX_NAME; i++)
		mlb_buf_addc(out, name[i] == '/' ? '_' : name[i]);
	if (len > MAX_NAME)
		mlb_buf_addf(out, "-%016llx", (unsigned long long)mlb_hash64(name, len, 0));
}

static void
state_path(struct mlb_buf *out, const struct mlb_jobfiles *f, const char *folder,
	   const char *suffix)
{
	struct mlb_buf name = MLB_BUF_INIT(PATH_MAX);

	mlb_jobfiles_name(&name, f->name);
	mlb_buf_clear(out);
	mlb_buf_addf(out, "%s/%s/%s%s", f->state_dir, folder, mlb_buf_str(&name), suffix);
	mlb_buf_release(&name);
}

void
mlb_jobfiles_failed_dir(struct mlb_buf *out, const struct mlb_jobfiles *f)
{
	state_path(out, f, "failed", "");
}

void
mlb_jobfiles_log_path(struct mlb_buf *out, const struct mlb_jobfiles *f)
{
	state_path(out, f, "logs", ".log");
}

void
mlb_jobfiles_aside_dir(struct mlb_buf *out, const struct mlb_jobfiles *f)
{
	mlb_buf_clear(out);
	mlb_buf_addf(out, "%s/tmp/%s", f->state_dir, f->id);
}

static void
aside_path(struct mlb_buf *out, const struct mlb_jobfiles *f, size_t i)
{
	mlb_jobfiles_aside_dir(out, f);
	mlb_buf_addf(out, "/%zu", i);
}

/* Where an old output goes that cannot be renamed into .mlbuild: it rests on another file system. */
static void
beside_path(struct mlb_buf *out, const struct mlb_jobfiles *f, size_t i)
{
	const char *path = f->file.v[i].path;

	mlb_buf_clear(out);
	mlb_buf_addf(out, "%s/%.*s.mlbuild-%s.%zu", f->root, (int)(mlb_path_base(path) - path),
		     path, f->id, i);
}

static void
output_path(struct mlb_buf *out, const struct mlb_jobfiles *f, size_t i)
{
	mlb_buf_clear(out);
	mlb_buf_addf(out, "%s/%s", f->root, f->file.v[i].path);
}

void
mlb_jobfiles_release(struct mlb_jobfiles *f)
{
	mlb_vec_release(&f->file);
}

/* -------------------------------------------------------------- beforehand */

int
mlb_jobfiles_look(struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	for (size_t i = 0; i < f->file.n && rc == 0; i++) {
		struct stat st;
		output_path(&path, f, i);
		rc = mlb_buf_check(&path, "the path of an output", err);
		if (rc)
			break;
		f->file.v[i].had_old = lstat(path.data, &st) == 0;
		if (!f->file.v[i].had_old && errno != ENOENT && errno != ENOTDIR)
			rc = mlb_err_errno(err, errno, "cannot look at '%s'", path.data);
	}
	mlb_buf_release(&path);
	return rc;
}

int
mlb_jobfiles_make_aside(struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	if (f->aside)
		return 0;
	mlb_jobfiles_aside_dir(&dir, f);
	if (mkdir(mlb_buf_str(&dir), 0777) != 0)
		rc = mlb_fs_mkdirs(mlb_buf_str(&dir), err);
	f->aside = rc == 0;
	mlb_buf_release(&dir);
	return rc;
}

static int
move_aside(struct mlb_jobfiles *f, size_t i, const char *path, struct mlb_err *err)
{
	struct mlb_buf to = MLB_BUF_INIT(PATH_MAX);
	int rc = mlb_jobfiles_make_aside(f, err);

	if (rc == 0) {
		aside_path(&to, f, i);
		if (rename(path, mlb_buf_str(&to)) != 0) {
			if (errno == EXDEV) {
				beside_path(&to, f, i);
				rc = mlb_fs_rename(path, mlb_buf_str(&to), err);
			} else {
				rc = mlb_err_errno(err, errno, "cannot set '%s' aside", path);
			}
		}
	}
	mlb_buf_release(&to);
	return rc;
}

/* The parents of an output, remembering what was there before. */
static int
make_parents(struct mlb_jobfiles *f, size_t i, const char *path, struct mlb_err *err)
{
	char *dir = mlb_strdup(path);
	size_t root_len = strlen(f->root), made = 0, len;
	int rc = 0;

	for (len = strlen(dir);;) {
		while (dir[len - 1] != '/')
			len--;
		dir[len--] = '\0'; /* with its slash: a file in this place is not a parent */
		if (len <= root_len || access(dir, F_OK) == 0)
			break;
		made = len - root_len - 1;
	}
	if (made) {
		f->file.v[i].made = mlb_arena_strndup(f->arena, f->file.v[i].path, made);
		rc = mlb_fs_mkparents(path, err);
	}
	free(dir);
	return rc;
}

int
mlb_jobfiles_set_aside(struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	for (size_t i = 0; i < f->file.n && rc == 0; i++) {
		output_path(&path, f, i);
		rc = mlb_buf_check(&path, "the path of an output", err);
		if (rc == 0)
			rc = f->file.v[i].had_old ? move_aside(f, i, path.data, err)
						  : make_parents(f, i, path.data, err);
		if (rc == 0 && f->file.v[i].kind == MLB_G_DIR && mkdir(path.data, 0777) != 0)
			rc = mlb_err_errno(err, errno, "cannot make the directory '%s'", path.data);
	}
	mlb_buf_release(&path);
	return rc;
}

/* -------------------------------------------------------------- afterwards */

static const char *
what_is(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return "file";
	if (S_ISDIR(st->st_mode))
		return "directory";
	if (S_ISLNK(st->st_mode))
		return "symbolic link";
	return S_ISSOCK(st->st_mode) ? "socket" : S_ISFIFO(st->st_mode) ? "named pipe" : "device";
}

static bool
check_one(struct mlb_jobfiles *f, size_t i, struct mlb_buf *path, struct mlb_buf *reason)
{
	const struct mlb_jobfile *o = &f->file.v[i];
	bool want_dir = o->kind == MLB_G_DIR;
	struct stat st;

	output_path(path, f, i);
	if (lstat(mlb_buf_str(path), &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			mlb_buf_addf(reason, "did not make '%s'", o->path);
		else
			mlb_buf_addf(reason, "cannot look at '%s': %s", o->path, strerror(errno));
		return false;
	}
	if (want_dir ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode))
		return true;
	mlb_buf_addf(reason, "made a %s '%s' where a %s is declared", what_is(&st), o->path,
		     want_dir ? "directory" : "file");
	if (!want_dir && S_ISDIR(st.st_mode) && o->kind != MLB_G_METRICS)
		mlb_buf_addf(reason, "; write 'out = %s/' for a directory", o->path);
	return false;
}

void
mlb_jobfiles_check(struct mlb_jobfiles *f, const char **bad, struct mlb_buf *reason)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	struct mlb_buf more = MLB_BUF_INIT(PATH_MAX * 2);
	size_t n_bad = 0;

	*bad = NULL;
	for (size_t i = 0; i < f->file.n; i++) {
		if (check_one(f, i, &path, n_bad ? &more : reason))
			continue;
		if (n_bad++ == 0)
			*bad = f->file.v[i].path;
	}
	if (n_bad > 1)
		mlb_buf_addf(reason, " (and %zu more)", n_bad - 1);
	mlb_buf_release(&more);
	mlb_buf_release(&path);
}

/* ---------------------------------------------------------------- undoing */

void
mlb_jobfiles_clear_failed(struct mlb_jobfiles *f)
{
	struct mlb_buf dir = MLB_BUF_INIT(PATH_MAX);

	mlb_jobfiles_failed_dir(&dir, f);
	if (access(mlb_buf_str(&dir), F_OK) == 0)
		(void)mlb_fs_remove_tree(mlb_buf_str(&dir), NULL);
	mlb_buf_release(&dir);
}

/* Out of the way with what the job left: into failed/, or gone if it cannot be kept. */
static int
clear_place(struct mlb_jobfiles *f, size_t i, const char *path, struct mlb_err *err)
{
	struct mlb_buf to = MLB_BUF_INIT(PATH_MAX);
	struct stat st;
	int rc;

	if (lstat(path, &st) != 0)
		return 0;
	if (S_ISDIR(st.st_mode) && rmdir(path) == 0)
		return 0; /* made by us, and left empty */
	mlb_jobfiles_failed_dir(&to, f);
	mlb_buf_addf(&to, "/%s", f->file.v[i].path);
	rc = mlb_buf_check(&to, "the path of an output", NULL);
	if (rc == 0)
		rc = mlb_fs_mkparents(to.data, NULL);
	if (rc == 0)
		rc = mlb_fs_move(path, to.data, NULL);
	if (rc == 0)
		f->kept = true;
	else
		rc = mlb_fs_remove_tree(path, err);
	mlb_buf_release(&to);
	return rc;
}

/* The old self of an output, or false. */
static bool
find_old(struct mlb_buf *old, const struct mlb_jobfiles *f, size_t i)
{
	struct stat st;

	aside_path(old, f, i);
	if (lstat(mlb_buf_str(old), &st) == 0)
		return true;
	beside_path(old, f, i);
	return lstat(mlb_buf_str(old), &st) == 0;
}

static int
undo_one(struct mlb_jobfiles *f, size_t i, struct mlb_buf *path, struct mlb_buf *old,
	 struct mlb_err *err)
{
	const struct mlb_jobfile *o = &f->file.v[i];
	int rc;

	output_path(path, f, i);
	if (o->had_old && !find_old(old, f, i))
		return 0; /* it is in its place: not yet set aside, or back already */
	rc = clear_place(f, i, mlb_buf_str(path), err);
	if (rc == 0 && o->had_old) {
		if (rename(mlb_buf_str(old), mlb_buf_str(path)) != 0) {
			rc = mlb_fs_mkparents(mlb_buf_str(path), err);
			if (rc == 0)
				rc = mlb_fs_rename(mlb_buf_str(old), mlb_buf_str(path), err);
		}
	}
	return rc;
}

int
mlb_jobfiles_undo(struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX), old = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	for (size_t i = 0; i < f->file.n; i++) {
		int r = undo_one(f, i, &path, &old, rc ? NULL : err);
		rc = rc ? rc : r;
	}
	mlb_buf_release(&old);
	mlb_buf_release(&path);
	return rc;
}

void
mlb_jobfiles_remove_made(const struct mlb_jobfiles *f, size_t i)
{
	const struct mlb_jobfile *o = &f->file.v[i];
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX), stop = MLB_BUF_INIT(PATH_MAX);

	output_path(&path, f, i);
	mlb_buf_addf(&stop, "%s/%s", f->root, o->made);
	mlb_buf_truncate(&stop, (size_t)(strrchr(mlb_buf_str(&stop), '/') - mlb_buf_str(&stop)));
	(void)mlb_fs_rmdir_empty_parents(mlb_buf_str(&path), mlb_buf_str(&stop));
	mlb_buf_release(&stop);
	mlb_buf_release(&path);
}

bool
mlb_jobfiles_keeps(const struct mlb_jobfiles *f)
{
	for (size_t i = 0; i < f->file.n; i++)
		if (f->file.v[i].had_old && f->file.v[i].keep)
			return true;
	return false;
}

int
mlb_jobfiles_keep(struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf old = MLB_BUF_INIT(PATH_MAX);
	bool *moved = mlb_calloc(f->file.n + 1, sizeof(*moved));
	int rc = 0;

	for (size_t i = 0; i < f->file.n && rc == 0; i++) {
		const struct mlb_jobfile *o = &f->file.v[i];

		if (!o->had_old || !o->keep || !find_old(&old, f, i))
			continue;
		rc = mlb_fs_mkparents(o->keep, err);
		if (rc == 0) /* half a copy, of one who died making it */
			rc = mlb_fs_remove_tree(o->keep, err);
		if (rc == 0)
			rc = mlb_fs_move(mlb_buf_str(&old), o->keep, err);
		moved[i] = rc == 0;
	}
	for (size_t i = 0; i < f->file.n && rc; i++) {
		aside_path(&old, f, i);
		if (moved[i])
			(void)mlb_fs_move(f->file.v[i].keep, mlb_buf_str(&old), NULL);
	}
	free(moved);
	mlb_buf_release(&old);
	return rc;
}

void
mlb_jobfiles_drop(struct mlb_jobfiles *f)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);

	if (!f->aside)
		return;
	for (size_t i = 0; i < f->file.n; i++) {
		if (!f->file.v[i].had_old)
			continue;
		aside_path(&path, f, i);
		if (unlink(mlb_buf_str(&path)) == 0)
			continue;
		if (errno == ENOENT)
			beside_path(&path, f, i);
		(void)mlb_fs_remove_tree(mlb_buf_str(&path), NULL);
	}
	mlb_jobfiles_aside_dir(&path, f);
	if (rmdir(mlb_buf_str(&path)) != 0)
		(void)mlb_fs_remove_tree(mlb_buf_str(&path), NULL);
	f->aside = false;
	mlb_buf_release(&path);
}
