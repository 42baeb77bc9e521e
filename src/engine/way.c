#include "engine/way.h"

#include <stdlib.h>
#include <string.h>

#include "os/fs.h"
#include "os/path.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

/* What was absent may be a directory by now: workers make those, for other outputs. */
static bool
leads_nowhere(const char *full)
{
	struct mlb_stat st;

	return mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_SYMLINK;
}

/* The topmost parent of path that is there and no directory, into out; false if there is none. */
static bool
find_blocker(struct mlb_buf *out, const struct mlb_project *p, const char *path)
{
	struct mlb_buf full = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_stat st;
	bool found = false;

	for (const char *s = strchr(path, '/'); s && !found; s = strchr(s + 1, '/')) {
		mlb_buf_clear(out);
		mlb_buf_add(out, path, (size_t)(s - path));
		mlb_path_join(&full, p->root, mlb_buf_str(out));
		if (mlb_fs_stat(&st, mlb_buf_str(&full), NULL))
			break;
		found = st.type != MLB_F_ABSENT ? st.type != MLB_F_DIR
						: leads_nowhere(mlb_buf_str(&full));
		if (st.type == MLB_F_ABSENT)
			break;
	}
	mlb_buf_release(&full);
	return found;
}

static int
refuse_tracked(struct mlb_builder *b, const char *there, const char *what, const char *path,
	       struct mlb_err *err)
{
	if (!b->p->vcs || !mlb_vcs_tracked(b->p->vcs, there))
		return 0;
	return mlb_err_set(
		err, MLB_EINVALID,
		"%s '%s', which git tracks, is in the way of the output '%s': move it, or "
		"declare another path",
		what, there, path);
}

static int
clear(struct mlb_builder *b, const char *there, struct mlb_err *err)
{
	char *full = mlb_project_path(b->p, there), *to = mlb_aside_for(b, there);
	struct mlb_stat st;
	struct mlb_digest digest;
	uint64_t size;
	int rc = mlb_fs_lstat(&st, full, err);

	if (rc == 0 && st.type == MLB_F_FILE && mlb_fs_hash(&digest, &size, full, NULL) == 0 &&
	    mlb_cas_sure(b->p->cas, &digest)) {
		rc = mlb_fs_unlink(full, err);
	} else if (rc == 0) {
		rc = mlb_fs_mkparents(to, err);
		if (rc == 0)
			rc = mlb_fs_move(full, to, err);
		if (rc == 0)
			mlb_note_kept(b, there, to);
	}
	free(to);
	free(full);
	return rc;
}

int
mlb_make_way(struct mlb_builder *b, const char *path, uint8_t kind, struct mlb_err *err)
{
	struct mlb_buf there = MLB_BUF_INIT(MAX_PATH_BYTES);
	char *full = mlb_project_path(b->p, path);
	struct mlb_stat st;
	int rc = 0;

	if (find_blocker(&there, b->p, path)) {
		rc = refuse_tracked(b, mlb_buf_str(&there), "the file", path, err);
		if (rc == 0)
			rc = clear(b, mlb_buf_str(&there), err);
	} else if (mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_DIR && kind != MLB_G_DIR) {
		rc = refuse_tracked(b, path, "the directory", path, err);
	}
	free(full);
	mlb_buf_release(&there);
	return rc;
}
