#include "base/digest_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The slot of a digest, or the empty one where it would go. Digests are random: any 8 bytes of one are a hash. */
static struct mlb_digest *
find(const struct mlb_digest_set *s, const struct mlb_digest *digest)
{
	uint64_t h;
	size_t i;

	memcpy(&h, digest->b, sizeof(h));
	i = (size_t)h & (s->n_slots - 1);
	while (!mlb_digest_is_zero(&s->slot[i]) && !mlb_digest_equal(&s->slot[i], digest))
		i = (i + 1) & (s->n_slots - 1);
	return &s->slot[i];
}

static void
grow(struct mlb_digest_set *s)
{
	struct mlb_digest_set more = { .n = s->n, .n_slots = s->n_slots ? 2 * s->n_slots : 64 };

	more.slot = mlb_calloc(more.n_slots, sizeof(*more.slot));
	for (size_t i = 0; i < s->n_slots; i++)
		if (!mlb_digest_is_zero(&s->slot[i]))
			*find(&more, &s->slot[i]) = s->slot[i];
	free(s->slot);
	*s = more;
}

bool
mlb_digest_set_add(struct mlb_digest_set *s, const struct mlb_digest *digest)
{
	struct mlb_digest *slot;

	if (mlb_digest_is_zero(digest))
		return false;
	if (s->n >= s->n_slots / 2)
		grow(s);
	slot = find(s, digest);
	if (!mlb_digest_is_zero(slot))
		return false;
	*slot = *digest;
	s->n++;
	return true;
}

bool
mlb_digest_set_has(const struct mlb_digest_set *s, const struct mlb_digest *digest)
{
	return s->n && !mlb_digest_is_zero(digest) && !mlb_digest_is_zero(find(s, digest));
}

void
mlb_digest_set_release(struct mlb_digest_set *s)
{
	free(s->slot);
	memset(s, 0, sizeof(*s));
}
