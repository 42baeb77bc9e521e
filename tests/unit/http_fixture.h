/*
 * A server of HTTP that says what a test gives it: one thread, one connection at a time,
 * each request answered by a function, and the connection closed behind the answer.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>

#include "mlbuild/sys/remote.h"

struct fake_server {
	int fd;
	unsigned port;
	pthread_t thread;
	pthread_mutex_t lock; /* held while answer is called, and by whoever changes or reads what it uses */
	/* Append the answer to a request, which is NUL-terminated, to out: bytes as they are sent. */
	void (*answer)(struct fake_server *s, const struct mlb_buf *request, struct mlb_buf *out);
	void *ctx;
};

/* The number behind "Content-Length:", 0 where there is none. */
static inline size_t
fake_length(const char *request)
{
	const char *s = strcasestr(request, "\r\nContent-Length:");

	return s ? (size_t)strtoul(s + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static inline bool
fake_read(int fd, struct mlb_buf *request)
{
	char room[4096];
	ssize_t n;

	while ((n = read(fd, room, sizeof(room))) > 0) {
		const char *end;

		mlb_buf_add(request, room, (size_t)n);
		end = strstr(mlb_buf_str(request), "\r\n\r\n");
		if (end && request->len >= (size_t)(end + 4 - request->data) + fake_length(request->data))
			return true;
	}
	return false;
}

/*
 * The last answer says that the connection ends behind it: whoever kept it for the next
 * request would find it dead, at once or only when that was sent.
 */
static inline void
fake_say_close(struct mlb_buf *out)
{
	struct mlb_buf said = MLB_BUF_INIT(MLB_MIB * 16);
	const char *line = out->data, *next, *end;

	if (!out->len) /* nothing is behind an empty text */
		return;
	while ((next = strstr(line + 1, "HTTP/1.")) != NULL)
		line = next;
	end = !strncmp(line, "HTTP/1.", 7) ? strstr(line, "\r\n") : NULL;
	if (!end)
		return;
	end += 2;
	mlb_buf_add(&said, out->data, (size_t)(end - out->data));
	mlb_buf_adds(&said, "Connection: close\r\n");
	mlb_buf_add(&said, end, out->len - (size_t)(end - out->data));
	mlb_buf_release(out);
	*out = said;
}

static inline void *
fake_serve(void *ctx)
{
	struct fake_server *s = ctx;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		struct mlb_buf request = MLB_BUF_INIT(MLB_MIB * 16), out = MLB_BUF_INIT(MLB_MIB * 16);

		if (fake_read(fd, &request)) {
			pthread_mutex_lock(&s->lock);
			s->answer(s, &request, &out);
			pthread_mutex_unlock(&s->lock);
		}
		fake_say_close(&out);
		for (size_t at = 0; at < out.len;) {
			ssize_t n = send(fd, out.data + at, out.len - at, MSG_NOSIGNAL);

			if (n <= 0)
				break;
			at += (size_t)n;
		}
		shutdown(fd, SHUT_RDWR);
		close(fd);
		mlb_buf_release(&request);
		mlb_buf_release(&out);
	}
	return NULL;
}

static inline void
fake_start(struct fake_server *s,
	   void (*answer)(struct fake_server *s, const struct mlb_buf *request, struct mlb_buf *out),
	   void *ctx)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->answer = answer;
	s->ctx = ctx;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, fake_serve, s), 0);
}

static inline void
fake_stop(struct fake_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
}

/* A config of pairs: keys, and names of the environment; both end with NULL. */
struct fake_config {
	struct mlb_remote_config c;
	const char *const *keys, *const *env;
};

static inline const char *
fake_find(const char *const *pairs, const char *name)
{
	for (; pairs && *pairs; pairs += 2)
		if (!strcmp(*pairs, name))
			return pairs[1];
	return NULL;
}

static inline const char *
fake_get(const struct mlb_remote_config *c, const char *key)
{
	return fake_find(((const struct fake_config *)c->ctx)->keys, key);
}

static inline const char *
fake_env(const struct mlb_remote_config *c, const char *name)
{
	return fake_find(((const struct fake_config *)c->ctx)->env, name);
}

static inline const struct mlb_remote_config *
fake_config_init(struct fake_config *f, const char *url, const char *const *keys,
		 const char *const *env)
{
	f->c = (struct mlb_remote_config){ "team", url, fake_get, fake_env, f };
	f->keys = keys;
	f->env = env;
	return &f->c;
}

#endif
