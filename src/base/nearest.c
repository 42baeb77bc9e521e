#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

#define SOME 8                /* so many words are told */
#define WORD_MAX ((size_t)64) /* longer words are not compared */

/*
 * Optimal string alignment: insertions, deletions, replacements and swaps of
 * neighbours, each counting one. Three rows of the usual table are enough.
 */
static size_t
distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t row[3][WORD_MAX + 1];

	for (size_t j = 0; j <= lb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = row[i % 3];
		const size_t *up = row[(i + 2) % 3];
		const size_t *up2 = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);

			best = MLB_MIN(best, up[j] + 1);
			best = MLB_MIN(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MLB_MIN(best, up2[j - 2] + 1);
			now[j] = best;
		}
	}
	return row[la % 3][lb];
}

const char *
mlb_nearest(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word);
	size_t best = SIZE_MAX;
	const char *found = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t wlen = strlen(words[i]);
		size_t limit = MLB_MAX(len, wlen) / 3;
		size_t apart = len > wlen ? len - wlen : wlen - len;
		size_t d;

		if (wlen > WORD_MAX || apart > limit || apart >= best)
			continue;
		d = distance(word, len, words[i], wlen);
		if (d <= limit && d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

void
mlb_add_some(struct mlb_buf *out, const char *const *words, size_t n)
{
	size_t first = n > SOME ? SOME - 3 : n;

	for (size_t i = 0; i < first; i++)
		mlb_buf_addf(out, "%s%s", i > 0 ? " " : "", words[i]);
	if (n > SOME)
		mlb_buf_addf(out, " ... %s", words[n - 1]);
}
