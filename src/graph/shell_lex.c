#include "graph/shell_lex.h"

#include <string.h>

#include "graph/shell_names.h"

enum state {
	IN_BARE,
	IN_DOUBLE,
	IN_SINGLE,
	IN_ANSI,
	IN_COMMENT,
	IN_TICKS,
	IN_PAREN,
	IN_BRACE,
	IN_HERE
};

void
mlb_shlex_init(struct mlb_shlex *lx)
{
	memset(lx, 0, sizeof(*lx));
	lx->start = true;
}

static void
push(struct mlb_shlex *lx, enum state s)
{
	if (lx->depth + 1 >= MLB_SHLEX_DEPTH)
		lx->lost = true;
	else
		lx->state[++lx->depth] = (uint8_t)s;
}

static void
pop(struct mlb_shlex *lx)
{
	if (lx->depth > 0)
		lx->depth--;
}

/* ------------------------------------------------------------ words */

/* Is the value of this assignment interpreted by the shell later? */
static bool
assigns_code(const char *word, unsigned len)
{
	static const char *const names[] = { "BASH_ENV=", "ENV=", "PROMPT_COMMAND=", "PS4=" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		if (len >= strlen(names[i]) && memcmp(word, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void
classify(struct mlb_shlex *lx)
{
	const char *slash = strrchr(lx->word, '/');
	unsigned traits = mlb_shell_traits(slash ? slash + 1 : lx->word);
	char last = lx->word_len > 0 ? lx->word[lx->word_len - 1] : '\0';
	bool option = lx->word[0] == '-' && lx->word[1] != '-';

	lx->code = option && ((lx->interpreter && (last == 'c' || last == 'e' || last == 'E')) ||
			      (lx->variable && last == 'v'));
	lx->interpreter = lx->interpreter || (traits & MLB_SHELL_INTERPRETER);
	lx->variable = lx->variable || (traits & MLB_SHELL_VARIABLE);
	lx->all_code = lx->all_code || (traits & MLB_SHELL_CODE);
	lx->lost = lx->lost || (traits & MLB_SHELL_DECLARES);
	if (strcmp(lx->word, "[[") == 0)
		lx->in_test = true;
	else if (strcmp(lx->word, "]]") == 0)
		lx->in_test = false;
}

static void
word_end(struct mlb_shlex *lx)
{
	if (lx->depth > 0) {
		lx->word_len = 0;
		return;
	}
	if (!lx->in_word)
		return;
	lx->word[lx->word_len] = '\0';
	if (!lx->redirect)
		classify(lx);
	lx->redirect = false;
	lx->in_word = lx->bracket = false;
	lx->word_len = 0;
}

static void
command_end(struct mlb_shlex *lx)
{
	word_end(lx);
	if (lx->depth == 0)
		lx->redirect = lx->interpreter = lx->variable = lx->code = lx->all_code = false;
}

static void
word_add(struct mlb_shlex *lx, char c)
{
	lx->in_word = true;
	if (lx->word_len + 1 < MLB_SHLEX_WORD)
		lx->word[lx->word_len++] = c;
}

/* ------------------------------------------------------------ one character */

static void
newline(struct mlb_shlex *lx, const char *p)
{
	command_end(lx);
	lx->start = true;
	if (lx->n_here > 0) {
		push(lx, IN_HERE);
		lx->in_here = true;
		lx->line = p + 1;
	}
}

/* A redirection begins; digits in front of it belong to it. */
static void
redirect(struct mlb_shlex *lx)
{
	lx->word[lx->word_len] = '\0';
	if (lx->depth == 0 && lx->word_len > 0 && strspn(lx->word, "0123456789") == lx->word_len) {
		lx->in_word = false;
		lx->word_len = 0;
	}
	word_end(lx);
	lx->redirect = true;
}

static void
less_than(struct mlb_shlex *lx, const char *p)
{
	redirect(lx);
	if (lx->ignore_lt > 0) {
		lx->ignore_lt--;
		return;
	}
	if (p[1] != '<')
		return;
	if (p[2] == '<') {
		lx->ignore_lt = 2;
		return;
	}
	lx->ignore_lt = 1;
	if (lx->depth > 0)
		lx->lost = true; /* a here-document inside $(…) */
	else
		mlb_shlex_here_begin(lx, p + 2);
}

/* A quote or an expansion, wherever commands stand; false: something else. */
static bool
feed_quote(struct mlb_shlex *lx, char c, bool after_dollar)
{
	switch (c) {
	case '\'':
		push(lx, after_dollar ? IN_ANSI : IN_SINGLE);
		break;
	case '"':
		push(lx, IN_DOUBLE);
		break;
	case '`':
		push(lx, IN_TICKS);
		break;
	case '$':
		lx->dollar = !after_dollar;
		break;
	default:
		return false;
	}
	lx->in_word = true;
	lx->start = false;
	return true;
}

static void
feed_comment(struct mlb_shlex *lx, bool unsure)
{
	if (unsure || (lx->depth > 0 && lx->start))
		lx->lost = true;
	else if (lx->start)
		push(lx, IN_COMMENT);
	else
		word_add(lx, '#');
}

static void
feed_paren(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	bool nested = lx->depth > 0;

	if (*p == '(') {
		if (p[1] == '(' && !after_dollar)
			lx->lost = true; /* ((…)), where quotes mean nothing */
		if (nested || after_dollar)
			push(lx, IN_PAREN);
		if (after_dollar)
			lx->in_word = true;
		else
			command_end(lx);
		lx->start = true;
	} else if (nested) {
		pop(lx);
		lx->word_len = 0; /* the word that $(…) stands in goes on */
		lx->start = lx->state[lx->depth] == IN_PAREN;
	} else {
		command_end(lx);
		lx->start = true;
	}
}

/* The end of a word or command; false: *p is no such character. */
static bool
feed_separator(struct mlb_shlex *lx, const char *p)
{
	bool nested = lx->depth > 0;

	switch (*p) {
	case ' ':
	case '\t':
		if (nested && lx->word_len == 4 && memcmp(lx->word, "case", 4) == 0)
			lx->lost = true; /* patterns have a ')' of their own */
		word_end(lx);
		break;
	case '\n':
		if (nested && lx->n_here > 0)
			lx->lost = true;
		if (nested)
			command_end(lx);
		else
			newline(lx, p);
		break;
	case '&':
		if (lx->prev != '>' && lx->prev != '<' && p[1] != '>')
			command_end(lx);
		break;
	case ';':
	case '|':
		command_end(lx);
		break;
	case '<':
		less_than(lx, p);
		break;
	case '>':
		redirect(lx);
		break;
	default:
		return false;
	}
	lx->start = true;
	return true;
}

/* Unquoted text: the outermost level, or inside $(…). */
static void
feed_command(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	bool unsure = lx->maybe_start;

	if (*p == '\\') {
		lx->skip = true; /* a word may still start behind a joined line */
		return;
	}
	lx->maybe_start = false;
	if (feed_quote(lx, *p, after_dollar) || feed_separator(lx, p))
		return;
	switch (*p) {
	case '#':
		feed_comment(lx, unsure);
		return;
	case '(':
	case ')':
		feed_paren(lx, p, after_dollar);
		return;
	case '[':
		if (after_dollar)
			lx->lost = true; /* $[…], where quotes mean nothing */
		lx->bracket = lx->bracket || lx->depth == 0;
		break;
	default:
		break;
	}
	word_add(lx, *p);
	lx->start = false;
}

static void
feed_double(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	switch (*p) {
	case '\\':
		lx->skip = true;
		break;
	case '"':
		pop(lx);
		break;
	case '`':
		push(lx, IN_TICKS);
		break;
	case '$':
		lx->dollar = !after_dollar;
		break;
	case '(':
		if (after_dollar) {
			push(lx, IN_PAREN);
			lx->start = true;
		}
		break;
	case '[':
		if (after_dollar)
			lx->lost = true;
		word_add(lx, '[');
		break;
	case '\n':
		if (lx->n_here > 0)
			lx->lost = true;
		break;
	default:
		word_add(lx, *p);
	}
}

static void
feed_opaque(struct mlb_shlex *lx, const char *p, enum state s)
{
	char c = *p;

	if (c == '\n' && lx->n_here > 0 && s != IN_COMMENT)
		lx->lost = true;
	if (s == IN_SINGLE && c != '\'')
		word_add(lx, c);
	else if (s == IN_SINGLE)
		pop(lx);
	else if (s == IN_ANSI && c == '\\')
		lx->lost = true; /* sh ends $'a\' there, bash does not */
	else if (s == IN_ANSI && c == '\'')
		pop(lx);
	else if (s == IN_TICKS && c == '\\')
		lx->skip = true;
	else if (s == IN_TICKS && c == '`')
		pop(lx);
	else if (s == IN_BRACE && strchr("'\"\\$`", c))
		lx->lost = true; /* quotes in ${…} differ between shells */
	else if (s == IN_BRACE && c == '}')
		pop(lx);
	else if (s == IN_COMMENT && c == '\n') {
		pop(lx);
		newline(lx, p);
	}
}

void
mlb_shlex_feed(struct mlb_shlex *lx, const char *p)
{
	bool after_dollar = lx->dollar;
	enum state s = (enum state)lx->state[lx->depth];

	if (lx->lost)
		return;
	lx->dollar = false;
	if (s == IN_HERE) {
		if (mlb_shlex_here_feed(lx, p)) {
			pop(lx);
			lx->in_here = false;
			lx->start = true;
		}
		return;
	}
	if (lx->skip) {
		lx->skip = false;
		if (*p != '\n')
			lx->start = lx->maybe_start = false;
		if (*p != '\n' && lx->depth == 0)
			word_add(lx, *p);
		return;
	}
	if (s == IN_BARE || s == IN_PAREN)
		feed_command(lx, p, after_dollar);
	else if (s == IN_DOUBLE)
		feed_double(lx, p, after_dollar);
	else
		feed_opaque(lx, p, s);
	lx->prev = *p;
}

void
mlb_shlex_brace(struct mlb_shlex *lx)
{
	enum state s = (enum state)lx->state[lx->depth];

	if (lx->lost || s == IN_SINGLE || s == IN_COMMENT || s == IN_HERE || s == IN_ANSI ||
	    s == IN_TICKS)
		return;
	if (lx->skip) {
		lx->skip = false; /* \${: the shell sees no expansion */
		return;
	}
	if (s == IN_BRACE) {
		lx->lost = true;
		return;
	}
	lx->in_word = true;
	lx->start = lx->maybe_start = lx->dollar = false;
	push(lx, IN_BRACE);
}

void
mlb_shlex_ref(struct mlb_shlex *lx)
{
	lx->maybe_start = lx->start || lx->maybe_start;
	lx->start = lx->dollar = false;
	lx->in_word = true;
	if (lx->word_len == 0)
		word_add(lx, ' '); /* no name that is_interpreter knows begins so */
}

enum mlb_ref_ctx
mlb_shlex_ctx(const struct mlb_shlex *lx)
{
	if (lx->lost || lx->depth > 1 || lx->code || lx->all_code || lx->in_test || lx->bracket)
		return MLB_CTX_UNKNOWN;
	if (assigns_code(lx->word, lx->word_len))
		return MLB_CTX_UNKNOWN;
	if (lx->n_here > 0)
		return MLB_CTX_UNKNOWN; /* a line feed in the value might begin the here-document */
	switch (lx->state[lx->depth]) {
	case IN_BARE:
		return MLB_CTX_BARE;
	case IN_DOUBLE:
		return MLB_CTX_DOUBLE;
	case IN_SINGLE:
		return MLB_CTX_SINGLE;
	default:
		return MLB_CTX_UNKNOWN;
	}
}
