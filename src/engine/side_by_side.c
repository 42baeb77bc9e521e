/* Metrics and parameters of several points of history, side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/point.h"

struct line {
	const char *target, *name;
	size_t order; /* in which it was met */
	struct mlb_cell *cell;
};

struct side_by_side {
	struct mlb_project *p;
	struct mlb_points point;
	struct mlb_arena arena;
	struct mlb_strmap at;    /* target and name -> index of the line */
	struct mlb_strmap known; /* digest of a metrics file -> struct mlb_metrics *, read once */
	MLB_VEC(struct line) line;
	MLB_VEC(struct mlb_metrics *) kept;
};

static void
set(struct side_by_side *s, size_t column, const char *target, const char *name, const char *text,
    const char *json)
{
	const char *key = mlb_arena_printf(&s->arena, "%s %s", target, name);
	struct mlb_strmap_entry *e;
	struct line *l;
	double v = NAN;
	char *end;
	bool is_new;

	e = mlb_strmap_add(&s->at, key, strlen(key), &is_new);
	if (is_new) {
		struct line one = { mlb_arena_strdup(&s->arena, target),
				    mlb_arena_strdup(&s->arena, name), s->line.n, NULL };

		one.cell = mlb_arena_alloc(&s->arena, s->point.all.n * sizeof(*one.cell));
		for (size_t i = 0; i < s->point.all.n; i++)
			one.cell[i].number = NAN;
		e->u.num = s->line.n;
		mlb_vec_push(&s->line, one);
	}
	l = &s->line.v[e->u.num];
	l->cell[column].text = mlb_arena_strdup(&s->arena, text);
	l->cell[column].json = mlb_arena_strdup(&s->arena, json);
	if (json[0] && strchr("-0123456789", json[0])) {
		v = strtod(json, &end);
		l->cell[column].number = *end ? NAN : v;
	}
}

/* ---------------------------------------------------------- filling */

static const struct mlb_metrics *
metrics_of(struct side_by_side *s, const struct mlb_version *v)
{
	const struct mlb_lock_output *o = NULL;
	struct mlb_strmap_entry *e;
	struct mlb_metrics *m;
	const char *key;
	bool is_new;
	json_t *json;

	for (uint32_t i = 0; i < v->n_outputs && !o; i++)
		if (v->output[i].kind == MLB_O_METRICS)
			o = &v->output[i];
	if (!o)
		return NULL;
	key = mlb_arena_strndup(&s->arena, (const char *)o->digest.b, MLB_DIGEST_LEN);
	e = mlb_strmap_add(&s->known, key, MLB_DIGEST_LEN, &is_new);
	if (!is_new && e->u.ptr)
		return e->u.ptr;
	json = mlb_version_metrics(s->p, v);
	if (!json)
		return NULL;
	m = mlb_calloc(1, sizeof(*m));
	mlb_vec_push(&s->kept, m);
	mlb_metrics_flatten(m, &s->arena, json);
	json_decref(json);
	e->u.ptr = m;
	return m;
}

static int
fill_metrics(struct side_by_side *s, size_t column, struct mlb_err *err)
{
	struct mlb_versions all;
	int rc = mlb_point_versions(&all, s->p, &s->point, column, err);

	for (size_t i = 0; i < all.all.n && rc == 0; i++) {
		const struct mlb_metrics *m = metrics_of(s, &all.all.v[i]);

		for (size_t k = 0; m && k < m->n; k++)
			set(s, column, all.all.v[i].name, m->v[k].name, m->v[k].text, m->v[k].json);
	}
	mlb_versions_release(&all);
	return rc;
}

static int
fill_params(struct side_by_side *s, size_t column, struct mlb_err *err)
{
	struct mlb_config *c = NULL;
	bool own = false;
	int rc = mlb_point_config(&c, &own, s->p, &s->point, column, err);

	for (uint32_t i = 0; rc == 0 && c && i < c->params.map.n; i++) {
		const struct mlb_param *p = mlb_params_get(&c->params, c->params.map.entry[i].key);

		if (!p->map)
			set(s, column, "", p->name, p->text, mlb_param_json(&s->arena, p->text));
	}
	if (own)
		mlb_config_free(c);
	return rc;
}

/* ---------------------------------------------------------- the table */

static int
by_target(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int c = strcmp(x->target, y->target);

	if (c == 0 && !*x->target)
		return strcmp(x->name, y->name);
	return c ? c : (x->order > y->order) - (x->order < y->order);
}

static void
tell(struct side_by_side *s, mlb_side_by_side_fn *fn, void *ctx)
{
	struct mlb_table_line *line = mlb_calloc(s->line.n + 1, sizeof(*line));
	const struct mlb_side_by_side t = { s->point.all.v, s->point.all.n, line, s->line.n };

	if (s->line.n)
		qsort(s->line.v, s->line.n, sizeof(*s->line.v), by_target);
	for (size_t i = 0; i < s->line.n; i++)
		line[i] = (struct mlb_table_line){ s->line.v[i].target, s->line.v[i].name,
						   s->line.v[i].cell };
	fn(ctx, &t);
	free(line);
}

static int
find_points(struct side_by_side *s, const char *const *rev, size_t n, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = mlb_points_add(&s->point, s->p, rev[i], err);
	if (rc == 0 && (n == 0 || (n == 1 && s->point.all.n == 1 && !strstr(rev[0], "..") &&
				   s->point.all.v[0].commit[0])))
		mlb_points_add_workspace(&s->point);
	return rc;
}

static int
compare(struct mlb_project *p, const char *const *rev, size_t n,
	int (*fill)(struct side_by_side *s, size_t column, struct mlb_err *err),
	mlb_side_by_side_fn *fn, void *ctx, struct mlb_err *err)
{
	struct side_by_side s = { .p = p, .at = MLB_STRMAP_INIT, .known = MLB_STRMAP_INIT };
	int rc = find_points(&s, rev, n, err);

	for (size_t i = 0; i < s.point.all.n && rc == 0; i++)
		rc = fill(&s, i, err);
	if (rc == 0)
		tell(&s, fn, ctx);
	for (size_t i = 0; i < s.kept.n; i++) {
		mlb_vec_release(s.kept.v[i]);
		free(s.kept.v[i]);
	}
	mlb_vec_release(&s.kept);
	mlb_vec_release(&s.line);
	mlb_strmap_release(&s.at);
	mlb_strmap_release(&s.known);
	mlb_points_release(&s.point);
	mlb_arena_release(&s.arena);
	return rc;
}

int
mlb_compare_metrics(struct mlb_project *p, const char *const *rev, size_t n,
		    mlb_side_by_side_fn *fn, void *ctx, struct mlb_err *err)
{
	return compare(p, rev, n, fill_metrics, fn, ctx, err);
}

int
mlb_compare_params(struct mlb_project *p, const char *const *rev, size_t n, mlb_side_by_side_fn *fn,
		   void *ctx, struct mlb_err *err)
{
	return compare(p, rev, n, fill_params, fn, ctx, err);
}
