/*
 * mlb_hash64: 8 bytes at a time are mixed in by a 64 x 64 -> 128 bit product
 * whose halves are folded together; every bit of input reaches every bit of the
 * state in one step.  The constants are the fractional parts of square roots of
 * primes, made odd.
 */
#include <string.h>

#include "base/strmap.h"

#define K1 UINT64_C(0x6a09e667f3bcc909) /* sqrt 2 */
#define K2 UINT64_C(0xbb67ae8584caa73b) /* sqrt 3 */
#define K3 UINT64_C(0xa54ff53a5f1d36f1) /* sqrt 7 */

__extension__ typedef unsigned __int128 wide;

static uint64_t
fold(uint64_t a, uint64_t b)
{
	wide p = (wide)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Up to 8 bytes, the first one lowest, on every machine. */
static uint64_t
load(const unsigned char *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

uint64_t
mlb_hash64(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = fold(seed ^ K1, (uint64_t)len + K2);

	for (; len >= 8; p += 8, len -= 8)
		h = fold(h ^ load(p, 8), K3) + K1;
	if (len)
		h = fold(h ^ load(p, len), K2) + K3;
	return fold(h ^ K2, K1);
}
