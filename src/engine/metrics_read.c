#include "engine/metrics_read.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "graph/params_tree.h"

enum { MAX_TEXT = 64 << 20, MAX_NAME = 4096, DEEPEST = 8, DUMPED = 32 };

/* ---------------------------------------------------------- YAML */

static json_t *
parse_yaml(const char *path, const char *text, size_t len, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_pnode *root;
	json_t *json = NULL;

	if (mlb_params_read_yaml(&root, &arena, path, text, len, true, err) == 0) {
		mlb_pnode_json(&b, root);
		json = json_loadb(mlb_buf_str(&b), b.len, JSON_DECODE_ANY, NULL);
		if (!json)
			mlb_err_set(err, MLB_EINVALID, "'%s' is no YAML that JSON can express",
				    path);
	}
	mlb_buf_release(&b);
	mlb_arena_release(&arena);
	return json;
}

/* ---------------------------------------------------------- CSV */

MLB_VEC_NAMED(cells, const char *);

struct table {
	struct mlb_arena arena;
	struct cells first, last;   /* rows */
	MLB_VEC(const char *) pair; /* first and second cell of each row, one after the other */
};

/* RFC 4180: a cell in quotes may hold anything, a quote is written twice. */
static const char *
next_cell(struct table *t, const char **at, const char *end, char comma)
{
	char *out = mlb_arena_alloc(&t->arena, (size_t)(end - *at) + 1);
	const char *p = *at;
	size_t n = 0;
	bool quoted = p < end && *p == '"';

	for (p += quoted; p < end; p++) {
		if (quoted && *p == '"' && p + 1 < end && p[1] == '"')
			p++;
		else if (quoted && *p == '"') {
			quoted = false;
			continue;
		} else if (!quoted && (*p == comma || *p == '\n'))
			break;
		out[n++] = *p;
	}
	while (n && (out[n - 1] == '\r' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	*at = p;
	return out + strspn(out, " ");
}

static void
read_row(struct table *t, const char **at, const char *end, char comma)
{
	struct cells row = MLB_VEC_INIT;

	for (;;) {
		const char *cell = next_cell(t, at, end, comma);

		mlb_vec_push(&row, cell);
		if (*at >= end || **at == '\n')
			break;
		++*at;
	}
	*at += *at < end;
	if (row.n == 1 && !row.v[0][0]) {
		mlb_vec_release(&row);
		return;
	}
	mlb_vec_push(&t->pair, row.v[0]);
	mlb_vec_push(&t->pair, row.n > 1 ? row.v[1] : "");
	if (!t->first.n) {
		t->first = row;
		return;
	}
	mlb_vec_release(&t->last);
	t->last = row;
}

/* A number as written, or a string; nothing for an empty cell. */
static void
set_cell(json_t *to, const char *name, const char *text)
{
	struct mlb_buf scratch = MLB_BUF_INIT(MAX_NAME);
	const char *plain = mlb_plain_json(&scratch, text);
	json_t *value = plain ? json_loads(plain, JSON_DECODE_ANY, NULL) : json_string(text);

	if (*name && *text && value)
		json_object_set(to, name, value);
	json_decref(value);
	mlb_buf_release(&scratch);
}

static bool
is_number(const char *text)
{
	struct mlb_buf scratch = MLB_BUF_INIT(MAX_NAME);
	const char *plain = mlb_plain_json(&scratch, text);
	bool is = plain && strpbrk(plain, "0123456789") == plain + (*plain == '-');

	mlb_buf_release(&scratch);
	return is;
}

static bool
is_name_column(const char *s)
{
	return strcmp(s, "metric") == 0 || strcmp(s, "name") == 0 || strcmp(s, "key") == 0;
}

static json_t *
parse_csv(const char *path, const char *text, size_t len, struct mlb_err *err)
{
	char comma = mlb_str_ends(path, ".tsv") ? '\t' : ',';
	struct table t = { .arena = MLB_ARENA_INIT };
	const char *at = text, *end = text + len;
	json_t *out = json_object();

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end)
		read_row(&t, &at, end, comma);
	if (t.first.n == 2 && (is_name_column(t.first.v[0]) || is_number(t.first.v[1]))) {
		for (size_t i = is_number(t.first.v[1]) ? 0 : 2; i < t.pair.n; i += 2)
			set_cell(out, t.pair.v[i], t.pair.v[i + 1]);
	} else {
		for (size_t i = 0; i < t.first.n && i < t.last.n; i++)
			set_cell(out, t.first.v[i], t.last.v[i]);
	}
	if (!mlb_is_utf8(text, len)) {
		mlb_err_set(err, MLB_EINVALID, "'%s' is not UTF-8", path);
		json_decref(out);
		out = NULL;
	}
	mlb_vec_release(&t.pair);
	mlb_vec_release(&t.first);
	mlb_vec_release(&t.last);
	mlb_arena_release(&t.arena);
	return out;
}

/* ---------------------------------------------------------- by name */

static bool
is_yaml(const char *path)
{
	return mlb_str_ends(path, ".yaml") || mlb_str_ends(path, ".yml");
}

bool
mlb_metrics_must_parse(const char *path)
{
	return mlb_str_ends(path, ".json") || is_yaml(path);
}

json_t *
mlb_metrics_parse(const char *path, const char *text, size_t len, struct mlb_err *err)
{
	json_error_t why;
	json_t *json;

	if (is_yaml(path))
		return parse_yaml(path, text, len, err);
	if (mlb_str_ends(path, ".csv") || mlb_str_ends(path, ".tsv"))
		return parse_csv(path, text, len, err);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!json)
		mlb_err_set(err, MLB_EINVALID, "'%s' is not JSON: line %d: %s", path, why.line,
			    why.text);
	return json;
}

/* ---------------------------------------------------------- values */

/* jansson's iterators want to be able to change what they go through. */
static json_t *
unconst(const json_t *v)
{
	return (json_t *)(uintptr_t)v;
}

static void
dump(struct mlb_json *j, const json_t *v, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > DUMPED || json_is_null(v)) {
		mlb_json_null(j);
	} else if (json_is_object(v)) {
		mlb_json_object(j);
		json_object_foreach(unconst(v), key, item)
		{
			mlb_json_key(j, key);
			dump(j, item, depth + 1);
		}
		mlb_json_end_object(j);
	} else if (json_is_array(v)) {
		mlb_json_array(j);
		json_array_foreach(v, i, item) dump(j, item, depth + 1);
		mlb_json_end_array(j);
	} else if (json_is_string(v)) {
		mlb_json_strn(j, json_string_value(v), json_string_length(v));
	} else if (json_is_real(v)) {
		mlb_json_double(j, json_real_value(v));
	} else if (json_is_integer(v)) {
		mlb_json_int(j, json_integer_value(v));
	} else {
		mlb_json_bool(j, json_is_true(v));
	}
}

void
mlb_metrics_dump(struct mlb_buf *out, const json_t *value)
{
	struct mlb_json j;

	mlb_json_init(&j, out);
	dump(&j, value, 0);
}

static const char *
json_text(struct mlb_arena *arena, const json_t *v)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	const char *s;

	mlb_metrics_dump(&b, v);
	s = mlb_arena_strdup(arena, mlb_buf_str(&b));
	mlb_buf_release(&b);
	return s;
}

static void
flatten(struct mlb_metrics *out, struct mlb_arena *arena, struct mlb_buf *name, const json_t *value,
	unsigned depth)
{
	size_t len = name->len;
	const char *key;
	json_t *item;

	if (json_is_object(value) && depth < DEEPEST) {
		json_object_foreach(unconst(value), key, item)
		{
			mlb_buf_addf(name, "%s%s", len ? "." : "", key);
			flatten(out, arena, name, item, depth + 1);
			mlb_buf_truncate(name, len);
		}
	} else {
		struct mlb_metric m = { .name = mlb_arena_strdup(arena, mlb_buf_str(name)),
					.json = json_text(arena, value),
					.is_number = json_is_number(value),
					.number = json_number_value(value) };

		m.text = json_is_string(value) ? mlb_arena_strdup(arena, json_string_value(value))
					       : m.json;
		mlb_vec_push(out, m);
	}
}

void
mlb_metrics_flatten(struct mlb_metrics *out, struct mlb_arena *arena, const json_t *value)
{
	struct mlb_buf name = MLB_BUF_INIT(MAX_NAME);

	if (value)
		flatten(out, arena, &name, value, 0);
	mlb_buf_release(&name);
}

const struct mlb_metric *
mlb_metrics_find(const struct mlb_metrics *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	return NULL;
}
