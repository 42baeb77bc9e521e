#include "engine/undeclared.h"

#include <string.h>

#include "base/alloc.h"
#include "graph/refs.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

static bool
is_output(const struct mlb_work *w, const char *path)
{
	for (size_t i = 0; i < w->n_outputs; i++)
		if (mlb_path_inside(path, w->output[i].path))
			return true;
	return false;
}

/* It was looked for while compiling and was absent: only then is it new. */
static bool
was_absent(const struct mlb_project *p, const char *path)
{
	uint32_t at = mlb_project_path_index(p, path);

	return at != MLB_NONE && p->graph->path_want[at] == MLB_WANT_EXISTS &&
	       p->scan.state[at].kind == MLB_P_ABSENT;
}

static bool
is_new(struct mlb_work *w, const char *path)
{
	struct mlb_project *p = w->b->p;
	struct mlb_buf full = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_stat st = { .type = MLB_F_ABSENT };

	mlb_path_join(&full, w->root ? mlb_root_dir(w->root) : p->root, path);
	mlb_fs_lstat(&st, mlb_buf_str(&full), NULL);
	mlb_buf_release(&full);
	return st.type == MLB_F_FILE && !(p->vcs && mlb_vcs_ignored(p->vcs, path));
}

const char *
mlb_undeclared_output(struct mlb_work *w)
{
	struct mlb_strvec words = MLB_VEC_INIT;
	struct mlb_buf joined = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *found = NULL;

	if (mlb_shell_words(&words, w->action.command, NULL))
		goto done;
	for (size_t i = 0; i < words.n && !found; i++) {
		mlb_path_join(&joined, w->action.dir, words.v[i]);
		mlb_buf_clear(&path);
		if (words.v[i][0] == '/' || mlb_path_normalize(&path, mlb_buf_str(&joined), NULL))
			continue;
		if (was_absent(w->b->p, mlb_buf_str(&path)) && !is_output(w, mlb_buf_str(&path)) &&
		    is_new(w, mlb_buf_str(&path)))
			found = mlb_arena_strdup(&w->arena, mlb_buf_str(&path));
	}
done:
	mlb_buf_release(&path);
	mlb_buf_release(&joined);
	mlb_strvec_release(&words);
	return found;
}
