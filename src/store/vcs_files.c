/* The files that git tracks or would add. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

struct listing {
	struct mlb_vcs *v;
	struct mlb_strvec dirs;  /* of the work tree, still to be read; "" or "a/b/" */
	struct mlb_strvec found; /* paths of the work tree */
};

static bool
exists_below(const struct mlb_vcs *v, const char *dir, const char *name)
{
	char *full = mlb_asprintf("%s/%s%s", v->workdir, dir, name);
	bool exists = mlb_fs_exists(full);

	free(full);
	return exists;
}

/* Whether to look into a directory: git does not where it is ignored or another repository. */
static bool
is_open(struct mlb_vcs *v, const char *path)
{
	const git_index_entry *e = v->git.index_get_bypath(v->index, path, 0);

	if ((e && e->mode == GIT_FILEMODE_COMMIT) || mlb_git_rules_ignore(v, path, true))
		return false;
	return mlb_git_is_tracked(v, path) || !exists_below(v, path, "/.git");
}

static void
take_entry(struct listing *l, const char *dir, const struct mlb_dirent *e)
{
	char *path = mlb_asprintf("%s%s", dir, e->name);
	bool is_dir = e->type == MLB_F_DIR;

	if (is_dir && strcmp(e->name, ".git") != 0 && is_open(l->v, path))
		mlb_vec_push(&l->dirs, mlb_asprintf("%s/", path));
	if ((e->type == MLB_F_FILE || e->type == MLB_F_SYMLINK) &&
	    (l->v->git.index_find(NULL, l->v->index, path) == 0 ||
	     !mlb_git_rules_ignore(l->v, path, false)))
		mlb_strvec_push(&l->found, path);
	free(path);
}

static int
read_dirs(struct listing *l, struct mlb_err *err)
{
	int rc = 0;

	while (rc == 0 && l->dirs.n) {
		char *dir = l->dirs.v[--l->dirs.n];
		char *full = mlb_asprintf("%s/%s", l->v->workdir, dir);
		struct mlb_dirents entries = MLB_VEC_INIT;

		rc = mlb_fs_list(&entries, full, err);
		for (size_t i = 0; i < entries.n && rc == 0; i++)
			take_entry(l, dir, &entries.v[i]);
		mlb_dirents_release(&entries);
		free(full);
		free(dir);
	}
	return rc;
}

/* Whether a directory can be reached as git would: through directories, none of them shut. */
static bool
is_reachable(struct mlb_vcs *v, const char *path)
{
	char *part = mlb_strdup(path);
	bool open = true;

	for (char *s = part; s && s[0] && open;) {
		char *full;
		struct mlb_stat st;

		s = strchr(s + 1, '/');
		if (s)
			*s = '\0';
		full = mlb_asprintf("%s/%s", v->workdir, part);
		open = mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_DIR &&
		       is_open(v, part);
		free(full);
		if (s)
			*s = '/';
	}
	free(part);
	return open;
}

/* Whether a tracked file or link is there, not by way of a link to a directory. */
static bool
is_there(const struct mlb_vcs *v, const char *path)
{
	char *full = mlb_asprintf("%s/%s", v->workdir, path);
	size_t root = strlen(v->workdir);
	struct mlb_stat st;
	bool there = mlb_fs_lstat(&st, full, NULL) == 0 &&
		     (st.type == MLB_F_FILE || st.type == MLB_F_SYMLINK);

	for (char *slash = strrchr(full, '/'); there && slash > full + root;
	     slash = strrchr(full, '/')) {
		*slash = '\0';
		there = mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_DIR;
	}
	free(full);
	return there;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is tracked in an ignored directory; found is sorted before, and not after. */
static void
add_tracked(struct listing *l, const char *below)
{
	struct mlb_vcs *v = l->v;
	size_t seen = l->found.n, len = strlen(below);

	for (size_t i = 0; i < v->git.index_entrycount(v->index); i++) {
		const git_index_entry *e = v->git.index_get_byindex(v->index, i);

		if (strncmp(e->path, below, len) != 0 || e->mode == GIT_FILEMODE_COMMIT)
			continue;
		if (seen && bsearch(&e->path, l->found.v, seen, sizeof(*l->found.v), by_text))
			continue;
		if (is_there(v, e->path))
			mlb_strvec_push(&l->found, e->path);
	}
}

int
mlb_vcs_files(struct mlb_vcs *v, const char *dir, struct mlb_strvec *out, struct mlb_err *err)
{
	struct listing l = { v, MLB_VEC_INIT, MLB_VEC_INIT };
	char *path = mlb_strdup(mlb_git_path(v, dir));
	char *below = path[0] ? mlb_asprintf("%s/", path) : mlb_strdup("");
	int rc;

	v->look++;
	rc = mlb_git_index_refresh(v, err);
	if (rc == 0 && is_reachable(v, path)) {
		mlb_strvec_push(&l.dirs, below);
		rc = read_dirs(&l, err);
	}
	if (rc == 0) {
		mlb_strvec_sort(&l.found, false);
		add_tracked(&l, below);
		mlb_strvec_sort(&l.found, true);
		for (size_t i = 0; i < l.found.n; i++)
			mlb_strvec_push(out, l.found.v[i] + strlen(v->prefix));
	}
	mlb_strvec_release(&l.dirs);
	mlb_strvec_release(&l.found);
	free(below);
	free(path);
	return rc;
}
