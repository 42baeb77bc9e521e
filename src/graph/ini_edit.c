/* One value of an INI text put in the place of another. */
#include <string.h>

#include "base/buf.h"
#include "graph/inifile.h"

enum { MAX_TEXT = 64 << 20, SHOWN = 60 };

static const struct mlb_ini_entry *
entry_at(const struct mlb_ini *ini, unsigned line)
{
	for (size_t i = 0; i < ini->entry.n; i++)
		if (ini->entry.v[i].key && ini->entry.v[i].line == line)
			return &ini->entry.v[i];
	return NULL;
}

static bool
is_continuation(const struct mlb_ini_entry *e, unsigned line)
{
	for (unsigned i = 1; i < e->n_lines; i++)
		if (mlb_ini_line(e, i) == line)
			return true;
	return false;
}

/* "KEY = " as it stands, the value, and the line end as it is. */
static void
add_line(struct mlb_buf *out, const char *s, size_t len, const char *value)
{
	const char *eq = memchr(s, '=', len);
	size_t head = eq ? (size_t)(eq - s) + 1 : len, end = len;

	while (end > head && (s[end - 1] == '\n' || s[end - 1] == '\r'))
		end--;
	mlb_buf_add(out, s, head);
	if (head < end && (s[head] == ' ' || s[head] == '\t'))
		for (; head < end && (s[head] == ' ' || s[head] == '\t'); head++)
			mlb_buf_addc(out, s[head]);
	else if (head > 1 && s[head - 2] == ' ')
		mlb_buf_addc(out, ' ');
	mlb_buf_adds(out, value);
	mlb_buf_add(out, s + end, len - end);
}

static void
edit(struct mlb_buf *out, const struct mlb_ini_entry *e, const char *text, size_t len,
     const char *value)
{
	const char *end = text + len;

	for (unsigned line = 1; text < end; line++) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t n = feed ? (size_t)(feed - text) + 1 : (size_t)(end - text);

		if (line == e->line)
			add_line(out, text, n, value);
		else if (!is_continuation(e, line))
			mlb_buf_add(out, text, n);
		text += n;
	}
}

/* Everything else must read as it did, and this as it should. */
static bool
reads_back(struct mlb_ini *was, struct mlb_ini *now, const struct mlb_ini_entry *e,
	   const char *value)
{
	if (was->entry.n != now->entry.n)
		return false;
	for (size_t i = 0; i < was->entry.n; i++) {
		const struct mlb_ini_entry *a = &was->entry.v[i], *b = &now->entry.v[i];

		if (strcmp(a->section, b->section) != 0 || !a->key != !b->key)
			return false;
		if (!a->key)
			continue;
		if (strcmp(a->key, b->key) != 0 ||
		    strcmp(a == e ? value : mlb_ini_verbatim(was, a),
			   a == e ? mlb_ini_joined(now, b) : mlb_ini_verbatim(now, b)) != 0)
			return false;
	}
	return true;
}

int
mlb_ini_edit(struct mlb_buf *out, const char *file, const char *text, size_t len, unsigned line,
	     const char *value, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_ini was, now;
	const struct mlb_ini_entry *e;
	int rc;

	mlb_ini_init(&was);
	mlb_ini_init(&now);
	rc = mlb_ini_parse(&was, file, text, len, err);
	e = rc == 0 ? entry_at(&was, line) : NULL;
	if (rc == 0 && !e)
		rc = mlb_err_set(err, MLB_EINVALID, "%s:%u: there is no key on this line", file,
				 line);
	if (rc == 0) {
		edit(&b, e, text, len, value);
		if (b.full || strpbrk(value, "\r\n") ||
		    mlb_ini_parse(&now, file, mlb_buf_str(&b), b.len, NULL) != 0 ||
		    !reads_back(&was, &now, e, value))
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"%s:%u: '%s' cannot have the value '%.*s' there: an INI file "
				"holds no line feeds, and no blanks at the ends of a value",
				file, line, e->key,
				(int)MLB_MIN(strcspn(value, "\r\n"), (size_t)SHOWN), value);
	}
	if (rc == 0)
		mlb_buf_add(out, mlb_buf_str(&b), b.len);
	mlb_ini_release(&now);
	mlb_ini_release(&was);
	mlb_buf_release(&b);
	return rc;
}
