/* Who we are to a server of HTTP: a token, or a user and a password (RFC 6750, RFC 7617). */
#ifndef REMOTES_HTTP_AUTH_H
#define REMOTES_HTTP_AUTH_H

#include "remotes/http.h"
#include "remotes/url.h"

struct mlb_http_auth {
	char *header; /* "Authorization: ..."; NULL: none */
	char *from;   /* where it is from, or what is missing: for a hint; never what it is */
};

/*
 * The first there is of: the token in the variable that `token_env` names; the user of
 * `user` or the URL, with the password in the variable that `password_env` names, else
 * the URL's, else that of ~/.netrc (NETRC names another file); an entry of ~/.netrc for
 * the host. The secrets are told to h. MLB_EINVALID: a token that no header can hold.
 */
int mlb_http_auth_init(struct mlb_http_auth *a, struct mlb_http *h,
		       const struct mlb_remote_config *c, const struct mlb_url *u,
		       struct mlb_err *err);
void mlb_http_auth_release(struct mlb_http_auth *a);

#endif
