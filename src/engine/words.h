/* Words and digests as the public structures tell them. */
#ifndef ENGINE_WORDS_H
#define ENGINE_WORDS_H

#include "base/arena.h"
#include "base/hash.h"

/* "" for none. */
const char *mlb_hex_of(struct mlb_arena *arena, const struct mlb_digest *d);
/* Of an output: file, exec, tree, metrics. */
const char *mlb_okind_word(uint8_t okind);

#endif
