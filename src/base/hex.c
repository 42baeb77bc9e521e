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

/* 16 and the value; 0 for what is no digit: one name has one spelling, so upper case is none. */
static const uint8_t digit[256] = {
	['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
	['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
	['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
};

bool
mlb_hex_decode(void *out, const char *hex, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		uint8_t high = digit[(uint8_t)hex[2 * i]], low;

		if (!high) /* it may be the end of the text */
			return false;
		low = digit[(uint8_t)hex[2 * i + 1]];
		if (!low)
			return false;
		p[i] = (uint8_t)(high << 4 | (low & 15));
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
