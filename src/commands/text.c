#include "commands/text.h"

#include <string.h>

#include "base/text.h"

struct range {
	uint32_t first, last;
};

/*
 * Taken from Unicode's EastAsianWidth.txt. Both tables are kept short by erring
 * to the wide side: then a line is cut a little early, and never wraps.
 */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 },   { 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 },   { 0x267f, 0x267f },   { 0x2693, 0x2693 },   { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },   { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },
	{ 0x2728, 0x2728 },   { 0x274c, 0x274c },   { 0x274e, 0x274e },   { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },   { 0x2795, 0x2797 },   { 0x27b0, 0x27b0 },   { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },   { 0x2e80, 0x303e },
	{ 0x3041, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
	{ 0x16fe0, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7f0 },
	{ 0x1f90c, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static const struct range zero[] = {
	{ 0x0300, 0x036f },
	{ 0x200b, 0x200d },
	{ 0x20d0, 0x20f0 },
	{ 0xfe20, 0xfe2f },
};

/* Controls, and what changes the direction or the order of what follows. */
static const struct range unsafe[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c }, { 0x200e, 0x200f },
	{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
};

static bool
in_ranges(uint32_t c, const struct range *r, size_t n)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;

		if (c > r[mid].last)
			lo = mid + 1;
		else if (c < r[mid].first)
			n = mid;
		else
			return true;
	}
	return false;
}

unsigned
text_char_columns(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in_ranges(c, zero, MLB_ARRAY_LEN(zero)))
		return 0;
	return in_ranges(c, wide, MLB_ARRAY_LEN(wide)) ? 2 : 1;
}

/* Decode one code point; returns its bytes, 0 if it is not UTF-8. */
static size_t
decode(uint32_t *c, const char *s, size_t len)
{
	size_t n = mlb_utf8_char(s, len);

	if (n == 0)
		return 0;
	*c = n == 1 ? (unsigned char)s[0] : (unsigned char)s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | ((unsigned char)s[i] & 0x3fU);
	return n;
}

unsigned
text_columns(const char *s, size_t len)
{
	unsigned columns = 0;

	while (len != 0) {
		uint32_t c = '?';
		size_t n = decode(&c, s, len);

		columns += text_char_columns(c);
		n += n == 0;
		s += n;
		len -= n;
	}
	return columns;
}

/* Bytes of the escape sequence at s (ECMA-48: CSI, OSC and other strings, or two characters). */
static size_t
escape_len(const char *s, size_t len)
{
	size_t i = 2;

	if (len < 2)
		return len;
	if (s[1] == '[') {
		while (i < len && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x40)
			i++;
		return i < len && (unsigned char)s[i] >= 0x40 && (unsigned char)s[i] < 0x7f ? i + 1
											    : i;
	}
	if (s[1] && strchr("]PX^_", s[1])) {
		for (; i < len; i++) {
			if (s[i] == '\a')
				return i + 1;
			if (s[i] == '\x1b')
				return i + 1 < len && s[i + 1] == '\\' ? i + 2 : i;
		}
		return len;
	}
	while (i <= len && (unsigned char)s[i - 1] >= 0x20 && (unsigned char)s[i - 1] < 0x30)
		i++; /* intermediate bytes: ESC ( B */
	return MLB_MIN(i, len);
}

/* One character as it will be shown: returns the bytes of s that it stands for. */
static size_t
next_shown(struct mlb_buf *shown, unsigned *columns, const char *s, size_t len)
{
	uint32_t c = 0;
	size_t n = decode(&c, s, len);

	mlb_buf_clear(shown);
	if (n == 0) {
		mlb_buf_addc(shown, '?');
		n = 1;
	} else if (c == '\x1b') {
		n = escape_len(s, len);
	} else if (c == '\t' || c == '\n') {
		mlb_buf_addc(shown, ' ');
	} else if (c == '\r') {
		; /* the end of a line made elsewhere */
	} else if (in_ranges(c, unsafe, MLB_ARRAY_LEN(unsafe))) {
		mlb_buf_addf(shown, c < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)c);
	} else {
		mlb_buf_add(shown, s, n);
	}
	*columns = text_columns(mlb_buf_str(shown), shown->len);
	return n;
}

/* Most text is this: nothing to change, nothing to cut. */
static bool
is_plain(const char *s, size_t len, unsigned max)
{
	if (max && len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

unsigned
text_clean(struct mlb_buf *b, const char *s, size_t len, unsigned max, bool utf8)
{
	struct mlb_buf shown = MLB_BUF_INIT(64);
	size_t mark = b->len, start = b->len; /* where the ellipsis goes if the text is cut */
	unsigned used = 0, used_at_mark = 0, columns;

	if (is_plain(s, len, max)) {
		mlb_buf_add(b, s, len);
		return (unsigned)len;
	}
	while (len != 0) {
		size_t n = next_shown(&shown, &columns, s, len);

		/* A letter may carry a few marks; a thousand are an attack. */
		if (max != 0 && (used + columns > max || b->len - start > (size_t)max * 16)) {
			mlb_buf_truncate(b, mark);
			mlb_buf_adds(b, utf8 ? "\xe2\x80\xa6" : "~");
			used = used_at_mark + 1;
			break;
		}
		mlb_buf_add(b, mlb_buf_str(&shown), shown.len);
		used += columns;
		if (used < max) { /* an ellipsis would still fit behind it */
			mark = b->len;
			used_at_mark = used;
		}
		s += n;
		len -= n;
	}
	mlb_buf_release(&shown);
	return used;
}

void
text_spaces(struct mlb_buf *b, unsigned n)
{
	while (n-- != 0)
		mlb_buf_addc(b, ' ');
}

const char *
text_after_returns(const char *s, size_t *len)
{
	size_t end = *len, start;

	while (end != 0 && (s[end - 1] == '\r' || s[end - 1] == '\n'))
		end--;
	for (start = end; start != 0 && s[start - 1] != '\r'; start--)
		;
	*len = end - start;
	return s + start;
}
