#include "store/vcs_mirror.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

enum { MAX_FILE = 16 << 20 };

/* A file of the new .git. */
static int
put(const char *top, const char *name, const char *text, size_t len, struct mlb_err *err)
{
	char *path = mlb_asprintf("%s/.git/%s", top, name);
	int rc = mlb_fs_mkparents(path, err);

	if (rc == 0)
		rc = mlb_fs_write(path, text, len, false, err);
	free(path);
	return rc;
}

/* The path of something that all work trees of the repository share. */
static char *
shared(struct mlb_vcs *v, git_repository_item_t item, const char *name)
{
	git_buf dir = { NULL, 0, 0 };
	char *path = NULL;

	if (v->git.repository_item_path(&dir, v->repo, item) == 0)
		path = mlb_asprintf("%s%s%s", dir.ptr,
				    dir.size && dir.ptr[dir.size - 1] == '/' ? "" : "/", name);
	v->git.buf_dispose(&dir);
	return path;
}

char *
mlb_vcs_shared_dir(struct mlb_vcs *v)
{
	return shared(v, GIT_REPOSITORY_ITEM_COMMONDIR, "");
}

/* The same file as the repository has, if it has one. */
static int
copy(struct mlb_vcs *v, git_repository_item_t item, const char *from, const char *top,
     const char *name, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	char *path = shared(v, item, from);
	int rc = 0;

	if (path && mlb_fs_exists(path))
		rc = mlb_fs_read(&text, path, err);
	if (rc == 0 && text.len)
		rc = put(top, name, mlb_buf_str(&text), text.len, err);
	mlb_buf_release(&text);
	free(path);
	return rc;
}

static int
put_objects(struct mlb_vcs *v, const char *top, struct mlb_err *err)
{
	char *objects = shared(v, GIT_REPOSITORY_ITEM_OBJECTS, "");
	char *line;
	int rc;

	if (!objects)
		return mlb_git_fail(v, err, MLB_ESYSTEM, "cannot find git's objects of '%s'",
				    v->workdir);
	line = mlb_asprintf("%s\n", objects);
	rc = put(top, "objects/info/alternates", line, strlen(line), err);
	free(line);
	free(objects);
	return rc;
}

static int
put_git_dir(struct mlb_vcs *v, const char *commit, const char *top, struct mlb_err *err)
{
	char *config = mlb_asprintf("[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
				    "\tfilemode = %s\n",
				    v->trust_exec ? "true" : "false");
	char *head = mlb_asprintf("%s\n", commit);
	char *refs = mlb_asprintf("%s/.git/refs", top);
	int rc = mlb_fs_mkdirs(refs, err);

	if (rc == 0)
		rc = put_objects(v, top, err);
	if (rc == 0)
		rc = copy(v, GIT_REPOSITORY_ITEM_INFO, "exclude", top, "info/exclude", err);
	if (rc == 0)
		rc = copy(v, GIT_REPOSITORY_ITEM_COMMONDIR, "shallow", top, "shallow", err);
	if (rc == 0)
		rc = put(top, "config", config, strlen(config), err);
	if (rc == 0)
		rc = put(top, "HEAD", head, strlen(head), err);
	free(refs);
	free(head);
	free(config);
	return rc;
}

/* What git would ignore in the project may be said above it. */
static int
put_ignores(struct mlb_vcs *v, const git_tree *tree, const char *top, struct mlb_err *err)
{
	int rc = 0;

	for (const char *s = v->prefix; *s && rc == 0; s = strchr(s, '/') + 1) {
		char *path = mlb_asprintf("%.*s.gitignore", (int)(s - v->prefix), v->prefix);
		char *to = mlb_asprintf("%s/%s", top, path);
		struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
		git_tree_entry *entry = NULL;

		if (v->git.tree_entry_bypath(&entry, tree, path) == 0)
			rc = mlb_git_blob(v, v->git.tree_entry_id(entry), &text, err);
		if (rc == 0 && entry)
			rc = mlb_fs_mkparents(to, err);
		if (rc == 0 && entry)
			rc = mlb_fs_write(to, mlb_buf_str(&text), text.len, false, err);
		if (entry)
			v->git.tree_entry_free(entry);
		mlb_buf_release(&text);
		free(to);
		free(path);
	}
	return rc;
}

static int
put_index(struct mlb_vcs *v, const git_tree *tree, const char *top, struct mlb_err *err)
{
	git_repository *repo = NULL;
	git_index *index = NULL;
	int rc = v->git.repository_open_ext(&repo, top, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (rc == 0)
		rc = v->git.repository_index(&index, repo);
	if (rc == 0)
		rc = v->git.index_read_tree(index, tree);
	if (rc == 0)
		rc = v->git.index_write(index);
	if (rc < 0)
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot make a repository in '%s'", top);
	v->git.index_free(index);
	v->git.repository_free(repo);
	return rc;
}

int
mlb_vcs_mirror(struct mlb_vcs *v, const char *commit, const char *top, struct mlb_err *err)
{
	git_object *tree;
	int rc = mlb_git_peel(v, commit, GIT_OBJECT_TREE, &tree, err);

	if (rc)
		return rc;
	rc = put_git_dir(v, commit, top, err);
	if (rc == 0)
		rc = put_ignores(v, (git_tree *)tree, top, err);
	if (rc == 0)
		rc = put_index(v, (git_tree *)tree, top, err);
	v->git.object_free(tree);
	return rc;
}

int
mlb_vcs_mirror_open(struct mlb_vcs **out, const char *project_dir, struct mlb_err *err)
{
	struct mlb_buf why = MLB_BUF_INIT(64 * MLB_KIB);
	int rc = mlb_vcs_open_by(out, project_dir, false, &why, err);

	if (rc == 0 && !*out)
		rc = mlb_err_set(err, MLB_ESYSTEM, "%s", mlb_buf_str(&why));
	mlb_buf_release(&why);
	return rc;
}
