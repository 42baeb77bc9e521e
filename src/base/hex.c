#include "base/hex.h"

void
mlb_hex_encode(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

/* 16 for what is no digit: one name has one spelling, so upper case is none. */
static unsigned
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

bool
mlb_hex_decode(void *out, const char *hex, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		unsigned high = digit(hex[2 * i]);
		unsigned low = high < 16 ? digit(hex[2 * i + 1]) : 16;

		if (low > 15)
			return false;
		p[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
mlb_digest_hex(char out[MLB_HEX_LEN + 1], const struct mlb_digest *d)
{
	mlb_hex_encode(out, d->b, MLB_DIGEST_LEN);
}

bool
mlb_digest_parse(struct mlb_digest *out, const char *hex, size_t len)
{
	return len == MLB_HEX_LEN && mlb_hex_decode(out->b, hex, MLB_DIGEST_LEN);
}
