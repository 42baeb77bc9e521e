/* libgit2 is loaded when it is first needed: linking it would cost every start 2 ms. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "store/vcs_git.h"

struct symbol {
	const char *name;
	size_t offset; /* of the pointer in struct mlb_git */
};

#define SYMBOL(name) { "git_" #name, offsetof(struct mlb_git, name) },

static const struct symbol symbols[] = { MLB_GIT_FUNCTIONS(SYMBOL) };

static bool
find_symbols(struct mlb_git *g, struct mlb_buf *why)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(symbols); i++) {
		void *found = dlsym(g->library, symbols[i].name);

		if (!found) {
			mlb_buf_addf(why, "libgit2 has no function %s", symbols[i].name);
			return false;
		}
		memcpy((char *)g + symbols[i].offset, &found, sizeof(found));
	}
	return true;
}

/* What git itself sets in common repositories, and what does not concern us. */
static void
accept_extensions(struct mlb_git *g)
{
	const char *known[] = { "worktreeconfig", "partialclone", "preciousobjects",
				"relativeworktrees" };

	/* As git: what it reads it does not hash again. That took four fifths of a walk through history. */
	g->libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	g->libgit2_opts(GIT_OPT_SET_EXTENSIONS, known, MLB_ARRAY_LEN(known));
}

bool
mlb_git_load(struct mlb_git *g, struct mlb_buf *why)
{
	int major, minor, patch;

	memset(g, 0, sizeof(*g));
	/* Never unmapped: its threads' destructors may run after we closed it. */
	g->library = dlopen("libgit2.so." LIBGIT2_SOVERSION, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!g->library) {
		mlb_buf_addf(why, "libgit2 cannot be loaded: %s", dlerror());
		return false;
	}
	if (!find_symbols(g, why)) {
		dlclose(g->library);
		return false;
	}
	g->libgit2_version(&major, &minor, &patch);
	if (major != LIBGIT2_VER_MAJOR || minor != LIBGIT2_VER_MINOR || g->libgit2_init() < 0) {
		mlb_buf_addf(why, "libgit2 %d.%d cannot be used", major, minor);
		dlclose(g->library);
		return false;
	}
	accept_extensions(g);
	return true;
}

void
mlb_git_unload(struct mlb_git *g)
{
	g->libgit2_shutdown();
	dlclose(g->library);
}
