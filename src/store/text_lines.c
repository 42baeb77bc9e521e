#include "store/text_lines.h"

#include <string.h>

#include "base/hex.h"

static bool
must_escape(unsigned char c)
{
	return c == '\\' || c < 0x20;
}

void
mlb_text_escape(struct mlb_buf *out, const char *s)
{
	for (; *s; s++) {
		if (must_escape((unsigned char)*s))
			mlb_buf_addf(out, "\\x%02x", (unsigned char)*s);
		else
			mlb_buf_addc(out, *s);
	}
}

bool
mlb_text_take(struct mlb_text_reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

bool
mlb_text_take_digest(struct mlb_text_reader *r, struct mlb_digest *out)
{
	if (r->end - r->at < MLB_HEX_LEN || !mlb_digest_parse(out, r->at, MLB_HEX_LEN))
		return false;
	r->at += MLB_HEX_LEN;
	return true;
}

size_t
mlb_text_line(const struct mlb_text_reader *r)
{
	const char *eol = memchr(r->at, '\n', (size_t)(r->end - r->at));

	return eol ? (size_t)(eol - r->at) : SIZE_MAX;
}

bool
mlb_text_take_rest(struct mlb_text_reader *r, char *out)
{
	const char *eol = r->at + mlb_text_line(r);

	for (; r->at < eol; r->at++) {
		unsigned char c = (unsigned char)*r->at;

		if (c == '\\') {
			if (eol - r->at < 4 || r->at[1] != 'x' ||
			    !mlb_hex_decode(&c, r->at + 2, 1) || !c || !must_escape(c))
				return false;
			r->at += 3;
		} else if (must_escape(c)) {
			return false;
		}
		*out++ = (char)c;
	}
	*out = '\0';
	r->at++;
	return true;
}
