/* Finding the import statements of a Python text: only strings, comments, brackets and line joins matter for that. */
#include <string.h>

#include "graph/pyimport.h"

struct lexer {
	const char *p, *end;
	struct mlb_arena *arena;
	struct mlb_py_imports *out;
	unsigned depth; /* of brackets */
	bool start;     /* a statement may begin here */
};

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static char
at(const struct lexer *l, size_t i)
{
	return (size_t)(l->end - l->p) > i ? l->p[i] : '\0';
}

/* p stands on a quote: skip the string. A single-quoted one ends at the line's end at the latest. */
static void
skip_string(struct lexer *l)
{
	char quote = *l->p;
	bool triple = at(l, 1) == quote && at(l, 2) == quote;

	l->p += triple ? 3 : 1;
	while (l->p < l->end) {
		if (*l->p == '\\') {
			l->p += l->end - l->p > 1 ? 2 : 1;
		} else if (*l->p == quote && (!triple || (at(l, 1) == quote && at(l, 2) == quote))) {
			l->p += triple ? 3 : 1;
			return;
		} else if (*l->p == '\n' && !triple) {
			return;
		} else {
			l->p++;
		}
	}
}

static void
skip_comment(struct lexer *l)
{
	const char *nl = memchr(l->p, '\n', (size_t)(l->end - l->p));

	l->p = nl ? nl : l->end;
}

/* Blanks, joined lines, and inside parentheses comments and line ends too. */
static void
skip_blank(struct lexer *l, bool brackets)
{
	for (;;) {
		char c = at(l, 0);

		if (c == ' ' || c == '\t' || c == '\f' || c == '\r')
			l->p++;
		else if (c == '\\' && at(l, 1) == '\n')
			l->p += 2;
		else if (c == '\\' && at(l, 1) == '\r' && at(l, 2) == '\n')
			l->p += 3;
		else if (brackets && c == '\n')
			l->p++;
		else if (brackets && c == '#')
			skip_comment(l);
		else
			return;
	}
}

static bool
take_word(struct lexer *l, const char **word, size_t *len)
{
	const char *s = l->p;

	while (l->p < l->end && is_word_char(*l->p))
		l->p++;
	*word = s;
	*len = (size_t)(l->p - s);
	return *len > 0;
}

static bool
word_is(const char *word, size_t len, const char *s)
{
	return strlen(s) == len && memcmp(word, s, len) == 0;
}

/* a.b.c with blanks around its dots, or NULL. */
static const char *
take_dotted(struct lexer *l, bool brackets)
{
	char name[512];
	size_t n = 0;
	const char *word;
	size_t len;

	while (take_word(l, &word, &len)) {
		if (n + len + 2 > sizeof(name))
			return NULL;
		memcpy(name + n, word, len);
		n += len;
		skip_blank(l, brackets);
		if (at(l, 0) != '.')
			break;
		l->p++;
		name[n++] = '.';
		skip_blank(l, brackets);
	}
	if (n == 0 || name[n - 1] == '.')
		return NULL;
	return mlb_arena_strndup(l->arena, name, n);
}

static void
skip_as(struct lexer *l, bool brackets)
{
	const char *before = l->p;
	const char *word;
	size_t len;

	if (take_word(l, &word, &len) && word_is(word, len, "as")) {
		skip_blank(l, brackets);
		take_word(l, &word, &len);
		skip_blank(l, brackets);
	} else {
		l->p = before;
	}
}

static void
parse_import(struct lexer *l)
{
	for (;;) {
		struct mlb_py_import import = { NULL, NULL, 0, 0 };

		skip_blank(l, false);
		import.module = take_dotted(l, false);
		if (!import.module)
			return;
		mlb_vec_push(l->out, import);
		skip_as(l, false);
		if (at(l, 0) != ',')
			return;
		l->p++;
	}
}

static void
parse_names(struct lexer *l, struct mlb_py_import *import)
{
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	bool brackets = at(l, 0) == '(';

	if (brackets)
		l->p++;
	for (;;) {
		const char *word;
		size_t len;

		skip_blank(l, brackets);
		if (!take_word(l, &word, &len))
			break;
		mlb_vec_push(&names, mlb_arena_strndup(l->arena, word, len));
		skip_blank(l, brackets);
		skip_as(l, brackets);
		if (at(l, 0) != ',')
			break;
		l->p++;
	}
	if (brackets && at(l, 0) == ')')
		l->p++;
	if (names.n > 0) {
		const char **copy = mlb_arena_alloc(l->arena, names.n * sizeof(*copy));

		memcpy(copy, names.v, names.n * sizeof(*copy));
		import->name = copy;
		import->n_names = (uint32_t)names.n;
	}
	mlb_vec_release(&names);
}

static void
parse_from(struct lexer *l)
{
	struct mlb_py_import import = { "", NULL, 0, 0 };
	const char *module;
	const char *word;
	size_t len;

	for (skip_blank(l, false); at(l, 0) == '.'; skip_blank(l, false)) {
		import.level++;
		l->p++;
	}
	word = l->p;
	if (!take_word(l, &word, &len))
		return;
	if (!word_is(word, len, "import")) {
		l->p = word;
		module = take_dotted(l, false);
		if (!module)
			return;
		import.module = module;
		skip_blank(l, false);
		if (!take_word(l, &word, &len) || !word_is(word, len, "import"))
			return;
	}
	if (*import.module == '\0' && import.level == 0)
		return;
	skip_blank(l, false);
	parse_names(l, &import);
	mlb_vec_push(l->out, import);
}

static void
statement(struct lexer *l)
{
	const char *word;
	size_t len;

	take_word(l, &word, &len);
	l->start = false;
	if (word_is(word, len, "import"))
		parse_import(l);
	else if (word_is(word, len, "from"))
		parse_from(l);
}

static void
other(struct lexer *l)
{
	switch (*l->p) {
	case '(':
	case '[':
	case '{':
		l->depth++;
		break;
	case ')':
	case ']':
	case '}':
		if (l->depth > 0)
			l->depth--;
		break;
	case '\n':
	case ';':
	case ':':
		l->start = l->depth == 0;
		l->p++;
		return;
	default:
		break;
	}
	l->start = false;
	l->p++;
}

void
mlb_py_parse(struct mlb_py_imports *out, struct mlb_arena *arena, const char *text, size_t len)
{
	struct lexer l = { .p = text, .end = text + len, .arena = arena, .out = out, .start = true };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		l.p += 3;
	while (l.p < l.end) {
		const char *word;
		size_t n;

		skip_blank(&l, false);
		if (l.p == l.end)
			break;
		if (*l.p == '#') {
			skip_comment(&l);
		} else if (*l.p == '"' || *l.p == '\'') {
			skip_string(&l);
			l.start = false;
		} else if (is_word_char(*l.p)) {
			if (l.start)
				statement(&l);
			else
				take_word(&l, &word, &n);
		} else {
			other(&l);
		}
	}
}
