#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "graph/lock_int.h"

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

static void
add_escaped(struct mlb_buf *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };

	mlb_buf_add(out, text, sizeof(text));
}

/* Blanks at the ends would be lost in an editor. */
void
mlb_lock_add_text(struct mlb_buf *out, const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len;) {
		size_t n = 0;

		while (i + n < len && plain((unsigned char)s[i + n]) &&
		       (s[i + n] != ' ' || (i + n > 0 && i + n + 1 < len)))
			n++;
		if (!n && (unsigned char)s[i] >= 0x80)
			n = mlb_utf8_char(s + i, len - i);
		mlb_buf_add(out, s + i, n);
		if (!n)
			add_escaped(out, (unsigned char)s[i++]);
		i += n;
	}
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *
mlb_lock_text(struct mlb_arena *a, const char *s, size_t len)
{
	char *out, *w;

	if (!len || memchr(s, '\0', len))
		return NULL;
	if (!memchr(s, '\\', len))
		return mlb_arena_strndup(a, s, len);
	out = w = mlb_arena_alloc(a, len + 1);
	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (s[i] != '\\') {
			*w++ = s[i];
			continue;
		}
		if (len - i < 4 || s[i + 1] != 'x')
			return NULL;
		high = digit(s[i + 2]);
		low = digit(s[i + 3]);
		if (high < 0 || low < 0 || !(high | low))
			return NULL;
		*w++ = (char)(high << 4 | low);
		i += 3;
	}
	return out;
}

bool
mlb_lock_good_path(const char *path)
{
	const char *s = path;

	for (;;) {
		size_t n = strcspn(s, "/");

		if (!n || (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.'))))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

void
mlb_lock_add_output(struct mlb_buf *out, const struct mlb_lock_output *o)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, &o->digest);
	mlb_buf_addc(out, (char)o->kind);
	mlb_buf_addc(out, ' ');
	mlb_buf_add(out, hex, MLB_HEX_LEN);
	mlb_buf_addf(out, " %" PRIu64 " ", o->size);
	mlb_lock_add_text(out, o->path);
}

/* A decimal number without leading zeros, followed by a blank; returns its length, 0 if it is none. */
static size_t
parse_size(uint64_t *out, const char *s, size_t len)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < len && s[n] >= '0' && s[n] <= '9'; n++) {
		uint64_t d = (uint64_t)(s[n] - '0');

		if (v > (UINT64_MAX - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	*out = v;
	return n < len && s[n] == ' ' && (n == 1 || *s != '0') ? n : 0;
}

bool
mlb_lock_output(struct mlb_lock_output *o, struct mlb_arena *a, const char *s, size_t len)
{
	size_t n;

	if (len < 2 + MLB_HEX_LEN + 1 || !*s || !strchr("fxtm", *s) || s[1] != ' ' ||
	    !mlb_digest_parse(&o->digest, s + 2, MLB_HEX_LEN) || s[2 + MLB_HEX_LEN] != ' ')
		return false;
	o->kind = (uint8_t)s[0];
	s += 2 + MLB_HEX_LEN + 1;
	len -= 2 + MLB_HEX_LEN + 1;
	n = parse_size(&o->size, s, len);
	if (!n)
		return false;
	o->path = mlb_lock_text(a, s + n + 1, len - n - 1);
	return o->path && mlb_lock_good_path(o->path);
}

uint64_t
mlb_lock_sum(uint64_t sum, const char *line, size_t len)
{
	return mlb_hash64(line, len, sum);
}

struct mlb_lock_output *
mlb_lock_keep(struct mlb_arena *a, const struct mlb_lock_outputs *from)
{
	struct mlb_lock_output *all = mlb_arena_alloc(a, (from->n + 1) * sizeof(*all));

	if (from->n)
		memcpy(all, from->v, from->n * sizeof(*all));
	return all;
}
