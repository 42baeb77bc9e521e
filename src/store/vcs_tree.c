/* The files of a commit. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* A walk. */
struct walk {
	struct mlb_vcs *v;
	const char *dir; /* of the project: "" or "a/b/" */
	bool is_flat;    /* not what is in directories below */
	mlb_vcs_entry_fn *fn;
	void *ctx;
	struct mlb_err *err;
	struct mlb_buf path;
	int rc; /* what fn returned */
};

static enum mlb_vcs_kind
kind_of(git_filemode_t mode)
{
	switch (mode) {
	case GIT_FILEMODE_BLOB_EXECUTABLE:
		return MLB_VCS_EXEC;
	case GIT_FILEMODE_LINK:
		return MLB_VCS_LINK;
	case GIT_FILEMODE_COMMIT:
		return MLB_VCS_SUBMODULE;
	default:
		return MLB_VCS_FILE;
	}
}

static int
visit(const char *root, const git_tree_entry *entry, void *ctx)
{
	struct walk *w = ctx;
	const struct mlb_git *g = &w->v->git;
	struct mlb_vcs_entry e = { .kind = kind_of(g->tree_entry_filemode(entry)) };

	if (g->tree_entry_filemode(entry) == GIT_FILEMODE_TREE)
		return w->is_flat; /* 1: go not into it */
	mlb_buf_clear(&w->path);
	mlb_buf_addf(&w->path, "%s%s%s", w->dir, root, g->tree_entry_name(entry));
	e.path = mlb_buf_str(&w->path);
	g->oid_tostr(e.id, sizeof(e.id), g->tree_entry_id(entry));
	w->rc = w->fn(w->ctx, &e, w->err);
	return w->rc ? -1 : 0;
}

/* The tree of a directory of the repository in rev; *out is NULL where there is none. */
static int
tree_at(struct mlb_vcs *v, const char *rev, const char *path, git_tree **out, struct mlb_err *err)
{
	git_object *root;
	git_tree_entry *entry = NULL;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_TREE, &root, err);

	*out = NULL;
	if (rc || !path[0]) {
		*out = (git_tree *)root;
		return rc;
	}
	if (v->git.tree_entry_bypath(&entry, (git_tree *)root, path) == 0 &&
	    v->git.tree_entry_filemode(entry) == GIT_FILEMODE_TREE &&
	    v->git.tree_lookup(out, v->repo, v->git.tree_entry_id(entry)) < 0)
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot read '%s' of '%s'", path, rev);
	if (entry)
		v->git.tree_entry_free(entry);
	v->git.object_free(root);
	return rc;
}

static int
each(struct mlb_vcs *v, const char *rev, const char *dir, bool is_flat, mlb_vcs_entry_fn *fn,
     void *ctx, struct mlb_err *err)
{
	bool is_all = strcmp(dir, ".") == 0;
	char *below = is_all ? mlb_strdup("") : mlb_asprintf("%s/", dir);
	struct walk w = { v, below, is_flat, fn, ctx, err, MLB_BUF_INIT(MLB_MIB), 0 };
	git_tree *tree;
	int rc = tree_at(v, rev, mlb_git_path(v, dir), &tree, err);

	if (rc == 0 && !tree && !is_all)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "there is no directory '%s' in '%s'", dir,
				 rev);
	if (rc == 0 && tree && v->git.tree_walk(tree, GIT_TREEWALK_PRE, visit, &w) < 0)
		rc = w.rc ? w.rc
			  : mlb_git_fail(v, err, MLB_ESYSTEM, "cannot list the files of '%s'", rev);
	if (tree)
		v->git.tree_free(tree);
	mlb_buf_release(&w.path);
	free(below);
	return rc;
}

int
mlb_vcs_tree_each(struct mlb_vcs *v, const char *rev, const char *dir, mlb_vcs_entry_fn *fn,
		  void *ctx, struct mlb_err *err)
{
	return each(v, rev, dir, false, fn, ctx, err);
}

int
mlb_vcs_dir_each(struct mlb_vcs *v, const char *rev, const char *dir, mlb_vcs_entry_fn *fn,
		 void *ctx, struct mlb_err *err)
{
	return each(v, rev, dir, true, fn, ctx, err);
}

int
mlb_vcs_file_id(struct mlb_vcs *v, const char *rev, const char *path, char out[MLB_OID_HEX + 1],
		struct mlb_err *err)
{
	const char *full = mlb_git_path(v, path);
	git_tree_entry *entry = NULL;
	git_object *tree;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_TREE, &tree, err);

	out[0] = '\0';
	if (rc)
		return rc;
	if (v->git.tree_entry_bypath(&entry, (git_tree *)tree, full) == 0 &&
	    (v->git.tree_entry_filemode(entry) & 0170000) != GIT_FILEMODE_TREE &&
	    v->git.tree_entry_filemode(entry) != GIT_FILEMODE_COMMIT)
		v->git.oid_tostr(out, MLB_OID_HEX + 1, v->git.tree_entry_id(entry));
	if (entry)
		v->git.tree_entry_free(entry);
	v->git.object_free(tree);
	return 0;
}

int
mlb_vcs_read(struct mlb_vcs *v, const char *rev, const char *path, struct mlb_buf *out,
	     struct mlb_err *err)
{
	char id[MLB_OID_HEX + 1];
	int rc = mlb_vcs_file_id(v, rev, path, id, err);

	if (rc)
		return rc;
	if (!id[0])
		return mlb_err_set(err, MLB_ENOTFOUND, "there is no file '%s' in '%s'", path, rev);
	return mlb_vcs_blob_read(v, id, out, err);
}
