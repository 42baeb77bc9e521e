#include <string.h>

#include "graph/refs.h"

/* Characters that no shell gives a meaning to, wherever they stand in a word. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_./,:+@%=-", c));
}

/* NAME=… at the start of a command is an assignment, and =NAME a path in zsh. */
static bool
looks_assigned(const char *s)
{
	size_t i = 0;

	while ((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' ||
	       s[i] == '+' || (s[i] >= '0' && s[i] <= '9'))
		i++;
	return s[i] == '=';
}

bool
mlb_refs_plain(const char *s)
{
	const char *p = s;

	while (is_plain(*p))
		p++;
	return *p == '\0' && p > s && !looks_assigned(s);
}

static void
add_escaped(struct mlb_buf *out, const char *s, const char *special, const char *before)
{
	while (*s != '\0') {
		size_t n = strcspn(s, special);

		mlb_buf_add(out, s, n);
		s += n;
		if (*s == '\0')
			break;
		mlb_buf_adds(out, before);
		mlb_buf_addc(out, *s++);
	}
}

static void
add_single(struct mlb_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			mlb_buf_adds(out, "'\\''");
		else
			mlb_buf_addc(out, *s);
	}
}

static int
quote_word(struct mlb_buf *out, enum mlb_ref_ctx ctx, const char *s, struct mlb_err *err)
{
	switch (ctx) {
	case MLB_CTX_DOUBLE:
		add_escaped(out, s, "\\\"$`", "\\");
		return 0;
	case MLB_CTX_SINGLE:
		add_single(out, s);
		return 0;
	case MLB_CTX_BARE:
		if (mlb_refs_plain(s)) {
			mlb_buf_adds(out, s);
			return 0;
		}
		mlb_buf_addc(out, '\'');
		add_single(out, s);
		mlb_buf_addc(out, '\'');
		return 0;
	case MLB_CTX_UNKNOWN:
	default:
		if (*s != '\0' && !mlb_refs_plain(s))
			return mlb_err_set(
				err, MLB_EINVALID,
				"has the value '%.60s', which cannot be quoted safely where it stands (a here-document, "
				"back-ticks, arithmetic, a `case` in $(...), a comment or code for an interpreter); "
				"pass it by env.NAME",
				s);
		mlb_buf_adds(out, s);
		return 0;
	}
}

int
mlb_refs_quote(struct mlb_buf *out, enum mlb_ref_ctx ctx, const char *const *words, size_t n,
	       struct mlb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc;

		if (i > 0)
			mlb_buf_addc(out, ' ');
		rc = quote_word(out, ctx, words[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
