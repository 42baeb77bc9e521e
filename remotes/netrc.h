/* ~/.netrc: users and passwords by host, as ftp(1), curl(1) and git know it. */
#ifndef REMOTES_NETRC_H
#define REMOTES_NETRC_H

#include "base/buf.h"

struct mlb_netrc {
	char *user, *password; /* owned; NULL: not said */
};

/*
 * The first entry of a text for the host, or its `default`; user (may be NULL): only
 * entries of that user, or of none. false: there is none.
 */
bool mlb_netrc_find(struct mlb_netrc *out, const char *text, const char *host, const char *user);
void mlb_netrc_release(struct mlb_netrc *n);

#endif
