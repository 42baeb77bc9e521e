/*
 * Words divided by blanks: "machine HOST" or "default" begins an entry, "login USER" and
 * "password WORD" belong to it, as does "account WORD", which is skipped; "macdef NAME" goes
 * on to an empty line. A word may stand in double quotes, with \ before a character that
 * is meant literally. Behind '#' at the beginning of a word the line is a comment, unless
 * the word is a value.
 */
#include "remotes/netrc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define WORD_MAX 1024

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word behind *s replaces `word`; false: there is none. */
static bool
next(const char **s, struct mlb_buf *word)
{
	const char *c = *s;
	bool quoted;

	mlb_buf_clear(word);
	while (is_blank(*c))
		c++;
	if (!*c)
		return false;
	quoted = *c == '"';
	c += quoted;
	while (*c && (quoted ? *c != '"' : !is_blank(*c))) {
		if (quoted && *c == '\\' && c[1])
			c++;
		mlb_buf_addc(word, *c++);
	}
	*s = c + (quoted && *c == '"');
	return true;
}

static void
set(char **field, const struct mlb_buf *word)
{
	free(*field);
	*field = mlb_strdup(mlb_buf_str(word));
}

/* Behind an empty line, or at the end. */
static const char *
behind_macro(const char *s)
{
	const char *end = strstr(s, "\n\n");

	return end ? end + 2 : s + strlen(s);
}

void
mlb_netrc_release(struct mlb_netrc *n)
{
	if (n->password)
		explicit_bzero(n->password, strlen(n->password));
	free(n->user);
	free(n->password);
	n->user = n->password = NULL;
}

static bool
fits(const struct mlb_netrc *n, bool inside, const char *user)
{
	return inside && n->password && (!user || !n->user || !strcmp(n->user, user));
}

bool
mlb_netrc_find(struct mlb_netrc *out, const char *text, const char *host, const char *user)
{
	struct mlb_buf word = MLB_BUF_INIT(WORD_MAX);
	bool inside = false; /* an entry of the host */

	out->user = out->password = NULL;
	while (next(&text, &word)) {
		const char *w = mlb_buf_str(&word);
		bool begins = !strcmp(w, "machine") || !strcmp(w, "default");

		if (*w == '#') {
			text += strcspn(text, "\n");
		} else if (begins) {
			if (fits(out, inside, user))
				break;
			mlb_netrc_release(out);
			inside = *w == 'd' ||
				 (next(&text, &word) && !strcasecmp(mlb_buf_str(&word), host));
		} else if (!strcmp(w, "login") && next(&text, &word)) {
			set(&out->user, &word);
		} else if (!strcmp(w, "password") && next(&text, &word)) {
			set(&out->password, &word);
		} else if (!strcmp(w, "account")) {
			next(&text, &word);
		} else if (!strcmp(w, "macdef")) {
			text = behind_macro(text);
		}
	}
	if (word.data)
		explicit_bzero(word.data, word.cap);
	mlb_buf_release(&word);
	if (fits(out, inside, user))
		return true;
	mlb_netrc_release(out);
	return false;
}
