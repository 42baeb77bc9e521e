/*
 * A set of digests.  The zero digest stands for none and is in no set.
 *
 * Ownership: the set owns its slots; release it. One that is all zero is empty.
 */
#ifndef BASE_DIGEST_SET_H
#define BASE_DIGEST_SET_H

#include "base/compat.h"
#include "base/hash.h"

struct mlb_digest_set {
	struct mlb_digest *slot; /* a power of two of them; zero: empty */
	size_t n, n_slots;
};

bool mlb_digest_set_add(struct mlb_digest_set *s, const struct mlb_digest *digest); /* true: it is new */
bool mlb_digest_set_has(const struct mlb_digest_set *s, const struct mlb_digest *digest);
void mlb_digest_set_release(struct mlb_digest_set *s);

#endif
