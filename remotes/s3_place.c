/* Which server, bucket and keys a remote's section means. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "remotes/s3_int.h"
#include "remotes/url.h"

enum { MAX_REGION = 63, MIN_BUCKET = 3, MAX_BUCKET = 255, MAX_LABEL = 63 };

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"

void
s3_place_release(struct s3_place *p)
{
	free(p->scheme);
	free(p->host);
	free(p->base);
	free(p->bucket);
	free(p->prefix);
	free(p->region);
	memset(p, 0, sizeof(*p));
}

static bool
is_region(const char *s)
{
	return *s && strlen(s) <= MAX_REGION && strspn(s, LOWER "-_") == strlen(s);
}

static bool
is_bucket(const char *s)
{
	size_t n = strlen(s);

	return n >= MIN_BUCKET && n <= MAX_BUCKET && *s != '.' &&
	       strspn(s, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_") == n;
}

/* Can it be a label before a host whose certificate is for one more label? */
static bool
is_label(const char *bucket)
{
	return strlen(bucket) <= MAX_LABEL && strspn(bucket, LOWER "-") == strlen(bucket);
}

/* ------------------------------------------------------------- the parts */

static char *
amazon_host(const char *region)
{
	return mlb_asprintf("s3.%s.amazonaws.com%s", region,
			    mlb_str_starts(region, "cn-") ? ".cn" : "");
}

/* "/a//b/" is no prefix: servers and proxies differ about what it names. */
static int
read_prefix(struct s3_place *p, const char *path, struct mlb_err *err)
{
	size_t n;

	while (*path == '/')
		path++;
	n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < n;) {
		size_t part = strcspn(path + i, "/");

		if (part == 0 || (part <= 2 && strspn(path + i, ".") >= part))
			return mlb_err_set(err, MLB_EINVALID,
					   "a part of '%s' is empty, '.' or '..', which not all "
					   "servers take for the name of something",
					   path);
		i += part + 1;
	}
	p->prefix = n ? mlb_asprintf("%.*s/", (int)n, path) : mlb_strdup("");
	return 0;
}

static int
read_url(struct s3_place *p, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct mlb_url url;
	char *bucket = NULL;
	int rc = mlb_url_parse(&url, c->url, err);

	if (rc)
		goto out;
	p->google = strcmp(url.scheme, "gs") == 0;
	/* The host as written: a bucket of an own server may have capital letters. */
	bucket = mlb_strdup(c->url + strlen(url.scheme) + strlen("://"));
	bucket[strcspn(bucket, "/?#")] = '\0';
	if (url.user || url.password || url.port || url.query)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "a URL of a bucket is written %s://BUCKET/PREFIX: credentials are "
				 "in the environment or in ~/.aws, a server is the key `endpoint`",
				 url.scheme);
	else if (!is_bucket(bucket))
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is not the name of a bucket", bucket);
	else
		rc = read_prefix(p, url.path, err);
	if (rc == 0) {
		p->bucket = bucket;
		bucket = NULL;
	}
out:
	free(bucket);
	mlb_url_release(&url);
	return rc;
}

static int
read_region(struct s3_place *p, const struct mlb_remote_config *c, struct mlb_err *err)
{
	static const char *const variables[] = { "AWS_REGION", "AWS_DEFAULT_REGION", NULL };
	const char *said = c->get(c, "region");
	int rc = 0;

	if (said)
		p->region = mlb_strdup(said);
	else if (!p->google)
		rc = mlb_aws_setting(&p->region, c, variables, "region", err);
	if (rc)
		return rc;
	if (!p->region)
		p->region = mlb_strdup(p->google ? "auto" : "us-east-1");
	if (!is_region(p->region))
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' is not the name of a region, such as eu-west-1",
				   p->region);
	return 0;
}

/* The server as HTTP names it: no port that its scheme means. */
static void
take_endpoint(struct s3_place *p, const struct mlb_url *url)
{
	bool standard = url->port == 0 ||
			url->port == (strcmp(url->scheme, "http") == 0 ? 80U : 443U);
	const char *open = strchr(url->host, ':') ? "[" : "", *close = *open ? "]" : "";
	size_t n = strlen(url->path);

	p->own = true;
	p->scheme = mlb_strdup(url->scheme);
	p->host = standard ? mlb_asprintf("%s%s%s", open, url->host, close)
			   : mlb_asprintf("%s%s%s:%u", open, url->host, close, url->port);
	while (n && url->path[n - 1] == '/')
		n--;
	p->base = mlb_strndup(url->path, n);
}

static int
read_endpoint(struct s3_place *p, const struct mlb_remote_config *c, struct mlb_err *err)
{
	static const char *const variables[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL };
	const char *said = c->get(c, "endpoint");
	char *endpoint = NULL;
	struct mlb_url url;
	int rc = 0;

	if (said)
		endpoint = mlb_strdup(said);
	else if (!p->google)
		rc = mlb_aws_setting(&endpoint, c, variables, "endpoint_url", err);
	if (rc)
		return rc;
	if (!endpoint) {
		p->scheme = mlb_strdup("https");
		p->base = mlb_strdup("");
		p->host = p->google ? mlb_strdup("storage.googleapis.com") : amazon_host(p->region);
		return 0;
	}
	rc = mlb_url_parse(&url, endpoint, err);
	if (rc == 0 && ((strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0) ||
			!*url.host || url.user || url.password || url.query))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "the endpoint is not the URL of a server: it is written "
				 "https://HOST or https://HOST:PORT");
	if (rc == 0)
		take_endpoint(p, &url);
	mlb_url_release(&url);
	free(endpoint);
	return rc;
}

static int
read_style(struct s3_place *p, const struct mlb_remote_config *c, struct mlb_err *err)
{
	const char *style = c->get(c, "style");

	if (!style)
		p->virtual = !p->own && !p->google && is_label(p->bucket);
	else if (strcmp(style, "path") == 0)
		p->virtual = false;
	else if (strcmp(style, "virtual") == 0)
		p->virtual = true;
	else
		return mlb_err_set(err, MLB_EINVALID,
				   "style '%s' is not known: it is path or virtual", style);
	return 0;
}

int
s3_place_read(struct s3_place *out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = read_url(out, c, err);
	if (rc == 0)
		rc = read_region(out, c, err);
	if (rc == 0)
		rc = read_endpoint(out, c, err);
	if (rc == 0)
		rc = read_style(out, c, err);
	if (rc)
		s3_place_release(out);
	return rc;
}

/* ---------------------------------------------------------------- in use */

bool
s3_place_move(struct s3_place *p, const char *region)
{
	if (!is_region(region) || strcmp(region, p->region) == 0)
		return false;
	free(p->region);
	p->region = mlb_strdup(region);
	if (!p->own && !p->google) {
		free(p->host);
		p->host = amazon_host(region);
	}
	return true;
}

void
s3_place_host(struct mlb_buf *out, const struct s3_place *p)
{
	if (p->virtual)
		mlb_buf_addf(out, "%s.", p->bucket);
	mlb_buf_adds(out, p->host);
}

void
s3_place_path(struct mlb_buf *out, const struct s3_place *p, const char *name)
{
	mlb_buf_addf(out, "%s/", p->base);
	if (!p->virtual)
		mlb_buf_addf(out, "%s%s", p->bucket, name ? "/" : "");
	if (name)
		mlb_buf_addf(out, "%s%s", p->prefix, name);
}
