/* What differs between two points of history. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "engine/point.h"

enum { MAX_ACTION = 256 << 20 };

struct differ {
	struct mlb_project *p;
	const struct mlb_diff *opt;
	struct mlb_points point;
	struct mlb_versions from, to;
	struct mlb_plan *plan;  /* of the workspace; NULL */
	struct mlb_arena arena; /* of the target at hand */
	struct mlb_changes found;
	bool any;
};

/* ---------------------------------------------------------- parameters */

static int
by_name(const void *a, const void *b)
{
	const struct mlb_param *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Leaves and lists; a map is told by its leaves. */
static size_t
params_of(const struct mlb_param ***out, const struct mlb_config *c)
{
	const struct mlb_strmap *map = c ? &c->params.map : NULL;
	size_t n = 0;

	*out = mlb_calloc((map ? map->n : 0) + 1, sizeof(**out));
	for (uint32_t i = 0; map && i < map->n; i++) {
		const struct mlb_param *param = mlb_params_get(&c->params, map->entry[i].key);

		if (!param->map)
			(*out)[n++] = param;
	}
	if (n)
		qsort(*out, n, sizeof(**out), by_name);
	return n;
}

static int
differ_param(struct differ *f, const struct mlb_param *a, const struct mlb_param *b)
{
	struct mlb_change d = { .what = MLB_DIFF_PARAM, .name = a ? a->name : b->name };

	if (a && b && strcmp(a->text, b->text) == 0)
		return 0;
	d.before = a ? a->text : NULL;
	d.after = b ? b->text : NULL;
	d.before_json = mlb_param_json(&f->arena, d.before);
	d.after_json = mlb_param_json(&f->arena, d.after);
	mlb_change_numbers(&d);
	f->any = true;
	return f->opt->on_param(f->opt->ctx, &d);
}

static int
differ_params(struct differ *f, const struct mlb_config *before, const struct mlb_config *after)
{
	const struct mlb_param **a, **b;
	size_t n = params_of(&a, before), m = params_of(&b, after), i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < n || k < m)) {
		int c = i == n ? 1 : k == m ? -1 : strcmp(a[i]->name, b[k]->name);

		rc = differ_param(f, c <= 0 ? a[i] : NULL, c >= 0 ? b[k] : NULL);
		i += c <= 0;
		k += c >= 0;
	}
	free(a);
	free(b);
	return rc ? 1 : 0;
}

static int
params(struct differ *f, struct mlb_err *err)
{
	struct mlb_config *before = NULL, *after = NULL;
	bool own_before = false, own_after = false;
	int rc = mlb_point_config(&before, &own_before, f->p, &f->point, 0, err);

	if (rc == 0)
		rc = mlb_point_config(&after, &own_after, f->p, &f->point, 1, err);
	if (rc == 0)
		rc = differ_params(f, before, after);
	if (own_before)
		mlb_config_free(before);
	if (own_after)
		mlb_config_free(after);
	return rc;
}

/* ---------------------------------------------------------- targets */

/* The node that a build would make again; MLB_NONE. */
static uint32_t
stale_node(const struct differ *f, const char *name)
{
	uint32_t n = f->plan ? mlb_graph_find(f->plan->g, name) : MLB_NONE;
	uint8_t fate;

	if (n == MLB_NONE || !f->plan->node[n].wanted)
		return MLB_NONE;
	fate = f->plan->node[n].fate;
	return fate == MLB_FATE_RUN || fate == MLB_FATE_MAYBE || fate == MLB_FATE_BLOCKED
		       ? n
		       : MLB_NONE;
}

static const char *
action_now(struct differ *f, uint32_t n)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_arena arena = MLB_ARENA_INIT;
	const struct mlb_g_node *node = &f->plan->g->node[n];
	const char *own = NULL;
	struct mlb_action a;

	if (f->plan->node[n].key_known && !(node->flags & (MLB_G_EACH | MLB_G_SOURCE))) {
		mlb_node_action(f->plan, n, &arena, &a);
		mlb_action_text(&text, f->plan->g, &a);
		own = mlb_arena_strndup(&f->arena, mlb_buf_str(&text), text.len);
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	return own;
}

static int
tell(struct differ *f, struct mlb_target_change *t)
{
	int rc;

	t->difference = f->found.v;
	t->n_differences = f->found.n;
	f->any = true;
	rc = f->opt->on_target(f->opt->ctx, t);
	f->found.n = 0;
	mlb_arena_release(&f->arena);
	return rc ? 1 : 0;
}

static int
differ_target(struct differ *f, const struct mlb_version *a, const struct mlb_version *b)
{
	const struct mlb_version *v = b ? b : a;
	uint32_t n = stale_node(f, v->name);
	struct mlb_target_change t = { .target = v->name, .kind = v->kind, .reason = "" };

	if (a && b && n == MLB_NONE && mlb_version_same(a, b))
		return 0;
	t.what = !a ? "added" : !b ? "removed" : mlb_version_same(a, b) ? "stale" : "changed";
	if (n != MLB_NONE)
		t.reason = f->plan->node[n].reason;
	mlb_version_differ(&f->found, &f->arena, f->p, a, b,
			   n == MLB_NONE || !a || !b ? NULL : action_now(f, n));
	return tell(f, &t);
}

/* The rows of `each` behind its own entry are counted; returns how many entries both sides took. */
static int
differ_each(struct differ *f, size_t *i, size_t *k)
{
	const struct mlb_version *a = f->from.all.v, *b = f->to.all.v;
	const char *base = a[*i].base;
	struct mlb_target_change t = { .target = base, .kind = a[*i].kind, .reason = "" };
	uint32_t n = stale_node(f, base);
	bool same = mlb_version_same(&a[*i], &b[*k]);

	++*i;
	++*k;
	for (;;) {
		bool left = *i < f->from.all.n && a[*i].row && strcmp(a[*i].base, base) == 0;
		bool right = *k < f->to.all.n && b[*k].row && strcmp(b[*k].base, base) == 0;
		int c = !left ? 1 : !right ? -1 : strcmp(a[*i].name, b[*k].name);

		if (!left && !right)
			break;
		t.files_removed += c < 0;
		t.files_added += c > 0;
		t.files_changed += c == 0 && !mlb_version_same(&a[*i], &b[*k]);
		*i += c <= 0;
		*k += c >= 0;
	}
	if (same && n == MLB_NONE)
		return 0;
	t.what = same ? "stale" : "changed";
	if (n != MLB_NONE)
		t.reason = f->plan->node[n].reason;
	return tell(f, &t);
}

/* What the workspace's graph has and neither lock names: it was never built. */
static int
differ_unbuilt(struct differ *f)
{
	int rc = 0;

	for (uint32_t n = 0; f->plan && n < f->plan->g->n_nodes && rc == 0; n++) {
		const char *name = mlb_g_str(f->plan->g, f->plan->g->node[n].name);
		struct mlb_target_change t = {
			.target = name,
			.kind = mlb_kind_names[f->plan->g->node[n].kind],
			/* A check is in no lock, whether it was asked or not. */
			.what = f->plan->g->node[n].kind == MLB_K_CHECK ? "stale" : "added",
			.reason = f->plan->node[n].reason,
		};

		if (stale_node(f, name) != MLB_NONE && f->plan->g->node[n].kind != MLB_K_TASK &&
		    !mlb_versions_find(&f->from, name) && !mlb_versions_find(&f->to, name))
			rc = tell(f, &t);
	}
	return rc;
}

static int
targets(struct differ *f)
{
	const struct mlb_version *a = f->from.all.v, *b = f->to.all.v;
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < f->from.all.n || k < f->to.all.n)) {
		int c = i == f->from.all.n ? 1
			: k == f->to.all.n ? -1
					   : strcmp(a[i].name, b[k].name);

		if (c == 0 && a[i].folded && b[k].folded) {
			rc = differ_each(f, &i, &k);
			continue;
		}
		if (!(c <= 0 ? a[i].row : b[k].row))
			rc = differ_target(f, c <= 0 ? &a[i] : NULL, c >= 0 ? &b[k] : NULL);
		i += c <= 0;
		k += c >= 0;
	}
	return rc ? rc : differ_unbuilt(f);
}

/* ---------------------------------------------------------- the whole */

static int
open_sides(struct differ *f, struct mlb_err *err)
{
	const struct mlb_diff *d = f->opt;
	int rc = mlb_points_add(&f->point, f->p, d->from ? d->from : "HEAD", err);

	if (rc == 0 && d->to)
		rc = mlb_points_add(&f->point, f->p, d->to, err);
	else if (rc == 0)
		mlb_points_add_workspace(&f->point);
	if (rc == 0 && f->point.all.n != 2)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "a range is no revision: give both ends of it as two words");
	if (rc == 0)
		rc = mlb_point_versions(&f->from, f->p, &f->point, 0, err);
	if (rc == 0)
		rc = mlb_point_versions(&f->to, f->p, &f->point, 1, err);
	if (rc == 0 && !f->point.all.v[1].commit[0]) {
		const struct mlb_plan_options o = { .also = &f->to.file };

		rc = mlb_plan_new(&f->plan, f->p, &o, err);
		if (rc == 0)
			rc = mlb_plan_simulate(f->plan, err);
	}
	return rc;
}

int
mlb_diff(struct mlb_project *p, const struct mlb_diff *d, bool *any, struct mlb_err *err)
{
	struct differ f = { .p = p, .opt = d };
	int rc;

	*any = false;
	rc = open_sides(&f, err);
	if (rc == 0 && d->on_sides)
		d->on_sides(d->ctx, &f.point.all.v[0], &f.point.all.v[1]);
	if (rc == 0)
		rc = params(&f, err);
	if (rc == 0)
		rc = targets(&f);
	*any = f.any;
	mlb_plan_free(f.plan);
	mlb_versions_release(&f.from);
	mlb_versions_release(&f.to);
	mlb_points_release(&f.point);
	mlb_vec_release(&f.found);
	mlb_arena_release(&f.arena);
	return rc < 0 ? rc : 0;
}
