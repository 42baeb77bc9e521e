#include "store/ignore.h"

#include <string.h>

/* ------------------------------------------------------------ reading rules */

/* Spaces at the end count only behind a backslash. */
static size_t
trim(const char *line, size_t len)
{
	size_t end = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len)
			i++;
		else if (line[i] == ' ')
			continue;
		end = i + 1;
	}
	return end;
}

static size_t
literal_length(const char *pattern, size_t len)
{
	size_t i = 0;

	while (i < len && !strchr("*?[\\", pattern[i]))
		i++;
	return i;
}

static void
add_rule(struct mlb_ignore *out, const char *line, size_t len)
{
	struct mlb_ignore_rule r = { .back = len && line[0] == '!' };

	if (r.back) {
		line++;
		len--;
	}
	if (len && line[len - 1] == '/') {
		r.dir_only = true;
		len--;
	}
	r.path = len && memchr(line, '/', len) != NULL;
	if (r.path && line[0] == '/') {
		line++;
		len--;
	}
	r.pattern = mlb_strndup(line, len);
	r.len = len;
	r.literal = literal_length(r.pattern, len);
	mlb_vec_push(&out->rule, r);
}

void
mlb_ignore_parse(struct mlb_ignore *out, const char *text, size_t len)
{
	const char *end = text + len;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *nul;
		size_t n = (size_t)((eol ? eol : end) - text);

		if (n && text[0] != '#') {
			if (text[n - 1] == '\r')
				n--;
			nul = memchr(text, '\0', n);
			add_rule(out, text, trim(text, nul ? (size_t)(nul - text) : n));
		}
		text = eol ? eol + 1 : end;
	}
}

void
mlb_ignore_release(struct mlb_ignore *list)
{
	for (size_t i = 0; i < list->rule.n; i++)
		free(list->rule.v[i].pattern);
	mlb_vec_release(&list->rule);
}

/* ------------------------------------------------------------ asking */

static bool
matches(const struct mlb_ignore_rule *r, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');
	const char *text = r->path || !slash ? path : slash + 1;

	if ((r->dir_only && !is_dir) || strncmp(text, r->pattern, r->literal) != 0)
		return false;
	if (r->literal == r->len)
		return text[r->literal] == '\0';
	/* From the first wildcard on: "a**" at that place is like "**" at the beginning, in git as well. */
	return mlb_wildcard_match(r->pattern + r->literal, r->len - r->literal, text + r->literal,
				  r->path);
}

enum mlb_ignore_answer
mlb_ignore_match(const struct mlb_ignore *list, const char *path, bool is_dir)
{
	for (size_t i = list->rule.n; i-- > 0;)
		if (matches(&list->rule.v[i], path, is_dir))
			return list->rule.v[i].back ? MLB_IGNORE_IN : MLB_IGNORE_OUT;
	return MLB_IGNORE_SILENT;
}
