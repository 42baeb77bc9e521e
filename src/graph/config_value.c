/*
 * The text of a value, as one of the types of value_type.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "graph/config_int.h"

#define MAX_COUNT 1000000
#define MAX_CPUS 65536.0

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool
mlb_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > MLB_NAME_MAX || !is_alnum(*name))
		return false;
	for (const char *s = name; *s; s++)
		if (!is_alnum(*s) && *s != '.' && *s != '-')
			return false;
	return true;
}

bool
mlb_name_reserved(const char *name)
{
	static const char *const words[] = { "params",  "env",  "matrix", "out",
					     "metrics", "each", "scratch" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(words); i++)
		if (!strcmp(name, words[i]))
			return true;
	return false;
}

static bool
is_variable(const char *s)
{
	if (!is_alnum(*s) || (*s >= '0' && *s <= '9'))
		return false;
	while (is_alnum(*s))
		s++;
	return !*s;
}

static void
wrong(struct loader *l, const struct mlb_ini_entry *e, const char *value, const char *want)
{
	mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is %s, not '%.80s'", e->key,
		     e->section, want, value);
}

/* ------------------------------------------------------------ lists */

/* The scratch words behind those that are there, in an array of just that size. */
static void
add_words(struct loader *l, struct mlb_text_vec *v)
{
	size_t n = v->n + l->words.n;
	struct mlb_text *all = mlb_arena_alloc(&l->c->arena, n * sizeof(*all));

	if (v->n)
		memcpy(all, v->v, v->n * sizeof(*all));
	memcpy(all + v->n, l->words.v, l->words.n * sizeof(*all));
	v->v = all;
	v->n = v->cap = n;
}

static void
set_words(struct loader *l, const struct mlb_ini_entry *e, enum value_type type,
	  struct mlb_text_vec *v)
{
	if (!mlb_config_words(l, e))
		return;
	for (size_t i = 0; i < l->words.n; i++) {
		const char *word = l->words.v[i].s;

		if (type == V_VARS && !is_variable(word))
			wrong(l, e, word, "the names of environment variables");
		else if (!*word)
			wrong(l, e, word, "a list of words that are not empty");
	}
	add_words(l, v);
}

static void
set_lines(struct loader *l, const struct mlb_ini_entry *e, struct mlb_text_vec *v)
{
	l->words.n = 0;
	for (unsigned i = 0; i < e->n_lines; i++) {
		const char *s = e->lines[i] + strspn(e->lines[i], " \t");
		size_t len = strlen(s);
		struct mlb_text line = { .file = e->file, .line = mlb_ini_line(e, i) };

		while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
			len--;
		if (!len)
			continue;
		line.s = mlb_arena_strndup(&l->c->arena, s, len);
		mlb_vec_push(&l->words, line);
	}
	if (l->words.n)
		add_words(l, v);
	else
		mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is empty", e->key, e->section);
}

static void
set_str_words(struct loader *l, const struct mlb_ini_entry *e, const char **out)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_GIB);

	if (!mlb_config_words(l, e))
		return;
	mlb_buf_adds(&b, *out ? *out : "");
	for (size_t i = 0; i < l->words.n; i++) {
		if (b.len)
			mlb_buf_addc(&b, ' ');
		mlb_buf_adds(&b, l->words.v[i].s);
	}
	*out = mlb_arena_strdup(&l->c->arena, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

/* ------------------------------------------------------------ numbers */

/* A decimal number such as 2 or 0.5, whatever the locale. */
static bool
parse_decimal(const char *s, double *out)
{
	double v = 0, unit = 1;
	bool digits = false;

	for (; *s >= '0' && *s <= '9'; s++, digits = true)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, digits = true)
			v += (*s - '0') * (unit /= 10);
	*out = v;
	return digits && !*s;
}

static void
set_cpus(struct loader *l, const struct mlb_ini_entry *e, double *out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);

	if (!parse_decimal(s, out) || *out <= 0 || *out > MAX_CPUS)
		wrong(l, e, s, "a number of processors above 0, such as 2 or 0.5");
}

static void
set_count(struct loader *l, const struct mlb_ini_entry *e, uint32_t least, uint32_t *out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);
	uint64_t v;

	if (!mlb_parse_u64(s, &v) || v < least || v > MAX_COUNT)
		wrong(l, e, s, least ? "a whole number from 1" : "a whole number from 0");
	else
		*out = (uint32_t)v;
}

static void
set_size(struct loader *l, const struct mlb_ini_entry *e, uint64_t *out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);

	if (!mlb_parse_size(s, out))
		wrong(l, e, s, "a size such as 512M or 1.5GiB");
}

static void
set_duration(struct loader *l, const struct mlb_ini_entry *e, uint64_t *out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);

	if (!mlb_parse_duration(s, out) || !*out)
		wrong(l, e, s, "a time such as 90s, 30m or 1h30m");
}

static void
set_bool(struct loader *l, const struct mlb_ini_entry *e, bool *out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);

	if (!mlb_parse_bool(s, out))
		wrong(l, e, s, "yes or no");
}

/* ------------------------------------------------------------ words from a list */

static void
set_choice(struct loader *l, const struct mlb_ini_entry *e, const char *const *choice, size_t n,
	   const char *want, const char **out)
{
	const char *s = mlb_ini_joined(&l->c->ini, e);

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(s, choice[i])) {
			*out = choice[i];
			return;
		}
	}
	wrong(l, e, s, want);
}

/* ------------------------------------------------------------ named values */

/*
 * cap 0 with values: the array is shared with [defaults], and copied before it
 * changes. The first `inherited` values came from there and may be replaced; a
 * section itself has no key twice.
 */
static void
named_push(struct mlb_arena *a, struct mlb_named_vec *v, const char *name, struct mlb_text value,
	   size_t inherited)
{
	if (v->n >= v->cap) {
		size_t cap = v->n ? v->n * 2 : 1;
		struct mlb_named *all = mlb_arena_alloc(a, cap * sizeof(*all));

		if (v->n)
			memcpy(all, v->v, v->n * sizeof(*all));
		v->v = all;
		v->cap = cap;
	}
	for (size_t i = 0; i < inherited; i++) {
		if (!strcmp(v->v[i].name, name)) {
			v->v[i].value = value;
			return;
		}
	}
	v->v[v->n].name = name;
	v->v[v->n++].value = value;
}

static bool
good_named(struct loader *l, const struct mlb_ini_entry *e, enum value_type type, const char *name,
	   const struct mlb_text *value)
{
	struct mlb_strvec values = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t count;

	if (type == V_NAMED_VAR ? !is_variable(name) : (*name && !mlb_name_valid(name))) {
		mlb_diag_add(&l->diag, e->file, e->line, "'%.80s' in [%s]: '%.80s' is not %s",
			     e->key, e->section, name,
			     type == V_NAMED_VAR ? "the name of an environment variable"
						 : "a name (letters, digits, _ . -, at most 48)");
		return false;
	}
	if (type == V_NAMED_COUNT &&
	    (!mlb_parse_u64(value->s, &count) || !count || count > MAX_COUNT)) {
		wrong(l, e, value->s, "a whole number from 1");
		return false;
	}
	if (type == V_NAMED_MATRIX && mlb_matrix_values(&values, value, &err))
		mlb_diag_take(&l->diag, NULL, 0, &err);
	mlb_strvec_release(&values);
	return true;
}

static void
set_named(struct loader *l, const struct mlb_ini_entry *e, enum value_type type, const char *name,
	  struct mlb_named_vec *v)
{
	struct mlb_text value = { .file = e->file, .line = e->line };

	if (type != V_NAMED_WORD)
		value.s = mlb_ini_joined(&l->c->ini, e);
	else if (!mlb_config_word(l, e, &value.s))
		return;
	if (good_named(l, e, type, name, &value))
		named_push(&l->c->arena, v, name, value,
			   type == V_NAMED_VAR     ? l->inherited_env
			   : type == V_NAMED_COUNT ? l->inherited_pool
						   : 0);
}

void
mlb_named_push(struct mlb_arena *a, struct mlb_named_vec *v, const char *name,
	       struct mlb_text value)
{
	named_push(a, v, name, value, 0);
}

/* ------------------------------------------------------------ all */

static void
set_text(struct loader *l, const struct mlb_ini_entry *e, enum value_type type,
	 struct mlb_text *out)
{
	const char *s = NULL;

	if (type == V_WORD) {
		if (!mlb_config_word(l, e, &s))
			return;
	} else {
		s = type == V_VERBATIM ? mlb_ini_verbatim(&l->c->ini, e)
				       : mlb_ini_joined(&l->c->ini, e);
		if (!*s) {
			mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is empty", e->key,
				     e->section);
			return;
		}
	}
	*out = (struct mlb_text){ .s = s, .file = e->file, .line = e->line };
}

static void
set_str(struct loader *l, const struct mlb_ini_entry *e, enum value_type type, const char **out)
{
	static const char *const links[] = { "copy", "hardlink" };
	static const char *const trusts[] = { "required" };

	switch (type) {
	case V_STR_WORD:
		mlb_config_word(l, e, out);
		break;
	case V_LINK:
		set_choice(l, e, links, MLB_ARRAY_LEN(links), "'copy' or 'hardlink'", out);
		break;
	case V_TRUST:
		set_choice(l, e, trusts, MLB_ARRAY_LEN(trusts), "'required'", out);
		break;
	default:
		*out = mlb_ini_joined(&l->c->ini, e);
		if (type == V_NAME && !mlb_name_valid(*out))
			wrong(l, e, *out, "a name (letters, digits, _ . -, at most 48)");
	}
}

void
mlb_config_set(struct loader *l, const struct mlb_ini_entry *e, const struct key_def *def,
	       const char *name, void *base)
{
	void *field = (char *)base + def->offset;
	enum value_type type = (enum value_type)def->type;

	switch (type) {
	case V_TEXT:
	case V_VERBATIM:
	case V_WORD:
		set_text(l, e, type, field);
		break;
	case V_WORDS:
	case V_VARS:
		set_words(l, e, type, field);
		break;
	case V_LINES:
		set_lines(l, e, field);
		break;
	case V_STR_WORDS:
		set_str_words(l, e, field);
		break;
	case V_STR:
	case V_STR_WORD:
	case V_NAME:
	case V_LINK:
	case V_TRUST:
		set_str(l, e, type, field);
		break;
	case V_CPUS:
		set_cpus(l, e, field);
		break;
	case V_COUNT:
	case V_POSITIVE:
		set_count(l, e, type == V_POSITIVE, field);
		break;
	case V_SIZE:
		set_size(l, e, field);
		break;
	case V_DURATION:
		set_duration(l, e, field);
		break;
	case V_BOOL:
		set_bool(l, e, field);
		break;
	case V_NAMED_WORD:
	case V_NAMED_TEXT:
	case V_NAMED_VAR:
	case V_NAMED_MATRIX:
	case V_NAMED_COUNT:
		set_named(l, e, type, name, field);
		break;
	}
}

void
mlb_config_unknown_key(struct loader *l, const struct mlb_ini_entry *e, const struct key_def *defs,
		       size_t n)
{
	const char *names[N_TARGET_KEYS] = { NULL };
	struct mlb_buf hint = MLB_BUF_INIT(MLB_KIB);
	const char *near;

	for (size_t i = 0; i < n; i++)
		names[i] = defs[i].name;
	near = mlb_nearest(e->key, names, n);
	if (near) {
		mlb_buf_addf(&hint, ": did you mean '%s'?", near);
	} else if (n <= 8) {
		for (size_t i = 0; i < n; i++)
			mlb_buf_addf(&hint, "%s%s", i ? ", " : ": its keys are ", names[i]);
	} else {
		mlb_buf_adds(&hint, ": mlbuild.ini(5) lists the keys");
	}
	mlb_diag_add(&l->diag, e->file, e->line, "unknown key '%.80s' in [%s]%s", e->key,
		     e->section, mlb_buf_str(&hint));
	mlb_buf_release(&hint);
}
