/*
 * Values that are words: quotes keep blanks, references are kept whole.
 */
#include <string.h>

#include "graph/config_int.h"

/* The end of a reference that begins at s ("${"): behind its '}'; s + 2 if it has none. */
static const char *
reference_end(const char *s)
{
	const char *close = strchr(s, '}');

	return close ? close + 1 : s + 2;
}

/*
 * One word from *s on, unquoted into w: '…' and "…" keep blanks, and are
 * removed; a ${…} is kept whole as it stands. Returns where w ends, or NULL if
 * a quote is left open.
 */
static char *
cut_word(const char **s, char *w)
{
	const char *p = *s;
	char quote = '\0';

	for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
		if (p[0] == '$' && p[1] == '{') {
			const char *end = reference_end(p);

			memcpy(w, p, (size_t)(end - p));
			w += end - p;
			p = end - 1;
		} else if (quote ? *p == quote : (*p == '\'' || *p == '"')) {
			quote = quote ? '\0' : *p;
		} else {
			*w++ = *p;
		}
	}
	*s = p;
	return quote ? NULL : w;
}

static bool
words_of_line(struct loader *l, const struct mlb_ini_entry *e, const char *s, unsigned line)
{
	char *w = mlb_arena_alloc(&l->c->arena, strlen(s) + 1);

	for (;;) {
		struct mlb_text word = { .s = w, .file = e->file, .line = line };

		s += strspn(s, " \t");
		if (!*s)
			return true;
		w = cut_word(&s, w);
		if (!w) {
			mlb_diag_add(&l->diag, e->file, line,
				     "a quote in '%s' is not closed on its line", e->key);
			return false;
		}
		*w++ = '\0';
		mlb_vec_push(&l->words, word);
	}
}

bool
mlb_config_words(struct loader *l, const struct mlb_ini_entry *e)
{
	l->words.n = 0;
	for (unsigned i = 0; i < e->n_lines; i++)
		if (!words_of_line(l, e, e->lines[i], mlb_ini_line(e, i)))
			return false;
	if (l->words.n)
		return true;
	mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is empty", e->key, e->section);
	return false;
}

bool
mlb_config_word(struct loader *l, const struct mlb_ini_entry *e, const char **out)
{
	if (!mlb_config_words(l, e))
		return false;
	if (l->words.n > 1 || !*l->words.v[0].s) {
		const char *next = l->words.n > 1 ? l->words.v[1].s : NULL;

		mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] takes one word%s", e->key,
			     e->section,
			     !next ? ""
			     : *next == ';' || *next == '#'
				     ? ": a comment has a line of its own, from the first column on"
				     : ": put it in quotes if it has blanks");
		return false;
	}
	*out = l->words.v[0].s;
	return true;
}
