#include "engine/undeclared.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "graph/refs.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/left_out.h"

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

static struct mlb_stat
stat_of(const struct mlb_work *w, const char *path)
{
	struct mlb_buf full = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_stat st = { .type = MLB_F_ABSENT };

	mlb_path_join(&full, w->root ? mlb_root_dir(w->root) : w->b->p->root, path);
	mlb_fs_lstat(&st, mlb_buf_str(&full), NULL);
	mlb_buf_release(&full);
	return st;
}

/* By git or .mlbuildignore: no input that a glob or a word could find. */
static bool
is_ignored(const struct mlb_work *w, const char *path)
{
	struct mlb_project *p = w->b->p;
	struct mlb_left_outs left_outs;
	bool ignored;
	int fd;

	if (mlb_path_inside(path, ".mlbuild") || (p->vcs && mlb_vcs_ignored(p->vcs, path)))
		return true;
	fd = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	mlb_left_outs_init(&left_outs, fd);
	ignored = mlb_left_out(&left_outs, path, false);
	mlb_left_outs_release(&left_outs);
	close(fd);
	return ignored;
}

/* A word of the command as a path of the project that is no output of its own; NULL. From the work's arena. */
static const char *
project_path(struct mlb_work *w, const char *word)
{
	struct mlb_buf joined = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *found = NULL;

	mlb_path_join(&joined, w->action.dir, word);
	if (word[0] != '/' && mlb_path_normalize(&path, mlb_buf_str(&joined), NULL) == 0 &&
	    !is_output(w, mlb_buf_str(&path)))
		found = mlb_arena_strdup(&w->arena, mlb_buf_str(&path));
	mlb_buf_release(&path);
	mlb_buf_release(&joined);
	return found;
}

void
mlb_undeclared_before(struct mlb_work *w)
{
	struct mlb_strvec words = MLB_VEC_INIT;

	w->written = NULL;
	w->n_written = 0;
	if (w->b->g->node[w->node].kind == MLB_K_TASK || !strchr(w->command, '>'))
		return;
	mlb_shell_targets(&words, w->command);
	w->written = mlb_arena_alloc(&w->arena, (words.n + 1) * sizeof(*w->written));
	for (size_t i = 0; i < words.n; i++) {
		const char *path = project_path(w, words.v[i]);

		if (!path)
			continue;
		w->written[w->n_written].path = path;
		w->written[w->n_written++].before = stat_of(w, path);
	}
	mlb_strvec_release(&words);
}

static const char *
new_word(struct mlb_work *w)
{
	struct mlb_strvec words = MLB_VEC_INIT;
	const char *found = NULL;

	if (mlb_shell_words(&words, w->action.command, NULL) == 0)
		for (size_t i = 0; i < words.n && !found; i++) {
			const char *path = project_path(w, words.v[i]);

			if (path && was_absent(w->b->p, path) &&
			    stat_of(w, path).type == MLB_F_FILE && !is_ignored(w, path))
				found = path;
		}
	mlb_strvec_release(&words);
	return found;
}

/* How to have it allowed. */
static const char *
remedy(const struct mlb_work *w)
{
	return w->b->p->vcs ? "declare it as an output, or let git ignore it"
			    : "declare it as an output, or name it in .mlbuildignore";
}

/* The other target whose output it is; NULL. */
static const char *
owner_of(const struct mlb_work *w, const char *path)
{
	const struct mlb_graph *g = w->b->g;
	uint32_t at = mlb_project_path_index(w->b->p, path);

	if (at == MLB_NONE || g->path_producer[at] == MLB_NONE)
		return NULL;
	return mlb_g_str(g, g->node[g->path_producer[at]].name);
}

/* What is wrong with a file that it names after '>', now that it has ended; NULL if nothing is. */
static const char *
judge(struct mlb_work *w, const struct mlb_written *f)
{
	struct mlb_stat now = stat_of(w, f->path);
	const char *owner = owner_of(w, f->path);
	bool made = f->before.type == MLB_F_ABSENT;

	if (now.type != MLB_F_FILE || mlb_stat_same(&now, &f->before) ||
	    (!owner && is_ignored(w, f->path)))
		return NULL;
	if (made)
		w->stray = f->path;
	if (owner)
		return mlb_arena_printf(
			&w->arena,
			"it wrote '%s', which belongs to '%s': write to an output of "
			"its own",
			f->path, owner);
	return mlb_arena_printf(&w->arena, "it %s '%s', which it names but does not declare: %s",
				made ? "made" : "changed", f->path, remedy(w));
}

const char *
mlb_undeclared_after(struct mlb_work *w)
{
	const char *wrong = NULL;

	w->stray = NULL;
	if (w->b->g->node[w->node].kind == MLB_K_TASK)
		return NULL;
	w->stray = new_word(w);
	if (w->stray)
		return mlb_arena_printf(&w->arena,
					"it made '%s', which it names but does not declare: %s",
					w->stray, remedy(w));
	for (size_t i = 0; i < w->n_written && !wrong; i++)
		wrong = judge(w, &w->written[i]);
	return wrong;
}
