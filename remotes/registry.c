#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mlbuild/sys/remote.h"
#include "remotes/backends.h"
#include "remotes/url.h"

#define NAMES_MAX 1024

/* In alphabetical order; remotes/README.md says how to add one. */
static const struct mlb_remote_backend *const backends[] = {
	&mlb_remote_azure,
	&mlb_remote_dir,
	&mlb_remote_rclone,
	&mlb_remote_s3,
	&mlb_remote_ssh,
	&mlb_remote_webdav,
	NULL,
};

const struct mlb_remote_backend *const *
mlb_remote_backends(void)
{
	return backends;
}

static const struct mlb_remote_backend *
find(const char *scheme, size_t len)
{
	for (size_t i = 0; backends[i]; i++)
		for (const char *const *s = backends[i]->schemes; *s; s++)
			if (strlen(*s) == len && !strncasecmp(*s, scheme, len))
				return backends[i];
	return NULL;
}

/* "dir, file, s3": all that may stand before "://". */
static void
add_schemes(struct mlb_buf *b)
{
	for (size_t i = 0; backends[i]; i++)
		for (const char *const *s = backends[i]->schemes; *s; s++)
			if (**s)
				mlb_buf_addf(b, "%s%s", b->len ? ", " : "", *s);
}

static int
unknown(const char *url, size_t scheme, struct mlb_err *err)
{
	struct mlb_buf names = MLB_BUF_INIT(NAMES_MAX);
	char shown[256];
	int rc;

	add_schemes(&names);
	mlb_remote_url_shown(shown, sizeof(shown), url);
	if (scheme)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "no remote is reached by '%.*s', as in '%s': there are %s; "
				 "rclone:NAME:path reaches what rclone(1) can",
				 (int)MLB_MIN(scheme, sizeof(shown)), url, shown,
				 mlb_buf_str(&names));
	else
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s' is no URL of a remote: write an absolute path, HOST:PATH, "
				 "or SCHEME://... (there are %s); rclone:NAME:path reaches what "
				 "rclone(1) can",
				 shown, mlb_buf_str(&names));
	mlb_buf_release(&names);
	return rc;
}

int
mlb_remote_backend(const struct mlb_remote_backend **out, const char *url, struct mlb_err *err)
{
	size_t scheme = mlb_url_scheme_len(url);
	size_t word = strcspn(url, ":/");

	if (*url == '/') {
		*out = find("", 0);
	} else if (scheme) {
		*out = find(url, scheme);
	} else if (url[word] == ':' && word) {
		/* A scheme without "//" before anything else: rclone:NAME:path. */
		*out = find(url, word);
		if (!*out)
			*out = find("ssh", 3);
	} else {
		*out = NULL;
	}
	return *out ? 0 : unknown(url, scheme, err);
}

/* One part of a name, at s: its length, or 0 where it is not allowed. */
static size_t
part_len(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return *s == '.' || (s[n] && s[n] != '/') ? 0 : n;
}

bool
mlb_remote_name_valid(const char *name)
{
	if (strlen(name) > MLB_REMOTE_NAME_MAX)
		return false;
	for (;; name++) {
		size_t n = part_len(name);

		if (!n)
			return false;
		name += n;
		if (!*name)
			return true;
	}
}
