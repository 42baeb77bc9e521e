/*
 * How the text reaches inih.
 *
 * scan() cuts the text into headers and entries. For each of them inih gets a
 * line of its own: "[7]" and "h=7" for the seventh header, "k=31" for the
 * thirty-first entry. Such lines are valid under every compile-time and
 * run-time option of inih (line length, comment characters, continuation
 * lines, ...). The handler takes what the token stands for. A token that does
 * not come back exactly as it was given is an internal error, never a value.
 */
#include "graph/inifile.h"

#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/text.h"

#define TOKEN_MAX 32

enum token { TOKEN_NONE = 0, TOKEN_HEADER, TOKEN_ENTRY };

struct reader {
	struct mlb_ini *ini;
	struct mlb_diag *diag;
	const char *file;
	char *p, *end; /* what is left of our copy of the text, which is cut in place */
	unsigned line; /* number of the line that p is at */
	bool check_nul, check_utf8;

	char *section; /* NULL: none yet */
	unsigned section_line;
	bool skip;                  /* the section is wrong: its lines are checked but not kept */
	size_t section_first;       /* its first entry */
	struct mlb_strmap sections; /* name -> line */
	struct mlb_strmap keys;     /* key -> its latest entry plus one */
	MLB_VEC(char *) lines;      /* of the value being collected */
	MLB_VEC(unsigned) numbers;

	enum token pending; /* handed to inih, not yet back */
	struct mlb_ini_entry next;
	uint64_t headers, entries; /* handed out */
	bool header_key;           /* "h=N" is due */
	bool broken;               /* inih did not give back what it was given */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Remove blanks at both ends, in place; the end is cut by a NUL. */
static char *
trim(char *s, size_t len)
{
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	while (len && is_blank(s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

/* Is there nothing on the line at p? */
static bool
blank_line(const struct reader *r)
{
	const char *p = r->p;

	while (p < r->end && is_blank(*p))
		p++;
	if (p < r->end && *p == '\r' && (p + 1 == r->end || p[1] == '\n'))
		p++;
	return p == r->end || *p == '\n';
}

/* Cut off the line at p: its text without the line end, NUL-terminated. NULL if it may not be used. */
static char *
take_line(struct reader *r, size_t *len)
{
	char *s = r->p;
	char *eol = memchr(s, '\n', (size_t)(r->end - s));
	unsigned line = r->line++;
	size_t n;

	r->p = eol ? eol + 1 : r->end;
	n = (size_t)((eol ? eol : r->end) - s);
	if (n && s[n - 1] == '\r')
		n--;
	s[n] = '\0'; /* at the end of the text there is room for it */
	*len = n;
	if (r->check_nul && memchr(s, '\0', n)) {
		mlb_diag_add(r->diag, r->file, line, "a NUL byte: this is not a text file");
		return NULL;
	}
	if (r->check_utf8 && !mlb_is_utf8(s, n)) {
		mlb_diag_add(r->diag, r->file, line,
			     "text that is not UTF-8: save the file as UTF-8");
		return NULL;
	}
	return s;
}

static void
skip_line(struct reader *r)
{
	size_t len;

	take_line(r, &len);
}

static void
push_line(struct reader *r, char *s, unsigned number)
{
	mlb_vec_push(&r->lines, s);
	mlb_vec_push(&r->numbers, number);
}

/* Collect the indented lines that continue a value, with the blank lines between them. */
static void
take_continuation(struct reader *r)
{
	unsigned blank = 0, first_blank = 0;
	size_t len;

	while (r->p < r->end) {
		if (*r->p == ';' || *r->p == '#') {
			skip_line(r);
		} else if (blank_line(r)) {
			if (!blank++)
				first_blank = r->line;
			skip_line(r);
		} else if (is_blank(*r->p)) {
			unsigned number = r->line;
			char *s = take_line(r, &len);

			for (; blank; blank--)
				push_line(r, r->end, first_blank++) /* the NUL there */;
			if (s)
				push_line(r, s, number);
		} else {
			break;
		}
	}
}

static void
keep_lines(struct reader *r, struct mlb_ini_entry *e)
{
	size_t n = r->lines.n;
	char **lines = mlb_arena_alloc(&r->ini->arena, n * sizeof(*lines));

	if (n == 1) {
		lines[0] = trim(r->lines.v[0], strlen(r->lines.v[0]));
	} else {
		unsigned *numbers = mlb_arena_alloc(&r->ini->arena, n * sizeof(*numbers));

		memcpy(lines, r->lines.v, n * sizeof(*lines));
		memcpy(numbers, r->numbers.v, n * sizeof(*numbers));
		while (is_blank(*lines[0]))
			lines[0]++;
		e->numbers = numbers;
	}
	e->lines = (const char *const *)lines;
	e->n_lines = (unsigned)n;
}

/* "[section]": false if it is none; its errors are reported. */
static bool
scan_header(struct reader *r, char *s, size_t len, unsigned line)
{
	char *close = memchr(s, ']', len);
	const char *rest;
	struct mlb_strmap_entry *seen;
	char *w;
	bool is_new, lost = r->ini->lost_section;

	r->section = NULL;
	r->skip = true;
	r->ini->lost_section = true; /* unless it can be read */
	if (!close) {
		mlb_diag_add(r->diag, r->file, line, "a section header without its ']'");
		return false;
	}
	for (rest = close + 1; is_blank(*rest); rest++)
		;
	if (*rest) {
		mlb_diag_add(r->diag, r->file, line, "'%s' after the section header%s", rest,
			     *rest == ';' || *rest == '#'
				     ? ": a comment begins in the first column of its line"
				     : "");
		return false;
	}
	s = trim(s + 1, (size_t)(close - s - 1));
	w = s;
	for (const char *p = s; *p; p++) { /* inner blanks become one space */
		if (!is_blank(*p))
			*w++ = *p;
		else if (!is_blank(p[1]))
			*w++ = ' ';
	}
	*w = '\0';
	if (!*s) {
		mlb_diag_add(r->diag, r->file, line, "a section header without a name");
		return false;
	}
	r->ini->lost_section = lost;
	seen = mlb_strmap_add(&r->sections, s, strlen(s), &is_new);
	if (!is_new) {
		mlb_diag_add(r->diag, r->file, line,
			     "section [%s] is given twice: it began at line %u", s,
			     (unsigned)seen->u.num);
		return false;
	}
	seen->u.num = line;
	r->section = s;
	r->section_line = line;
	r->section_first = r->ini->entry.n;
	r->skip = false;
	r->next = (struct mlb_ini_entry){
		.section = s, .section_line = line, .line = line, .file = r->file
	};
	return true;
}

/* Was this key given before in this section? Reports it. */
static bool
repeated(struct reader *r, const char *key, unsigned line)
{
	bool is_new;
	struct mlb_strmap_entry *seen = mlb_strmap_add(&r->keys, key, strlen(key), &is_new);

	if (!is_new && seen->u.num > r->section_first) {
		mlb_diag_add(r->diag, r->file, line,
			     "'%s' is given twice in [%s]: first at line %u", key, r->section,
			     r->ini->entry.v[seen->u.num - 1].line);
		return true;
	}
	seen->u.num = r->ini->entry.n + 1;
	return false;
}

/* "key = value" and what continues it: false if it may not be used; its errors are reported. */
static bool
scan_entry(struct reader *r, char *s, size_t len, unsigned line)
{
	char *eq = memchr(s, '=', len);
	const char *key;

	r->lines.n = r->numbers.n = 0;
	push_line(r, eq ? eq + 1 : s, line);
	take_continuation(r);
	if (!eq) {
		mlb_diag_add(r->diag, r->file, line, "'%.60s' is not 'key = value'%s", trim(s, len),
			     memchr(s, ':', len) ? ": '=' separates them, ':' does not" : "");
		return false;
	}
	key = trim(s, (size_t)(eq - s));
	if (!*key) {
		mlb_diag_add(r->diag, r->file, line, "a value without a key");
		return false;
	}
	if (!r->section && !r->skip) {
		mlb_diag_add(r->diag, r->file, line,
			     "'%s' stands before any section: begin with [project]", key);
		return false;
	}
	if (r->skip || repeated(r, key, line))
		return false;
	r->next = (struct mlb_ini_entry){
		.section = r->section,
		.section_line = r->section_line,
		.key = key,
		.line = line,
		.file = r->file,
	};
	keep_lines(r, &r->next);
	return true;
}

/* Go on to the next header or entry that is right, and leave it in r->next. */
static enum token
scan(struct reader *r)
{
	char *s;
	size_t len;

	while (r->p < r->end) {
		unsigned line = r->line;
		char c = *r->p;

		if (c == ';' || c == '#' || blank_line(r)) {
			skip_line(r);
			continue;
		}
		s = take_line(r, &len);
		if (!s || is_blank(c)) {
			if (s)
				mlb_diag_add(
					r->diag, r->file, line,
					"an indented line, but there is no value above that it continues");
			take_continuation(r);
		} else if (c == '[') {
			if (scan_header(r, s, len, line))
				return TOKEN_HEADER;
		} else if (scan_entry(r, s, len, line)) {
			return TOKEN_ENTRY;
		}
	}
	return TOKEN_NONE;
}

/* inih's reader: the next token. */
static char *
next_token(char *str, int num, void *stream)
{
	struct reader *r = stream;
	char token[TOKEN_MAX];
	int len;

	if (r->header_key) {
		r->header_key = false;
		len = snprintf(token, sizeof(token), "h=%" PRIu64 "\n", r->headers);
	} else {
		if (r->pending != TOKEN_NONE)
			r->broken = true; /* the one before was swallowed */
		if (r->broken)
			return NULL;
		r->pending = scan(r);
		if (r->pending == TOKEN_NONE)
			return NULL;
		r->header_key = r->pending == TOKEN_HEADER;
		if (r->header_key)
			len = snprintf(token, sizeof(token), "[%" PRIu64 "]\n", ++r->headers);
		else
			len = snprintf(token, sizeof(token), "k=%" PRIu64 "\n", ++r->entries);
	}
	if (len >= num) {
		r->broken = true;
		return NULL;
	}
	memcpy(str, token, (size_t)len + 1);
	return str;
}

static bool
is_number(const char *s, uint64_t want)
{
	uint64_t n;

	return s && mlb_parse_u64(s, &n) && n == want;
}

/* inih's handler: what a token stands for has arrived. */
#if INI_HANDLER_LINENO
static int
take_token(void *user, const char *section, const char *name, const char *value,
	   int lineno MLB_UNUSED)
#else
static int
take_token(void *user, const char *section, const char *name, const char *value)
#endif
{
	struct reader *r = user;
	bool header;

	if (!name) /* an inih built to announce sections */
		return 1;
	header = !strcmp(name, "h");
	if (r->pending != (header ? TOKEN_HEADER : TOKEN_ENTRY) ||
	    (!header && strcmp(name, "k") != 0) || !is_number(section, r->headers) ||
	    !is_number(value, header ? r->headers : r->entries)) {
		r->broken = true;
		return 0;
	}
	mlb_vec_push(&r->ini->entry, r->next);
	r->pending = TOKEN_NONE;
	return 1;
}

void
mlb_ini_init(struct mlb_ini *ini)
{
	memset(ini, 0, sizeof(*ini));
}

void
mlb_ini_release(struct mlb_ini *ini)
{
	mlb_vec_release(&ini->entry);
	mlb_arena_release(&ini->arena);
}

int
mlb_ini_read(struct mlb_ini *ini, const char *file, const char *text, size_t len,
	     struct mlb_diag *diag, struct mlb_err *err)
{
	struct reader r = { .ini = ini, .diag = diag, .line = 1 };
	int failed;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	r.file = mlb_arena_strdup(&ini->arena, file);
	r.p = mlb_arena_alloc(&ini->arena, len + 1);
	if (len)
		memcpy(r.p, text, len);
	r.end = r.p + len;
	r.check_nul = len && memchr(text, '\0', len) != NULL;
	r.check_utf8 = !mlb_is_utf8(text, len);
	r.section_first = ini->entry.n;
	failed = ini_parse_stream(next_token, &r, take_token, &r);
	mlb_vec_release(&r.lines);
	mlb_vec_release(&r.numbers);
	mlb_strmap_release(&r.sections);
	mlb_strmap_release(&r.keys);
	if (failed || r.broken || r.pending != TOKEN_NONE)
		return mlb_err_set(err, MLB_ESYSTEM,
				   "%s: the inih library does not work as it should (at line %u)",
				   file, r.line);
	return 0;
}

int
mlb_ini_parse(struct mlb_ini *ini, const char *file, const char *text, size_t len,
	      struct mlb_err *err)
{
	struct mlb_diag diag = MLB_DIAG_INIT;
	int rc = mlb_ini_read(ini, file, text, len, &diag, err);

	if (!rc)
		rc = mlb_diag_finish(&diag, err);
	mlb_diag_release(&diag);
	return rc;
}
