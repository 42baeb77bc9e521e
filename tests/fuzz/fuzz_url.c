/* Any text as the URL of a remote: parsed or refused, and shown without its password. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mlbuild/sys/remote.h"
#include "remotes/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mlb_remote_backend *backend;
	char *text = mlb_strndup((const char *)data, size);
	char shown[300];
	struct mlb_url u;

	mlb_remote_name_valid(text);
	mlb_remote_backend(&backend, text, NULL);
	mlb_remote_url_shown(shown, sizeof(shown), text);
	if (mlb_url_parse(&u, text, NULL) == 0) {
		if (!u.scheme || !u.host || !u.path || !u.raw_path || u.port > 65535)
			abort();
		/* A password that is nothing else's text. */
		if (u.password && strlen(u.password) > 3 && !strstr(u.host, u.password) &&
		    !strstr(u.raw_path, u.password) && !strstr(u.scheme, u.password) &&
		    !strstr(u.user, u.password) && strstr(shown, u.password) &&
		    !strchr(u.password, ':') && !strchr(u.password, '/'))
			abort();
	}
	mlb_url_release(&u);
	free(text);
	return 0;
}
