/* The log: runs and commits that changed mlbuild.lock, as one list. */
#include "engine/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "graph/glob.h"

enum { MOST_COMPARED = 100, MAX_METRICS = 64 << 20 };

/* ---------------------------------------------------------- the word */

static void
add_name(struct mlb_log *l, const char *name)
{
	mlb_strmap_set(&l->name, mlb_arena_strdup(&l->arena, name), l);
}

/* A target that is no more may still be in history: then its name alone counts. */
static int
find_names(struct mlb_log *l, struct mlb_err *why)
{
	struct mlb_project *p = l->p;
	uint8_t *mark = NULL;
	int rc = mlb_project_load(p, why);

	if (rc == 0) {
		mark = mlb_calloc(p->graph->n_nodes + 1, 1);
		rc = mlb_select_words(p, &l->word, 1, mark, why);
	}
	for (uint32_t i = 0; rc == 0 && i < p->graph->n_nodes; i++)
		if (mark[i])
			add_name(l, mlb_g_str(p->graph, p->graph->node[i].name));
	free(mark);
	l->exact = mlb_name_valid(l->word);
	return rc;
}

bool
mlb_log_means(const struct mlb_log *l, const char *name, const char *base, const char *kind)
{
	if (!l->word)
		return true;
	if (mlb_strmap_get(&l->name, name) || strcmp(base, l->word) == 0)
		return true;
	return !l->exact && (mlb_name_matches(name, base, l->word, mlb_glob_is(l->word)) ||
			     strcmp(kind, l->word) == 0);
}

/* ---------------------------------------------------------- an action */

static bool
worth_telling(const struct mlb_change *d)
{
	return d->what == MLB_DIFF_PARAM || d->what == MLB_DIFF_METRIC;
}

static const char *
metrics_text(struct mlb_log *l, const struct mlb_version *v)
{
	json_t *json = mlb_version_metrics(l->p, v);
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	const char *own;

	if (json)
		mlb_metrics_dump(&text, json);
	own = mlb_arena_strdup(&l->entry, mlb_buf_str(&text));
	mlb_buf_release(&text);
	json_decref(json);
	return own;
}

void
mlb_log_compare(struct mlb_log *l, struct mlb_log_action *a, const struct mlb_version *before,
		const struct mlb_version *now)
{
	struct mlb_changes all = MLB_VEC_INIT;
	struct mlb_change *own;

	if (!l->cache || l->action.n >= MOST_COMPARED)
		return;
	if (now)
		a->metrics = metrics_text(l, now);
	/* Of the first version all would be new. */
	if (!before || !now || now->folded)
		return;
	mlb_version_differ(&all, &l->entry, l->p, before, now, NULL);
	own = mlb_arena_alloc(&l->entry, (all.n + 1) * sizeof(*own));
	for (int params = 1; params >= 0; params--)
		for (size_t i = 0; i < all.n; i++)
			if (worth_telling(&all.v[i]) &&
			    (all.v[i].what == MLB_DIFF_PARAM) == (params == 1))
				own[a->n_differences++] = all.v[i];
	a->difference = own;
	mlb_vec_release(&all);
}

int
mlb_log_tell(struct mlb_log *l, struct mlb_log_entry *e)
{
	int rc;

	e->action = l->action.v;
	e->n_actions = l->action.n;
	rc = l->fn(l->ctx, e);
	l->told++;
	l->left--;
	l->action.n = 0;
	mlb_arena_release(&l->entry);
	return rc ? 1 : l->left == 0;
}

/* ---------------------------------------------------------- the whole */

static void
log_init(struct mlb_log *l, struct mlb_project *p, mlb_log_fn *fn, void *ctx)
{
	*l = (struct mlb_log){
		.p = p, .fn = fn, .ctx = ctx, .arena = MLB_ARENA_INIT, .entry = MLB_ARENA_INIT
	};
}

static void
log_release(struct mlb_log *l)
{
	for (size_t i = 0; i < MLB_LOG_LOCKS; i++) {
		mlb_versions_release(&l->lock[i].versions);
		mlb_buf_release(&l->lock[i].text);
	}
	mlb_vec_release(&l->action);
	mlb_vec_release(&l->run);
	mlb_strmap_release(&l->name);
	mlb_arena_release(&l->entry);
	mlb_arena_release(&l->arena);
}

static int
open_all(struct mlb_log *l, struct mlb_err *err)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	int rc = mlb_project_store(l->p, err);

	/* Where mlbuild.ini is not there, or cannot be read at all, there is still a history. */
	if (rc == 0)
		l->cache = mlb_project_past(l->p, &ignored) == 0;
	mlb_err_release(&ignored);
	return rc ? rc : mlb_project_vcs(l->p, err);
}

int
mlb_log(struct mlb_project *p, const char *word, unsigned limit, mlb_log_fn *fn, void *ctx,
	struct mlb_err *err)
{
	struct mlb_err unknown = MLB_ERR_INIT;
	struct mlb_log l;
	int rc;

	log_init(&l, p, fn, ctx);
	l.word = word;
	l.left = limit;
	rc = limit ? open_all(&l, err) : 1;
	if (rc == 0 && word)
		find_names(&l, &unknown);
	if (rc == 0)
		rc = mlb_log_find_runs(&l, err);
	if (rc == 0 && p->vcs)
		rc = mlb_log_commits(&l, err);
	if (rc == 0)
		rc = mlb_log_runs_until(&l, INT64_MIN, err);
	if (rc >= 0 && !l.told && unknown.code)
		rc = mlb_err_set(err, unknown.code, "%s", unknown.text);
	mlb_err_release(&unknown);
	log_release(&l);
	return rc < 0 ? rc : 0;
}

int
mlb_show_run(struct mlb_project *p, const char *id, mlb_log_fn *fn, void *ctx, struct mlb_err *err)
{
	struct mlb_run run = { .commit = "" };
	bool found = false;
	struct mlb_log l;
	int rc;

	log_init(&l, p, fn, ctx);
	l.left = 1;
	rc = open_all(&l, err);
	if (rc == 0)
		rc = mlb_run_get(p->db, id, &run, &found, &l.arena, err);
	if (rc == 0 && !found)
		rc = mlb_log_lost_run(&l, id, &run, &found, err);
	if (rc == 0 && !found)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "no run '%s': 'mlbuild log' lists them", id);
	if (rc == 0) {
		mlb_vec_push(&l.run, run);
		rc = mlb_log_runs_until(&l, INT64_MIN, err);
	}
	log_release(&l);
	return rc < 0 ? rc : 0;
}
