/* What the artifacts of the commit are, by its lock and the cache. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "engine/known.h"
#include "engine/reproduce.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_LOCK = 1 << 30 };

/* ---------------------------------------------------------- opening */

static int
open_known(struct mlb_repro *r, struct mlb_err *err)
{
	char *state = mlb_asprintf("%s/known", r->nested.dir);
	const struct mlb_nested_open open = { .root = &r->root,
					      .state_dir = state,
					      .param = (const char *const *)r->params.v,
					      .n_params = r->params.n,
					      .past = MLB_PAST_KNOWN };
	int rc = mlb_nested_project(&r->known, &r->nested, &open, err);

	free(state);
	if (rc)
		return rc;
	r->known->snapshot = r->snapshot;
	rc = mlb_project_config(r->known, err);
	if (rc)
		return rc;
	r->known->cache_dir = mlb_nested_cache(&r->nested, r->known->config);
	rc = mlb_nested_expose(&r->root, &r->nested, r->known->config, err);
	if (rc == 0)
		rc = mlb_project_cache(r->known, err);
	if (rc == 0)
		rc = mlb_nested_lfs(&r->root, &r->nested, r->known->cas, err);
	if (rc == 0 && r->snapshot)
		rc = mlb_pinned_load(&r->pinned, r->known, r->commit,
				     r->rev.what == MLB_REV_RUN ? r->opt->rev : NULL, err);
	r->known->pinned = &r->pinned.path;
	return rc;
}

/* ---------------------------------------------------------- which targets */

/* All that the lock names and the ini has; where it says too little, every target but tasks. */
static int
all_words(struct mlb_repro *r, struct mlb_strvec *word, struct mlb_err *err)
{
	const struct mlb_config *c = r->known->config;
	int rc = mlb_project_whole_lock(r->known, err);
	bool some = rc == 0 && r->known->lock.map.n && !r->snapshot;

	for (size_t i = 0; i < c->target.n && rc == 0; i++) {
		const struct mlb_target *t = c->target.v[i];

		if (t->kind != MLB_K_TASK && (!some || mlb_lockfile_get(&r->known->lock, t->name)))
			mlb_strvec_push(word, t->name);
	}
	return rc;
}

static int
make_plan(struct mlb_repro *r, struct mlb_err *err)
{
	struct mlb_strvec word = MLB_VEC_INIT;
	struct mlb_plan_options o = { .word = r->opt->word, .n_words = r->opt->n_words };
	int rc = 0;

	if (!o.n_words && r->rev.what == MLB_REV_DIGEST && r->rev.target[0]) {
		mlb_strvec_push(&word, r->rev.target);
	} else if (!o.n_words) {
		rc = all_words(r, &word, err);
	}
	if (!o.n_words) {
		o.word = (const char *const *)word.v;
		o.n_words = word.n;
	}
	if (rc == 0 && !o.n_words)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "it has no targets but tasks");
	if (rc == 0)
		rc = mlb_plan_new(&r->plan, r->known, &o, err);
	mlb_strvec_release(&word);
	return rc;
}

/* ---------------------------------------------------------- what is known of one */

static const char *
output_name(const struct mlb_graph *g, uint32_t o)
{
	const char *name = mlb_g_str(g, g->output[o].name);

	return name[0] ? name : "out";
}

static void
add(struct mlb_repro *r, struct mlb_repro_side *out, const char *path, const char *name,
    const struct mlb_now *now)
{
	const struct mlb_repro_output o = { mlb_arena_strdup(&r->arena, path),
					    mlb_arena_strdup(&r->arena, name), *now };

	out->have &= now->kind != 0;
	mlb_vec_push(&out->output, o);
}

/* A lock is a file that came from somewhere: nothing in it may lead into .git or .mlbuild, or out of the directory. */
static int
check_path(const char *path, struct mlb_err *err)
{
	for (const char *s = path;; s++) {
		size_t len = strcspn(s, "/");

		if (mlb_tree_check_name(s, len, NULL) < 0)
			return mlb_err_set(err, MLB_EINVALID,
					   "mlbuild.lock names '%s', which can be no output", path);
		s += len;
		if (!*s)
			return 0;
	}
}

static int
check_paths(const struct mlb_repro_side *side, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < side->output.n && rc == 0; i++)
		rc = check_path(side->output.v[i].path, err);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	const struct mlb_repro_output *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The rows that the lock has for a target of `each`, whatever its files are now. */
static void
add_rows(struct mlb_repro *r, struct mlb_plan *plan, uint32_t n, struct mlb_repro_side *out)
{
	const struct mlb_lock_block *b =
		mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));
	size_t rows = 0;
	const struct mlb_table_row *row = b ? mlb_known_table(plan, b, &rows) : NULL;

	out->have = row != NULL;
	for (size_t i = 0; i < rows; i++)
		for (uint32_t k = 0; k < row[i].n_outputs; k++) {
			const struct mlb_lock_output *o = &row[i].output[k];
			const struct mlb_now now = { o->digest, o->size, o->kind };

			add(r, out, o->path, "out", &now);
		}
}

void
mlb_repro_outputs(struct mlb_repro *r, struct mlb_plan *plan, uint32_t n,
		  struct mlb_repro_side *out)
{
	const struct mlb_range outs = plan->g->node[n].out;
	const struct mlb_each *e = plan->node[n].each;

	out->have = true;
	out->key = plan->node[n].key;
	if (!(plan->g->node[n].flags & MLB_G_EACH)) {
		for (uint32_t i = 0; i < outs.n; i++)
			add(r, out, mlb_g_path(plan->g, plan->g->output[outs.first + i].path),
			    output_name(plan->g, outs.first + i), &plan->out[outs.first + i]);
	} else if (e) {
		for (uint32_t i = 0; i < e->n; i++)
			for (uint32_t k = 0; k < outs.n && e->item[i].out; k++)
				add(r, out, e->item[i].path[k],
				    output_name(plan->g, outs.first + k), &e->item[i].out[k]);
	}
	if (plan->g->node[n].flags & MLB_G_EACH && (!e || !out->have) &&
	    plan->p->past == MLB_PAST_KNOWN) {
		out->output.n = 0;
		add_rows(r, plan, n, out);
	}
	if (out->output.n > 1)
		qsort(out->output.v, out->output.n, sizeof(*out->output.v), by_path);
}

/* ---------------------------------------------------------- what git does not have */

static const char *
absent_path(struct mlb_repro *r, const struct mlb_nested_root *root, const char *path)
{
	for (size_t i = 0; i < root->absent.n; i++) {
		const struct mlb_nested_absent *a = &root->absent.v[i];

		if (a->lfs && mlb_path_inside(a->path, path))
			return mlb_arena_printf(
				&r->arena,
				"'%s' is kept by Git LFS, and its bytes are neither in its store, nor in "
				"the cache, nor in the workspace: 'git lfs fetch' may bring them",
				a->path);
		if (!a->lfs && mlb_path_inside(path, a->path))
			return mlb_arena_printf(
				&r->arena,
				"'%s' is in the submodule '%s', which is not looked into", path,
				a->path);
	}
	return NULL;
}

const char *
mlb_repro_absent(struct mlb_repro *r, const struct mlb_nested_root *root, uint32_t n)
{
	const struct mlb_graph *g = r->plan->g;
	const struct mlb_g_node *node = &g->node[n];
	const char *text = NULL;

	if (node->flags & MLB_G_SOURCE)
		text = absent_path(r, root, mlb_g_path(g, g->output[node->out.first].path));
	for (uint32_t i = 0; i < node->in.n && !text; i++)
		text = absent_path(r, root, mlb_g_path(g, g->input[node->in.first + i].path));
	return text;
}

/* ---------------------------------------------------------- all of them, in order */

static bool
has_outputs(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t i = 0; i < out.n; i++)
		if (!plan->out[out.first + i].kind)
			return false;
	return true;
}

static bool
inputs_known(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range dep = plan->g->node[n].dep;

	for (uint32_t i = 0; i < dep.n; i++)
		if (plan->node[plan->g->index[dep.first + i]].wanted &&
		    !has_outputs(plan, plan->g->index[dep.first + i]))
			return false;
	return true;
}

/* Its result by the inputs that it has; else by the lock alone, which says what the commit means. */
static int
find(struct mlb_repro *r, uint32_t n, struct mlb_err *err)
{
	struct mlb_plan *plan = r->plan;
	bool each = (plan->g->node[n].flags & MLB_G_EACH) != 0;
	int rc = 0;

	if (inputs_known(plan, n))
		rc = mlb_decide(plan, n, err);
	if (rc == 0 && !each && !has_outputs(plan, n))
		(void)mlb_known_locked(plan, n, NULL);
	return rc;
}

/* Of several results of a target that is not deterministic the one whose digest was given is meant. */
static void
mean_digest(const struct mlb_repro *r, struct mlb_repro_side *side)
{
	for (size_t i = 0; i < side->output.n && r->rev.what == MLB_REV_DIGEST; i++) {
		struct mlb_now *now = &side->output.v[i].now;

		if (strcmp(side->output.v[i].path, r->rev.path) != 0 ||
		    mlb_digest_equal(&now->digest, &r->rev.digest))
			continue;
		now->digest = r->rev.digest;
		now->size = 0;
	}
}

static const char *
why_unknown(struct mlb_repro *r, uint32_t n)
{
	const char *absent = mlb_repro_absent(r, &r->root, n);

	if (absent)
		return absent;
	return r->plan->node[n].reason[0] ? r->plan->node[n].reason : "not built yet";
}

static void
take(struct mlb_repro *r, uint32_t n)
{
	const struct mlb_g_node *node = &r->plan->g->node[n];
	struct mlb_repro_target *t = &r->target[r->n_targets];

	t->name = mlb_g_str(r->plan->g, node->name);
	mlb_strmap_add(&r->by_name, t->name, strlen(t->name), NULL)->u.num = r->n_targets++;
	t->kind = mlb_kind_names[node->kind];
	t->node = n;
	t->asked = r->plan->node[n].asked;
	t->source = (node->flags & MLB_G_SOURCE) != 0;
	t->check = node->kind == MLB_K_CHECK;
	t->each = (node->flags & MLB_G_EACH) != 0;
	t->nondet = (node->flags & MLB_G_NONDET) != 0;
	t->changes = "";
	mlb_repro_outputs(r, r->plan, n, &t->known);
	mean_digest(r, &t->known);
	t->known.said_no = r->plan->node[n].fate == MLB_FATE_NO;
	if (!t->known.have)
		t->unknown = why_unknown(r, n);
}

int
mlb_repro_known(struct mlb_repro *r, struct mlb_err *err)
{
	int rc = open_known(r, err);

	if (rc == 0)
		rc = make_plan(r, err);
	if (rc)
		return rc;
	r->target = mlb_arena_alloc(&r->arena, (r->plan->g->n_nodes + 1) * sizeof(*r->target));
	for (uint32_t n = 0; n < r->plan->g->n_nodes && rc == 0; n++) {
		if (!r->plan->node[n].wanted || r->plan->g->node[n].kind == MLB_K_TASK)
			continue;
		rc = find(r, n, err);
		if (rc == 0)
			take(r, n);
		if (rc == 0)
			rc = check_paths(&r->target[r->n_targets - 1].known, err);
	}
	return rc;
}
