#include "engine/words.h"

#include "base/hex.h"
#include "store/result.h"

const char *
mlb_hex_of(struct mlb_arena *arena, const struct mlb_digest *d)
{
	char hex[MLB_HEX_LEN + 1];

	if (mlb_digest_is_zero(d))
		return "";
	mlb_digest_hex(hex, d);
	return mlb_arena_strdup(arena, hex);
}

const char *
mlb_okind_word(uint8_t okind)
{
	switch (okind) {
	case MLB_O_EXEC:
		return "exec";
	case MLB_O_TREE:
		return "tree";
	case MLB_O_METRICS:
		return "metrics";
	default:
		return "file";
	}
}
