/*
 * Parameters as canonical JSON, and what an unquoted YAML scalar is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "graph/params_tree.h"

static const char *
digits(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* "[eE][-+]?[0-9]+" or nothing, to the end of the text. */
static bool
exponent_to_end(const char *s)
{
	const char *from;

	if (!*s)
		return true;
	if (*s != 'e' && *s != 'E')
		return false;
	s++;
	if (*s == '+' || *s == '-')
		s++;
	from = s;
	s = digits(s);
	return s > from && !*s;
}

/* "0x1f" and "0o17" of the core schema as a decimal number. */
static bool
radix_number(struct mlb_buf *out, const char *s)
{
	unsigned base = s[0] != '0' ? 0 : s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 0;
	uint64_t v = 0;

	if (!base || !s[2])
		return false;
	for (s += 2; *s; s++) {
		unsigned d = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
			     : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
			     : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A') + 10
						      : 99;

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	mlb_buf_addf(out, "%llu", (unsigned long long)v);
	return true;
}

/*
 * A decimal number of the core schema, as JSON writes it: no plus sign, no
 * leading zeros, a digit on both sides of the point; otherwise as written.
 */
static bool
decimal_number(struct mlb_buf *out, const char *s)
{
	bool minus = *s == '-';
	const char *whole, *point, *frac, *rest;

	if (*s == '-' || *s == '+')
		s++;
	whole = s;
	point = digits(s);
	frac = *point == '.' ? point + 1 : point;
	rest = digits(frac);
	if ((point == whole && rest == frac) || !exponent_to_end(rest))
		return false;
	while (point - whole > 1 && *whole == '0')
		whole++;
	if (minus)
		mlb_buf_addc(out, '-');
	if (point == whole)
		mlb_buf_addc(out, '0');
	mlb_buf_add(out, whole, (size_t)(point - whole));
	if (rest > frac) {
		mlb_buf_addc(out, '.');
		mlb_buf_add(out, frac, (size_t)(rest - frac));
	}
	mlb_buf_adds(out, rest);
	return true;
}

static bool
one_of(const char *s, const char *a, const char *b, const char *c)
{
	return !strcmp(s, a) || !strcmp(s, b) || !strcmp(s, c);
}

const char *
mlb_plain_json(struct mlb_buf *scratch, const char *text)
{
	if (!*text || !strcmp(text, "~") || one_of(text, "null", "Null", "NULL"))
		return "null";
	if (one_of(text, "true", "True", "TRUE"))
		return "true";
	if (one_of(text, "false", "False", "FALSE"))
		return "false";
	mlb_buf_clear(scratch);
	if (radix_number(scratch, text) || decimal_number(scratch, text))
		return mlb_buf_str(scratch);
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	const struct mlb_pnode *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void write_node(struct mlb_json *j, struct mlb_buf *scratch, const struct mlb_pnode *n);

static void
write_map(struct mlb_json *j, struct mlb_buf *scratch, const struct mlb_pnode *n)
{
	const struct mlb_pnode **sorted = mlb_calloc((size_t)n->n + 1, sizeof(struct mlb_pnode *));
	size_t k = 0;

	for (const struct mlb_pnode *c = n->first; c; c = c->next)
		sorted[k++] = c;
	qsort(sorted, k, sizeof(*sorted), by_key);
	mlb_json_object(j);
	for (size_t i = 0; i < k; i++) {
		mlb_json_key(j, sorted[i]->key);
		write_node(j, scratch, sorted[i]);
	}
	mlb_json_end_object(j);
	free(sorted);
}

static void
write_node(struct mlb_json *j, struct mlb_buf *scratch, const struct mlb_pnode *n)
{
	const char *plain;

	switch ((enum mlb_pkindof)n->kind) {
	case MLB_P_MAP:
		write_map(j, scratch, n);
		break;
	case MLB_P_LIST:
		mlb_json_array(j);
		for (const struct mlb_pnode *c = n->first; c; c = c->next)
			write_node(j, scratch, c);
		mlb_json_end_array(j);
		break;
	case MLB_P_RAW:
		mlb_json_raw(j, n->param.text);
		break;
	case MLB_P_SCALAR:
		plain = n->plain ? mlb_plain_json(scratch, n->param.text) : NULL;
		if (plain)
			mlb_json_raw(j, plain);
		else
			mlb_json_str(j, n->param.text);
		break;
	}
}

void
mlb_pnode_json(struct mlb_buf *out, const struct mlb_pnode *n)
{
	struct mlb_buf scratch = MLB_BUF_INIT(MLB_PARAMS_FILE_MAX);
	struct mlb_json j;

	mlb_json_init(&j, out);
	write_node(&j, &scratch, n);
	mlb_buf_release(&scratch);
}
