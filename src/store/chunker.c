#include "store/chunker.h"

#include <string.h>

#include "base/hash.h"
#include "store/bytes.h"

static void
fill_gear(uint64_t gear[256])
{
	char text[] = "mlbuild gear  ";
	struct mlb_digest d;

	for (unsigned i = 0; i < 256; i++) {
		text[sizeof(text) - 2] = (char)i;
		mlb_sha256_of(&d, text, sizeof(text) - 1);
		gear[i] = mlb_get_int(d.b, 8);
	}
}

void
mlb_chunker_init(struct mlb_chunker *c, uint64_t file_size)
{
	unsigned bits = file_size < MLB_GIB ? 16 : file_size < 16 * MLB_GIB ? 18 : 20;

	fill_gear(c->gear);
	c->early = UINT64_MAX << (64 - (bits + 2));
	c->late = UINT64_MAX << (64 - (bits - 2));
	c->average = (size_t)1 << bits;
	c->least = c->average / 4;
	c->most = c->average * 4;
}

/* The first place from `at` to before `end` where the hash has zeros in all of mask; end if there is none. */
static size_t
find(const struct mlb_chunker *c, uint64_t *hash, uint64_t mask, const uint8_t *data, size_t at,
     size_t end)
{
	uint64_t h = *hash;

	for (; at < end; at++) {
		h = (h << 1) + c->gear[data[at]];
		if (!(h & mask))
			break;
	}
	*hash = h;
	return at;
}

size_t
mlb_chunker_cut(const struct mlb_chunker *c, const uint8_t *data, size_t len)
{
	size_t end = MLB_MIN(len, c->most), middle = MLB_MIN(end, c->average), at;
	uint64_t hash = 0;

	if (end <= c->least)
		return end;
	at = find(c, &hash, c->early, data, c->least, middle);
	if (at == middle)
		at = find(c, &hash, c->late, data, middle, end);
	return at < end ? at + 1 : end;
}
