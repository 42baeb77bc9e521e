#include "graph/refs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/shell_lex.h"

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

static bool
is_name(const char *s, size_t len)
{
	if (len == 0 || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(s[i]))
			return false;
	return true;
}

static bool
is_identifier(const char *s, size_t len)
{
	if (!is_name(s, len) || (s[0] >= '0' && s[0] <= '9'))
		return false;
	return !memchr(s, '.', len) && !memchr(s, '-', len);
}

/* ------------------------------------------------------------ bindings */

/* A signed number such as +0 or -29. */
static bool
parse_offset(const char *s, size_t len, long *out)
{
	char text[16];
	char *end;

	if (len < 2 || len >= sizeof(text) || (s[0] != '-' && s[0] != '+'))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (text[1] < '0' || text[1] > '9')
		return false;
	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static void
classify(struct mlb_ref_bind *b)
{
	const char *dots = strstr(b->value, "..");

	b->all = strcmp(b->value, "*") == 0;
	if (!dots)
		return;
	b->relative = parse_offset(b->value, (size_t)(dots - b->value), &b->from) &&
		      parse_offset(dots + 2, strlen(dots + 2), &b->to);
}

/* k=v,k=v up to `end`; false: it is not that. */
static bool
parse_binds(struct mlb_ref *r, struct mlb_arena *arena, const char *s, const char *end)
{
	uint32_t max = 1;

	for (const char *p = s; p < end; p++)
		max += *p == ',';
	r->bind = mlb_arena_alloc(arena, max * sizeof(*r->bind));
	while (s <= end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		const char *stop = comma ? comma : end;
		const char *eq = memchr(s, '=', (size_t)(stop - s));
		struct mlb_ref_bind *b = &r->bind[r->n_binds];

		if (!eq || !is_name(s, (size_t)(eq - s)) || eq + 1 == stop)
			return false;
		b->key = mlb_arena_strndup(arena, s, (size_t)(eq - s));
		b->value = mlb_arena_strndup(arena, eq + 1, (size_t)(stop - eq - 1));
		classify(b);
		for (uint32_t i = 0; i < r->n_binds; i++)
			if (strcmp(r->bind[i].key, b->key) == 0)
				return false;
		r->n_binds++;
		s = stop + 1;
	}
	return true;
}

/* ------------------------------------------------------------ forms */

static bool
parse_target(struct mlb_ref *r, struct mlb_arena *arena, const char *s, size_t len)
{
	const char *end = s + len;
	const char *p = s;
	const char *colon;

	while (p < end && is_name_char(*p))
		p++;
	if (!is_name(s, (size_t)(p - s)))
		return false;
	r->form = MLB_REF_TARGET;
	r->name = mlb_arena_strndup(arena, s, (size_t)(p - s));
	r->out = "";
	if (p < end && *p == '@') {
		colon = memchr(p, ':', (size_t)(end - p));
		if (!parse_binds(r, arena, p + 1, colon ? colon : end))
			return false;
		p = colon ? colon : end;
	}
	if (p == end)
		return true;
	if (*p != ':' || !is_name(p + 1, (size_t)(end - p - 1)))
		return false;
	r->out = mlb_arena_strndup(arena, p + 1, (size_t)(end - p - 1));
	return true;
}

static bool
one_of(const char *s, size_t len, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && memcmp(s, words[i], len) == 0)
			return true;
	return false;
}

static bool
is_param_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= 0x20 || strchr("${}:'\"\\`", s[i]))
			return false;
	return len > 0;
}

/* The reserved words; part is what follows the colon, NULL without. 1: done, 0: not reserved, -1: wrong. */
static int
parse_reserved(struct mlb_ref *r, struct mlb_arena *arena, const char *word, size_t word_len,
	       const char *part, size_t part_len)
{
	static const char *const each_parts[] = { "stem", "name", "dir", "path" };
	static const char *const words[] = { "params",  "env",  "matrix", "out",
					     "metrics", "each", "scratch" };
	static const uint8_t forms[] = { MLB_REF_PARAM,   MLB_REF_ENV,  MLB_REF_MATRIX, MLB_REF_OUT,
					 MLB_REF_METRICS, MLB_REF_EACH, MLB_REF_SCRATCH };
	bool ok = false;
	size_t i;

	for (i = 0; i < MLB_ARRAY_LEN(words); i++)
		if (one_of(word, word_len, &words[i], 1))
			break;
	if (i == MLB_ARRAY_LEN(words))
		return 0;
	r->form = forms[i];
	r->name = r->out = "";
	switch (r->form) {
	case MLB_REF_PARAM:
		ok = part && is_param_name(part, part_len);
		break;
	case MLB_REF_ENV:
		ok = part && is_identifier(part, part_len);
		break;
	case MLB_REF_MATRIX:
		ok = part && is_name(part, part_len);
		break;
	case MLB_REF_OUT:
		ok = !part || is_name(part, part_len);
		break;
	case MLB_REF_EACH:
		ok = !part || one_of(part, part_len, each_parts, MLB_ARRAY_LEN(each_parts));
		break;
	default:
		ok = !part;
	}
	if (!ok)
		return -1;
	if (part && (r->form == MLB_REF_OUT || r->form == MLB_REF_EACH))
		r->out = mlb_arena_strndup(arena, part, part_len);
	else if (part)
		r->name = mlb_arena_strndup(arena, part, part_len);
	return 1;
}

static bool
parse_body(struct mlb_ref *r, struct mlb_arena *arena, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t word_len = colon ? (size_t)(colon - s) : len;
	int reserved = parse_reserved(r, arena, s, word_len, colon ? colon + 1 : NULL,
				      colon ? len - word_len - 1 : 0);

	if (reserved != 0)
		return reserved > 0;
	return parse_target(r, arena, s, len);
}

bool
mlb_ref_target(struct mlb_ref *out, struct mlb_arena *arena, const char *word)
{
	memset(out, 0, sizeof(*out));
	out->text = word;
	return parse_target(out, arena, word, strlen(word));
}

/* ------------------------------------------------------------ values */

static void
add_literal(struct mlb_pieces *out, struct mlb_arena *arena, struct mlb_buf *text)
{
	struct mlb_piece piece = { NULL, 0, NULL };

	if (text->len == 0)
		return;
	piece.text = mlb_arena_strndup(arena, mlb_buf_str(text), text->len);
	piece.len = text->len;
	mlb_vec_push(out, piece);
	mlb_buf_clear(text);
}

static int
bad_form(const char *s, size_t len, struct mlb_err *err)
{
	if (len > 60)
		return mlb_err_set(err, MLB_EINVALID,
				   "'%.50s…' is not a reference; for the shell's own ${ write $${",
				   s);
	return mlb_err_set(err, MLB_EINVALID,
			   "'%.*s' is not a reference; for the shell's own ${...} write $%.*s",
			   (int)len, s, (int)len, s);
}

/* s points to "${": append the reference; *after is what follows it. */
static int
add_ref(struct mlb_pieces *out, struct mlb_arena *arena, const char *s, const struct mlb_shlex *lx,
	const char **after, struct mlb_err *err)
{
	struct mlb_piece piece = { NULL, 0, NULL };
	size_t len = strcspn(s + 2, "}\n");
	struct mlb_ref *r;

	if (s[2 + len] != '}')
		return mlb_err_set(err, MLB_EINVALID,
				   "'%.40s' has no closing brace; for the shell's own ${ write $${",
				   s);
	r = mlb_arena_alloc(arena, sizeof(*r));
	if (memchr(s + 2, '{', len) || !parse_body(r, arena, s + 2, len))
		return bad_form(s, len + 3, err);
	r->text = mlb_arena_strndup(arena, s, len + 3);
	r->ctx = MLB_CTX_BARE;
	if (lx) {
		r->ctx = (uint8_t)mlb_shlex_ctx(lx);
		r->option = mlb_shlex_option(lx);
		if (mlb_shlex_here_end(lx))
			r->eof = mlb_arena_strdup(arena, mlb_shlex_here_end(lx));
	}
	piece.ref = r;
	mlb_vec_push(out, piece);
	*after = s + 3 + len;
	return 0;
}

/* The last place where a reference could begin; NULL: there is none. */
static const char *
last_brace(const char *value)
{
	const char *last = NULL;

	for (const char *p = strstr(value, "${"); p; p = strstr(p + 2, "${"))
		last = p;
	return last;
}

int
mlb_refs_parse(struct mlb_pieces *out, struct mlb_arena *arena, const char *value, bool shell,
	       struct mlb_err *err)
{
	const char *last = last_brace(value);
	struct mlb_buf text = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_shlex lx;
	const char *p = value;
	int rc = 0;

	mlb_shlex_init(&lx);
	while (last && p <= last) {
		if (p[0] == '$' && p[1] == '$' && p[2] == '{') {
			mlb_shlex_brace(&lx);
			mlb_buf_adds(&text, "${");
			p += 3;
			continue;
		}
		if (p[0] != '$' || p[1] != '{') {
			if (shell)
				mlb_shlex_feed(&lx, p);
			mlb_buf_addc(&text, *p++);
			continue;
		}
		if (shell && p > value && p[-1] == '\\' &&
		    (lx.skip || mlb_shlex_ctx(&lx) == MLB_CTX_UNKNOWN)) {
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"a backslash does not protect '%.20s'; for the shell's own ${ write $${",
				p);
			goto done;
		}
		add_literal(out, arena, &text);
		rc = add_ref(out, arena, p, shell ? &lx : NULL, &p, err);
		if (rc < 0)
			goto done;
		mlb_shlex_ref(&lx);
	}
	mlb_buf_adds(&text, p);
	add_literal(out, arena, &text);
done:
	mlb_buf_release(&text);
	return rc;
}
