/* The value of an entry as one text: joined, or verbatim. */
#include <string.h>

#include "graph/inifile.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Append a line without the blanks at its ends. */
static size_t
add_trimmed(char *out, const char *s)
{
	size_t len;

	while (is_blank(*s))
		s++;
	len = strlen(s);
	while (len && is_blank(s[len - 1]))
		len--;
	memcpy(out, s, len);
	return len;
}

const char *
mlb_ini_joined(struct mlb_ini *ini, const struct mlb_ini_entry *e)
{
	size_t total = 0, used = 0;
	char *out;

	if (e->n_lines == 1)
		return e->lines[0];
	for (unsigned i = 0; i < e->n_lines; i++)
		total += strlen(e->lines[i]) + 1;
	out = mlb_arena_alloc(&ini->arena, total + 1);
	for (unsigned i = 0; i < e->n_lines; i++) {
		size_t len = add_trimmed(out + used + (used ? 1 : 0), e->lines[i]);

		if (!len)
			continue;
		if (used)
			out[used++] = ' ';
		used += len;
	}
	out[used] = '\0';
	return out;
}

/* The blanks that every continuation line with text begins with. */
static size_t
common_indent(const struct mlb_ini_entry *e)
{
	const char *first = NULL;
	size_t n = 0;

	for (unsigned i = 1; i < e->n_lines; i++) {
		const char *s = e->lines[i];
		size_t k = 0;

		if (!*s)
			continue;
		if (!first) {
			first = s;
			n = strspn(s, " \t");
			continue;
		}
		while (k < n && s[k] == first[k])
			k++;
		n = k;
	}
	return n;
}

const char *
mlb_ini_verbatim(struct mlb_ini *ini, const struct mlb_ini_entry *e)
{
	size_t indent = common_indent(e), total = 0, used = 0;
	char *out;

	if (e->n_lines == 1)
		return e->lines[0];
	for (unsigned i = 0; i < e->n_lines; i++)
		total += strlen(e->lines[i]) + 1;
	out = mlb_arena_alloc(&ini->arena, total + 1);
	for (unsigned i = *e->lines[0] ? 0 : 1; i < e->n_lines; i++) {
		const char *s = e->lines[i];
		size_t len;

		if (i && *s)
			s += indent;
		len = strlen(s);
		memcpy(out + used, s, len);
		used += len;
		out[used++] = '\n';
	}
	while (used && (is_blank(out[used - 1]) || out[used - 1] == '\n'))
		used--;
	out[used] = '\0';
	return out;
}
