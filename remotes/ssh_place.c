#include "remotes/ssh_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "mlbuild/sys/remote.h"
#include "remotes/sftp_packet.h"
#include "remotes/url.h"

void
mlb_ssh_place_release(struct mlb_ssh_place *p)
{
	free(p->user);
	free(p->host);
	free(p->port);
	free(p->path);
	*p = (struct mlb_ssh_place){ 0 };
}

static int
wrong(const char *url, const char *why, struct mlb_err *err)
{
	char shown[256];

	return mlb_err_set(err, MLB_EINVALID, "'%s': %s",
			   mlb_remote_url_shown(shown, sizeof(shown), url), why);
}

/* What a shell would take for more than a letter (OpenSSH refuses the same, since 9.6). */
static bool
is_user(const char *s)
{
	if (!*s || *s == '-')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || strchr("'`\"$\\;&<>|(){}@:/", *s))
			return false;
	return true;
}

/* A path below the home is relative there; '~' itself means nothing to SFTP. */
static int
set_path(struct mlb_ssh_place *out, const char *path, const char *url, struct mlb_err *err)
{
	size_t n;

	if (path[0] == '~' && (path[1] == '/' || !path[1]))
		path += 1 + strspn(path + 1, "/");
	else if (path[0] == '~')
		return wrong(url,
			     "give the directory of another user's home by its whole path, as the "
			     "server knows it",
			     err);
	else if (!*path)
		return wrong(url, "it names no directory; '~' is the home there", err);
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n > MLB_SFTP_PATH_MAX / 2)
		return wrong(url, "its path is longer than 2048 bytes", err);
	out->path = mlb_strndup(path, n);
	return MLB_OK;
}

static int
take(struct mlb_ssh_place *out, const struct mlb_url *u, const char *url, struct mlb_err *err)
{
	if (u->password)
		return wrong(url, "no password belongs here; let ssh use a key, or ask you", err);
	if (!*u->host)
		return wrong(url, "it names no host", err);
	if (u->user && !is_user(u->user))
		return wrong(url, "what stands before '@' is not the name of a user", err);
	if (!u->scp && strpbrk(url, "?#"))
		return wrong(url, "write '?' and '#' of a path as %3F and %23", err);
	out->user = u->user ? mlb_strdup(u->user) : NULL;
	out->host = mlb_strdup(u->host);
	out->port = u->port ? mlb_asprintf("%u", u->port) : NULL;
	return set_path(out, mlb_str_starts(u->path, "/~") && !u->scp ? u->path + 1 : u->path, url,
			err);
}

int
mlb_ssh_place_parse(struct mlb_ssh_place *out, const char *url, struct mlb_err *err)
{
	struct mlb_url u;
	int rc = mlb_url_parse(&u, url, err);

	*out = (struct mlb_ssh_place){ 0 };
	if (!rc)
		rc = take(out, &u, url, err);
	mlb_url_release(&u);
	if (rc)
		mlb_ssh_place_release(out);
	return rc;
}
