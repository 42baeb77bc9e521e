/* How two versions of one target differ. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "engine/versions.h"
#include "graph/params_tree.h"

enum { MAX_TEXT = 256 << 20 };

struct differ {
	struct mlb_changes *out;
	struct mlb_arena *arena;
	struct mlb_project *p;
};

/* ---------------------------------------------------------- values */

static const char *
json_string_of(struct mlb_arena *arena, const char *text)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_json j;
	const char *s;

	if (!text)
		return NULL;
	mlb_json_init(&j, &b);
	mlb_json_str(&j, text);
	s = mlb_arena_strdup(arena, mlb_buf_str(&b));
	mlb_buf_release(&b);
	return s;
}

const char *
mlb_param_json(struct mlb_arena *arena, const char *text)
{
	struct mlb_buf scratch = MLB_BUF_INIT(MAX_TEXT);
	const char *plain = text ? mlb_plain_json(&scratch, text) : NULL;
	const char *s = plain ? mlb_arena_strdup(arena, plain) : NULL;
	json_t *list;

	mlb_buf_release(&scratch);
	if (!text || s)
		return s;
	list = *text == '[' || *text == '{' ? json_loads(text, 0, NULL) : NULL;
	s = list ? mlb_arena_strdup(arena, text) : json_string_of(arena, text);
	json_decref(list);
	return s;
}

static bool
number_of(double *out, const char *json)
{
	char *end;

	if (!json || !strchr("-0123456789", *json) || !*json)
		return false;
	*out = strtod(json, &end);
	return *end == '\0' && isfinite(*out);
}

void
mlb_change_numbers(struct mlb_change *d)
{
	double a, b;

	d->numeric = number_of(&a, d->before_json) && number_of(&b, d->after_json);
	if (!d->numeric)
		return;
	d->delta = b - a;
	d->relative = fabs(a) > 0 ? d->delta / fabs(a) : (double)NAN;
}

static void
push(struct differ *f, enum mlb_change_what what, const char *name, const char *before,
     const char *after)
{
	struct mlb_change d = { .what = what,
				.name = mlb_arena_strdup(f->arena, name),
				.before = before ? mlb_arena_strdup(f->arena, before) : NULL,
				.after = after ? mlb_arena_strdup(f->arena, after) : NULL };

	if (what == MLB_DIFF_PARAM) {
		d.before_json = mlb_param_json(f->arena, d.before);
		d.after_json = mlb_param_json(f->arena, d.after);
		mlb_change_numbers(&d);
	} else {
		d.before_json = json_string_of(f->arena, d.before);
		d.after_json = json_string_of(f->arena, d.after);
	}
	mlb_vec_push(f->out, d);
}

/* ---------------------------------------------------------- actions */

static enum mlb_change_what
what_of(const struct mlb_action_line *l)
{
	if (strcmp(l->type, "param") == 0)
		return MLB_DIFF_PARAM;
	return strcmp(l->type, "input") == 0 ? MLB_DIFF_INPUT : MLB_DIFF_ACTION;
}

static bool
same_line(const struct mlb_action_line *a, const struct mlb_action_line *b)
{
	if (!a || !b)
		return false;
	if (!a->value != !b->value || (a->value && strcmp(a->value, b->value) != 0))
		return false;
	return strcmp(a->kind, b->kind) == 0;
}

/* What is an output is told by its bytes. */
static void
differ_line(struct differ *f, const struct mlb_action_line *a, const struct mlb_action_line *b)
{
	const struct mlb_action_line *l = b ? b : a;
	enum mlb_change_what what = what_of(l);
	const char *name = l->name;

	if (same_line(a, b) || strcmp(l->type, "output") == 0 ||
	    strcmp(l->type, "mlbuild-action") == 0)
		return;
	if (what == MLB_DIFF_ACTION)
		name = *l->name ? mlb_arena_printf(f->arena, "%s %s", l->type, l->name) : l->type;
	push(f, what, name, a ? a->value : NULL, b ? b->value : NULL);
}

static void
differ_texts(struct differ *f, const char *before, const char *after)
{
	struct mlb_action_lines a, b;

	mlb_action_read(&a, before);
	mlb_action_read(&b, after);
	for (uint32_t i = 0; i < a.map.n; i++)
		if (!mlb_strmap_get(&b.map, a.map.entry[i].key))
			differ_line(f, a.map.entry[i].u.ptr, NULL);
	for (uint32_t i = 0; i < b.map.n; i++)
		differ_line(f, mlb_strmap_get(&a.map, b.map.entry[i].key), b.map.entry[i].u.ptr);
	mlb_action_lines_release(&a);
	mlb_action_lines_release(&b);
}

static bool
action_text(struct mlb_buf *out, struct mlb_project *p, const struct mlb_version *v)
{
	return v && !v->folded && !mlb_digest_is_zero(&v->key) &&
	       mlb_cas_read(p->cas, out, &v->key, NULL) == 0;
}

static void
differ_actions(struct differ *f, const struct mlb_version *a, const struct mlb_version *b,
	       const char *action)
{
	struct mlb_buf before = MLB_BUF_INIT(MAX_TEXT), after = MLB_BUF_INIT(MAX_TEXT);

	if (!action && a && b && mlb_digest_equal(&a->key, &b->key))
		return;
	if (action_text(&before, f->p, a) && (action || action_text(&after, f->p, b)))
		differ_texts(f, mlb_buf_str(&before), action ? action : mlb_buf_str(&after));
	mlb_buf_release(&before);
	mlb_buf_release(&after);
}

/* ---------------------------------------------------------- outputs and metrics */

static const struct mlb_lock_output *
output_at(const struct mlb_version *v, const char *path)
{
	for (uint32_t i = 0; v && i < v->n_outputs; i++)
		if (strcmp(v->output[i].path, path) == 0)
			return &v->output[i];
	return NULL;
}

static void
differ_output(struct differ *f, const struct mlb_lock_output *a, const struct mlb_lock_output *b)
{
	char before[MLB_HEX_LEN + 1], after[MLB_HEX_LEN + 1];

	if (a && b && mlb_digest_equal(&a->digest, &b->digest))
		return;
	if (a)
		mlb_digest_hex(before, &a->digest);
	if (b)
		mlb_digest_hex(after, &b->digest);
	push(f, MLB_DIFF_OUTPUT, a ? a->path : b->path, a ? before : NULL, b ? after : NULL);
}

static void
differ_outputs(struct differ *f, const struct mlb_version *a, const struct mlb_version *b,
	       bool metrics)
{
	for (uint32_t i = 0; a && i < a->n_outputs; i++)
		if (!metrics || a->output[i].kind != MLB_O_METRICS)
			differ_output(f, &a->output[i], output_at(b, a->output[i].path));
	for (uint32_t i = 0; b && i < b->n_outputs; i++)
		if ((!metrics || b->output[i].kind != MLB_O_METRICS) &&
		    !output_at(a, b->output[i].path))
			differ_output(f, NULL, &b->output[i]);
}

static void
differ_metric(struct differ *f, const struct mlb_metric *a, const struct mlb_metric *b)
{
	struct mlb_change d = { .what = MLB_DIFF_METRIC, .name = a ? a->name : b->name };

	if (a && b && strcmp(a->json, b->json) == 0)
		return;
	d.before = a ? a->text : NULL;
	d.before_json = a ? a->json : NULL;
	d.after = b ? b->text : NULL;
	d.after_json = b ? b->json : NULL;
	mlb_change_numbers(&d);
	mlb_vec_push(f->out, d);
}

static bool
has_metrics(const struct mlb_version *v)
{
	for (uint32_t i = 0; v && i < v->n_outputs; i++)
		if (v->output[i].kind == MLB_O_METRICS)
			return true;
	return false;
}

/* False where those of a side cannot be read: then their digests are all that is known. */
static bool
differ_metrics(struct differ *f, const struct mlb_version *a, const struct mlb_version *b)
{
	struct mlb_metrics before = MLB_VEC_INIT, after = MLB_VEC_INIT;
	json_t *x = a ? mlb_version_metrics(f->p, a) : NULL;
	json_t *y = b ? mlb_version_metrics(f->p, b) : NULL;
	bool known = (x || !has_metrics(a)) && (y || !has_metrics(b));

	mlb_metrics_flatten(&before, f->arena, known ? x : NULL);
	mlb_metrics_flatten(&after, f->arena, known ? y : NULL);
	for (size_t i = 0; i < before.n; i++)
		differ_metric(f, &before.v[i], mlb_metrics_find(&after, before.v[i].name));
	for (size_t i = 0; i < after.n; i++)
		if (!mlb_metrics_find(&before, after.v[i].name))
			differ_metric(f, NULL, &after.v[i]);
	mlb_vec_release(&before);
	mlb_vec_release(&after);
	json_decref(x);
	json_decref(y);
	return known;
}

void
mlb_version_differ(struct mlb_changes *out, struct mlb_arena *arena, struct mlb_project *p,
		   const struct mlb_version *a, const struct mlb_version *b, const char *action)
{
	struct differ f = { out, arena, p };
	bool metrics;

	differ_actions(&f, a, b, action);
	metrics = differ_metrics(&f, a, b);
	differ_outputs(&f, a, b, metrics);
}
