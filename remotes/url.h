/*
 * URLs of remotes (RFC 3986, section 3), and what stands for one: an absolute path,
 * and [user@]host:path as scp(1) knows it.
 *
 * Ownership: mlb_url_release frees what mlb_url_parse has filled.
 */
#ifndef REMOTES_URL_H
#define REMOTES_URL_H

#include "base/buf.h"

#define MLB_URL_MAX 4096 /* bytes of a URL */

struct mlb_url {
	char *scheme;   /* in lower case; "" of an absolute path; "ssh" of host:path */
	char *user;     /* decoded; NULL: not said */
	char *password; /* the same */
	char *host;     /* without the brackets of [::1]; lower case, but of ssh; "": not said */
	unsigned port;  /* 0: not said */
	char *path;     /* decoded; as written of an absolute path and of host:path */
	char *raw_path; /* as written, up to '?' and '#' */
	char *query;    /* as written, without '?'; NULL: there is none */
	bool scp;       /* it was host:path, of which path may be relative */
};

/* MLB_EINVALID says what is wrong, without what is secret; out may be released all the same. */
int mlb_url_parse(struct mlb_url *out, const char *url, struct mlb_err *err);
void mlb_url_release(struct mlb_url *u);

/* Appends len bytes with %XX decoded; false: a bad one, or a byte that no name has (0 to 31, 127). */
bool mlb_url_decode(struct mlb_buf *out, const char *s, size_t len);

/* Appends s with all but A-Z a-z 0-9 - . _ ~ and the letters of `keep` as %XX. */
void mlb_url_encode(struct mlb_buf *out, const char *s, const char *keep);

/* How many bytes of url are a scheme that "://" follows; 0: it has none. */
size_t mlb_url_scheme_len(const char *url);

#endif
