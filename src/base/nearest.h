/* The nearest valid word to a mistyped one (Damerau-Levenshtein, at most a third of it wrong). */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/buf.h"

/* The nearest of the words, or NULL if none is near enough. Borrowed. */
const char *mlb_nearest(const char *word, const char *const *words, size_t n);

/* All of the words, or of many the first ones and the last: "1 2 3 4 5 ... 99". */
void mlb_add_some(struct mlb_buf *out, const char *const *words, size_t n);

#endif
