/*
 * Where a URL of the ssh backend leads:
 *
 *	ssh://[user@]host[:port]/path    absolute; /~/path: below the user's home there
 *	[user@]host:path                 as scp has it: below the home, or absolute
 *
 * Nothing in it can become an option of ssh, or a word of a shell that the user's
 * ssh configuration starts (ProxyCommand, Match exec) with the host's name.
 */
#ifndef REMOTES_SSH_PLACE_H
#define REMOTES_SSH_PLACE_H

#include "base/compat.h"
#include "mlbuild/err.h"

struct mlb_ssh_place {
	char *user; /* NULL: as ssh's configuration says */
	char *host;
	char *port; /* NULL: the same */
	char *path; /* without a '/' at its end, but for "/" itself; "": the home */
};

/* MLB_EINVALID says what is wrong. On success the caller releases it. */
int mlb_ssh_place_parse(struct mlb_ssh_place *out, const char *url, struct mlb_err *err);
void mlb_ssh_place_release(struct mlb_ssh_place *p);

#endif
