#include "remotes/http.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "remotes/http_priv.h"

#define NS_PER_MS ((uint64_t)1000000)
#define IDLE_MAX ((size_t)64) /* handles that are kept */

/* ------------------------------------------------------------ an open remote */

/* A file that a key names; NULL: the key is not given. */
static int
file_key(char **out, const struct mlb_remote_config *c, const char *key, struct mlb_err *err)
{
	const char *path = c->get(c, key);
	const char *home = c->env(c, "HOME");

	*out = NULL;
	if (!path)
		return 0;
	*out = path[0] == '~' && path[1] == '/' && home ? mlb_asprintf("%s%s", home, path + 1)
							: mlb_strdup(path);
	if (**out != '/')
		return mlb_err_set(
			err, MLB_EINVALID,
			"%s of [remote %s] is a path that begins with '/' or '~/', not '%s'", key,
			c->name, path);
	if (access(*out, R_OK) == 0)
		return 0;
	return mlb_err_set(err, MLB_EINVALID, "%s of [remote %s] cannot be read: '%s': %s", key,
			   c->name, *out, strerror(errno));
}

static int
trusted(struct mlb_http *h, const struct mlb_remote_config *c, struct mlb_err *err)
{
	const char *file = c->env(c, "SSL_CERT_FILE"), *dir = c->env(c, "SSL_CERT_DIR");
	int rc = file_key(&h->ca_file, c, "ca", err);

	if (rc || h->ca_file)
		return rc;
	if (file && *file)
		h->ca_file = mlb_strdup(file);
	if (dir && *dir)
		h->ca_dir = mlb_strdup(dir);
	return 0;
}

int
mlb_http_new(struct mlb_http **out, const struct mlb_remote_config *c, unsigned most,
	     struct mlb_err *err)
{
	struct mlb_http *h = mlb_calloc(1, sizeof(*h));
	int rc;

	h->most = most;
	h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->wake_fd < 0) {
		rc = mlb_err_errno(err, errno, "cannot make an eventfd");
		goto out;
	}
	rc = trusted(h, c, err);
	if (rc)
		goto out;
	rc = file_key(&h->cert, c, "cert", err);
	if (!rc && h->cert)
		rc = file_key(&h->key, c, "key", err);
	if (rc)
		goto out;
	*out = h;
	h = NULL;
out:
	mlb_http_free(h);
	return rc;
}

void
mlb_http_free(struct mlb_http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->idle.n; i++)
		h->curl.easy_cleanup(h->idle.v[i]);
	mlb_vec_release(&h->idle);
	if (h->multi)
		h->curl.multi_cleanup(h->multi);
	if (h->loaded)
		mlb_curl_unload(&h->curl);
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	free(h->cert);
	free(h->key);
	free(h->ca_file);
	free(h->ca_dir);
	for (size_t i = 0; i < h->secret.n; i++)
		explicit_bzero(h->secret.v[i], strlen(h->secret.v[i]));
	mlb_strvec_release(&h->secret);
	free(h);
}

void
mlb_http_secret(struct mlb_http *h, const char *text)
{
	if (text && *text)
		mlb_strvec_push(&h->secret, text);
}

/* ------------------------------------------------------------ requests */

void
mlb_http_request_init(struct mlb_http_request *q)
{
	memset(q, 0, sizeof(*q));
	mlb_buf_init(&q->url, (size_t)16 * 1024);
	mlb_buf_init(&q->answer, SIZE_MAX);
	mlb_buf_init(&q->head, (size_t)32 * 1024);
	q->answer_max = MLB_HTTP_ANSWER_MAX;
	q->want = UINT64_MAX;
}

void
mlb_http_request_release(struct mlb_http_request *q)
{
	mlb_buf_release(&q->url);
	mlb_strvec_release(&q->header);
	mlb_buf_release(&q->answer);
	mlb_buf_release(&q->head);
	mlb_err_release(&q->err);
}

void
mlb_http_request_clear(struct mlb_http_request *q)
{
	struct mlb_remote_op *op = q->op;
	void *ctx = q->ctx;

	mlb_http_request_release(q);
	mlb_http_request_init(q);
	q->op = op;
	q->ctx = ctx;
}

void
mlb_http_header(struct mlb_http_request *q, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	mlb_vec_push(&q->header, text);
}

const char *
mlb_http_answered(const struct mlb_http_request *q, const char *name)
{
	const char *s = q->head.data, *end = s + q->head.len;

	while (s < end) {
		const char *value = s + strlen(s) + 1;

		if (!strcasecmp(s, name))
			return value;
		s = value + strlen(value) + 1;
	}
	return NULL;
}

/* ------------------------------------------------------------ begin and end */

static bool
load(struct mlb_http *h, struct mlb_buf *why)
{
	if (!h->loaded && !mlb_curl_load(&h->curl, why))
		return false;
	h->loaded = true;
	if (h->multi)
		return true;
	h->multi = h->curl.multi_init();
	if (!h->multi) {
		mlb_buf_adds(why, "libcurl cannot be used: there is no memory or descriptor left");
		return false;
	}
	h->curl.multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)h->most);
	h->curl.multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->most);
	h->curl.multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return true;
}

/* false: why is in the request. */
static bool
begin(struct mlb_http *h, struct mlb_http_work *w)
{
	struct mlb_buf why = MLB_BUF_INIT(512);
	CURLMcode code;

	if (!load(h, &why)) {
		mlb_http_fail(w->q, MLB_FAULT_OTHER, "%s", mlb_buf_str(&why));
		mlb_buf_release(&why);
		return false;
	}
	w->easy = h->idle.n ? h->idle.v[--h->idle.n] : h->curl.easy_init();
	if (!w->easy) {
		mlb_http_fail(w->q, MLB_FAULT_OTHER, "libcurl has no memory left");
		return false;
	}
	if (!mlb_http_setup(h, w))
		return false;
	code = h->curl.multi_add_handle(h->multi, w->easy);
	if (code == CURLM_OK)
		return true;
	mlb_http_fail(w->q, MLB_FAULT_OTHER, "libcurl cannot begin a request: %s",
		      h->curl.multi_strerror(code));
	return false;
}

static void
chain(struct mlb_http_work **list, struct mlb_http_work *w)
{
	w->prev = NULL;
	w->next = *list;
	if (w->next)
		w->next->prev = w;
	*list = w;
}

static void
unchain(struct mlb_http_work **list, struct mlb_http_work *w)
{
	if (w->next)
		w->next->prev = w->prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		*list = w->next;
}

/* Let go of what belongs to libcurl; the handle may be used again. */
static void
drop_easy(struct mlb_http *h, struct mlb_http_work *w)
{
	if (w->easy && h->idle.n < IDLE_MAX) {
		h->curl.easy_reset(w->easy);
		mlb_vec_push(&h->idle, w->easy);
	} else if (w->easy) {
		h->curl.easy_cleanup(w->easy);
	}
	w->easy = NULL;
	if (w->headers)
		h->curl.slist_free_all(w->headers);
	w->headers = NULL;
}

void
mlb_http_later(struct mlb_http *h, struct mlb_http_request *q)
{
	struct mlb_http_work *w = mlb_calloc(1, sizeof(*w));

	w->http = h;
	w->q = q;
	q->work = w;
	chain(&h->lost, w);
}

void
mlb_http_start(struct mlb_http *h, struct mlb_http_request *q)
{
	struct mlb_http_work *w = mlb_calloc(1, sizeof(*w));

	w->http = h;
	w->q = q;
	q->work = w;
	if (begin(h, w)) {
		chain(&h->going, w);
		return;
	}
	drop_easy(h, w);
	chain(&h->lost, w);
}

/* The request is told, and w is gone. */
static void
tell(struct mlb_http_work *w)
{
	struct mlb_http_request *q = w->q;

	q->work = NULL;
	free(w);
	q->done(q);
}

static void
end(struct mlb_http *h, struct mlb_http_work *w, CURLcode result)
{
	h->curl.multi_remove_handle(h->multi, w->easy);
	mlb_http_judge(h, w, result);
	unchain(&h->going, w);
	drop_easy(h, w);
	tell(w);
}

void
mlb_http_cancel(struct mlb_http *h, struct mlb_http_request *q)
{
	struct mlb_http_work *w = q->work;

	if (!w)
		return;
	if (w->easy) {
		h->curl.multi_remove_handle(h->multi, w->easy);
		unchain(&h->going, w);
	} else {
		unchain(&h->lost, w);
	}
	drop_easy(h, w);
	mlb_http_fail(q, MLB_FAULT_CANCELLED, "interrupted");
	tell(w);
}

/* ------------------------------------------------------------ waiting */

void
mlb_http_wake(struct mlb_http *h)
{
	uint64_t one = 1;
	ssize_t n = write(h->wake_fd, &one, sizeof(one));

	(void)n; /* full: it is awake already */
}

/* Ends everything: libcurl itself gave up. */
static int
give_up(struct mlb_http *h, CURLMcode code, struct mlb_err *err)
{
	while (h->going) {
		struct mlb_http_work *w = h->going;

		h->curl.multi_remove_handle(h->multi, w->easy);
		unchain(&h->going, w);
		drop_easy(h, w);
		mlb_http_fail(w->q, MLB_FAULT_OTHER, "libcurl failed: %s",
			      h->curl.multi_strerror(code));
		tell(w);
	}
	return mlb_err_set(err, MLB_EREMOTE, "libcurl failed: %s", h->curl.multi_strerror(code));
}

/* Move what can move, and tell what ended. */
static int
move(struct mlb_http *h, bool *ended, struct mlb_err *err)
{
	CURLMsg *m;
	CURLMcode code;
	int running, left;

	while (h->lost) {
		struct mlb_http_work *w = h->lost;

		unchain(&h->lost, w);
		tell(w);
		*ended = true;
	}
	if (!h->multi)
		return 0;
	code = h->curl.multi_perform(h->multi, &running);
	if (code != CURLM_OK)
		return give_up(h, code, err);
	while ((m = h->curl.multi_info_read(h->multi, &left)) != NULL) {
		struct mlb_http_work *w = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		h->curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&w);
		end(h, w, m->data.result);
		*ended = true;
	}
	return 0;
}

/* Until something can move, somebody woke us (*woken), or ms have passed (-1: no limit). */
static int
rest(struct mlb_http *h, int ms, bool *woken, struct mlb_err *err)
{
	struct curl_waitfd also = { .fd = h->wake_fd, .events = CURL_WAIT_POLLIN };
	struct pollfd only = { .fd = h->wake_fd, .events = POLLIN };
	uint64_t count;
	CURLMcode code;

	if (h->multi) {
		code = h->curl.multi_poll(h->multi, &also, 1, ms < 0 ? INT_MAX : ms, NULL);
		if (code != CURLM_OK)
			return give_up(h, code, err);
	} else if (poll(&only, 1, ms) < 0 && errno != EINTR) {
		return mlb_err_errno(err, errno, "poll");
	}
	*woken = read(h->wake_fd, &count, sizeof(count)) > 0;
	return 0;
}

int
mlb_http_wait(struct mlb_http *h, int timeout, struct mlb_err *err)
{
	uint64_t until = timeout < 0 ? 0 : mlb_clock_mono() + (uint64_t)timeout * NS_PER_MS;

	for (;;) {
		bool ended = false, woken = false;
		int left = timeout;
		int rc = move(h, &ended, err);

		if (rc || ended)
			return rc;
		if (timeout > 0) {
			uint64_t now = mlb_clock_mono();

			left = now >= until ? 0 : (int)((until - now) / NS_PER_MS) + 1;
		}
		rc = left ? rest(h, left, &woken, err) : 0;
		if (rc || woken || !left)
			return rc;
	}
}
