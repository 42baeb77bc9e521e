#include "remotes/sftp_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "os/clock.h"

#define IN_SIZE (MLB_SFTP_PACKET_MAX + 4 + 64 * (size_t)1024)
#define OUT_SIZE (16 * MLB_MIB) /* never reached: who asks looks at mlb_sftp_link_unsent */
#define GENTLY_NS UINT64_C(2000000000)

void
mlb_sftp_link_init(struct mlb_sftp_link *l)
{
	*l = (struct mlb_sftp_link){ .child = { .pidfd = -1 }, .sock = -1, .stderr_fd = -1 };
	mlb_buf_init(&l->out, OUT_SIZE);
	mlb_buf_init(&l->words, (size_t)2 * MLB_SFTP_WORDS_MAX);
}

bool
mlb_sftp_link_runs(const struct mlb_sftp_link *l)
{
	return l->sock >= 0;
}

size_t
mlb_sftp_link_unsent(const struct mlb_sftp_link *l)
{
	return l->out.len - l->out_at;
}

/*
 * Our environment; and where we run in no job, the mark of what is no job's either: a
 * connection that ssh shares (ControlPersist) outlives us.
 */
static void
environment(struct mlb_strvec *out)
{
	for (char **e = environ; *e; e++)
		mlb_strvec_push(out, *e);
	if (!getenv("MLBUILD_JOB"))
		mlb_strvec_push(out, "MLBUILD_JOB=");
	mlb_vec_push(out, NULL);
}

/* What begins anew with a new ssh. */
static void
reset(struct mlb_sftp_link *l)
{
	mlb_buf_clear(&l->out);
	mlb_buf_clear(&l->words);
	l->out_at = l->in_at = l->in_len = 0;
	l->ended = false;
	l->heard = mlb_clock_mono();
	if (!l->in)
		l->in = mlb_alloc(IN_SIZE);
}

int
mlb_sftp_link_start(struct mlb_sftp_link *l, const char *const *argv, struct mlb_err *err)
{
	struct mlb_spawn what = { .argv = argv, .same_group = true };
	struct mlb_strvec env = MLB_VEC_INIT;
	int sock[2] = { -1, -1 }, said[2] = { -1, -1 }, rc = MLB_OK;

	reset(l);
	/* A socket, because writing to a pipe that nobody reads raises SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) != 0 ||
	    pipe2(said, O_CLOEXEC) != 0) {
		rc = mlb_err_errno(err, errno, "cannot make a pipe for '%s'", argv[0]);
	} else {
		environment(&env);
		what.envp = (const char *const *)env.v;
		what.in_fd = what.out_fd = sock[1];
		what.err_fd = said[1];
		rc = mlb_spawn(&l->child, &what, err);
		env.n--; /* the NULL */
		mlb_strvec_release(&env);
	}
	for (int i = rc ? 0 : 1; i < 2; i++) {
		if (sock[i] >= 0)
			close(sock[i]);
		if (said[i] >= 0)
			close(said[i]);
	}
	if (rc)
		return rc;
	fcntl(sock[0], F_SETFL, O_NONBLOCK);
	fcntl(said[0], F_SETFL, O_NONBLOCK);
	l->sock = sock[0];
	l->stderr_fd = said[0];
	return MLB_OK;
}

void
mlb_sftp_link_poll(const struct mlb_sftp_link *l, struct pollfd *p)
{
	p[0] = (struct pollfd){ .fd = l->sock, .events = POLLIN };
	if (mlb_sftp_link_unsent(l))
		p[0].events |= POLLOUT;
	p[1] = (struct pollfd){ .fd = l->stderr_fd, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = l->child.pidfd, .events = POLLIN };
}

void
mlb_sftp_link_send(struct mlb_sftp_link *l)
{
	while (mlb_sftp_link_runs(l) && mlb_sftp_link_unsent(l)) {
		ssize_t n = send(l->sock, l->out.data + l->out_at, mlb_sftp_link_unsent(l),
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* what goes wrong is seen when reading */
		l->out_at += (size_t)n;
	}
	if (!mlb_sftp_link_unsent(l)) {
		mlb_buf_clear(&l->out);
		l->out_at = 0;
	} else if (l->out_at > 256 * MLB_KIB) {
		size_t left = mlb_sftp_link_unsent(l);

		memmove(l->out.data, l->out.data + l->out_at, left);
		mlb_buf_truncate(&l->out, left);
		l->out_at = 0;
	}
}

/* Keep the end of what ssh prints. */
static void
read_words(struct mlb_sftp_link *l)
{
	char part[MLB_SFTP_WORDS_MAX];
	ssize_t n = -1;

	while (l->stderr_fd >= 0) {
		n = read(l->stderr_fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		mlb_buf_add(&l->words, part, (size_t)n);
		if (l->words.len > MLB_SFTP_WORDS_MAX) {
			size_t over = l->words.len - MLB_SFTP_WORDS_MAX;

			memmove(l->words.data, l->words.data + over, MLB_SFTP_WORDS_MAX);
			mlb_buf_truncate(&l->words, MLB_SFTP_WORDS_MAX);
		}
	}
	if (l->stderr_fd >= 0 && !(n < 0 && errno == EAGAIN)) {
		close(l->stderr_fd);
		l->stderr_fd = -1;
	}
}

/* Fill what is free of `in`; false where nothing more will come. */
static bool
read_packets(struct mlb_sftp_link *l)
{
	if (l->in_at) {
		l->in_len -= l->in_at;
		memmove(l->in, l->in + l->in_at, l->in_len);
		l->in_at = 0;
	}
	while (l->in_len < IN_SIZE) {
		ssize_t n = recv(l->sock, l->in + l->in_len, IN_SIZE - l->in_len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		l->in_len += (size_t)n;
		l->heard = mlb_clock_mono();
	}
	return true;
}

void
mlb_sftp_link_receive(struct mlb_sftp_link *l, const struct pollfd *p)
{
	size_t before = l->in_len - l->in_at;

	if (p[1].revents)
		read_words(l);
	if ((p[0].revents & (POLLIN | POLLHUP | POLLERR)) && !read_packets(l))
		l->ended = true;
	/* Whoever shares the connection may hold the socket still, but it brings nothing. */
	if (p[2].revents && l->in_len - l->in_at == before)
		l->ended = true;
}

int
mlb_sftp_link_next(struct mlb_sftp_packet *out, struct mlb_sftp_link *l)
{
	int64_t n = mlb_sftp_take(out, l->in + l->in_at, l->in_len - l->in_at);

	if (n < 0)
		return -1;
	l->in_at += (size_t)n;
	return n > 0;
}

void
mlb_sftp_link_junk(char *out, size_t size, const struct mlb_sftp_link *l)
{
	size_t n = MLB_MIN(l->in_len - l->in_at, size - 1);

	for (size_t i = 0; i < n; i++) {
		uint8_t c = l->in[l->in_at + i];

		out[i] = (char)(c >= ' ' && c < 0x7f ? c : '.');
	}
	out[n] = '\0';
}

/* Until it has ended, or time is over. What it still says is not lost. */
static bool
wait_for_end(struct mlb_sftp_link *l, uint64_t deadline, bool flush)
{
	struct pollfd p[MLB_SFTP_LINK_FDS];
	uint64_t now;

	while ((now = mlb_clock_mono()) < deadline) {
		if (flush)
			mlb_sftp_link_send(l);
		if (flush && !mlb_sftp_link_unsent(l)) {
			shutdown(l->sock, SHUT_WR); /* the end of ssh's stdin: it ends too */
			flush = false;
		}
		mlb_sftp_link_poll(l, p);
		if (!flush)
			p[0].events = POLLIN;
		if (l->ended)
			p[0].fd = -1;
		if (poll(p, MLB_SFTP_LINK_FDS, (int)((deadline - now) / 1000000) + 1) < 0)
			continue;
		if (p[2].revents)
			return true;
		mlb_sftp_link_receive(l, p);
		l->in_at = l->in_len; /* answers to what nobody waits for */
	}
	return false;
}

void
mlb_sftp_link_stop(struct mlb_exit *out, struct mlb_sftp_link *l, bool gently)
{
	*out = (struct mlb_exit){ .code = -1 };
	if (!mlb_sftp_link_runs(l))
		return;
	/* One that closed its stdout is about to end, and its exit code tells something. */
	if ((!gently && !l->ended) || !wait_for_end(l, mlb_clock_mono() + GENTLY_NS, gently))
		mlb_child_signal_alone(&l->child, SIGKILL);
	mlb_child_reap(out, &l->child, NULL);
	read_words(l);
	if (l->stderr_fd >= 0)
		close(l->stderr_fd);
	close(l->sock);
	l->sock = l->stderr_fd = -1;
}

void
mlb_sftp_link_release(struct mlb_sftp_link *l)
{
	mlb_buf_release(&l->out);
	mlb_buf_release(&l->words);
	free(l->in);
	l->in = NULL;
}
