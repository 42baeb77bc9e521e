/*
 * Remotes on a server of WebDAV (RFC 4918): https://host/directory, http:// alike.
 *
 * 1. A PUT goes to a name of its own in DAV_TMP, the server is asked how much it has,
 *    and MOVE gives it its name (webdav_put.c); nothing is changed in place, so that it
 *    does not matter whether the server shows half a body that is on its way.
 * 2. Of several with if_absent one succeeds as surely as the server's own MOVE with
 *    "Overwrite: F" looks and renames at once.
 * 3. The directory of the URL must be there; those below it are made as they are needed.
 */
#include <stdlib.h>
#include <string.h>

#include "remotes/backends.h"
#include "remotes/fault.h"
#include "remotes/webdav_int.h"

#define MOST 64
#define URL_KEPT "/!$&'()*+,;=:@" /* of a path, as RFC 3986 has it */

/* ------------------------------------------------------------ requests */

void
dav_ask_by(struct dav *d, struct mlb_http_request *q, const char *method, const char *name,
	   const char *slash)
{
	mlb_http_request_clear(q);
	q->method = method;
	mlb_buf_addf(&q->url, "%s%s%s%s", d->url, *name ? "/" : "", name, slash);
	if (d->auth.header)
		mlb_http_header(q, "%s", d->auth.header);
}

void
dav_ask(struct dav_job *j, const char *method, const char *name, const char *slash,
	void (*done)(struct mlb_http_request *q))
{
	dav_ask_by(j->dav, &j->q, method, name, slash);
	j->q.done = done;
}

bool
dav_is_dir(const struct mlb_http_request *q, const char *name)
{
	const char *to = q->status / 100 == 3 ? mlb_http_answered(q, "Location") : NULL;
	size_t len = to ? strcspn(to, "?#") : 0, n = strlen(name);

	return q->status == 405 ||
	       (len > n && to[len - 1] == '/' && !memcmp(to + len - 1 - n, name, n));
}

bool
dav_is_absent(const struct mlb_http_request *q, const char *name)
{
	return q->status == 404 || q->status == 410 || dav_is_dir(q, name);
}

void
dav_outcome(struct dav_job *j)
{
	bool cancelled = j->q.fault == MLB_FAULT_CANCELLED;

	if (!j->op)
		return;
	mlb_http_outcome(&j->q, j->op);
	if (j->op->rc && !cancelled)
		mlb_err_wrap(&j->op->err, "remote '%s'", j->dav->name);
}

void
dav_end(struct dav_job *j)
{
	struct mlb_remote_op *op = j->op;

	if (!op)
		j->dav->own = NULL;
	mlb_http_request_release(&j->q);
	dav_list_free(j->list);
	free(j->delete);
	free(j->temp);
	free(j);
	if (!op)
		return;
	op->backend = NULL;
	op->done(op);
}

/* ------------------------------------------------------------ GET and STAT */

static void look(struct dav_job *j);

static void
looked(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;

	/* Somewhere else, which is not the name with '/' behind it: that would be a directory. */
	if (q->status / 100 == 3 && !dav_is_dir(q, op->name) && !j->dav->auth.header && !j->again) {
		j->again = true;
		look(j);
		return;
	}
	if (dav_is_absent(q, op->name))
		mlb_http_fail(q, MLB_FAULT_ABSENT, "there is no '%s'", op->name);
	else if (!q->rc && op->verb == MLB_REMOTE_STAT && !mlb_http_size(q, &op->total))
		mlb_http_fail(q, MLB_FAULT_OTHER, "the server does not tell the size of '%s'",
			      op->name);
	if (!q->rc)
		op->mtime = mlb_http_time(q, "Last-Modified");
	dav_outcome(j);
	dav_end(j);
}

static void
look(struct dav_job *j)
{
	bool get = j->op->verb == MLB_REMOTE_GET;

	dav_ask(j, get ? "GET" : "HEAD", j->op->name, "", looked);
	if (get)
		mlb_http_get(&j->q, j->op);
	if (j->again)
		j->q.flags |= MLB_HTTP_FOLLOW;
	mlb_http_start(j->dav->http, &j->q);
}

/* ------------------------------------------------------------ the backend */

static void
dav_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct dav_job *j = mlb_calloc(1, sizeof(*j));

	mlb_remote_begin(op);
	op->backend = j;
	j->op = op;
	j->dav = (struct dav *)r;
	mlb_http_request_init(&j->q);
	j->q.ctx = j;
	switch (op->verb) {
	case MLB_REMOTE_GET:
	case MLB_REMOTE_STAT:
		look(j);
		break;
	case MLB_REMOTE_PUT:
		dav_put(j);
		break;
	case MLB_REMOTE_LIST:
		dav_list(j);
		break;
	case MLB_REMOTE_DELETE:
		dav_delete(j);
		break;
	}
}

static int
dav_wait(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	return mlb_http_wait(((struct dav *)r)->http, timeout, err);
}

static void
dav_wake(struct mlb_remote *r)
{
	mlb_http_wake(((struct dav *)r)->http);
}

static void
cancel_job(struct dav *d, struct dav_job *j)
{
	j->cancelled = true;
	if (j->delete)
		dav_delete_cancel(j);
	else
		mlb_http_cancel(d->http, &j->q);
}

static void
dav_cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	cancel_job((struct dav *)r, op->backend);
}

static void
dav_close(struct mlb_remote *r)
{
	struct dav *d = (struct dav *)r;

	if (!d)
		return;
	if (d->own)
		cancel_job(d, d->own);
	mlb_http_free(d->http);
	mlb_http_auth_release(&d->auth);
	free(d->name);
	free(d->url);
	free(d->dir);
	free(d);
}

/* The URL as requests need it: without a user, and with a path that is encoded in one way. */
static int
take_url(struct dav *d, const struct mlb_url *u, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(SIZE_MAX / 2);
	bool v6 = strchr(u->host, ':') != NULL;
	size_t n = strlen(u->path);
	char *path, *slash;

	if (!*u->host)
		return mlb_err_set(err, MLB_EINVALID, "the url has no host");
	if (u->query)
		return mlb_err_set(err, MLB_EINVALID,
				   "the url of a WebDAV server has no query ('?')");
	while (n && u->path[n - 1] == '/')
		n--;
	path = mlb_strndup(u->path, n);
	slash = strrchr(path, '/');
	d->dir = mlb_strdup(slash ? slash + 1 : "");
	mlb_buf_addf(&b, "%s://%s%s%s", u->scheme, v6 ? "[" : "", u->host, v6 ? "]" : "");
	if (u->port)
		mlb_buf_addf(&b, ":%u", u->port);
	mlb_url_encode(&b, path, URL_KEPT);
	d->url = mlb_buf_detach(&b);
	free(path);
	return 0;
}

static int
dav_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct dav *d = mlb_calloc(1, sizeof(*d));
	struct mlb_url u;
	int rc = mlb_url_parse(&u, c->url, err);

	d->base.backend = &mlb_remote_webdav;
	d->name = mlb_strdup(c->name);
	if (!rc)
		rc = take_url(d, &u, err);
	if (rc)
		mlb_err_wrap(err, "remote '%s'", c->name);
	else
		rc = mlb_http_new(&d->http, c, MOST, err);
	if (!rc)
		rc = mlb_http_auth_init(&d->auth, d->http, c, &u, err);
	mlb_url_release(&u);
	if (rc) {
		dav_close(&d->base);
		return rc;
	}
	*out = &d->base;
	return 0;
}

static const char *
dav_hint(struct mlb_remote *r, enum mlb_remote_fault fault)
{
	return fault == MLB_FAULT_DENIED ? ((struct dav *)r)->auth.from : NULL;
}

static const char *const schemes[] = { "http", "https", NULL };
static const char *const keys[] = { "ca", "cert", "key", "password_env", "token_env", "user", NULL };

const struct mlb_remote_backend mlb_remote_webdav = {
	.abi = MLB_REMOTE_ABI,
	.name = "webdav",
	.summary = "a directory of a WebDAV server: https://HOST/PATH, http://HOST/PATH",
	.schemes = schemes,
	.keys = keys,
	.most = MOST,
	.open = dav_open,
	.start = dav_start,
	.wait = dav_wait,
	.wake = dav_wake,
	.cancel = dav_cancel,
	.close = dav_close,
	.hint = dav_hint,
};
