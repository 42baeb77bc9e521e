/* Submodules of a commit in a private directory: their files, but no repository of their own. */
#include <stdlib.h>
#include <string.h>

#include "engine/nested.h"
#include "os/fs.h"

struct writing {
	struct mlb_nested *n;
	const char *dir;  /* absolute: where the project is written */
	const char *path; /* of the submodule in the project */
	const char *commit;
	struct mlb_vcs *vcs; /* its */
	bool lacks;          /* something of it is not here */
};

/* A link of it means the same there, because all that is around it is there too. */
static int
write_entry(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	struct writing *w = ctx;
	char *path = mlb_asprintf("%s/%s", w->path, e->path);
	char *to = mlb_asprintf("%s/%s", w->dir, path);
	struct mlb_vcs_written written = { 0 };
	struct mlb_vcs_entry inner = *e;
	bool found = true;
	int rc = 0;

	inner.path = path;
	if (mlb_nested_cancelled(w->n))
		rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	else if (e->kind == MLB_VCS_SUBMODULE)
		rc = mlb_nested_submodule(w->dir, w->n, &inner, &found, err);
	else
		rc = mlb_fs_mkparents(to, err);
	if (rc == 0 && e->kind != MLB_VCS_SUBMODULE)
		rc = mlb_vcs_blob_write(w->vcs, w->commit, e, to, &written, err);
	w->lacks |= !found || written.is_lfs;
	free(to);
	free(path);
	return rc;
}

int
mlb_nested_submodule(const char *dir, struct mlb_nested *n, const struct mlb_vcs_entry *e,
		     bool *found, struct mlb_err *err)
{
	struct writing w = { .n = n, .dir = dir, .path = e->path, .commit = e->id };
	struct mlb_buf why = MLB_BUF_INIT(MLB_MIB);
	char *here = mlb_project_path(n->outer, e->path);
	char commit[MLB_OID_HEX + 1];
	int rc = 0;

	*found = false;
	/* Where it was not checked out the repository found is the one around it. */
	if (mlb_vcs_open(&w.vcs, here, &why, NULL) == 0 && w.vcs && !mlb_vcs_prefix(w.vcs)[0] &&
	    mlb_vcs_resolve(w.vcs, e->id, commit, NULL) == 0) {
		rc = mlb_vcs_tree_each(w.vcs, e->id, ".", write_entry, &w, err);
		*found = !w.lacks;
	}
	mlb_vcs_close(w.vcs);
	mlb_buf_release(&why);
	free(here);
	return rc;
}
