/*
 * mlbuild.lock, version 1, byte by byte.
 *
 *   # mlbuild.lock 1                      the version; the first line
 *   # Which bytes this commit means. ...  comments (first column '#'), skipped
 *                                         one empty line before every block
 *   [model churn]                         kind and name of the target
 *   key = 9f2c…                           64 hexadecimal digits; a source has none
 *   stamp = 2024-11-02T10:00:00Z 3        a frozen target that was updated; else absent
 *   table = 77b0…                         each and matrix: the table object (table.c); no outputs then
 *   output = f 41aa… 2311 models/a.pkl    kind (f file, x executable, t tree, m metrics), digest,
 *                                         size in bytes, path to the end of the line
 *   sum = 0123456789abcdef                mlb_hash64 of the block's lines, each seeded with the
 *                                         hash of the one before (0 at first), line ends left out
 *   # end                                 the last line, behind an empty one
 *
 * Fields stand in this order; `output` may come several times. Bytes below
 * 0x20, 0x7f, '\', bytes that are not UTF-8 and blanks at the ends of a text
 * are written \xHH. Lines end in LF; CR LF is read too. Blocks are written
 * sorted bytewise by name, one for each.
 *
 * Merging. Between the changing lines of two neighbours stand an empty line and
 * a header, and behind the last of them "# end", so git merges changes to
 * different targets. Two changes to one
 * target always meet in its `sum`, so they conflict; a block that is a mixture
 * of both sides (its middle merged cleanly) does not fit its sum and is not
 * used. Where there are conflict markers the text is read twice, once for each
 * side, and the blocks of both are candidates. So are two blocks of one name,
 * which git can make where each side added the target beside another change.
 */
#include "graph/lockfile.h"

#include <string.h>

#include "base/hex.h"
#include "graph/config.h"
#include "graph/lock_int.h"

enum side { SIDE_OURS = 0, SIDE_THEIRS };

/* Where a line stands relative to conflict markers. */
enum region { COMMON = 0, OURS, BASE, THEIRS };

/* Fields in their order. */
enum field { F_HEADER = 0, F_KEY, F_STAMP, F_TABLE, F_OUTPUT, F_SUM };

struct parser {
	struct mlb_lockfile *l;
	struct mlb_strmap *map; /* where blocks go */
	enum side side;
	enum region region;
	bool conflict; /* the text has markers */
	const char *p, *end;
	unsigned line;
	bool version, ended;          /* the first line was seen, the last one */
	struct mlb_lock_block *block; /* the one being read; NULL outside */
	enum field last;              /* field of the line before */
	unsigned block_line;
	uint64_t sum;
	struct mlb_lock_outputs output; /* of the block, scratch */
	struct mlb_err *err;
};

/* Nothing is lost with a lock file: results are found again in the cache, by their keys. */
static int
fail(const struct parser *p, const char *what)
{
	return mlb_err_set(p->err, MLB_EINVALID,
			   "mlbuild.lock:%u: %s: restore the file from git, or delete it and build",
			   p->line, what);
}

/* ------------------------------------------------------------ lines */

/* "<<<<<<<", alone or followed by a blank and a label. */
static bool
is_marker(const char *s, size_t len, char c)
{
	for (size_t i = 0; i < 7; i++)
		if (i >= len || s[i] != c)
			return false;
	return len == 7 || s[7] == ' ';
}

/* A line that begins with a marker's character: *used says that it was one. */
static int
take_marker(struct parser *p, const char *s, size_t len, bool *used)
{
	*used = true;
	if (is_marker(s, len, '<') && p->region == COMMON) {
		p->region = OURS;
		p->conflict = true;
	} else if (is_marker(s, len, '|') && p->region == OURS) {
		p->region = BASE;
	} else if (len == 7 && is_marker(s, len, '=') && (p->region == OURS || p->region == BASE)) {
		p->region = THEIRS;
	} else if (is_marker(s, len, '>') && p->region == THEIRS) {
		p->region = COMMON;
	} else if (p->region == BASE) { /* of a merge of merges: longer markers inside */
		*used = false;
	} else {
		return fail(p, "a conflict marker out of place");
	}
	return 0;
}

/* The next line of this side, without its end; false at the end of the text. */
static bool
next_line(struct parser *p, const char **line, size_t *len, int *rc)
{
	while (p->p < p->end) {
		const char *s = p->p, *eol = memchr(s, '\n', (size_t)(p->end - s));
		size_t n = (size_t)((eol ? eol : p->end) - s);
		bool marker = false;

		p->p = eol ? eol + 1 : p->end;
		p->line++;
		if (n && s[n - 1] == '\r')
			n--;
		if (n && (*s == '<' || *s == '=' || *s == '>' || *s == '|')) {
			*rc = take_marker(p, s, n, &marker);
			if (*rc)
				return false;
		}
		if (marker || p->region == BASE ||
		    p->region == (p->side == SIDE_OURS ? THEIRS : OURS))
			continue;
		*line = s;
		*len = n;
		return true;
	}
	if (p->region != COMMON)
		*rc = fail(p, "a conflict without its end");
	return false;
}

/* ------------------------------------------------------------ blocks */

static bool
same_text(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool
same_block(const struct mlb_lock_block *a, const struct mlb_lock_block *b)
{
	if (!same_text(a->kind, b->kind) || !same_text(a->stamp, b->stamp) ||
	    !mlb_digest_equal(&a->key, &b->key) || !mlb_digest_equal(&a->table, &b->table) ||
	    a->n_outputs != b->n_outputs)
		return false;
	for (uint32_t i = 0; i < a->n_outputs; i++) {
		const struct mlb_lock_output *x = &a->output[i], *y = &b->output[i];

		if (!same_text(x->path, y->path) || x->kind != y->kind || x->size != y->size ||
		    !mlb_digest_equal(&x->digest, &y->digest))
			return false;
	}
	return true;
}

/* The block of this name that is there already gets a further candidate, unless they say the same. */
static void
add_candidate(struct mlb_strmap_entry *at, struct mlb_lock_block *b)
{
	struct mlb_lock_block *last = at->u.ptr;

	for (; !same_block(last, b); last = last->other) {
		if (!last->other) {
			last->other = b;
			return;
		}
	}
}

static int
end_block(struct parser *p)
{
	struct mlb_lock_block *b = p->block;
	struct mlb_strmap_entry *at;
	bool is_new;

	if (!b)
		return 0;
	p->block = NULL;
	if (p->last != F_SUM) {
		if (p->conflict)
			return 0; /* a mixture of both sides */
		return mlb_err_set(
			p->err, MLB_EINVALID,
			"mlbuild.lock:%u: [%s %s] is not whole: restore the file from git, or delete this block",
			p->block_line, b->kind, b->name);
	}
	b->output = mlb_lock_keep(&p->l->arena, &p->output);
	b->n_outputs = (uint32_t)p->output.n;
	at = mlb_strmap_add(p->map, b->name, strlen(b->name), &is_new);
	if (is_new)
		at->u.ptr = b;
	else
		add_candidate(at, b);
	return 0;
}

static const char *
kind_named(const char *s, size_t len)
{
	for (size_t i = 0; i < MLB_N_KINDS; i++)
		if (strlen(mlb_kind_names[i]) == len && !memcmp(mlb_kind_names[i], s, len))
			return mlb_kind_names[i];
	return NULL;
}

static int
begin_block(struct parser *p, const char *s, size_t len)
{
	const char *blank = memchr(s, ' ', len);
	struct mlb_lock_block *b;
	int rc = end_block(p);

	if (rc)
		return rc;
	if (!blank || s[len - 1] != ']')
		return fail(p, "not a block's header");
	b = mlb_arena_alloc(&p->l->arena, sizeof(*b));
	b->kind = kind_named(s + 1, (size_t)(blank - s - 1));
	b->name = mlb_arena_strndup(&p->l->arena, blank + 1, (size_t)(s + len - 1 - (blank + 1)));
	b->stamp = "";
	if (!b->kind || !mlb_name_valid(b->name))
		return fail(p, "a block that is no target's");
	p->block = b;
	p->block_line = p->line;
	p->last = F_HEADER;
	p->sum = mlb_lock_sum(0, s, len);
	p->output.n = 0;
	return 0;
}

/* ------------------------------------------------------------ fields */

static const struct {
	const char *text;
	size_t len;
	enum field field;
} fields[] = {
	{ "output = ", 9, F_OUTPUT }, { "key = ", 6, F_KEY },     { "sum = ", 6, F_SUM },
	{ "stamp = ", 8, F_STAMP },   { "table = ", 8, F_TABLE },
};

static bool
good_field(struct parser *p, enum field field, const char *s, size_t len)
{
	struct mlb_lock_block *b = p->block;
	struct mlb_lock_output o = { 0 };

	switch (field) {
	case F_KEY:
		return mlb_digest_parse(&b->key, s, len);
	case F_TABLE:
		return mlb_digest_parse(&b->table, s, len);
	case F_STAMP:
		b->stamp = mlb_lock_text(&p->l->arena, s, len);
		return b->stamp != NULL;
	case F_OUTPUT:
		if (!mlb_digest_is_zero(&b->table) || !mlb_lock_output(&o, &p->l->arena, s, len))
			return false;
		mlb_vec_push(&p->output, o);
		return true;
	default:
		return false;
	}
}

/* The last line of a block; *fits says whether it is of these lines. */
static bool
good_sum(const struct parser *p, const char *s, size_t len, bool *fits)
{
	uint8_t b[8];
	uint64_t sum = 0;

	if (len != 16 || !mlb_hex_decode(b, s, 8))
		return false;
	for (size_t i = 0; i < 8; i++)
		sum = sum << 8 | b[i];
	*fits = sum == p->sum;
	return true;
}

static int
take_field(struct parser *p, const char *s, size_t len)
{
	bool fits;
	size_t i = 0;

	while (i < MLB_ARRAY_LEN(fields) &&
	       (len < fields[i].len || memcmp(s, fields[i].text, fields[i].len) != 0))
		i++;
	if (i == MLB_ARRAY_LEN(fields))
		return fail(p, "a line that is not known");
	if (fields[i].field < p->last || (fields[i].field == p->last && p->last != F_OUTPUT)) {
		if (!p->conflict)
			return fail(p, "a line out of place");
		p->block = NULL; /* a mixture */
		return 0;
	}
	p->last = fields[i].field;
	if (p->last != F_SUM) {
		p->sum = mlb_lock_sum(p->sum, s, len);
		return good_field(p, p->last, s + fields[i].len, len - fields[i].len)
			       ? 0
			       : fail(p, "a damaged line");
	}
	if (!good_sum(p, s + fields[i].len, len - fields[i].len, &fits))
		return fail(p, "a damaged line");
	if (!fits && !p->conflict)
		return mlb_err_set(
			p->err, MLB_EINVALID,
			"mlbuild.lock:%u: [%s %s] is not as mlbuild wrote it: restore the file from git, or "
			"delete this block",
			p->block_line, p->block->kind, p->block->name);
	if (!fits)
		p->block = NULL;
	return 0;
}

/* ------------------------------------------------------------ the file */

static int
take_version(struct parser *p, const char *s, size_t len)
{
	size_t n = strlen(MLB_LOCK_HEADER);

	if (len < n || memcmp(s, MLB_LOCK_HEADER, n) != 0)
		return fail(p, "this is not a lock file of mlbuild");
	if (len != n + strlen(MLB_LOCK_VERSION) || memcmp(s + n, MLB_LOCK_VERSION, len - n) != 0)
		return mlb_err_set(
			p->err, MLB_EINVALID,
			"mlbuild.lock:%u: a newer mlbuild wrote this lock file: use that version",
			p->line);
	p->version = true;
	return 0;
}

static int
take_line(struct parser *p, const char *s, size_t len)
{
	if (!p->version)
		return take_version(p, s, len);
	if (len == strlen(MLB_LOCK_END) && !memcmp(s, MLB_LOCK_END, len)) {
		p->ended = true;
		return end_block(p);
	}
	if (!len || *s == '#')
		return 0;
	if (p->ended)
		return fail(p, "a line behind the end");
	if (*s == '[')
		return begin_block(p, s, len);
	if (p->block)
		return take_field(p, s, len);
	/* What is left of a mixture is passed over. */
	return p->conflict ? 0 : fail(p, "a line that belongs to no block");
}

static int
parse_side(struct mlb_lockfile *l, const char *text, size_t len, enum side side,
	   struct mlb_strmap *map, bool conflict, struct mlb_err *err)
{
	struct parser p = { .l = l,
			    .map = map,
			    .side = side,
			    .p = text,
			    .end = text + len,
			    .conflict = conflict,
			    .err = err };
	const char *line;
	size_t n;
	int rc = 0;

	while (!rc && next_line(&p, &line, &n, &rc))
		rc = take_line(&p, line, n);
	if (!rc)
		rc = end_block(&p);
	if (!rc && p.version && !p.ended)
		rc = fail(&p, "the end is missing");
	mlb_vec_release(&p.output);
	return rc;
}

int
mlb_lock_parse_block(struct mlb_lockfile *l, const char *text, size_t len, struct mlb_err *err)
{
	struct parser p = {
		.l = l, .map = &l->map, .p = text, .end = text + len, .version = true, .err = err
	};
	const char *line;
	size_t n;
	int rc = 0;

	while (!rc && next_line(&p, &line, &n, &rc))
		rc = take_line(&p, line, n);
	if (!rc)
		rc = end_block(&p);
	mlb_vec_release(&p.output);
	return rc;
}

/* Does any line look like the beginning of a conflict? */
static bool
has_markers(const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *p = text; p && p < end;) {
		if (*p == '<')
			return true;
		p = memchr(p, '\n', (size_t)(end - p));
		if (p)
			p++;
	}
	return false;
}

/* The other side's blocks become candidates too. */
static void
merge(struct mlb_lockfile *l, const struct mlb_strmap *theirs)
{
	for (uint32_t i = 0; i < theirs->n; i++) {
		struct mlb_lock_block *b = theirs->entry[i].u.ptr;
		struct mlb_strmap_entry *at;
		bool is_new;

		at = mlb_strmap_add(&l->map, b->name, strlen(b->name), &is_new);
		if (is_new)
			at->u.ptr = b;
		else
			add_candidate(at, b);
	}
}

int
mlb_lockfile_parse(struct mlb_lockfile *l, const char *text, size_t len, struct mlb_err *err)
{
	struct mlb_strmap theirs = MLB_STRMAP_INIT;
	int rc;

	l->conflict = has_markers(text, len);
	rc = parse_side(l, text, len, SIDE_OURS, &l->map, l->conflict, err);
	if (!rc && l->conflict) {
		rc = parse_side(l, text, len, SIDE_THEIRS, &theirs, true, err);
		if (!rc)
			merge(l, &theirs);
		mlb_strmap_release(&theirs);
	}
	return rc;
}
