/* One digest over the states of all paths of a scan: whether anything is other than it was. */
#include <string.h>

#include "store/scan_priv.h"

enum { ENTRY = 1 + MLB_DIGEST_LEN, BLOCK = 512 };

/* Kind and digest, as far as the path's want makes something of them. */
static void
add_state(uint8_t *out, const struct mlb_path_state *p)
{
	memset(out, 0, ENTRY);
	out[0] = p->kind;
	if (p->want != MLB_WANT_EXISTS)
		memcpy(out + 1, p->digest.b, MLB_DIGEST_LEN);
	else if (p->kind == MLB_P_LISTING)
		out[0] = MLB_P_TREE;
}

void
mlb_scan_digest(struct mlb_digest *out, const struct mlb_scan *s)
{
	uint8_t block[BLOCK * ENTRY];
	struct mlb_sha256 h;
	size_t n = 0;

	mlb_sha256_init(&h);
	for (size_t i = 0; i < s->n; i++) {
		add_state(block + n++ * ENTRY, &s->state[i]);
		if (n == BLOCK || i + 1 == s->n) {
			mlb_sha256_update(&h, block, n * ENTRY);
			n = 0;
		}
	}
	mlb_sha256_final(&h, out);
}
