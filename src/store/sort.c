#include "store/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FEW 24 /* up to here insertion is faster */
#define KEY 8  /* bytes of a string that are compared at once */

struct item {
	uint64_t key;   /* the next bytes of the string, the first one uppermost */
	uint32_t index; /* of the string */
};

/* How many bytes from `skip` on all these strings share. */
static size_t
common(const struct item *item, size_t n, const char *const *s, size_t skip)
{
	const char *first = s[item[0].index] + skip;
	size_t len = strlen(first);

	for (size_t i = 1; i < n && len; i++) {
		const char *other = s[item[i].index] + skip;
		size_t k = 0;

		while (k < len && first[k] == other[k])
			k++;
		len = k;
	}
	return len;
}

static uint64_t
key_of(const char *s)
{
	uint64_t key = 0;
	int i = 0;

	for (; i < KEY && s[i]; i++)
		key = key << 8 | (uint8_t)s[i];
	return i ? key << 8 * (KEY - i) : 0;
}

static void
sort_few(struct item *item, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct item x = item[i];
		size_t k = i;

		for (; k > 0 && item[k - 1].key > x.key; k--)
			item[k] = item[k - 1];
		item[k] = x;
	}
}

/* By one byte after the other, the lowest first; a byte that all share is passed over. */
static void
sort_many(struct item *item, struct item *other, size_t n)
{
	struct item *from = item, *to = other;

	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t at[256] = { 0 };
		size_t sum = 0;

		for (size_t i = 0; i < n; i++)
			at[from[i].key >> shift & 0xff]++;
		if (at[from[0].key >> shift & 0xff] == n)
			continue;
		for (int b = 0; b < 256; b++) {
			size_t count = at[b];

			at[b] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[at[from[i].key >> shift & 0xff]++] = from[i];
		struct item *swap = from;

		from = to;
		to = swap;
	}
	if (from != item)
		memcpy(item, from, n * sizeof(*item));
}

/* Recursion goes down by the common bytes and 8 more each time: 128 deep at most for a file's name. */
static void
sort_from(struct item *item, struct item *other, size_t n, const char *const *s, size_t skip)
{
	skip += common(item, n, s, skip);
	for (size_t i = 0; i < n; i++)
		item[i].key = key_of(s[item[i].index] + skip);
	if (n <= FEW)
		sort_few(item, n);
	else
		sort_many(item, other, n);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;

		while (end < n && item[end].key == item[i].key)
			end++;
		if (end > i + 1 && (item[i].key & 0xff) != 0)
			sort_from(item + i, other, end - i, s, skip + KEY);
		i = end;
	}
}

void
mlb_sort_strings(uint32_t *order, const char *const *s, size_t n)
{
	struct item *item;
	size_t sorted = 1; /* directories are often read in order */

	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	while (sorted < n && strcmp(s[sorted - 1], s[sorted]) <= 0)
		sorted++;
	if (sorted >= n)
		return;
	item = mlb_calloc(n, 2 * sizeof(*item));
	for (size_t i = 0; i < n; i++)
		item[i].index = (uint32_t)i;
	sort_from(item, item + n, n, s, 0);
	for (size_t i = 0; i < n; i++)
		order[i] = item[i].index;
	free(item);
}
