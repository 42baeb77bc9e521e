#include "remotes/http_auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "os/fs.h"
#include "remotes/netrc.h"

#define NETRC_MAX ((size_t)1024 * 1024)

static void
wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
mlb_http_auth_release(struct mlb_http_auth *a)
{
	wipe(a->header);
	free(a->from);
	a->header = a->from = NULL;
}

/* Nothing that would end a header, or begin another one. */
static bool
is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static int
by_token(struct mlb_http_auth *a, struct mlb_http *h, const struct mlb_remote_config *c,
	 const char *name, struct mlb_err *err)
{
	const char *token = c->env(c, name);

	if (!token || !*token) {
		a->from = mlb_asprintf("token_env names %s, which is not set in the environment",
				       name);
		return 0;
	}
	if (!is_plain(token))
		return mlb_err_set(err, MLB_EINVALID,
				   "remote '%s': the environment variable %s holds no token: it "
				   "has a line's end or another control character",
				   c->name, name);
	mlb_http_secret(h, token);
	a->header = mlb_asprintf("Authorization: Bearer %s", token);
	a->from = mlb_asprintf("the token is from the environment variable %s", name);
	return 0;
}

/* ~/.netrc, or the file that NETRC names; empty where there is none. */
static void
read_netrc(struct mlb_buf *out, const struct mlb_remote_config *c)
{
	const char *home = c->env(c, "HOME"), *other = c->env(c, "NETRC");
	char *path = other && *other ? mlb_strdup(other)
				     : mlb_asprintf("%s/.netrc", home ? home : "");
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_fs_read(out, path, &err))
		mlb_buf_clear(out);
	mlb_err_release(&err);
	free(path);
}

static void
by_netrc(struct mlb_http_auth *a, struct mlb_netrc *found, const struct mlb_remote_config *c,
	 const struct mlb_url *u, const char *user)
{
	struct mlb_buf text = MLB_BUF_INIT(NETRC_MAX);

	read_netrc(&text, c);
	if (mlb_netrc_find(found, mlb_buf_str(&text), u->host, user))
		a->from = mlb_asprintf("user and password are those of .netrc for %s", u->host);
	else if (user)
		a->from = mlb_asprintf(
			"there is no password for '%s': set password_env, or write it into .netrc",
			user);
	else
		a->from = mlb_strdup(
			"no credentials are known: set user and password_env, token_env, or cert and key");
	if (text.data)
		explicit_bzero(text.data, text.len);
	mlb_buf_release(&text);
}

static void
set_basic(struct mlb_http_auth *a, struct mlb_http *h, const char *user, const char *password)
{
	struct mlb_buf header = MLB_BUF_INIT(SIZE_MAX / 2);
	char *both = mlb_asprintf("%s:%s", user, password);

	mlb_http_secret(h, password);
	mlb_buf_adds(&header, "Authorization: Basic ");
	mlb_base64_add(&header, both, strlen(both));
	a->header = mlb_buf_detach(&header);
	wipe(both);
}

static void
by_password(struct mlb_http_auth *a, struct mlb_http *h, const struct mlb_remote_config *c,
	    const struct mlb_url *u)
{
	const char *user = c->get(c, "user");
	const char *name = c->get(c, "password_env");
	const char *password = name ? c->env(c, name) : u->password;
	struct mlb_netrc found = { NULL, NULL };

	if (!user && u->user && *u->user)
		user = u->user;
	if (user && password)
		a->from = mlb_asprintf("the user is '%s', the password from %s%s", user,
				       name ? "the environment variable " : "the url",
				       name ? name : "");
	else if (name && !password)
		a->from = mlb_asprintf("password_env names %s, which is not set in the environment",
				       name);
	else if (name)
		a->from = mlb_strdup("password_env is given without user");
	else
		by_netrc(a, &found, c, u, user);
	if (found.password)
		set_basic(a, h, user ? user : found.user ? found.user : "", found.password);
	else if (user && password)
		set_basic(a, h, user, password);
	mlb_netrc_release(&found);
}

int
mlb_http_auth_init(struct mlb_http_auth *a, struct mlb_http *h, const struct mlb_remote_config *c,
		   const struct mlb_url *u, struct mlb_err *err)
{
	const char *token = c->get(c, "token_env");

	a->header = a->from = NULL;
	if (token)
		return by_token(a, h, c, token, err);
	by_password(a, h, c, u);
	return 0;
}
