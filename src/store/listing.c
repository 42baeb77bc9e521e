/*
 * The digest of a directory's listing: SHA-256 over each entry in bytewise order
 * of name: one type character (f file, d directory, l link, o other), the name,
 * a NUL. Left out is what comes and goes by itself: .git, __pycache__, and all
 * names that begin with .mlbuild.
 */
#include <string.h>

#include "store/scan.h"

static bool
comes_and_goes(const char *name)
{
	return strncmp(name, ".mlbuild", 8) == 0 || strcmp(name, ".git") == 0 ||
	       strcmp(name, "__pycache__") == 0;
}

void
mlb_listing_digest(const struct mlb_dirents *entries, struct mlb_digest *out)
{
	static const char types[] = { [MLB_F_FILE] = 'f', [MLB_F_DIR] = 'd', [MLB_F_SYMLINK] = 'l' };
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	for (size_t i = 0; i < entries->n; i++) {
		const struct mlb_dirent *e = &entries->v[i];
		char type = 'o';

		if (comes_and_goes(e->name))
			continue;
		if (e->type < sizeof(types) && types[e->type] != '\0')
			type = types[e->type];
		mlb_sha256_update(&h, &type, 1);
		mlb_sha256_update(&h, e->name, strlen(e->name) + 1);
	}
	mlb_sha256_final(&h, out);
}
