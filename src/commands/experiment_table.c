#include "commands/experiment_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "commands/jsonline.h"
#include "commands/metrics_lines.h"
#include "commands/tabular.h"

enum { ID_SHOWN = 8, MAX_NAME = 4096 };

void
xtable_init(struct xtable *t)
{
	memset(t, 0, sizeof(*t));
}

void
xtable_release(struct xtable *t)
{
	for (size_t i = 0; i < t->row.n; i++) {
		free(t->row.v[i].param);
		free(t->row.v[i].metric);
	}
	mlb_vec_release(&t->row);
	mlb_vec_release(&t->param);
	mlb_vec_release(&t->metric);
	mlb_arena_release(&t->arena);
}

/* ---------------------------------------------------------- adding */

static void
set_cell(struct xcell **cells, size_t *n, size_t at, struct xcell cell)
{
	if (at >= *n) {
		*cells = mlb_realloc(*cells, at + 1, sizeof(**cells));
		for (; *n <= at; (*n)++)
			(*cells)[*n] = (struct xcell){ NULL, (double)NAN };
	}
	(*cells)[at] = cell;
}

static size_t
param_column(struct xtable *t, const char *name)
{
	struct xcolumn c = { .name = name };

	for (size_t i = 0; i < t->param.n; i++)
		if (strcmp(t->param.v[i].name, name) == 0)
			return i;
	c.name = mlb_arena_strdup(&t->arena, name);
	mlb_vec_push(&t->param, c);
	return t->param.n - 1;
}

static size_t
metric_column(struct xtable *t, const char *node, const char *name)
{
	struct xcolumn c = { NULL, NULL, false };
	size_t len = strlen(node);

	for (size_t i = 0; i < t->metric.n; i++)
		if (strncmp(t->metric.v[i].name, node, len) == 0 &&
		    t->metric.v[i].name[len] == '.' &&
		    strcmp(t->metric.v[i].name + len + 1, name) == 0)
			return i;
	c.name = mlb_arena_printf(&t->arena, "%s.%s", node, name);
	c.metric = c.name + len + 1;
	for (size_t i = 0; i < t->metric.n; i++)
		if (strcmp(t->metric.v[i].metric, name) == 0)
			c.of_several = t->metric.v[i].of_several = true;
	mlb_vec_push(&t->metric, c);
	return t->metric.n - 1;
}

struct adding {
	struct xtable *t;
	struct xrow *row;
};

static void
add_metric(void *ctx, const char *node, const char *name, const char *text, double number)
{
	struct adding *a = ctx;
	const struct xcell cell = { mlb_arena_strdup(&a->t->arena, text), number };

	set_cell(&a->row->metric, &a->row->n_metrics, metric_column(a->t, node, name), cell);
}

static double
number_of(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	return *text && !*end ? v : (double)NAN;
}

static const char *const *
copy_words(struct mlb_arena *a, const char *const *word, size_t n)
{
	const char **copy = mlb_arena_alloc(a, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = mlb_arena_strdup(a, word[i]);
	return copy;
}

void
xtable_add(struct xtable *t, const struct mlb_experiment *x)
{
	struct xrow row = { .x = *x };
	struct adding a = { t, &row };
	struct mlb_experiment_param *p = mlb_arena_alloc(&t->arena, (x->n_params + 1) * sizeof(*p));

	row.x.id = mlb_arena_strdup(&t->arena, x->id);
	row.x.name = mlb_arena_strdup(&t->arena, x->name);
	row.x.status = mlb_arena_strdup(&t->arena, x->status);
	row.x.reason = mlb_arena_strdup(&t->arena, x->reason);
	row.x.commit = mlb_arena_strdup(&t->arena, x->commit);
	row.x.author = mlb_arena_strdup(&t->arena, x->author);
	row.x.target = copy_words(&t->arena, x->target, x->n_targets);
	row.x.metrics = mlb_arena_strdup(&t->arena, x->metrics);
	row.x.param = p;
	for (size_t i = 0; i < x->n_params; i++) {
		p[i].name = mlb_arena_strdup(&t->arena, x->param[i].name);
		p[i].value = mlb_arena_strdup(&t->arena, x->param[i].value);
		set_cell(&row.param, &row.n_params, param_column(t, p[i].name),
			 (struct xcell){ p[i].value, number_of(p[i].value) });
	}
	metrics_each(x->metrics, add_metric, &a);
	mlb_vec_push(&t->row, row);
}

/* ---------------------------------------------------------- sorting */

bool
metric_is_loss(const char *name)
{
	static const char *const words[] = { "loss", "err",        "rmse",     "mse",
					     "mae",  "perplexity", "deviance", "logloss" };
	struct mlb_buf low = MLB_BUF_INIT(MAX_NAME);
	const char *last = strrchr(name, '.');
	bool is = false;

	for (const char *s = last ? last + 1 : name; *s; s++)
		mlb_buf_addc(&low, (char)tolower((unsigned char)*s));
	for (size_t i = 0; i < MLB_ARRAY_LEN(words); i++)
		is |= strstr(mlb_buf_str(&low), words[i]) != NULL;
	mlb_buf_release(&low);
	return is;
}

enum by { BY_ID, BY_TIME, BY_DURATION, BY_STATUS, BY_PARAM, BY_METRIC };

struct order {
	enum by by;
	size_t column;
	int sign; /* 1: small ones first */
};

static const struct xcell *
cell_at(const struct xrow *r, bool metric, size_t column)
{
	static const struct xcell none = { NULL, 0 };
	size_t n = metric ? r->n_metrics : r->n_params;

	return column < n ? &(metric ? r->metric : r->param)[column] : &none;
}

/* What a comparison gave, upwards (sign 1) or downwards (-1). */
static int
in_order(int compared, int sign)
{
	return compared < 0 ? -sign : compared > 0 ? sign : 0;
}

/* What has no value is last, whatever the order. */
static int
compare_cells(const struct xcell *a, const struct xcell *b, int sign)
{
	bool numbers;

	if (!a->text || !b->text)
		return (a->text ? 0 : 1) - (b->text ? 0 : 1);
	numbers = !isnan(a->number) && !isnan(b->number);
	if (numbers)
		return a->number < b->number ? -sign : a->number > b->number ? sign : 0;
	if (isnan(a->number) != isnan(b->number))
		return isnan(a->number) ? 1 : -1;
	return in_order(strcmp(a->text, b->text), sign);
}

static int
compare(const struct xrow *a, const struct xrow *b, const struct order *o)
{
	switch (o->by) {
	case BY_ID:
		return in_order(strcmp(a->x.id, b->x.id), o->sign);
	case BY_TIME:
		return a->x.time < b->x.time ? -o->sign : a->x.time > b->x.time ? o->sign : 0;
	case BY_DURATION:
		return a->x.duration < b->x.duration   ? -o->sign
		       : a->x.duration > b->x.duration ? o->sign
						       : 0;
	case BY_STATUS:
		return in_order(strcmp(a->x.status, b->x.status), o->sign);
	default:
		return compare_cells(cell_at(a, o->by == BY_METRIC, o->column),
				     cell_at(b, o->by == BY_METRIC, o->column), o->sign);
	}
}

/* Merge sort: equal ones stay in their order. */
static void
sort_rows(struct xrow *v, size_t n, const struct order *o, struct xrow *scratch)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort_rows(v, half, o, scratch);
	sort_rows(v + half, n - half, o, scratch);
	while (i < half && j < n)
		scratch[k++] = compare(&v[j], &v[i], o) < 0 ? v[j++] : v[i++];
	while (i < half)
		scratch[k++] = v[i++];
	memcpy(v, scratch, k * sizeof(*v));
}

static bool
find_param(const struct xtable *t, const char *name, size_t *at)
{
	for (*at = 0; *at < t->param.n; (*at)++)
		if (strcmp(t->param.v[*at].name, name) == 0)
			return true;
	return false;
}

const struct xcolumn *
xtable_metric(const struct xtable *t, const char *name, size_t *at)
{
	for (*at = 0; *at < t->metric.n; (*at)++)
		if (strcmp(t->metric.v[*at].name, name) == 0)
			return &t->metric.v[*at];
	for (*at = 0; *at < t->metric.n; (*at)++)
		if (strcmp(t->metric.v[*at].metric, name) == 0)
			return &t->metric.v[*at];
	return NULL;
}

static int
unknown_key(const struct xtable *t, const char *key, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	MLB_VEC(const char *) known = MLB_VEC_INIT;
	const char *near;
	int rc;

	for (size_t i = 0; i < t->metric.n; i++)
		mlb_vec_push(&known, mlb_arena_printf(&arena, "metrics.%s", t->metric.v[i].metric));
	for (size_t i = 0; i < t->param.n; i++)
		mlb_vec_push(&known, mlb_arena_printf(&arena, "params.%s", t->param.v[i].name));
	mlb_vec_push(&known, "time");
	mlb_vec_push(&known, "duration");
	mlb_vec_push(&known, "status");
	near = mlb_nearest(key, known.v, known.n);
	if (near)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "no experiment has a '%s' to sort by: did you mean '%s'?", key,
				 near);
	else
		rc = mlb_err_set(err, MLB_EINVALID,
				 "no experiment has a '%s' to sort by: metrics.NAME, params.NAME, "
				 "time, duration, status and id can be",
				 key);
	mlb_vec_release(&known);
	mlb_arena_release(&arena);
	return rc;
}

static int
find_order(const struct xtable *t, const char *key, struct order *o, struct mlb_err *err)
{
	static const char *const words[] = {
		[BY_ID] = "id", [BY_TIME] = "time", [BY_DURATION] = "duration", [BY_STATUS] = "status"
	};
	bool metrics = mlb_str_starts(key, "metrics."), params = mlb_str_starts(key, "params.");
	const char *name = metrics ? key + 8 : params ? key + 7 : key;
	const struct xcolumn *c;

	o->sign = 1;
	for (size_t i = 0; i < MLB_ARRAY_LEN(words); i++)
		if (strcmp(key, words[i]) == 0) {
			o->by = (enum by)i;
			o->sign = o->by == BY_TIME ? -1 : 1;
			return 0;
		}
	c = params ? NULL : xtable_metric(t, name, &o->column);
	if (c) {
		o->by = BY_METRIC;
		o->sign = metric_is_loss(c->metric) ? 1 : -1;
		return 0;
	}
	o->by = BY_PARAM;
	if (!metrics && find_param(t, name, &o->column))
		return 0;
	return t->row.n ? unknown_key(t, key, err) : 0;
}

int
xtable_sort(struct xtable *t, const char *key, bool reverse, struct mlb_err *err)
{
	struct order o = { BY_ID, 0, 1 };
	int rc = find_order(t, key, &o, err);
	struct xrow *scratch;

	if (rc)
		return rc;
	if (reverse)
		o.sign = -o.sign;
	scratch = mlb_alloc((t->row.n + 1) * sizeof(*scratch));
	sort_rows(t->row.v, t->row.n, &o, scratch);
	free(scratch);
	return 0;
}

void
xtable_top(struct xtable *t, size_t n)
{
	for (; t->row.n > n; t->row.n--) {
		free(t->row.v[t->row.n - 1].param);
		free(t->row.v[t->row.n - 1].metric);
	}
}

/* ---------------------------------------------------------- printing */

static bool
any_named(const struct xtable *t)
{
	for (size_t i = 0; i < t->row.n; i++)
		if (t->row.v[i].x.name[0])
			return true;
	return false;
}

static bool
any_failed(const struct xtable *t)
{
	for (size_t i = 0; i < t->row.n; i++)
		if (strcmp(t->row.v[i].x.status, "done") != 0)
			return true;
	return false;
}

struct shape {
	bool named, status;
	size_t params, metrics; /* columns that there is room for */
};

static struct shape
shape_of(const struct xtable *t)
{
	struct shape s = { any_named(t), any_failed(t), 0, 0 };
	size_t room = TABULAR_MAX - 1 - (size_t)s.named - 2 * (size_t)s.status;

	s.metrics = MLB_MIN(t->metric.n, room / 2);
	s.params = MLB_MIN(t->param.n, room - s.metrics);
	s.metrics = MLB_MIN(t->metric.n, room - s.params);
	return s;
}

static const char *
metric_head(const struct xcolumn *c)
{
	return c->of_several ? c->name : c->metric;
}

/* Where a parameter and a metric have one name, both say what they are. */
static void
add_head(const struct xtable *t, struct tabular *tab, size_t column, bool metric)
{
	const struct xcolumn *of = metric ? t->param.v : t->metric.v;
	size_t n = metric ? t->param.n : t->metric.n;
	const char *name = metric ? metric_head(&t->metric.v[column]) : t->param.v[column].name;
	bool both = false;

	for (size_t i = 0; i < n && !both; i++)
		both = strcmp(metric ? of[i].name : metric_head(&of[i]), name) == 0;
	tabular_addf(tab, PAINT_DIM, "%s%s", !both ? "" : metric ? "metrics." : "params.", name);
}

static void
print_head(const struct xtable *t, const struct shape *s, struct tabular *tab)
{
	tabular_add(tab, PAINT_DIM, "id");
	if (s->named)
		tabular_add(tab, PAINT_DIM, "name");
	for (size_t i = 0; i < s->params; i++)
		add_head(t, tab, i, false);
	for (size_t i = 0; i < s->metrics; i++)
		add_head(t, tab, i, true);
	if (s->status) {
		tabular_add(tab, PAINT_DIM, "status");
		tabular_add(tab, PAINT_DIM, "");
	}
	tabular_end_row(tab);
}

static void
print_row(const struct xrow *r, const struct shape *s, struct tabular *tab)
{
	bool done = strcmp(r->x.status, "done") == 0;

	tabular_addf(tab, PAINT_BOLD, "%.*s", ID_SHOWN, r->x.id);
	if (s->named)
		tabular_add(tab, PAINT_BOLD, r->x.name);
	for (size_t i = 0; i < s->params; i++) {
		const char *text = cell_at(r, false, i)->text;

		tabular_add(tab, PAINT_PLAIN, !text ? "-" : *text ? text : "''");
	}
	for (size_t i = 0; i < s->metrics; i++) {
		const char *text = cell_at(r, true, i)->text;

		tabular_add(tab, PAINT_PLAIN, text ? text : "-");
	}
	if (s->status) {
		tabular_add(tab, done ? PAINT_GOOD : PAINT_BAD, r->x.status);
		tabular_add(tab, PAINT_DIM, r->x.reason);
	}
	tabular_end_row(tab);
}

void
xtable_print(const struct xtable *t, struct out *out)
{
	struct shape s = shape_of(t);
	struct tabular tab;
	size_t hidden = t->param.n - s.params + t->metric.n - s.metrics;

	if (!t->row.n)
		return;
	tabular_init(&tab, out);
	print_head(t, &s, &tab);
	for (size_t i = 0; i < t->row.n; i++)
		print_row(&t->row.v[i], &s, &tab);
	tabular_print(&tab, out, "");
	tabular_release(&tab);
	if (hidden)
		out_addf(out, "and %zu more column%s: --csv and --json have all\n", hidden,
			 hidden == 1 ? "" : "s");
}

/* RFC 4180: quoted where it must be. */
static void
csv_field(struct out *out, const char *text, bool first)
{
	bool quote = strpbrk(text, ",\"\r\n") != NULL;

	if (!first)
		out_adds(out, ",");
	if (quote)
		out_adds(out, "\"");
	for (const char *s = text; *s; s++) {
		if (*s == '"')
			out_adds(out, "\"");
		out_add(out, s, 1);
	}
	if (quote)
		out_adds(out, "\"");
}

/* All of its digits, where a person's table has a few. */
static void
csv_metric(struct out *out, const struct xcell *cell)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_NAME);
	struct mlb_json j;

	if (cell->text && !isnan(cell->number)) {
		mlb_json_init(&j, &b);
		mlb_json_double(&j, cell->number);
		csv_field(out, mlb_buf_str(&b), false);
	} else {
		csv_field(out, cell->text ? cell->text : "", false);
	}
	mlb_buf_release(&b);
}

void
xtable_csv(const struct xtable *t, struct out *out)
{
	csv_field(out, "id", true);
	csv_field(out, "name", false);
	csv_field(out, "status", false);
	for (size_t i = 0; i < t->param.n; i++) {
		out_adds(out, ",params.");
		out_adds(out, t->param.v[i].name);
	}
	for (size_t i = 0; i < t->metric.n; i++) {
		out_adds(out, ",metrics.");
		out_adds(out, metric_head(&t->metric.v[i]));
	}
	out_adds(out, "\n");
	for (size_t r = 0; r < t->row.n; r++) {
		const struct xrow *row = &t->row.v[r];

		csv_field(out, row->x.id, true);
		csv_field(out, row->x.name, false);
		csv_field(out, row->x.status, false);
		for (size_t i = 0; i < t->param.n; i++) {
			const char *text = cell_at(row, false, i)->text;

			csv_field(out, text ? text : "", false);
		}
		for (size_t i = 0; i < t->metric.n; i++)
			csv_metric(out, cell_at(row, true, i));
		out_adds(out, "\n");
	}
}

void
experiment_json(const struct mlb_experiment *x, struct out *out)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "id", x->id);
	jsonline_str(&l, "name", x->name);
	jsonline_str(&l, "status", x->status);
	jsonline_str(&l, "reason", x->reason);
	mlb_json_key(&l.j, "targets");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < x->n_targets; i++)
		mlb_json_str(&l.j, x->target[i]);
	mlb_json_end_array(&l.j);
	mlb_json_key(&l.j, "params");
	mlb_json_object(&l.j);
	for (size_t i = 0; i < x->n_params; i++)
		jsonline_str(&l, x->param[i].name, x->param[i].value);
	mlb_json_end_object(&l.j);
	jsonline_raw(&l, "metrics", x->metrics);
	if (x->time)
		jsonline_time(&l, "time", x->time);
	else
		jsonline_raw(&l, "time", NULL);
	jsonline_seconds(&l, "seconds", x->duration);
	jsonline_str(&l, "commit", x->commit);
	jsonline_str(&l, "author", x->author);
	jsonline_bool(&l, "shared", x->shared);
	jsonline_end(&l);
}

void
xtable_json(const struct xtable *t, struct out *out)
{
	for (size_t i = 0; i < t->row.n && !out_closed(out); i++)
		experiment_json(&t->row.v[i].x, out);
}
