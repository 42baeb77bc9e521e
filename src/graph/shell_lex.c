#include "graph/shell_lex.h"

#include <string.h>

enum state {
	IN_BARE,
	IN_SUBST, /* $(…), <(…) */
	IN_PAREN, /* a subshell within those */
	IN_DOUBLE,
	IN_SINGLE,
	IN_ANSI,
	IN_COMMENT,
	IN_TICKS,
	IN_ARITH,
	IN_BRACE,
	IN_HERE
};

void
mlb_shlex_init(struct mlb_shlex *lx)
{
	memset(lx, 0, sizeof(*lx));
	lx->cmd[0].start = true;
}

static struct mlb_shlex_cmd *
cmd(struct mlb_shlex *lx)
{
	return &lx->cmd[lx->n_cmd];
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

/* ------------------------------------------------------------ one character */

static void
newline(struct mlb_shlex *lx, const char *p)
{
	mlb_shlex_command_end(lx);
	cmd(lx)->start = true;
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
	struct mlb_shlex_cmd *c = cmd(lx);

	c->word[c->word_len] = '\0';
	if (c->word_len > 0 && strspn(c->word, "0123456789") == c->word_len) {
		c->in_word = c->quoted = false;
		c->word_len = 0;
	}
	mlb_shlex_word_end(lx);
	c->redirect = true;
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
		cmd(lx)->text = true;
		return;
	}
	lx->ignore_lt = 1;
	if (lx->n_cmd > 0)
		lx->lost = true; /* a here-document inside $(…) */
	else
		mlb_shlex_here_begin(lx, p + 2);
}

/* $( stands here, or <(: its text is a command of its own, whose quotes start anew. */
static void
substitution(struct mlb_shlex *lx, const char *p)
{
	cmd(lx)->in_word = cmd(lx)->expanded = true;
	if (p[1] == '(') {
		push(lx, IN_ARITH);
		lx->parens = 0;
		lx->closing = false;
		return;
	}
	push(lx, IN_SUBST);
	mlb_shlex_enter(lx, true);
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
	if (c == '`' || c == '$')
		cmd(lx)->expanded = true;
	else
		cmd(lx)->quoted = true;
	cmd(lx)->in_word = true;
	cmd(lx)->start = false;
	return true;
}

static void
feed_comment(struct mlb_shlex *lx, bool unsure)
{
	if (unsure || (lx->n_cmd > 0 && cmd(lx)->start))
		lx->lost = true;
	else if (cmd(lx)->start)
		push(lx, IN_COMMENT);
	else
		mlb_shlex_word_add(lx, '#');
}

static void
feed_open(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	bool process = lx->prev == '<' || lx->prev == '>';

	if (after_dollar || process) {
		if (process && p[1] == '(')
			lx->lost = true;
		substitution(lx, p);
		return;
	}
	if (p[1] == '(' || mlb_shlex_interpreted(cmd(lx)))
		lx->lost = true; /* ((…)), where quotes mean nothing; PS4=(…) */
	if (lx->n_cmd > 0) {
		push(lx, IN_PAREN);
		mlb_shlex_enter(lx, false);
	} else {
		mlb_shlex_command_end(lx);
		cmd(lx)->start = true;
	}
}

static void
feed_close(struct mlb_shlex *lx)
{
	bool subshell = lx->state[lx->depth] == IN_PAREN;

	if (lx->n_cmd > 0) {
		mlb_shlex_leave(lx);
		pop(lx);
		if (lx->state[lx->depth] != IN_DOUBLE)
			cmd(lx)->start = subshell; /* the word that $(…) stands in goes on */
	} else {
		mlb_shlex_command_end(lx);
		cmd(lx)->start = true;
	}
}

/* The end of a word or command; false: *p is no such character. */
static bool
feed_separator(struct mlb_shlex *lx, const char *p)
{
	switch (*p) {
	case ' ':
	case '\t':
		mlb_shlex_word_end(lx);
		break;
	case '\n':
		if (lx->n_cmd > 0 && lx->n_here > 0)
			lx->lost = true;
		newline(lx, p);
		break;
	case '&':
		if (lx->prev != '>' && lx->prev != '<' && p[1] != '>')
			mlb_shlex_command_end(lx);
		else
			mlb_shlex_word_end(lx);
		break;
	case '|':
		if (lx->prev != '>') /* >| */
			mlb_shlex_command_end(lx);
		break;
	case ';':
		mlb_shlex_command_end(lx);
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
	cmd(lx)->start = true;
	return true;
}

/* A backslash: a joined line in the middle of an operator hides it from what looks ahead here. */
static void
feed_backslash(struct mlb_shlex *lx, const char *p)
{
	lx->skip = true;
	if (p[1] != '\n')
		cmd(lx)->quoted = true;
	else if (strchr("$<>(&", lx->prev) && (p[2] == '\\' || strchr("({['\"<>&|", p[2])))
		lx->lost = true;
}

/* Unquoted text: the outermost level, or inside $(…). */
static void
feed_command(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	bool unsure = cmd(lx)->maybe_start;

	if (*p == '\\') {
		feed_backslash(lx, p); /* a word may still start behind a joined line */
		return;
	}
	cmd(lx)->maybe_start = false;
	if (feed_quote(lx, *p, after_dollar) || feed_separator(lx, p))
		return;
	switch (*p) {
	case '#':
		feed_comment(lx, unsure);
		return;
	case '(':
		feed_open(lx, p, after_dollar);
		return;
	case ')':
		feed_close(lx);
		return;
	case '[':
		if (after_dollar)
			lx->lost = true; /* $[…], where quotes mean nothing */
		cmd(lx)->bracket = true;
		break;
	default:
		break;
	}
	mlb_shlex_word_add(lx, *p);
	cmd(lx)->start = false;
}

static void
feed_double(struct mlb_shlex *lx, const char *p, bool after_dollar)
{
	switch (*p) {
	case '\\':
		feed_backslash(lx, p);
		break;
	case '"':
		pop(lx);
		break;
	case '`':
		cmd(lx)->expanded = true;
		push(lx, IN_TICKS);
		break;
	case '$':
		cmd(lx)->expanded = true;
		lx->dollar = !after_dollar;
		break;
	case '(':
		if (after_dollar)
			substitution(lx, p);
		else
			mlb_shlex_word_add(lx, '(');
		break;
	case '[':
		if (after_dollar)
			lx->lost = true;
		mlb_shlex_word_add(lx, '[');
		break;
	case '\n':
		if (lx->n_here > 0)
			lx->lost = true;
		mlb_shlex_word_add(lx, ' ');
		break;
	default:
		mlb_shlex_word_add(lx, *p);
	}
}

/*
 * Inside $((…)): the second '(' comes first. Quotes and substitutions mean what
 * each shell thinks, and a single ')' that closes it makes it a $( (…) ) for bash.
 */
static void
feed_arith(struct mlb_shlex *lx, const char *p)
{
	switch (*p) {
	case '(':
		lx->parens++;
		break;
	case ')':
		lx->parens -= lx->parens > 0 ? 1 : 0;
		if (lx->closing)
			pop(lx);
		else if (lx->parens == 0 && p[1] != ')')
			lx->lost = true;
		else
			lx->closing = lx->parens == 0;
		break;
	case '\'':
	case '"':
	case '\\':
	case '`':
		lx->lost = true;
		break;
	case '$':
		lx->lost = lx->lost || strchr("('\"[", p[1]);
		break;
	default:
		break;
	}
}

static void
feed_opaque(struct mlb_shlex *lx, const char *p, enum state s)
{
	char c = *p;

	if (c == '\n' && lx->n_here > 0 && s != IN_COMMENT)
		lx->lost = true;
	if (s == IN_SINGLE && c != '\'')
		mlb_shlex_word_add(lx, c);
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
			cmd(lx)->start = true;
		}
		return;
	}
	if (lx->skip) {
		lx->skip = false;
		if (*p != '\n' && s != IN_TICKS) {
			cmd(lx)->start = cmd(lx)->maybe_start = false;
			mlb_shlex_word_add(lx, *p);
		}
		if (*p != '\n')
			lx->prev = *p;
		return;
	}
	if (s == IN_BARE || s == IN_SUBST || s == IN_PAREN)
		feed_command(lx, p, after_dollar);
	else if (s == IN_DOUBLE)
		feed_double(lx, p, after_dollar);
	else if (s == IN_ARITH)
		feed_arith(lx, p);
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
	if (s != IN_ARITH)
		cmd(lx)->in_word = cmd(lx)->expanded = true;
	cmd(lx)->start = cmd(lx)->maybe_start = lx->dollar = false;
	lx->prev = '{';
	push(lx, IN_BRACE);
}

void
mlb_shlex_ref(struct mlb_shlex *lx)
{
	struct mlb_shlex_cmd *c = cmd(lx);

	c->maybe_start = c->start || c->maybe_start;
	c->start = lx->dollar = false;
	c->in_word = c->expanded = true;
	lx->prev = '}';
	if (c->word_len == 0)
		mlb_shlex_word_add(lx, ' '); /* no name that means something to a shell begins so */
}

enum mlb_ref_ctx
mlb_shlex_ctx(const struct mlb_shlex *lx)
{
	if (lx->lost || lx->n_here > 0)
		return MLB_CTX_UNKNOWN; /* a line feed in the value might begin the here-document */
	for (unsigned i = 0; i <= lx->n_cmd; i++)
		if (mlb_shlex_interpreted(&lx->cmd[i]))
			return MLB_CTX_UNKNOWN;
	switch (lx->state[lx->depth]) {
	case IN_BARE:
	case IN_SUBST:
	case IN_PAREN:
		return MLB_CTX_BARE;
	case IN_DOUBLE:
		return MLB_CTX_DOUBLE;
	case IN_SINGLE:
		return MLB_CTX_SINGLE;
	default:
		return MLB_CTX_UNKNOWN;
	}
}

bool
mlb_shlex_option(const struct mlb_shlex *lx)
{
	const struct mlb_shlex_cmd *c = &lx->cmd[lx->n_cmd];

	return c->interpreter && !c->script && c->word_len == 0;
}
