/* Where a container is: azure://ACCOUNT/CONTAINER[/PREFIX], and the endpoint. */
#include <stdlib.h>
#include <string.h>

#include "azure_int.h"
#include "base/alloc.h"
#include "base/text.h"
#include "url.h"

#define HOW "write azure://ACCOUNT/CONTAINER or azure://ACCOUNT/CONTAINER/PREFIX"

/* Nothing but small letters, digits and what is in more, and at least one. */
static bool
made_of(const char *s, const char *more)
{
	const char *all = s;

	while ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || (*s && strchr(more, *s)))
		s++;
	return !*s && s > all;
}

/* "a/b/" of "/a/b" or "a/b/"; NULL: a part is empty, "." or "..". Owned by the caller. */
static char *
prefix_of(const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	if (!len)
		return mlb_strdup("");
	for (const char *s = path; s < path + len; s += 1 + strcspn(s + 1, "/")) {
		size_t n = strcspn(s + 1, "/"); /* s is at '/' */

		if (!n || (n <= 2 && strspn(s + 1, ".") == n))
			return NULL;
	}
	return mlb_asprintf("%.*s/", (int)len - 1, path + 1);
}

static int
take_url(struct azure *a, const char *text, struct mlb_err *err)
{
	struct mlb_url u;
	int rc = mlb_url_parse(&u, text, err);

	if (!rc && (u.user || u.port || u.query)) {
		rc = mlb_err_set(err, MLB_EINVALID,
				 "only account, container and prefix belong into the url: a key or "
				 "SAS token is taken from the environment (AZURE_STORAGE_KEY, "
				 "AZURE_STORAGE_SAS_TOKEN), another server from the key endpoint");
	} else if (!rc) {
		const char *container = u.path + (*u.path == '/');
		size_t n = strcspn(container, "/");

		a->account = mlb_strdup(u.host);
		a->container = mlb_strndup(container, n);
		a->prefix = prefix_of(container + n);
		if (!made_of(a->account, "-"))
			rc = mlb_err_set(err, MLB_EINVALID,
					 "'%s' is no storage account: those have small letters and "
					 "digits; " HOW,
					 a->account);
		else if (!made_of(a->container, "-$"))
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"'%s' is no container: those have small letters, digits and "
				"'-'; " HOW,
				a->container);
		else if (!a->prefix)
			rc = mlb_err_set(err, MLB_EINVALID,
					 "no part of the prefix may be empty, '.' or '..'; " HOW);
	}
	mlb_url_release(&u);
	return rc;
}

/* Is it this machine? What goes there is on no network. */
static bool
is_here(const char *host)
{
	return mlb_str_starts(host, "127.") || !strcmp(host, "::1") || !strcmp(host, "localhost");
}

static int
check_endpoint(const char *endpoint, bool sas, struct mlb_err *err)
{
	struct mlb_url u;
	int rc = mlb_url_parse(&u, endpoint, err);
	bool http = !rc && !strcmp(u.scheme, "http");

	if (rc)
		mlb_err_wrap(err, "endpoint");
	else if ((!http && strcmp(u.scheme, "https") != 0) || !*u.host || u.user || u.query)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "endpoint must be the https:// URL of a blob service, such as "
				 "https://ACCOUNT.blob.core.windows.net");
	else if (http && sas && !is_here(u.host))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "the SAS token would be readable on its way to '%s': endpoint "
				 "must be https://",
				 u.host);
	mlb_url_release(&u);
	return rc;
}

static int
take_endpoint(struct azure *a, const char *key, struct mlb_err *err)
{
	const char *given = key ? key : a->credentials.endpoint;
	char *endpoint = given ? mlb_strdup(given)
			       : mlb_asprintf("https://%s.blob.core.windows.net", a->account);
	size_t len = strlen(endpoint);
	int rc = check_endpoint(endpoint, a->credentials.sas != NULL, err);

	while (len && endpoint[len - 1] == '/')
		len--;
	if (!rc) {
		a->url = mlb_asprintf("%.*s/%s", (int)len, endpoint, a->container);
		a->path_at = (size_t)(strchr(strstr(a->url, "://") + 3, '/') - a->url);
	}
	free(endpoint);
	return rc;
}

int
azure_place(struct azure *a, const struct mlb_remote_config *c, struct mlb_err *err)
{
	int rc = take_url(a, c->url, err);

	if (!rc)
		rc = mlb_azure_credentials(&a->credentials, c, a->account, err);
	if (!rc)
		rc = take_endpoint(a, c->get(c, "endpoint"), err);
	return rc;
}
