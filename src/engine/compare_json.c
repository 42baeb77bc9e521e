/* The values of two JSON texts, by name: objects by key, arrays by place. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/compare.h"

enum { MAX_NAME = 64 * 1024, MAX_VALUE = 4096, MAX_DEPTH = 64, SHOWN = 60 };

struct walk {
	const struct mlb_comparing *c;
	MLB_VEC(struct mlb_changed_value) found;
	struct mlb_buf name; /* of the value at hand */
	bool untold;         /* something differs that no tolerance covers */
	bool any;
};

/* A value in few characters, numbers with all their digits. */
static const char *
text_of(const struct walk *w, const json_t *value)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_VALUE);
	struct mlb_json j;
	char *dump = NULL;
	const char *out;

	if (!value)
		return "";
	mlb_json_init(&j, &text);
	if (json_is_real(value)) {
		mlb_json_double(&j, json_real_value(value));
	} else {
		dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
		if (dump && strlen(dump) > SHOWN)
			mlb_buf_adds(&text, json_is_array(value)    ? "[...]"
					    : json_is_object(value) ? "{...}"
								    : "\"...\"");
		else
			mlb_buf_adds(&text, dump ? dump : "?");
	}
	free(dump);
	out = mlb_arena_strdup(w->c->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
	return out;
}

static void
differ(struct walk *w, const json_t *was, const json_t *is)
{
	struct mlb_changed_value v = { .relative = NAN };
	double a = json_number_value(was), b = json_number_value(is);

	v.number = json_is_number(was) && json_is_number(is);
	if (v.number && a != 0)
		v.relative = fabs(b - a) / fabs(a);
	v.tolerated = v.number &&
		      mlb_tolerated(w->c->tolerance, w->c->target, mlb_buf_str(&w->name), a, b);
	w->any = true;
	w->untold |= !v.tolerated;
	if (w->found.n >= MLB_COMPARE_MOST)
		return;
	v.name = mlb_arena_strdup(w->c->arena, mlb_buf_str(&w->name));
	v.was = text_of(w, was);
	v.is = text_of(w, is);
	mlb_vec_push(&w->found, v);
}

static void compare(struct walk *w, json_t *was, json_t *is, unsigned depth);

static void
compare_in(struct walk *w, const char *key, json_t *was, json_t *is, unsigned depth)
{
	size_t len = w->name.len;

	mlb_buf_addf(&w->name, ".%s", key);
	if (was && is)
		compare(w, was, is, depth + 1);
	else
		differ(w, was, is);
	mlb_buf_truncate(&w->name, len);
}

static void
compare_objects(struct walk *w, json_t *was, json_t *is, unsigned depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(was, key, value)
		compare_in(w, key, value, json_object_get(is, key), depth);
	json_object_foreach(is, key, value) if (!json_object_get(was, key))
		compare_in(w, key, NULL, value, depth);
}

static void
compare_arrays(struct walk *w, json_t *was, json_t *is, unsigned depth)
{
	size_t n = MLB_MAX(json_array_size(was), json_array_size(is));
	char key[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "%zu", i);
		compare_in(w, key, json_array_get(was, i), json_array_get(is, i), depth);
	}
}

static void
compare(struct walk *w, json_t *was, json_t *is, unsigned depth)
{
	if (json_is_number(was) && json_is_number(is)) {
		if (json_number_value(was) != json_number_value(is) ||
		    (json_is_integer(was) && json_is_integer(is) &&
		     json_integer_value(was) != json_integer_value(is)))
			differ(w, was, is);
	} else if (json_is_object(was) && json_is_object(is) && depth < MAX_DEPTH) {
		compare_objects(w, was, is, depth);
	} else if (json_is_array(was) && json_is_array(is) && depth < MAX_DEPTH) {
		compare_arrays(w, was, is, depth);
	} else if (!json_equal(was, is)) {
		differ(w, was, is);
	}
}

static json_t *
parse(const struct mlb_buf *text)
{
	return json_loadb(mlb_buf_str(text), text->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			  NULL);
}

bool
mlb_compare_json(struct mlb_compared *out, const struct mlb_comparing *c, const struct mlb_buf *was,
		 const struct mlb_buf *is, bool *tolerated)
{
	struct walk w = { .c = c, .name = MLB_BUF_INIT(MAX_NAME) };
	json_t *a = parse(was), *b = parse(is);
	struct mlb_changed_value *value;
	bool parsed = a && b;

	*tolerated = false;
	if (parsed) {
		mlb_buf_adds(&w.name, c->name);
		compare(&w, a, b, 0);
		*tolerated = w.any && !w.untold;
		value = mlb_arena_alloc(c->arena, (w.found.n + 1) * sizeof(*value));
		for (size_t i = 0; i < w.found.n; i++)
			value[i] = w.found.v[i];
		out->value = value;
		out->n_values = w.found.n;
	}
	mlb_vec_release(&w.found);
	mlb_buf_release(&w.name);
	json_decref(a);
	json_decref(b);
	return parsed;
}
