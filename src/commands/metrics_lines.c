/*
 * Metrics at the end of a build:
 *
 *	model   accuracy 0.9722  loss 0.1031
 *
 * Nested ones are named by their path (val.loss). The metrics of several targets
 * stand below each other where they are the same ones.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "commands/metrics_lines.h"
#include "commands/tabular.h"
#include "commands/ui.h"

enum {
	ACROSS = 6,  /* metrics of one target that are printed side by side */
	DEEPEST = 8, /* nesting that is looked into */
	MAX_NAME = 4096,
};

struct metric {
	const char *name, *value;
	double number; /* of a number; NaN */
};

struct metrics {
	struct mlb_arena arena;
	MLB_VEC(struct metric) item;
};

static const char *
number(struct mlb_arena *a, double v)
{
	return mlb_arena_printf(a, "%.6g", v);
}

static const char *
scalar(struct mlb_arena *a, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return mlb_arena_strdup(a, json_string_value(v));
	case JSON_INTEGER:
		return mlb_arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	case JSON_REAL:
		return number(a, json_real_value(v));
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return NULL;
	}
}

/* Lists (a confusion matrix, a curve) are no numbers to read at a glance: `show` has them. */
static void
flatten(struct metrics *m, struct mlb_buf *name, json_t *value, unsigned depth)
{
	size_t len = name->len;
	const char *key, *text;
	json_t *item;

	if (!json_is_object(value)) {
		text = scalar(&m->arena, value);
		if (text) {
			struct metric one = { mlb_arena_strdup(&m->arena, mlb_buf_str(name)), text,
					      json_is_number(value) ? json_number_value(value)
								    : (double)NAN };

			mlb_vec_push(&m->item, one);
		}
		return;
	}
	json_object_foreach(value, key, item)
	{
		if (depth == DEEPEST)
			return;
		if (len)
			mlb_buf_addc(name, '.');
		mlb_buf_adds(name, key);
		flatten(m, name, item, depth + 1);
		mlb_buf_truncate(name, len);
	}
}

static void
add_rows(struct tabular *t, const char *node, const struct metrics *m)
{
	bool across = m->item.n <= ACROSS;

	for (size_t i = 0; i < m->item.n; i++) {
		if (i == 0 || !across)
			tabular_add(t, PAINT_BOLD, i ? "" : node);
		if (across) {
			tabular_addf(t, PAINT_PLAIN, "%s %s", m->item.v[i].name,
				     m->item.v[i].value);
		} else {
			tabular_add(t, PAINT_PLAIN, m->item.v[i].name);
			tabular_add(t, PAINT_PLAIN, m->item.v[i].value);
		}
		if (!across || i + 1 == m->item.n)
			tabular_end_row(t);
	}
}

static void
add_metrics(struct tabular *t, const char *label, json_t *value)
{
	struct metrics m = { MLB_ARENA_INIT, MLB_VEC_INIT };
	struct mlb_buf name = MLB_BUF_INIT(MAX_NAME);

	flatten(&m, &name, value, 0);
	add_rows(t, label, &m);
	mlb_buf_release(&name);
	mlb_arena_release(&m.arena);
	mlb_vec_release(&m.item);
}

static json_t *
parse(const char *json)
{
	return json && *json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
}

void
metrics_print(struct out *out, const char *json)
{
	json_t *root = parse(json);
	struct tabular t;
	const char *node;
	json_t *value;

	tabular_init(&t, out);
	json_object_foreach(root, node, value) add_metrics(&t, node, value);
	tabular_print(&t, out, "");
	tabular_release(&t);
	json_decref(root);
}

void
metrics_each(const char *json, metrics_fn *fn, void *ctx)
{
	json_t *root = parse(json), *value;
	const char *node;

	json_object_foreach(root, node, value)
	{
		struct metrics m = { MLB_ARENA_INIT, MLB_VEC_INIT };
		struct mlb_buf name = MLB_BUF_INIT(MAX_NAME);

		flatten(&m, &name, value, 0);
		for (size_t i = 0; i < m.item.n; i++)
			fn(ctx, node, m.item.v[i].name, m.item.v[i].value, m.item.v[i].number);
		mlb_buf_release(&name);
		mlb_arena_release(&m.arena);
		mlb_vec_release(&m.item);
	}
	json_decref(root);
}

void
metrics_print_one(struct out *out, const char *margin, const char *label, const char *json)
{
	json_t *root = parse(json);
	struct tabular t;

	tabular_init(&t, out);
	if (root)
		add_metrics(&t, label, root);
	tabular_print(&t, out, margin);
	tabular_release(&t);
	json_decref(root);
}
