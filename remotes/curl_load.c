#include "remotes/curl_load.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct symbol {
	const char *name;
	size_t offset; /* of the pointer in struct mlb_curl */
};

#define SYMBOL(name) { "curl_" #name, offsetof(struct mlb_curl, name) },

static const struct symbol symbols[] = { MLB_CURL_FUNCTIONS(SYMBOL) };

static bool
find_symbols(struct mlb_curl *c, struct mlb_buf *why)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(symbols); i++) {
		void *found = dlsym(c->library, symbols[i].name);

		if (!found) {
			mlb_buf_addf(why, "libcurl has no function %s", symbols[i].name);
			return false;
		}
		memcpy((char *)c + symbols[i].offset, &found, sizeof(found));
	}
	return true;
}

/* Several threads may load it: they must not initialise it side by side. */
static bool
initialise(struct mlb_curl *c, struct mlb_buf *why)
{
	const curl_version_info_data *is = c->version_info(CURLVERSION_NOW);

	if (!(is->features & CURL_VERSION_THREADSAFE)) {
		mlb_buf_addf(why, "libcurl %s is older than 7.84", is->version);
		return false;
	}
	if (!(is->features & CURL_VERSION_SSL)) {
		mlb_buf_addf(why, "libcurl %s was built without TLS", is->version);
		return false;
	}
	if (c->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		mlb_buf_addf(why, "libcurl %s cannot be initialised", is->version);
		return false;
	}
	return true;
}

bool
mlb_curl_load(struct mlb_curl *c, struct mlb_buf *why)
{
	memset(c, 0, sizeof(*c));
	/* Never unmapped: destructors of threads, and of libcrypto, may run after we closed it. */
	c->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!c->library) {
		mlb_buf_addf(why, "libcurl cannot be loaded: %s", dlerror());
		return false;
	}
	if (!find_symbols(c, why) || !initialise(c, why)) {
		dlclose(c->library);
		return false;
	}
	return true;
}

void
mlb_curl_unload(struct mlb_curl *c)
{
	c->global_cleanup();
	dlclose(c->library);
}
