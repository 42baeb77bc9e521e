/* Running a small command to its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/clock.h"
#include "os/fs_priv.h"
#include "os/spawn.h"
#include "os/spawn_priv.h"

/* Take what the pipe holds now; false at its end, or when the buffer is full. */
static bool
take(struct mlb_buf *out, int fd)
{
	char part[16384];

	for (;;) {
		ssize_t n = mlb_fd_read(fd, part, sizeof(part));

		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		mlb_buf_add(out, part, (size_t)n);
		if (out->full)
			return false;
	}
}

static int
wait_ms(uint64_t deadline)
{
	uint64_t now = mlb_clock_mono();

	if (now >= deadline)
		return 0;
	return (int)MLB_MIN((deadline - now) / 1000000 + 1, 1000000);
}

/*
 * Read until the leader has ended. Whoever still holds the other end of the pipe
 * then is no longer waited for.
 */
static int
collect(struct mlb_buf *out, const struct mlb_child *child, int fd, const char *name,
	uint64_t timeout_ns, struct mlb_err *err)
{
	uint64_t now = mlb_clock_mono();
	uint64_t deadline = timeout_ns && timeout_ns < UINT64_MAX - now ? now + timeout_ns
									: UINT64_MAX;
	struct pollfd p[2] = { { .fd = child->pidfd, .events = POLLIN },
			       { .fd = fd, .events = POLLIN } };

	do {
		int n = poll(p, 2, deadline == UINT64_MAX ? -1 : wait_ms(deadline));

		if (n < 0 && errno != EINTR)
			return mlb_err_errno(err, errno, "cannot wait for '%s'", name);
		if (n > 0 && p[1].revents && !take(out, fd))
			p[1].fd = -1;
		if (out->full)
			return mlb_err_set(err, MLB_ETOOBIG, "'%s' printed more than %zu bytes",
					   name, out->max);
		if (n == 0 && mlb_clock_mono() >= deadline)
			return mlb_err_set(err, MLB_EFAILED, "'%s' took longer than %llu ms", name,
					   (unsigned long long)(timeout_ns / 1000000));
		if (n <= 0)
			p[0].revents = 0;
	} while (!p[0].revents);
	if (p[1].fd >= 0)
		take(out, fd);
	return mlb_buf_check(out, "output of a command", err);
}

int
mlb_spawn_capture(struct mlb_buf *out, struct mlb_exit *status, const struct mlb_spawn *what,
		  uint64_t timeout_ns, struct mlb_err *err)
{
	struct mlb_spawn mine = *what;
	const char *id = mlb_spawn_job_id(what->envp);
	struct mlb_child child;
	int fd[2], rc, reaped;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return mlb_err_errno(err, errno, "cannot make a pipe");
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	mine.out_fd = fd[1];
	rc = mlb_spawn(&child, &mine, err);
	close(fd[1]);
	if (rc)
		goto out;
	rc = collect(out, &child, fd[0], what->argv[0], timeout_ns, err);
	/* Ends the leader too if it has not ended by itself. */
	if (id)
		mlb_spawn_kill_job(id, child.pid);
	else
		mlb_child_signal(&child, SIGKILL);
	reaped = mlb_child_reap(status, &child, err);
	if (!rc)
		rc = reaped;
out:
	close(fd[0]);
	return rc;
}
