/*
 * Parameters from JSON (RFC 8259).
 *
 * jansson checks the text (grammar, UTF-8, duplicate keys, escapes) but keeps
 * neither the text of numbers nor places; so a small reader of ours walks the
 * text that jansson found to be right. It still checks every bound.
 */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "graph/params_tree.h"

struct json_reader {
	struct mlb_arena *arena;
	const char *file;
	const char *text, *p, *end;
	unsigned line;
	unsigned nodes;
	struct mlb_err *err;
};

static int
fail(const struct json_reader *r, const char *what)
{
	return mlb_err_set(r->err, MLB_EINVALID, "%s:%u: %s", r->file, r->line, what);
}

static void
skip_blanks(struct json_reader *r)
{
	for (; r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p; r->p++)
		if (*r->p == '\n')
			r->line++;
}

static bool
eat(struct json_reader *r, char c)
{
	skip_blanks(r);
	if (r->p >= r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static size_t
put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Four hexadecimal digits at p. */
static bool
hex4(const struct json_reader *r, const char *p, uint32_t *out)
{
	*out = 0;
	if (r->end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;

		if (d < 0)
			return false;
		*out = *out << 4 | (uint32_t)d;
	}
	return true;
}

/* What follows a backslash; p is behind it. Returns the bytes written, 0 if it is wrong. */
static size_t
unescape(struct json_reader *r, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;
	uint32_t c, low;

	if (r->p >= r->end)
		return 0;
	known = memchr(from, *r->p, sizeof(from) - 1);
	if (known) {
		r->p++;
		*out = to[known - from];
		return 1;
	}
	if (*r->p != 'u' || !hex4(r, r->p + 1, &c))
		return 0;
	r->p += 5;
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u' ||
		    !hex4(r, r->p + 2, &low) || low < 0xdc00 || low > 0xdfff)
			return 0;
		r->p += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return 0;
	}
	return c ? put_utf8(out, c) : 0;
}

/* A string in quotes, decoded; no escape is shorter than what it stands for. */
static const char *
read_string(struct json_reader *r)
{
	const char *close;
	char *out, *w;

	if (!eat(r, '"'))
		return NULL;
	for (close = r->p; close < r->end && *close != '"'; close++)
		if (*close == '\\')
			close++;
	if (close >= r->end)
		return NULL;
	out = w = mlb_arena_alloc(r->arena, (size_t)(close - r->p) + 1);
	while (r->p < close) {
		if (*r->p == '\\') {
			size_t n;

			r->p++;
			n = unescape(r, w);
			if (!n)
				return NULL;
			w += n;
		} else {
			*w++ = *r->p++;
		}
	}
	r->p = close + 1;
	return out;
}

static int read_value(struct json_reader *r, unsigned depth, struct mlb_pnode **out);

/* The items between the brackets, keys too if it is a map. */
static int
read_items(struct json_reader *r, unsigned depth, struct mlb_pnode *n)
{
	char close = n->kind == MLB_P_MAP ? '}' : ']';
	struct mlb_pnode *item;
	int rc;

	if (depth >= MLB_PARAMS_DEPTH)
		return fail(r, "nested too deeply: 32 levels are allowed");
	if (eat(r, close))
		return 0;
	do {
		const char *key = NULL;

		if (n->kind == MLB_P_MAP) {
			key = read_string(r);
			if (!key || !eat(r, ':'))
				return fail(r, "not JSON");
			if (!*key)
				return fail(r, "an empty key: a parameter needs a name");
		}
		rc = read_value(r, depth + 1, &item);
		if (rc)
			return rc;
		item->key = key;
		mlb_pnode_append(n, item);
	} while (eat(r, ','));
	return eat(r, close) ? 0 : fail(r, "not JSON");
}

static int
read_scalar(struct json_reader *r, struct mlb_pnode *n)
{
	const char *from = r->p;

	if (*r->p == '"') {
		n->param.text = read_string(r);
		return n->param.text ? 0 : fail(r, "not a JSON string");
	}
	while (r->p < r->end && *r->p && !strchr(" \t\r\n,:]}[{\"", *r->p))
		r->p++;
	if (r->p == from)
		return fail(r, "not JSON");
	n->param.text = mlb_arena_strndup(r->arena, from, (size_t)(r->p - from));
	n->plain = true;
	return 0;
}

static int
read_value(struct json_reader *r, unsigned depth, struct mlb_pnode **out)
{
	struct mlb_pnode *n;
	int rc;

	skip_blanks(r);
	if (r->p >= r->end)
		return fail(r, "not JSON");
	if (++r->nodes > MLB_PARAMS_NODES)
		return fail(r, "too many values");
	n = mlb_pnode_new(r->arena, *r->p == '{'   ? MLB_P_MAP
				    : *r->p == '[' ? MLB_P_LIST
						   : MLB_P_SCALAR);
	n->start = (size_t)(r->p - r->text);
	n->param.file = r->file;
	n->param.line = r->line;
	if (n->kind == MLB_P_SCALAR) {
		rc = read_scalar(r, n);
	} else {
		r->p++;
		rc = read_items(r, depth, n);
	}
	if (rc)
		return rc;
	n->end = (size_t)(r->p - r->text);
	*out = n;
	return 0;
}

int
mlb_params_read_json(struct mlb_pnode **out, struct mlb_arena *a, const char *file,
		     const char *text, size_t len, struct mlb_err *err)
{
	struct json_reader r = { .arena = a,
				 .file = file,
				 .text = text,
				 .p = text,
				 .end = text + len,
				 .line = 1,
				 .err = err };
	json_error_t error;
	json_t *checked =
		json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
	bool map = json_is_object(checked);

	if (!checked)
		return mlb_err_set(err, MLB_EINVALID, "%s:%d: not JSON: %s", file, error.line,
				   error.text);
	json_decref(checked);
	if (!map)
		return mlb_err_set(err, MLB_EINVALID,
				   "%s:1: parameters are an object, {\"name\": value, …}", file);
	return read_value(&r, 0, out);
}
