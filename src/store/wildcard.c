/*
 * Wildcards as in git.  A star tries every length; which pairs of places in
 * pattern and text were tried in vain is noted, so that the time is bounded by
 * the product of the lengths, whatever the pattern.
 */
#include <ctype.h>
#include <string.h>

#include "store/ignore.h"

struct match {
	const char *pattern, *pattern_end;
	const char *text, *text_end;
	uint8_t *failed; /* one bit per place in pattern and text */
	bool path;
};

/* ------------------------------------------------------------ [sets] */

static const struct {
	const char *name;
	int (*is)(int);
} classes[] = {
	{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
	{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
	{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
};

/* [:name:] at *p, which is moved behind it. -1: no such class; otherwise whether c is in it. */
static int
in_class(const char **p, const char *close, unsigned char c)
{
	const char *name = *p + 2;
	size_t len = (size_t)(close - name);

	*p = close + 2;
	for (size_t i = 0; i < MLB_ARRAY_LEN(classes); i++)
		if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
			return c < 0x80 && classes[i].is(c) != 0;
	return -1;
}

/* One character of a set, perhaps behind a backslash; 0 at the end. */
static unsigned char
set_char(const char **p, const char *end)
{
	if (*p < end && **p == '\\')
		++*p;
	return *p < end ? (unsigned char)*(*p)++ : 0;
}

/* The end of a class's name, if what is at p is one: the place of ":]". */
static const char *
class_end(const char *p, const char *end)
{
	const char *close;

	if (end - p < 4 || p[0] != '[' || p[1] != ':')
		return NULL;
	close = memchr(p + 2, ']', (size_t)(end - p - 2));
	return close && close > p + 2 && close[-1] == ':' ? close - 1 : NULL;
}

/* The set at *p, behind its '[': whether c is in it; *p is moved behind. -1: it is none. */
static int
in_set(const char **p, const char *end, unsigned char c)
{
	bool negated = *p < end && (**p == '!' || **p == '^');
	bool found = false;
	const char *first;

	*p += negated;
	for (first = *p; *p < end && (**p != ']' || *p == first);) {
		const char *close = class_end(*p, end);
		unsigned char low, high;

		if (close) {
			int in = in_class(p, close, c);

			if (in < 0)
				return -1;
			found |= in > 0;
			continue;
		}
		low = high = set_char(p, end);
		if (end - *p >= 2 && (*p)[0] == '-' && (*p)[1] != ']') {
			++*p;
			high = set_char(p, end);
		}
		if (high == 0)
			return -1;
		found |= low <= c && c <= high;
	}
	if (*p >= end)
		return -1;
	++*p;
	return found != negated;
}

/* ------------------------------------------------------------ the rest */

static bool match_from(const struct match *m, const char *p, const char *t);

static size_t
pair(const struct match *m, const char *p, const char *t)
{
	return (size_t)(p - m->pattern) * (size_t)(m->text_end - m->text + 1) +
	       (size_t)(t - m->text);
}

/* What follows a star: at t or later, but not beyond a slash unless it goes deep. */
static bool
match_star(const struct match *m, const char *p, const char *t, bool deep)
{
	for (;; t++) {
		size_t bit = pair(m, p, t);

		if (m->failed[bit / 8] & 1u << bit % 8)
			return false; /* and so did all later ones */
		if (match_from(m, p, t))
			return true;
		m->failed[bit / 8] |= (uint8_t)(1u << bit % 8);
		if (t == m->text_end || (!deep && *t == '/'))
			return false;
	}
}

/* Whether the stars before p, the first of them at star, stand between slashes. */
static bool
is_deep(const struct match *m, const char *begin, const char *star, const char *p)
{
	const char *end = m->pattern_end;

	if (!m->path)
		return true;
	if (p - star < 2 || (star > begin && star[-1] != '/'))
		return false;
	return p == end || *p == '/' || (end - p >= 2 && p[0] == '\\' && p[1] == '/');
}

/* One character that is no star; *p is moved behind what stands for it. */
static bool
match_one(const struct match *m, const char **p, char t)
{
	char c = *(*p)++;

	switch (c) {
	case '?':
		return !m->path || t != '/';
	case '[':
		return in_set(p, m->pattern_end, (unsigned char)t) > 0 && !(m->path && t == '/');
	case '\\':
		return *p < m->pattern_end && *(*p)++ == t;
	default:
		return c == t;
	}
}

static bool
match_from(const struct match *m, const char *p, const char *t)
{
	const char *begin = p;

	while (p < m->pattern_end) {
		const char *star = p;
		bool deep;

		if (*p != '*') {
			if (t == m->text_end || !match_one(m, &p, *t++))
				return false;
			continue;
		}
		while (p < m->pattern_end && *p == '*')
			p++;
		deep = is_deep(m, begin, star, p);
		if (p == m->pattern_end)
			return deep || !memchr(t, '/', (size_t)(m->text_end - t));
		if (m->path && deep && *p == '/' &&
		    match_from(m, p + 1, t)) /* no directory at all */
			return true;
		return match_star(m, p, t, deep);
	}
	return t == m->text_end;
}

bool
mlb_wildcard_match(const char *pattern, size_t len, const char *text, bool path)
{
	uint8_t small[512] = { 0 };
	size_t text_len = strlen(text);
	size_t bytes = (len + 1) * (text_len + 1) / 8 + 1;
	struct match m = { pattern, pattern + len, text, text + text_len, small, path };
	bool yes;

	if (bytes > sizeof(small))
		m.failed = mlb_calloc(bytes, 1);
	yes = match_from(&m, pattern, text);
	if (m.failed != small)
		free(m.failed);
	return yes;
}
