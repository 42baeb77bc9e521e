#include "store/vcs.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/path.h"
#include "store/vcs_git.h"

int
mlb_git_fail(struct mlb_vcs *v, struct mlb_err *err, enum mlb_code code, const char *fmt, ...)
{
	const git_error *last = v->git.error_last();
	char *what;
	va_list ap;

	va_start(ap, fmt);
	mlb_vasprintf(&what, fmt, ap);
	va_end(ap);
	if (last && last->message)
		mlb_err_set(err, code, "%s: %s", what, last->message);
	else
		mlb_err_set(err, code, "%s", what);
	free(what);
	return code;
}

const char *
mlb_git_path(struct mlb_vcs *v, const char *path)
{
	mlb_buf_clear(&v->path);
	mlb_buf_adds(&v->path, v->prefix);
	if (strcmp(path, ".") != 0)
		mlb_buf_adds(&v->path, path);
	else if (v->path.len)
		mlb_buf_truncate(&v->path, v->path.len - 1);
	return mlb_buf_str(&v->path);
}

/* ------------------------------------------------------------ opening */

/* A path without links, or NULL. */
static char *
real(const char *path)
{
	char *found = realpath(path, NULL);
	size_t len = found ? strlen(found) : 0;

	if (len > 1 && found[len - 1] == '/')
		found[len - 1] = '\0';
	return found;
}

/* Note where the project lies in the repository's work tree; false: it does not. */
static bool
place(struct mlb_vcs *v, const char *project_dir)
{
	const char *workdir = v->git.repository_workdir(v->repo);
	char *project = real(project_dir);

	free(v->workdir);
	free(v->prefix);
	v->prefix = NULL;
	v->workdir = workdir ? real(workdir) : NULL;
	if (v->workdir && project && mlb_path_inside(project, v->workdir)) {
		const char *rest = project + (v->workdir[1] ? strlen(v->workdir) : 0);

		v->prefix = rest[0] && rest[1] ? mlb_asprintf("%s/", rest + 1) : mlb_strdup("");
	}
	free(project);
	return v->prefix != NULL;
}

static const char *
env(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* The repository that GIT_DIR names, as in a hook; only if the project is in its work tree. */
static bool
open_from_env(struct mlb_vcs *v, const char *project_dir)
{
	const char *dir = env("GIT_DIR");
	const unsigned flags = GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT;

	if (!dir || v->git.repository_open_ext(&v->repo, dir, flags, NULL) < 0)
		return false;
	if (env("GIT_WORK_TREE") &&
	    v->git.repository_set_workdir(v->repo, env("GIT_WORK_TREE"), 0) < 0)
		goto no;
	if (place(v, project_dir))
		return true;
no:
	v->git.repository_free(v->repo);
	v->repo = NULL;
	return false;
}

/*
 * Could there be a repository around the project? Loading libgit2 takes longer
 * than all else that a small build does, so it is left alone where there is none.
 * HEAD is that of a bare repository, which may have a work tree elsewhere.
 */
static bool
may_have_repository(const char *project_dir, bool bare)
{
	char *dir = real(project_dir);
	bool found = !dir || env("GIT_DIR");

	while (!found) {
		static const char *const mark[] = { ".git", "HEAD" };
		char *slash = strrchr(dir, '/');

		for (size_t i = 0; i < (bare ? 2 : 1) && !found; i++) {
			char *path = mlb_asprintf("%s/%s", dir[1] ? dir : "", mark[i]);

			found = mlb_fs_exists(path);
			free(path);
		}
		if (!slash || !dir[1])
			break;
		slash[slash == dir] = '\0';
	}
	free(dir);
	return found;
}

bool
mlb_vcs_near(const char *project_dir)
{
	return may_have_repository(project_dir, false);
}

/* git trusts only repositories of the user's own, or named in its configuration. */
static int
fail_owner(const char *project_dir, struct mlb_err *err)
{
	char *root = real(project_dir);
	char *slash = root;

	while (root && slash) {
		char *dot_git = mlb_asprintf("%s/.git", root);
		bool found = mlb_fs_exists(dot_git);

		free(dot_git);
		if (found)
			break;
		slash = strrchr(root, '/');
		if (slash)
			*slash = '\0';
	}
	mlb_err_set(err, MLB_EINVALID,
		    "the git repository of '%s' belongs to another user; if you trust it: "
		    "git config --global --add safe.directory '%s'",
		    project_dir, root ? root : project_dir);
	free(root);
	return MLB_EINVALID;
}

/* The repository around the project. */
static int
discover(struct mlb_vcs *v, const char *project_dir, bool may_trust, struct mlb_buf *why,
	 struct mlb_err *err)
{
	unsigned flags = env("GIT_DISCOVERY_ACROSS_FILESYSTEM") ? GIT_REPOSITORY_OPEN_CROSS_FS : 0;
	int rc = v->git.repository_open_ext(&v->repo, project_dir, flags,
					    env("GIT_CEILING_DIRECTORIES"));
	const git_error *last = rc < 0 ? v->git.error_last() : NULL;
	const char *says = last && last->message ? last->message : "";

	/* libgit2 1.5.1 says "not found" if the owner is wrong and no directory is trusted. */
	if (rc == GIT_EOWNER || (rc == GIT_ENOTFOUND && strstr(says, "safe.directory"))) {
		if (!may_trust || !mlb_git_program_trusts(project_dir))
			return fail_owner(project_dir, err);
		/* It knows no "safe.directory = *"; here git has answered for it. */
		v->git.libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
		rc = discover(v, project_dir, false, why, err);
		v->git.libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
		return rc;
	}
	if (rc == GIT_ENOTFOUND) {
		mlb_buf_addf(why, "'%s' is in no git repository", project_dir);
	} else if (rc < 0 && strstr(says, "objectformat")) {
		mlb_buf_addf(why,
			     "the git repository of '%s' names its objects by SHA-256, which "
			     "libgit2 cannot read",
			     project_dir);
	} else if (rc < 0 && strstr(says, "unsupported")) {
		mlb_buf_addf(why, "libgit2 cannot use the git repository of '%s': %s", project_dir,
			     says);
	} else if (rc < 0) {
		return mlb_git_fail(v, err, MLB_EINVALID, "cannot open the git repository of '%s'",
				    project_dir);
	} else if (!place(v, project_dir)) {
		mlb_buf_addf(why, "'%s' is not in the work tree of its git repository",
			     project_dir);
		v->git.repository_free(v->repo);
		v->repo = NULL;
	}
	return 0;
}

/* What is set for this work tree alone (extensions.worktreeConfig), which libgit2 does not read. */
static void
add_worktree_config(struct mlb_vcs *v, git_config *config)
{
	char *path = mlb_asprintf("%sconfig.worktree", v->git.repository_path(v->repo));
	int on = 0;

	if (v->git.config_get_bool(&on, config, "extensions.worktreeconfig") == 0 && on &&
	    mlb_fs_exists(path))
		v->git.config_add_file_ondisk(config, path, GIT_CONFIG_LEVEL_APP, v->repo, 0);
	free(path);
}

static int
open_index(struct mlb_vcs *v, struct mlb_err *err)
{
	git_config *config;
	int value = 1;
	int rc = mlb_git_index_open(v, v->heeds_env ? env("GIT_INDEX_FILE") : NULL, err);

	if (rc)
		return rc;
	if (v->git.repository_config(&config, v->repo) == 0) {
		add_worktree_config(v, config);
		v->git.config_get_bool(&value, config, "core.filemode");
		v->git.config_free(config);
	}
	v->trust_exec = value != 0;
	mlb_git_rules_open(v);
	return 0;
}

int
mlb_vcs_open(struct mlb_vcs **out, const char *project_dir, struct mlb_buf *why,
	     struct mlb_err *err)
{
	return mlb_vcs_open_by(out, project_dir, true, why, err);
}

int
mlb_vcs_open_by(struct mlb_vcs **out, const char *project_dir, bool heed, struct mlb_buf *why,
		struct mlb_err *err)
{
	struct mlb_vcs *v = mlb_calloc(1, sizeof(*v));
	int rc = 0;

	v->heeds_env = heed;

	*out = NULL;
	if (!may_have_repository(project_dir, true)) {
		mlb_buf_addf(why, "'%s' is in no git repository", project_dir);
		free(v);
		return 0;
	}
	mlb_buf_init(&v->path, 1024 * MLB_KIB);
	if (!mlb_git_load(&v->git, why)) {
		free(v);
		return 0;
	}
	if (!heed || !open_from_env(v, project_dir))
		rc = discover(v, project_dir, true, why, err);
	if (rc == 0 && v->repo)
		rc = open_index(v, err);
	if (rc < 0 || !v->repo)
		mlb_vcs_close(v);
	else
		*out = v;
	return rc;
}

void
mlb_vcs_close(struct mlb_vcs *v)
{
	if (!v)
		return;
	mlb_git_rules_close(v);
	if (v->index)
		v->git.index_free(v->index);
	if (v->bare)
		v->git.repository_free(v->bare);
	if (v->repo)
		v->git.repository_free(v->repo);
	mlb_git_unload(&v->git);
	mlb_buf_release(&v->path);
	free(v->index_file);
	free(v->workdir);
	free(v->prefix);
	free(v);
}

/* ------------------------------------------------------------ questions */

const char *
mlb_vcs_workdir(const struct mlb_vcs *v)
{
	return v->workdir;
}

static bool
has_below(struct mlb_vcs *v, const char *path)
{
	char *dir = mlb_asprintf("%s%s", path, path[0] ? "/" : "");
	bool below = v->git.index_find_prefix(NULL, v->index, dir) == 0;

	free(dir);
	return below;
}

bool
mlb_git_is_tracked(struct mlb_vcs *v, const char *path)
{
	return v->git.index_find(NULL, v->index, path) == 0 || has_below(v, path);
}

bool
mlb_vcs_has_below(struct mlb_vcs *v, const char *path)
{
	return has_below(v, mlb_git_path(v, path));
}

bool
mlb_vcs_tracked(struct mlb_vcs *v, const char *path)
{
	const char *full = mlb_git_path(v, path);

	return full[0] ? mlb_git_is_tracked(v, full) : v->git.index_entrycount(v->index) > 0;
}

void
mlb_vcs_below(struct mlb_vcs *v, const char *dir, struct mlb_strvec *out)
{
	const char *path = mlb_git_path(v, dir);
	char *below = mlb_asprintf("%s%s", path, path[0] ? "/" : "");
	size_t i, len = strlen(below);

	if (v->git.index_find_prefix(&i, v->index, below) == 0)
		for (; i < v->git.index_entrycount(v->index); i++) {
			const git_index_entry *e = v->git.index_get_byindex(v->index, i);

			if (strncmp(e->path, below, len) != 0)
				break;
			mlb_strvec_push(out, e->path + len);
		}
	free(below);
}

bool
mlb_vcs_ignored(struct mlb_vcs *v, const char *path)
{
	return mlb_git_ignored(v, mlb_git_path(v, path));
}

bool
mlb_vcs_skipped(struct mlb_vcs *v, const char *path)
{
	return mlb_git_is_skipped(v, mlb_git_path(v, path));
}

int
mlb_git_head_id(struct mlb_vcs *v, git_oid *out, bool *unborn, struct mlb_err *err)
{
	int rc = v->git.reference_name_to_id(out, v->repo, "HEAD");

	*unborn = rc == GIT_ENOTFOUND;
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return mlb_git_fail(v, err, MLB_EINVALID, "cannot read HEAD of '%s'", v->workdir);
	return 0;
}

int
mlb_vcs_head(struct mlb_vcs *v, char out[MLB_OID_HEX + 1], struct mlb_err *err)
{
	git_oid id;
	bool unborn;
	int rc = mlb_git_head_id(v, &id, &unborn, err);

	out[0] = '\0';
	if (rc == 0 && !unborn)
		v->git.oid_tostr(out, MLB_OID_HEX + 1, &id);
	return rc;
}
