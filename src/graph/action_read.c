/* Action texts, cut into what they say. */
#include <string.h>

#include "base/alloc.h"
#include "graph/action.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A field as it was; line feeds as \n, markers as ${…}, other control characters stay \xHH. */
static const char *
plain(struct mlb_arena *arena, const char *s, size_t len)
{
	char *out =
		mlb_arena_alloc(arena, len + 1); /* an escape is longer than what it stands for */
	bool mark = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool escape = s[i] == '\\' && len - i > 3 && s[i + 1] == 'x';
		int high = escape ? hex_digit(s[i + 2]) : -1;
		int low = escape ? hex_digit(s[i + 3]) : -1;
		int c = high < 0 || low < 0 ? -1 : high * 16 + low;

		if (c < 0 || (c < 0x20 && c != '\n' && c != MLB_MARK)) {
			out[n++] = s[i];
			continue;
		}
		i += 3;
		if (c == MLB_MARK) {
			mark = !mark;
			if (!mark && n >= 2 && out[n - 2] == '/')
				n -= 2; /* the quoting context */
			out[n++] = mark ? '$' : '}';
			if (mark)
				out[n++] = '{';
		} else if (c == '\n') {
			out[n++] = '\\';
			out[n++] = 'n';
		} else {
			out[n++] = (char)c;
		}
	}
	return mlb_arena_strndup(arena, out, n);
}

/* The next field of the line, up to a space; `last`: all that is left. */
static const char *
field(struct mlb_arena *arena, const char **p, const char *end, bool last)
{
	const char *space = last ? NULL : memchr(*p, ' ', (size_t)(end - *p));
	const char *stop = space ? space : end;
	const char *s = plain(arena, *p, (size_t)(stop - *p));

	*p = space ? space + 1 : end;
	return s;
}

static bool
is_one_of(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

static void
read_line(struct mlb_action_lines *t, const char *p, const char *end)
{
	static const char *const named[] = { "arg", "env", "param" };
	struct mlb_action_line *l = mlb_arena_alloc(&t->arena, sizeof(*l));
	char *key;

	l->type = field(&t->arena, &p, end, false);
	l->name = l->kind = "";
	if (strcmp(l->type, "input") == 0) {
		l->kind = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, false);
		l->value = field(&t->arena, &p, end, true);
	} else if (strcmp(l->type, "output") == 0) {
		l->kind = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, true);
		l->value = "";
	} else if (strcmp(l->type, "fingerprint") == 0) {
		l->value = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, true);
	} else if (is_one_of(l->type, named, MLB_ARRAY_LEN(named))) {
		bool set = memchr(p, ' ', (size_t)(end - p)) != NULL;

		l->name = field(&t->arena, &p, end, false);
		l->value = set ? field(&t->arena, &p, end, true) : NULL;
	} else {
		l->value = field(&t->arena, &p, end, true);
	}
	key = mlb_arena_printf(&t->arena, "%s %s", l->type, l->name);
	mlb_strmap_set(&t->map, key, l);
}

void
mlb_action_read(struct mlb_action_lines *t, const char *s)
{
	memset(t, 0, sizeof(*t));
	while (*s != '\0') {
		size_t len = strcspn(s, "\n");

		if (len > 0)
			read_line(t, s, s + len);
		s += len;
		s += *s == '\n';
	}
}

void
mlb_action_lines_release(struct mlb_action_lines *t)
{
	mlb_strmap_release(&t->map);
	mlb_arena_release(&t->arena);
}
