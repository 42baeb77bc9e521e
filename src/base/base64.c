#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
mlb_base64_add(struct mlb_buf *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = MLB_MIN(len - i, (size_t)3);
		uint32_t v = (uint32_t)p[i] << 16;

		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		mlb_buf_addc(out, digits[v >> 18]);
		mlb_buf_addc(out, digits[v >> 12 & 63]);
		mlb_buf_addc(out, n > 1 ? digits[v >> 6 & 63] : '=');
		mlb_buf_addc(out, n > 2 ? digits[v & 63] : '=');
	}
}

/* The four characters at text as up to three bytes; how many, 0: they are none. */
static size_t
quantum(uint8_t out[3], const char *text, bool last)
{
	size_t n = last && text[3] == '=' ? (text[2] == '=' ? 1 : 2) : 3;
	uint32_t v = 0;

	for (size_t i = 0; i < n + 1; i++) {
		const char *at = text[i] ? strchr(digits, text[i]) : NULL;

		if (!at)
			return 0;
		v |= (uint32_t)(at - digits) << (18 - 6 * i);
	}
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return (v & ((UINT32_C(1) << (24 - 8 * n)) - 1)) == 0 ? n : 0; /* no bits are left over */
}

bool
mlb_base64_decode(struct mlb_buf *out, const char *text, size_t len)
{
	size_t before = out->len;

	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		uint8_t part[3];
		size_t n = quantum(part, text + i, i + 4 == len);

		if (n == 0) {
			mlb_buf_truncate(out, before);
			return false;
		}
		mlb_buf_add(out, part, n);
	}
	return !out->full;
}
