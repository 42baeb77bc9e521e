/* Numbers of formats on disk and wire: unsigned, little-endian. */
#ifndef STORE_BYTES_H
#define STORE_BYTES_H

#include "base/compat.h"

static inline void
mlb_put_int(uint8_t *out, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t
mlb_get_int(const uint8_t *in, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)in[i] << 8 * i;
	return v;
}

#endif
