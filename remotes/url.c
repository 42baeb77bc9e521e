#include "remotes/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "mlbuild/sys/remote.h"

#define PORT_MAX 65535

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool
mlb_url_decode(struct mlb_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_value(s[i + 1]) : -1;
			int low = high >= 0 ? hex_value(s[i + 2]) : -1;

			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (is_control(c))
			return false;
		mlb_buf_addc(out, c);
	}
	return !out->full;
}

void
mlb_url_encode(struct mlb_buf *out, const char *s, const char *keep)
{
	for (; *s; s++) {
		if (strchr(letters, *s) || strchr(digits, *s) || strchr("-._~", *s) ||
		    strchr(keep, *s))
			mlb_buf_addc(out, *s);
		else
			mlb_buf_addf(out, "%%%02X", (unsigned char)*s);
	}
}

size_t
mlb_url_scheme_len(const char *url)
{
	size_t n = strspn(url, letters);

	if (!n)
		return 0;
	while (url[n] &&
	       (strchr(letters, url[n]) || strchr(digits, url[n]) || strchr("+-.", url[n])))
		n++;
	return strncmp(url + n, "://", 3) ? 0 : n;
}

static char *
lower(const char *s, size_t len)
{
	char *out = mlb_strndup(s, len);

	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	return out;
}

/* ---------------------------------------------------------- shown */

/* Something that is not written out: where a port should be are other things. */
static bool
is_port(const char *s, size_t len)
{
	return strspn(s, digits) >= len;
}

/*
 * Of "user:password@host:port" what may be shown. Where a password holds a '/' the
 * URL is wrong, but what follows the ':' is a secret all the same: no port, not shown.
 */
static void
add_authority(struct mlb_buf *b, const char *s, size_t len, bool with_user)
{
	const char *at = memrchr(s, '@', len);
	const char *host = at ? at + 1 : s;
	size_t host_len = len - (size_t)(host - s);
	const char *colon = *host == '[' ? NULL : memchr(host, ':', host_len);

	if (at && with_user) {
		const char *end = memchr(s, ':', (size_t)(at - s));

		mlb_buf_add(b, s, (size_t)((end ? end : at) - s));
		mlb_buf_addc(b, '@');
	}
	if (colon && !is_port(colon + 1, host_len - (size_t)(colon + 1 - host)))
		mlb_buf_addf(b, "%.*s:...", (int)(colon - host), host);
	else
		mlb_buf_add(b, host, host_len);
}

static void
add_shown(struct mlb_buf *b, const char *url)
{
	size_t scheme = mlb_url_scheme_len(url);
	const char *rest = url + scheme + 3;
	size_t end;

	if (!scheme) {
		/* A path, host:path or NAME:path; of user:password@host nothing but the host. */
		size_t n = strcspn(url, "/");
		const char *at = memrchr(url, '@', n);
		bool secret = at && memchr(url, ':', (size_t)(at - url));

		mlb_buf_adds(b, secret ? at + 1 : url);
		return;
	}
	end = strcspn(rest, "/?#");
	mlb_buf_add(b, url, scheme + 3);
	add_authority(b, rest, end,
		      !strncmp(url, "ssh:", scheme + 1) || !strncmp(url, "sftp:", scheme + 1));
	/* A '@' after a port that is none belongs to a password. */
	if (mlb_str_ends(mlb_buf_str(b), ":..."))
		return;
	rest += end;
	mlb_buf_add(b, rest, strcspn(rest, "?#"));
}

const char *
mlb_remote_url_shown(char *out, size_t size, const char *url)
{
	struct mlb_buf b = MLB_BUF_INIT(SIZE_MAX / 2);
	size_t n;

	if (!size)
		return out;
	add_shown(&b, url);
	n = MLB_MIN(b.len, size - 1);
	for (size_t i = 0; i < n; i++)
		out[i] = is_control(b.data[i]) ? '?' : b.data[i];
	out[n] = '\0';
	mlb_buf_release(&b);
	return out;
}

/* ---------------------------------------------------------- parsed */

static int
wrong(const char *url, const char *why, struct mlb_err *err)
{
	char shown[256];

	return mlb_err_set(err, MLB_EINVALID, "'%s' is not a URL: %s",
			   mlb_remote_url_shown(shown, sizeof(shown), url), why);
}

static char *
decoded(const char *s, size_t len)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_URL_MAX + 1);

	if (mlb_url_decode(&b, s, len))
		return mlb_buf_detach(&b);
	mlb_buf_release(&b);
	return NULL;
}

static bool
parse_userinfo(struct mlb_url *u, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t user_len = colon ? (size_t)(colon - s) : len;

	u->user = decoded(s, user_len);
	if (colon)
		u->password = decoded(colon + 1, len - user_len - 1);
	return u->user && (u->password || !colon);
}

/* NULL, or what is wrong. */
static const char *
parse_port(struct mlb_url *u, const char *s, size_t len)
{
	uint64_t port = 0;

	if (!len)
		return NULL; /* "host:" is allowed (RFC 3986, section 3.2.3) */
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return "a port is a number (write ':' and '@' of a password as %3A and %40)";
		port = port * 10 + (uint64_t)(s[i] - '0');
		if (port > PORT_MAX)
			return "a port is at most 65535";
	}
	if (!port)
		return "there is no port 0";
	u->port = (unsigned)port;
	return NULL;
}

static bool
is_host_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(letters, s[i]) && !strchr(digits, s[i]) && !strchr("-._~", s[i]))
			return false;
	return !len || *s != '-'; /* which programs would take for an option */
}

static bool
is_ipv6(const char *s, size_t len)
{
	size_t zone = 0;

	while (zone < len && s[zone] != '%')
		zone++;
	for (size_t i = 0; i < zone; i++)
		if (hex_value(s[i]) < 0 && s[i] != ':' && s[i] != '.')
			return false;
	return len && (zone == len || is_host_name(s + zone + 1, len - zone - 1));
}

/* To ssh a host may be a word of its configuration, where Host patterns know upper case. */
static char *
host_of(const struct mlb_url *u, const char *s, size_t len)
{
	return strcmp(u->scheme, "ssh") ? lower(s, len) : mlb_strndup(s, len);
}

/* host, host:port, [address] and [address]:port. NULL, or what is wrong. */
static const char *
parse_host(struct mlb_url *u, const char *s, size_t len)
{
	const char *end = s + len;
	const char *after;

	if (len && *s == '[') {
		const char *bracket = memchr(s, ']', len);

		if (!bracket || !is_ipv6(s + 1, (size_t)(bracket - s - 1)))
			return "between '[' and ']' stands an IPv6 address";
		u->host = host_of(u, s + 1, (size_t)(bracket - s - 1));
		after = bracket + 1;
		if (after < end && *after != ':')
			return "after ']' comes ':' and a port, or '/'";
	} else {
		after = memchr(s, ':', len);
		after = after ? after : end;
		if (!is_host_name(s, (size_t)(after - s)))
			return "a host has letters, digits, '.', '-' and '_' only";
		u->host = host_of(u, s, (size_t)(after - s));
	}
	return after < end ? parse_port(u, after + 1, (size_t)(end - after - 1)) : NULL;
}

static const char *
parse_full(struct mlb_url *u, const char *url, size_t scheme)
{
	const char *s = url + scheme + 3;
	size_t len = strcspn(s, "/?#");
	const char *at = memrchr(s, '@', len);
	const char *why;

	u->scheme = lower(url, scheme);
	if (at && !parse_userinfo(u, s, (size_t)(at - s)))
		return "user or password have a bad %XX";
	if (u->user && *u->user == '-')
		return "a user's name does not begin with '-'";
	why = at ? parse_host(u, at + 1, len - (size_t)(at + 1 - s)) : parse_host(u, s, len);
	if (why)
		return why;
	s += len;
	len = strcspn(s, "?#");
	u->raw_path = mlb_strndup(s, len);
	u->path = decoded(s, len);
	if (!u->path)
		return "its path has a bad %XX";
	if (s[len] == '?')
		u->query = mlb_strndup(s + len + 1, strcspn(s + len + 1, "#"));
	return NULL;
}

/* [user@]host:path, of which host may be [address]. */
static const char *
parse_scp(struct mlb_url *u, const char *url)
{
	size_t len = strcspn(url, "/");
	const char *at = memchr(url, '@', len);
	const char *host = at ? at + 1 : url;
	const char *from = *host == '[' ? strchr(host, ']') : host;
	const char *colon = from ? strchr(from, ':') : NULL;
	const char *why;

	if (!colon || colon > url + len || colon == host)
		return "it is neither an absolute path, nor SCHEME://..., nor HOST:PATH";
	u->scp = true;
	u->scheme = mlb_strdup("ssh");
	if (at)
		u->user = mlb_strndup(url, (size_t)(at - url));
	if (u->user && (!*u->user || *u->user == '-' || strchr(u->user, ':')))
		return "before '@' stands a user's name";
	why = parse_host(u, host, (size_t)(colon - host));
	u->path = mlb_strdup(colon + 1);
	u->raw_path = mlb_strdup(colon + 1);
	return why;
}

int
mlb_url_parse(struct mlb_url *out, const char *url, struct mlb_err *err)
{
	size_t scheme = mlb_url_scheme_len(url);
	const char *why = NULL;

	*out = (struct mlb_url){ .scheme = NULL };
	if (strlen(url) > MLB_URL_MAX)
		return wrong("", "it is longer than 4096 bytes", err);
	for (const char *c = url; *c && !why; c++)
		if (is_control(*c))
			why = "it has a control character";
	if (why)
		return wrong(url, why, err);
	if (*url == '/') {
		out->scheme = mlb_strdup("");
		out->path = mlb_strdup(url);
		out->raw_path = mlb_strdup(url);
	} else {
		why = scheme ? parse_full(out, url, scheme) : parse_scp(out, url);
	}
	if (!out->host)
		out->host = mlb_strdup("");
	return why ? wrong(url, why, err) : 0;
}

void
mlb_url_release(struct mlb_url *u)
{
	/* What was a secret does not stay in memory that is used again. */
	if (u->password)
		explicit_bzero(u->password, strlen(u->password));
	free(u->scheme);
	free(u->user);
	free(u->password);
	free(u->host);
	free(u->path);
	free(u->raw_path);
	free(u->query);
	*u = (struct mlb_url){ .scheme = NULL };
}
