/* XML 1.0 (W3C, fifth edition) without document types, one byte after the other. */
#include "remotes/xml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MAX 32
#define PATH_LIMIT ((size_t)512)
#define WORD_MAX ((size_t)128)
#define TEXT_MAX ((size_t)16 * 1024)

enum state {
	S_TEXT,
	S_ENTITY,     /* behind '&' */
	S_LESS,       /* behind '<' */
	S_NAME,       /* in the name of an opening tag */
	S_TAG,        /* behind it */
	S_VALUE,      /* of an attribute, in quotes */
	S_EMPTY,      /* behind "/" of "<name/>" */
	S_CLOSE,      /* in the name of a closing tag */
	S_CLOSE_END,  /* behind it */
	S_BANG,       /* behind "<!" */
	S_COMMENT,    /* until "-->" */
	S_CDATA,      /* until "]]>" */
	S_INSTRUCTION /* until "?>" */
};

void
mlb_xml_init(struct mlb_xml *x, mlb_xml_element *element, void *ctx)
{
	memset(x, 0, sizeof(*x));
	x->element = element;
	x->ctx = ctx;
	mlb_buf_init(&x->path, PATH_LIMIT);
	mlb_buf_init(&x->word, WORD_MAX);
	mlb_buf_init(&x->text, TEXT_MAX);
}

void
mlb_xml_release(struct mlb_xml *x)
{
	mlb_buf_release(&x->path);
	mlb_buf_release(&x->word);
	mlb_buf_release(&x->text);
}

static int
bad(const struct mlb_xml *x, struct mlb_err *err, const char *what)
{
	return mlb_err_set(err, MLB_EREMOTE, "the server's XML cannot be read: %s at byte %" PRIu64,
			   what, x->at);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What may stand in a name; other alphabets are allowed, but for what ends names. */
static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == ':' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

/* ------------------------------------------------------------ elements */

static const char *
without_prefix(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static int
open_element(struct mlb_xml *x, struct mlb_err *err)
{
	if (!x->depth && x->rooted)
		return bad(x, err, "a second root");
	if (x->depth == DEPTH_MAX)
		return bad(x, err, "too many elements within each other");
	if (x->depth)
		mlb_buf_addc(&x->path, '/');
	mlb_buf_adds(&x->path, without_prefix(mlb_buf_str(&x->word)));
	if (x->word.full || x->path.full)
		return bad(x, err, "a name that is too long");
	x->depth++;
	x->rooted = true;
	x->leaf = true;
	mlb_buf_clear(&x->text);
	return 0;
}

/* The last name of the path. */
static const char *
current(const struct mlb_xml *x)
{
	const char *path = mlb_buf_str(&x->path);
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int
close_element(struct mlb_xml *x, struct mlb_err *err)
{
	const char *name = current(x);
	size_t parent = (size_t)(name - mlb_buf_str(&x->path));
	int rc;

	if (!mlb_is_utf8(mlb_buf_str(&x->text), x->text.len))
		return bad(x, err, "text that is not UTF-8");
	rc = x->element(x->ctx, x->path.data, x->leaf ? mlb_buf_str(&x->text) : "", err);
	if (rc < 0)
		return rc;
	mlb_buf_truncate(&x->path, parent ? parent - 1 : 0);
	mlb_buf_clear(&x->text);
	x->leaf = false;
	x->depth--;
	return 0;
}

static int
close_by_name(struct mlb_xml *x, struct mlb_err *err)
{
	if (!x->depth || x->word.full ||
	    strcmp(without_prefix(mlb_buf_str(&x->word)), current(x)) != 0)
		return bad(x, err, "an end of what did not begin");
	return close_element(x, err);
}

/* ------------------------------------------------------------ text */

static int
add_text(struct mlb_xml *x, char c, struct mlb_err *err)
{
	if (!x->depth)
		return is_space(c) || (unsigned char)c >= 0x80 ? 0 : bad(x, err, "text outside");
	if (!c)
		return bad(x, err, "a NUL byte");
	mlb_buf_addc(&x->text, c);
	return x->text.full ? bad(x, err, "a text that is too long") : 0;
}

static bool
add_character(struct mlb_buf *b, uint32_t c)
{
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return false;
	if (c < 0x80) {
		mlb_buf_addc(b, (char)c);
		return true;
	}
	if (c < 0x800) {
		mlb_buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			mlb_buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			mlb_buf_addc(b, (char)(0xf0 | c >> 18));
			mlb_buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		mlb_buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	mlb_buf_addc(b, (char)(0x80 | (c & 0x3f)));
	return true;
}

/* "#10" and "#xA". */
static bool
numbered(const char *word, uint32_t *out)
{
	bool hex = word[1] == 'x';
	const char *digits = word + (hex ? 2 : 1);
	size_t len = strlen(digits);

	if (!len || len > 8 || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != len)
		return false;
	*out = (uint32_t)strtoul(digits, NULL, hex ? 16 : 10);
	return true;
}

static int
end_entity(struct mlb_xml *x, struct mlb_err *err)
{
	static const struct {
		const char *name;
		char is;
	} known[] = {
		{ "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' }
	};
	const char *word = mlb_buf_str(&x->word);
	uint32_t c = 0;

	if (*word == '#' && !numbered(word, &c))
		c = 0;
	for (size_t i = 0; i < MLB_ARRAY_LEN(known); i++)
		if (!strcmp(word, known[i].name))
			c = (unsigned char)known[i].is;
	if (!x->depth || x->word.full || !add_character(&x->text, c))
		return bad(x, err, "an unknown entity");
	x->state = S_TEXT;
	return x->text.full ? bad(x, err, "a text that is too long") : 0;
}

/* ------------------------------------------------------------ bytes */

/* Ends with `mark`, of three characters at most; those of CDATA that were no end are text. */
static bool
ends(struct mlb_xml *x, char c, const char *mark)
{
	unsigned last = (unsigned)strlen(mark) - 1;

	if (c == mark[x->matched]) {
		if (x->matched++ < last)
			return false;
		x->matched = 0;
		x->state = S_TEXT;
		return true;
	}
	/* "]]]>": all but the last two of a run of its first character are in front of it */
	if (c != mark[0] || x->matched != last)
		x->matched = c == mark[0] ? 1 : 0;
	return false;
}

static int
in_cdata(struct mlb_xml *x, char c, struct mlb_err *err)
{
	unsigned before = x->matched;
	bool ended = ends(x, c, "]]>");
	unsigned now = x->matched + (ended ? 3 : 0);
	int rc = 0;

	/* what was held back as the beginning of the end, and is not */
	for (unsigned held = before + 1; !rc && held > now; held--)
		rc = add_text(x, held > 1 || c == ']' ? ']' : c, err);
	return rc;
}

static int
behind_bang(struct mlb_xml *x, char c, struct mlb_err *err)
{
	const char *word;

	mlb_buf_addc(&x->word, c);
	word = mlb_buf_str(&x->word);
	if (!strcmp(word, "--"))
		x->state = S_COMMENT;
	else if (!strcmp(word, "[CDATA[") && x->depth)
		x->state = S_CDATA;
	else if (!mlb_str_starts("--", word) && !mlb_str_starts("[CDATA[", word))
		return bad(x, err, "a document type");
	return 0;
}

static int
behind_less(struct mlb_xml *x, char c, struct mlb_err *err)
{
	mlb_buf_clear(&x->word);
	x->matched = 0;
	if (c == '/') {
		x->state = S_CLOSE;
	} else if (c == '!') {
		x->state = S_BANG;
	} else if (c == '?') {
		x->state = S_INSTRUCTION;
	} else if (is_name(c)) {
		mlb_buf_addc(&x->word, c);
		x->state = S_NAME;
	} else {
		return bad(x, err, "a tag without a name");
	}
	return 0;
}

/* In a tag, behind its name. */
static int
in_tag(struct mlb_xml *x, char c, struct mlb_err *err)
{
	if (c == '>') {
		x->state = S_TEXT;
	} else if (c == '/') {
		x->state = S_EMPTY;
	} else if (c == '"' || c == '\'') {
		x->quote = c;
		x->state = S_VALUE;
	} else if (!is_space(c) && !is_name(c) && c != '=') {
		return bad(x, err, "a tag that is wrong");
	}
	return 0;
}

static int
in_name(struct mlb_xml *x, char c, struct mlb_err *err)
{
	int rc;

	if (is_name(c)) {
		mlb_buf_addc(&x->word, c);
		return 0;
	}
	rc = open_element(x, err);
	if (rc)
		return rc;
	x->state = S_TAG;
	return in_tag(x, c, err);
}

static int
in_close(struct mlb_xml *x, char c, struct mlb_err *err)
{
	if (x->state == S_CLOSE && is_name(c)) {
		mlb_buf_addc(&x->word, c);
		return 0;
	}
	x->state = S_CLOSE_END;
	if (is_space(c))
		return 0;
	if (c != '>')
		return bad(x, err, "a tag that is wrong");
	x->state = S_TEXT;
	return close_by_name(x, err);
}

static int
in_text(struct mlb_xml *x, char c, struct mlb_err *err)
{
	if (c != '<' && c != '&')
		return add_text(x, c, err);
	mlb_buf_clear(&x->word);
	x->state = c == '<' ? S_LESS : S_ENTITY;
	return 0;
}

static int
step(struct mlb_xml *x, char c, struct mlb_err *err)
{
	switch ((enum state)x->state) {
	case S_TEXT:
		return in_text(x, c, err);
	case S_ENTITY:
		if (c == ';')
			return end_entity(x, err);
		mlb_buf_addc(&x->word, c);
		return x->word.full || !c ? bad(x, err, "an unknown entity") : 0;
	case S_LESS:
		return behind_less(x, c, err);
	case S_NAME:
		return in_name(x, c, err);
	case S_TAG:
		return in_tag(x, c, err);
	case S_VALUE:
		if (c == x->quote)
			x->state = S_TAG;
		return c == '<' ? bad(x, err, "a tag that is wrong") : 0;
	case S_EMPTY:
		x->state = S_TEXT;
		return c == '>' ? close_element(x, err) : bad(x, err, "a tag that is wrong");
	case S_CLOSE:
	case S_CLOSE_END:
		return in_close(x, c, err);
	case S_BANG:
		return behind_bang(x, c, err);
	case S_COMMENT:
		ends(x, c, "-->");
		return 0;
	case S_CDATA:
		return in_cdata(x, c, err);
	case S_INSTRUCTION:
		ends(x, c, "?>");
		return 0;
	}
	return 0;
}

int
mlb_xml_feed(struct mlb_xml *x, const void *data, size_t len, struct mlb_err *err)
{
	const char *bytes = data;
	int rc = 0;

	for (size_t i = 0; !rc && i < len; i++, x->at++)
		rc = step(x, bytes[i], err);
	return rc;
}

int
mlb_xml_finish(struct mlb_xml *x, struct mlb_err *err)
{
	if (!x->rooted || x->depth || x->state != S_TEXT)
		return bad(x, err, "the end is missing");
	return 0;
}
