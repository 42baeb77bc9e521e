/*
 * One marked block of .gitignore that lists the outputs, metrics excepted. Lines
 * around it are the user's and stay as they are; what git tracks is not listed.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/fs.h"

#define BEGIN_MARK "# outputs of mlbuild: this block is kept by 'mlbuild build'\n"
#define END_MARK "# end of mlbuild's block\n"
#define META "gitignore" /* of state.db: struct mlb_file_mark */
enum { MAX_FILE = 256 << 20 };

/* Anchored, and with git's special characters escaped (gitignore(5)). */
static void
add_pattern(struct mlb_buf *out, const char *path, bool dir)
{
	mlb_buf_addc(out, '/');
	for (const char *c = path; *c; c++) {
		if (strchr("*?[\\ #!", *c))
			mlb_buf_addc(out, '\\');
		mlb_buf_addc(out, *c);
	}
	mlb_buf_adds(out, dir ? "/\n" : "\n");
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
make_block(struct mlb_buf *out, const struct mlb_project *p)
{
	const struct mlb_graph *g = p->graph;
	char **line = mlb_calloc(g->n_outputs + 1, sizeof(*line));
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct mlb_g_output *o = &g->output[i];
		const struct mlb_g_node *node = &g->node[g->path_producer[o->path]];
		struct mlb_buf one = MLB_BUF_INIT(MAX_FILE);

		/* A name with a line feed cannot be written in a .gitignore. */
		if (o->kind == MLB_G_METRICS || node->flags & MLB_G_SOURCE ||
		    strchr(mlb_g_path(g, o->path), '\n'))
			continue;
		/* The flag says that one of the node's outputs is tracked, not which. */
		if (node->flags & MLB_G_TRACKED_OUT &&
		    mlb_vcs_tracked(p->vcs, mlb_g_path(g, o->path)))
			continue;
		add_pattern(&one, mlb_g_path(g, o->path), o->kind == MLB_G_DIR);
		line[n++] = mlb_buf_detach(&one);
	}
	qsort(line, n, sizeof(*line), by_text);
	if (n)
		mlb_buf_adds(out, BEGIN_MARK);
	for (uint32_t i = 0; i < n; i++) {
		mlb_buf_adds(out, line[i]);
		free(line[i]);
	}
	if (n)
		mlb_buf_adds(out, END_MARK);
	free(line);
}

/* The line that is this mark, with either line end; *after is what follows it. NULL if there is none. */
static const char *
find_mark(const char *text, const char *mark, const char **after)
{
	size_t len = strlen(mark) - 1;
	const char *at = text;

	while (at) {
		if (strncmp(at, mark, len) == 0) {
			size_t end = len + (at[len] == '\r');

			if (at[end] == '\n') {
				*after = at + end + 1;
				return at;
			}
		}
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

/* old with its block replaced; a file without one gets it at the end. */
static void
replace_block(struct mlb_buf *out, const char *old, const char *block)
{
	const char *after = NULL;
	const char *begin = find_mark(old, BEGIN_MARK, &after);

	if (begin && find_mark(after, END_MARK, &after)) {
		mlb_buf_add(out, old, (size_t)(begin - old));
		mlb_buf_adds(out, block);
		mlb_buf_adds(out, after);
		return;
	}
	mlb_buf_adds(out, old);
	if (old[0] && old[strlen(old) - 1] != '\n')
		mlb_buf_addc(out, '\n');
	mlb_buf_adds(out, block);
}

static int
rewrite(struct mlb_project *p, bool *changed, struct mlb_err *err)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_FILE), new = MLB_BUF_INIT(MAX_FILE),
		       block = MLB_BUF_INIT(MAX_FILE);
	char *path = mlb_project_path(p, ".gitignore");
	int rc = 0;

	make_block(&block, p);
	if (mlb_fs_exists(path))
		rc = mlb_fs_read(&old, path, err);
	if (rc == 0) {
		replace_block(&new, mlb_buf_str(&old), mlb_buf_str(&block));
		rc = mlb_buf_check(&new, ".gitignore", err);
	}
	if (rc == 0 && strcmp(mlb_buf_str(&old), mlb_buf_str(&new)) != 0) {
		rc = mlb_fs_rewrite(path, mlb_buf_str(&new), new.len, false, err);
		*changed = rc == 0;
	}
	free(path);
	mlb_buf_release(&block);
	mlb_buf_release(&new);
	mlb_buf_release(&old);
	return rc;
}

int
mlb_update_gitignore(struct mlb_project *p, bool *changed, struct mlb_err *err)
{
	int rc = mlb_project_vcs(p, err);

	/* A repository that libgit2 cannot read is git's all the same. */
	if (rc || (!p->vcs && !mlb_vcs_near(p->root)))
		return rc;
	return rewrite(p, changed, err);
}

/* ---------------------------------------------------------- as it was left */

/* Of the file itself where it is a link; all zero: absent, or nothing that can be looked at. */
struct mlb_file_mark
mlb_gitignore_mark(const struct mlb_project *p)
{
	char *path = mlb_project_path(p, ".gitignore");
	struct mlb_file_mark m = { 0, 0, 0, 0 };
	struct mlb_stat st;

	if (mlb_fs_stat(&st, path, NULL) == 0 && st.type != MLB_F_ABSENT)
		m = (struct mlb_file_mark){ st.ino, st.size, st.mtime, st.ctime };
	free(path);
	return m;
}

int
mlb_gitignore_is_recorded(struct mlb_project *p, bool *is, struct mlb_err *err)
{
	struct mlb_buf meta = MLB_BUF_INIT(MLB_KIB);
	struct mlb_file_mark now = mlb_gitignore_mark(p);
	int rc = mlb_meta_get(p->db, META, &meta, err);

	*is = rc == 0 && meta.len == sizeof(now) &&
	      memcmp(mlb_buf_str(&meta), &now, sizeof(now)) == 0;
	mlb_buf_release(&meta);
	return rc;
}

int
mlb_gitignore_remember(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_file_mark now = mlb_gitignore_mark(p);

	return mlb_meta_set(p->db, META, &now, sizeof(now), err);
}

int
mlb_gitignore_keep(struct mlb_builder *b, struct mlb_err *err)
{
	bool same = b->opt->locked;
	int rc = same ? 0 : mlb_gitignore_is_recorded(b->p, &same, err);

	if (rc || same)
		return rc;
	rc = mlb_update_gitignore(b->p, &b->ignore_changed, err);
	if (rc == 0)
		rc = mlb_db_begin(b->p->db, err);
	if (rc)
		return rc;
	rc = mlb_gitignore_remember(b->p, err);
	if (rc == 0)
		rc = mlb_db_commit(b->p->db, err);
	if (rc)
		mlb_db_rollback(b->p->db);
	mlb_report_changed(b);
	return rc;
}
