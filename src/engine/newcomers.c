#include "engine/newcomers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/inputs.h"
#include "graph/glob.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/left_out.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

/* Has the directory, or one above it, other entries than when `needs` was expanded there? */
static bool
listing_changed(struct mlb_work *w, const char *dir)
{
	struct mlb_project *p = w->b->p;
	struct mlb_buf up = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *at = dir;
	bool changed = false;

	for (;;) {
		uint32_t path = mlb_project_path_index(p, mlb_arena_printf(&w->arena, "./%s", at));

		if (path != MLB_NONE && mlb_scan_moved(&p->scan, path) &&
		    mlb_scan_again(&p->scan, path, &changed, NULL))
			changed = true;
		if (changed || strcmp(at, ".") == 0)
			break;
		mlb_path_dir(&up, at);
		at = mlb_arena_strdup(&w->arena, mlb_buf_str(&up));
	}
	mlb_buf_release(&up);
	return changed;
}

/* Any directory that an input from `needs` is in; inputs are sorted, so those of one directory follow each other. */
static bool
any_listing_changed(struct mlb_work *w)
{
	const struct mlb_graph *g = w->b->g;
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *last = "";
	bool changed = false;

	for (uint32_t k = 0; k < mlb_inputs_count(w) && !changed; k++) {
		const struct mlb_g_input *input = mlb_inputs_at(w, k);

		if (input->why != MLB_IN_NEEDS || input->producer != MLB_NONE)
			continue;
		mlb_path_dir(&dir, mlb_g_path(g, input->path));
		if (strcmp(last, mlb_buf_str(&dir)) == 0)
			continue;
		last = mlb_arena_strdup(&w->arena, mlb_buf_str(&dir));
		changed = listing_changed(w, last);
	}
	mlb_buf_release(&dir);
	return changed;
}

/* Neither an input of the node nor something that a target makes. */
static bool
is_stranger(const struct mlb_work *w, const char *path)
{
	const struct mlb_graph *g = w->b->g;
	const struct mlb_range in = g->node[w->node].in;
	struct mlb_buf up = MLB_BUF_INIT(MAX_PATH_BYTES);
	uint32_t at = mlb_project_path_index(w->b->p, path);
	bool stranger = true;

	for (uint32_t i = 0; i < in.n && at != MLB_NONE && stranger; i++)
		stranger = g->input[in.first + i].path != at;
	mlb_buf_adds(&up, path);
	while (stranger && strcmp(mlb_buf_str(&up), ".") != 0) {
		struct mlb_buf next = MLB_BUF_INIT(MAX_PATH_BYTES);

		at = mlb_project_path_index(w->b->p, mlb_buf_str(&up));
		stranger = at == MLB_NONE || g->path_producer[at] == MLB_NONE;
		mlb_path_dir(&next, mlb_buf_str(&up));
		mlb_buf_release(&up);
		up = next;
	}
	mlb_buf_release(&up);
	return stranger;
}

struct sieve {
	struct mlb_project *p;
	struct mlb_left_outs left_outs;
};

static bool
is_source(void *ctx, const char *path)
{
	struct sieve *s = ctx;
	size_t len = strlen(path);
	bool is_dir = path[len - 1] == '/', ignored;
	char *plain = mlb_strndup(path, len - is_dir);

	ignored = (s->p->vcs && mlb_vcs_ignored(s->p->vcs, path)) ||
		  mlb_left_out(&s->left_outs, plain, is_dir);
	free(plain);
	return !ignored;
}

/* The files that one word of `needs` stands for now; words with references name targets, not files. */
static void
expand(struct mlb_work *w, struct sieve *sieve, const char *word, struct mlb_strvec *out)
{
	const char *root = sieve->p->root, *pattern;
	struct mlb_buf norm = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_stat st = { .type = MLB_F_ABSENT };

	if (strstr(word, "${") || mlb_path_normalize(&norm, word, NULL))
		goto done;
	pattern = mlb_buf_str(&norm);
	if (!mlb_glob_is(word)) {
		mlb_fs_stat(&st, mlb_arena_printf(&w->arena, "%s/%s", root, pattern), NULL);
		if (st.type != MLB_F_DIR)
			goto done;
		pattern = mlb_arena_printf(&w->arena, "%s/**", pattern);
	}
	mlb_glob_files(out, NULL, root, pattern, is_source, sieve, NULL);
done:
	mlb_buf_release(&norm);
}

const char *
mlb_newcomer(struct mlb_work *w)
{
	struct mlb_strvec now = MLB_VEC_INIT;
	struct sieve sieve = { .p = w->b->p };
	const struct mlb_target *t;
	const char *found = NULL;

	if (w->root || !any_listing_changed(w) || mlb_project_config(w->b->p, NULL))
		return NULL;
	mlb_left_outs_init(&sieve.left_outs,
			   open(w->b->p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	t = mlb_config_find(w->b->p->config, mlb_g_str(w->b->g, w->b->g->node[w->node].base));
	for (size_t i = 0; t && i < t->needs.n; i++)
		expand(w, &sieve, t->needs.v[i].s, &now);
	for (size_t i = 0; i < now.n && !found; i++)
		if (is_stranger(w, now.v[i]))
			found = mlb_arena_strdup(&w->arena, now.v[i]);
	if (sieve.left_outs.root >= 0)
		close(sieve.left_outs.root);
	mlb_left_outs_release(&sieve.left_outs);
	mlb_strvec_release(&now);
	return found;
}
