#include "graph/shell_words.h"

#include <string.h>

#include "base/text.h"
#include "graph/shell_names.h"

#define MAX_WORD 4096
#define MAX_DEPTH 8
#define MAX_HERE 8

struct here {
	const char *delim;
	size_t len;
	bool tabs;
};

/* What the next word is, if not one of a command. */
enum role {
	ROLE_NONE,
	ROLE_TO,      /* where output goes: > */
	ROLE_FROM,    /* where input comes from: < */
	ROLE_TEXT,    /* text to read: <<< */
	ROLE_NAME,    /* of a function */
	ROLE_EACH,    /* the variable of a `for` or `select` */
	ROLE_LIST,    /* then `in`, or none of its words */
	ROLE_SUBJECT, /* of a `case` */
	ROLE_CASES,   /* then `in` */
};

struct scan {
	mlb_word_fn *fn;
	void *ctx;
	struct mlb_buf word; /* without its quotes */
	unsigned depth;      /* of $(…) */
	bool in_word;
	bool dead;    /* it has an expansion or a glob */
	bool command; /* the next word is a command's name */
	bool module;  /* the next word comes after -m */
	enum role role;
	struct here here[MAX_HERE];
	unsigned n_here;
};

static void scan_text(struct scan *s, const char *p, const char *end);

/* ------------------------------------------------------------ one word */

static bool
is_identifier_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool
is_module(const char *w)
{
	bool start = true;

	for (; *w != '\0'; w++) {
		if (*w == '.' && !start)
			start = true;
		else if (is_identifier_char(*w) && !(start && *w >= '0' && *w <= '9'))
			start = false;
		else
			return false;
	}
	return !start;
}

static bool
is_number(const char *w)
{
	return strchr("0123456789+-.", *w) && w[strspn(w, "0123456789+-.,eE")] == '\0' &&
	       strpbrk(w, "0123456789");
}

static bool
is_script(const char *w)
{
	static const char *const ext[] = { ".py", ".sh", ".R",  ".r",    ".jl",
					   ".pl", ".rb", ".js", ".bash", ".lua" };

	if (strchr(w, '/'))
		return true;
	for (size_t i = 0; i < MLB_ARRAY_LEN(ext); i++)
		if (mlb_str_ends(w, ext[i]))
			return true;
	return false;
}

/* The name of an assignment before a command: NAME=… */
static bool
is_assignment(const char *w)
{
	const char *p = w;

	while (is_identifier_char(*p))
		p++;
	return p > w && *p == '=' && !(*w >= '0' && *w <= '9');
}

static void
offer(struct scan *s, const char *w, enum mlb_word_kind kind)
{
	if (*w != '\0' && strlen(w) < MAX_WORD && !is_number(w))
		s->fn(s->ctx, w, kind);
}

static void
offer_values(struct scan *s, const char *w)
{
	for (const char *eq = strchr(w, '='); eq; eq = strchr(eq + 1, '='))
		offer(s, eq + 1, MLB_WORD_PATH);
}

/* Words of the shell's own syntax say what the next one is. */
static enum role
next_role(const char *w)
{
	static const struct {
		const char *name;
		enum role role;
	} words[] = {
		{ "case", ROLE_SUBJECT },
		{ "for", ROLE_EACH },
		{ "function", ROLE_NAME },
		{ "select", ROLE_EACH },
	};

	for (size_t i = 0; i < MLB_ARRAY_LEN(words); i++)
		if (strcmp(w, words[i].name) == 0)
			return words[i].role;
	return ROLE_NONE;
}

/* A word of a command. */
static void
plain_end(struct scan *s, const char *w, bool module)
{
	bool command = s->command;

	s->command = false;
	if ((s->dead && strcmp(w, "{") != 0) || s->word.full)
		return;
	if (command && is_assignment(w)) {
		s->command = true;
		offer_values(s, w);
	} else if (command && (mlb_shell_traits(w) & MLB_SHELL_KEYWORD)) {
		s->command = true;
	} else if (command && next_role(w) != ROLE_NONE) {
		s->role = next_role(w);
	} else if (module && is_module(w)) {
		s->fn(s->ctx, w, MLB_WORD_MODULE);
	} else if (*w == '-') {
		s->module = strcmp(w, "-m") == 0;
		offer_values(s, w);
	} else {
		if (!command || is_script(w))
			offer(s, w, MLB_WORD_PATH);
		offer_values(s, w);
	}
}

/* A word that has a role of its own; false: it has not, after all. */
static bool
role_end(struct scan *s, const char *w, enum role role)
{
	bool clear = !s->dead && !s->word.full;

	switch (role) {
	case ROLE_TO:
	case ROLE_FROM:
		if (clear)
			offer(s, w, role == ROLE_TO ? MLB_WORD_TARGET : MLB_WORD_PATH);
		return true;
	case ROLE_EACH:
		s->role = ROLE_LIST;
		s->command = true;
		return true;
	case ROLE_SUBJECT:
		s->role = ROLE_CASES;
		return true;
	case ROLE_LIST:
	case ROLE_CASES:
		if (strcmp(w, "in") != 0)
			return false;
		s->command = role == ROLE_CASES;
		return true;
	case ROLE_NAME:
		s->command = true;
		return true;
	case ROLE_TEXT:
		return true;
	case ROLE_NONE:
		break;
	}
	return false;
}

static void
word_end(struct scan *s)
{
	const char *w = mlb_buf_str(&s->word);
	enum role role = s->role;
	bool module = s->module;

	if (!s->in_word)
		return;
	s->role = ROLE_NONE;
	s->module = s->in_word = false;
	if (!role_end(s, w, role))
		plain_end(s, w, module);
	s->dead = false;
	mlb_buf_clear(&s->word);
}

static void
command_end(struct scan *s)
{
	word_end(s);
	s->command = true;
	s->module = false;
	if (s->role != ROLE_LIST && s->role != ROLE_CASES) /* a line may end before `in` */
		s->role = ROLE_NONE;
}

/* ------------------------------------------------------------ nesting */

/* p stands behind an opening brace or parenthesis: what closes it, or end. */
static const char *
find_close(const char *p, const char *end, char open, char close)
{
	unsigned depth = 1;
	char quote = '\0';

	for (; p < end; p++) {
		if (*p == '\\' && quote != '\'') {
			p++;
		} else if (quote) {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		} else if (*p == open) {
			depth++;
		} else if (*p == close && --depth == 0) {
			return p;
		}
	}
	return end;
}

static void
scan_inner(struct scan *s, const char *p, const char *end)
{
	struct scan inner = { .fn = s->fn, .ctx = s->ctx, .depth = s->depth + 1, .command = true };

	s->dead = s->in_word = true;
	if (inner.depth > MAX_DEPTH)
		return;
	mlb_buf_init(&inner.word, MAX_WORD);
	scan_text(&inner, p, end);
	mlb_buf_release(&inner.word);
}

/* p points to a dollar sign; what follows its expansion. */
static const char *
skip_dollar(struct scan *s, const char *p, const char *end)
{
	const char *close;

	s->dead = s->in_word = true;
	if (p + 1 < end && p[1] == '{') {
		close = find_close(p + 2, end, '{', '}');
		return close < end ? close + 1 : end;
	}
	if (p + 1 == end || p[1] != '(')
		return p + 1;
	close = find_close(p + 2, end, '(', ')');
	if (p + 2 < end && p[2] != '(')
		scan_inner(s, p + 2, close);
	return close < end ? close + 1 : end;
}

static const char *
skip_ticks(struct scan *s, const char *p, const char *end)
{
	const char *close = p + 1;

	while (close < end && *close != '`')
		close += *close == '\\' && close + 1 < end ? 2 : 1;
	if (close > end)
		close = end;
	scan_inner(s, p + 1, close);
	return close < end ? close + 1 : end;
}

static const char *
scan_double(struct scan *s, const char *p, const char *end)
{
	s->in_word = true;
	while (p < end && *p != '"') {
		if (*p == '$') {
			p = skip_dollar(s, p, end);
		} else if (*p == '`') {
			p = skip_ticks(s, p, end);
		} else {
			if (*p == '\\' && p + 1 < end && strchr("\\\"$`", p[1]))
				p++;
			if (*p == '\x01')
				s->dead = true;
			mlb_buf_addc(&s->word, *p++);
		}
	}
	return p < end ? p + 1 : end;
}

static const char *
scan_single(struct scan *s, const char *p, const char *end)
{
	const char *close = memchr(p, '\'', (size_t)(end - p));

	if (!close)
		close = end;
	s->in_word = true;
	if (memchr(p, '\x01', (size_t)(close - p)))
		s->dead = true;
	mlb_buf_add(&s->word, p, (size_t)(close - p));
	return close < end ? close + 1 : end;
}

/* ------------------------------------------------------------ here-documents */

/* p stands behind "<<". */
static const char *
here_begin(struct scan *s, const char *p, const char *end)
{
	struct here h = { NULL, 0, false };

	if (p < end && *p == '-') {
		h.tabs = true;
		p++;
	}
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && (*p == '\'' || *p == '"')) {
		const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));

		h.delim = p + 1;
		h.len = (size_t)((close ? close : end) - p - 1);
		p = close ? close + 1 : end;
	} else {
		if (p < end && *p == '\\')
			p++;
		h.delim = p;
		while (p < end && !strchr(" \t\n;&|<>()", *p))
			p++;
		h.len = (size_t)(p - h.delim);
	}
	if (s->n_here < MAX_HERE)
		s->here[s->n_here++] = h;
	return p;
}

/* p stands at the start of the first body: the line behind the last one. */
static const char *
skip_here(struct scan *s, const char *p, const char *end)
{
	for (unsigned i = 0; i < s->n_here; i++) {
		bool ended = false;

		while (p < end && !ended) {
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			const char *stop = nl ? nl : end;

			while (s->here[i].tabs && p < stop && *p == '\t')
				p++;
			ended = (size_t)(stop - p) == s->here[i].len &&
				memcmp(p, s->here[i].delim, s->here[i].len) == 0;
			p = nl ? nl + 1 : end;
		}
	}
	s->n_here = 0;
	return p;
}

/* ------------------------------------------------------------ the text */

/* The number of a file descriptor directly before < or > is no word. */
static void
skip_number(struct scan *s)
{
	const char *w = mlb_buf_str(&s->word);

	if (!s->in_word || s->dead || w[strspn(w, "0123456789")] != '\0')
		return;
	s->in_word = false;
	mlb_buf_clear(&s->word);
}

static const char *
scan_redirect(struct scan *s, const char *p, const char *end)
{
	skip_number(s);
	word_end(s);
	if (*p == '<' && p + 1 < end && p[1] == '<') {
		if (p + 2 < end && p[2] == '<') {
			s->role = ROLE_TEXT;
			return p + 3;
		}
		return here_begin(s, p + 2, end);
	}
	s->role = *p == '>' ? ROLE_TO : ROLE_FROM;
	p++;
	while (p < end && (*p == '>' || *p == '|' || *p == '&'))
		p++;
	if (p < end && *p == '(')
		s->role = ROLE_NONE;
	return p;
}

static const char *
scan_plain(struct scan *s, const char *p, const char *end)
{
	if (*p == '\\') {
		if (p + 1 < end && p[1] != '\n') {
			s->in_word = true;
			mlb_buf_addc(&s->word, p[1]);
		}
		return p + 1 < end ? p + 2 : end;
	}
	if (strchr("*?[{\x01", *p) || (*p == '~' && !s->in_word))
		s->dead = true;
	s->in_word = true;
	mlb_buf_addc(&s->word, *p);
	return p + 1;
}

static const char *
scan_one(struct scan *s, const char *p, const char *end)
{
	switch (*p) {
	case ' ':
	case '\t':
	case '\r':
		word_end(s);
		return p + 1;
	case '\n':
		command_end(s);
		return s->n_here > 0 ? skip_here(s, p + 1, end) : p + 1;
	case '&':
		if (p + 1 < end && p[1] == '>') {
			word_end(s);
			return scan_redirect(s, p + 1, end);
		}
		command_end(s);
		return p + 1;
	case ';':
	case '|':
	case '(':
	case ')':
		command_end(s);
		return p + 1;
	case '<':
	case '>':
		return scan_redirect(s, p, end);
	case '\'':
		return scan_single(s, p + 1, end);
	case '"':
		return scan_double(s, p + 1, end);
	case '`':
		return skip_ticks(s, p, end);
	case '$':
		if (p + 1 < end && p[1] == '\'') {
			s->dead = s->in_word = true;
			for (p += 2; p < end && *p != '\''; p++)
				if (*p == '\\' && p + 1 < end)
					p++;
			return p < end ? p + 1 : end;
		}
		return skip_dollar(s, p, end);
	case '#':
		if (s->in_word)
			return scan_plain(s, p, end);
		p = memchr(p, '\n', (size_t)(end - p));
		return p ? p : end;
	default:
		return scan_plain(s, p, end);
	}
}

static void
scan_text(struct scan *s, const char *p, const char *end)
{
	while (p < end)
		p = scan_one(s, p, end);
	word_end(s);
}

void
mlb_shell_scan(const char *text, mlb_word_fn *fn, void *ctx)
{
	struct scan s = { .fn = fn, .ctx = ctx, .command = true };

	mlb_buf_init(&s.word, MAX_WORD);
	scan_text(&s, text, text + strlen(text));
	mlb_buf_release(&s.word);
}

static void
collect(void *ctx, const char *word, enum mlb_word_kind kind)
{
	struct mlb_strvec *out = ctx;
	struct mlb_buf path = MLB_BUF_INIT((size_t)2 * MAX_WORD);

	if (kind == MLB_WORD_PATH)
		mlb_strvec_push(out, word);
	if (kind != MLB_WORD_MODULE)
		return;
	for (; *word != '\0'; word++)
		mlb_buf_addc(&path, *word == '.' ? '/' : *word);
	mlb_buf_adds(&path, ".py");
	mlb_strvec_push(out, mlb_buf_str(&path));
	mlb_buf_truncate(&path, path.len - 3);
	mlb_buf_adds(&path, "/__main__.py");
	mlb_strvec_push(out, mlb_buf_str(&path));
	mlb_buf_release(&path);
}

static void
collect_targets(void *ctx, const char *word, enum mlb_word_kind kind)
{
	if (kind == MLB_WORD_TARGET)
		mlb_strvec_push(ctx, word);
}

void
mlb_shell_targets(struct mlb_strvec *out, const char *text)
{
	mlb_shell_scan(text, collect_targets, out);
}

int
mlb_shell_words(struct mlb_strvec *out, const char *text, struct mlb_err *err)
{
	(void)err;
	mlb_shell_scan(text, collect, out);
	return 0;
}
