#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/clock.h"

#define NOTE_MAX 512

static int
open_lock(int *fd, const char *path, bool exclusive, struct mlb_err *err)
{
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	/* A reader may share a lock in a directory that it cannot write. */
	if (*fd < 0 && !exclusive && (errno == EACCES || errno == EROFS))
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return mlb_err_errno(err, errno, "cannot open lock '%s'", path);
	return MLB_OK;
}

static void
read_note(struct mlb_buf *holder, int fd)
{
	char note[NOTE_MAX];
	ssize_t n = pread(fd, note, sizeof(note), 0);
	const char *end;

	mlb_buf_clear(holder);
	if (n <= 0)
		return;
	end = memchr(note, '\n', (size_t)n);
	mlb_buf_add(holder, note, end ? (size_t)(end - note) : (size_t)n);
}

/* The note is for people: that it cannot be written is no reason to fail. */
static void
write_note(int fd, const char *note)
{
	char line[NOTE_MAX];
	size_t n = note ? strcspn(note, "\n") : 0;

	n = MLB_MIN(n, sizeof(line) - 1);
	if (n)
		memcpy(line, note, n);
	line[n] = '\n';
	if (ftruncate(fd, 0) != 0 || pwrite(fd, line, n + 1, 0) < 0)
		return;
}

int
mlb_lock_try(struct mlb_lock *l, const char *path, bool exclusive, const char *note, bool *got,
	     struct mlb_buf *holder, struct mlb_err *err)
{
	int rc, fd;

	*got = false;
	rc = open_lock(&fd, path, exclusive, err);
	if (rc)
		return rc;
	if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			rc = mlb_err_errno(err, errno, "cannot lock '%s'", path);
		else if (holder)
			read_note(holder, fd);
		close(fd);
		return rc;
	}
	if (exclusive)
		write_note(fd, note);
	l->fd = fd;
	*got = true;
	return MLB_OK;
}

/*
 * flock(2) cannot be waited for together with a descriptor, so a thread waits in
 * it. Whoever leaves last frees this: a thread that was given up drops the lock
 * as soon as it has it.
 */
struct waiter {
	pthread_mutex_t mutex;
	int fd;
	int wake; /* eventfd: flock has returned */
	int how;
	int failed; /* errno of flock, 0: the lock is held */
	bool given_up;
	bool ended;
};

static void
free_waiter(struct waiter *w)
{
	if (w->fd >= 0)
		close(w->fd);
	if (w->wake >= 0)
		close(w->wake);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

static void *
wait_in_flock(void *arg)
{
	struct waiter *w = arg;
	uint64_t one = 1;
	int failed = flock(w->fd, w->how) ? errno : 0;
	bool last;

	pthread_mutex_lock(&w->mutex);
	w->failed = failed;
	w->ended = true;
	last = w->given_up;
	if (!last && write(w->wake, &one, sizeof(one)) < 0)
		w->failed = errno;
	pthread_mutex_unlock(&w->mutex);
	if (last)
		free_waiter(w);
	return NULL;
}

static int
begin_wait(struct waiter **out, int fd, bool exclusive, struct mlb_err *err)
{
	struct waiter *w = mlb_calloc(1, sizeof(*w));
	pthread_t thread;
	int rc;

	w->fd = fd;
	w->how = exclusive ? LOCK_EX : LOCK_SH;
	w->wake = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&w->mutex, NULL);
	rc = w->wake < 0 ? errno : pthread_create(&thread, NULL, wait_in_flock, w);
	if (rc) {
		free_waiter(w);
		return mlb_err_errno(err, rc, "cannot wait for a lock");
	}
	pthread_detach(thread);
	*out = w;
	return MLB_OK;
}

/* -1 for ever; then what poll(2) is still to wait. */
static int
left_ms(uint64_t began, int timeout_ms)
{
	uint64_t gone = (mlb_clock_mono() - began) / 1000000;

	if (timeout_ms < 0)
		return -1;
	return gone < (uint64_t)timeout_ms ? timeout_ms - (int)gone : 0;
}

/* Until the thread has ended, the other descriptor is readable, or time is over: has it ended? */
static bool
outwait(struct waiter *w, int cancel_fd, int timeout_ms)
{
	uint64_t began = mlb_clock_mono();
	struct pollfd p[2];
	bool ended;

	/* A negative descriptor is ignored. */
	p[0] = (struct pollfd){ .fd = w->wake, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
	while (poll(p, 2, left_ms(began, timeout_ms)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&w->mutex);
	ended = w->ended;
	w->given_up = !ended;
	pthread_mutex_unlock(&w->mutex);
	return ended;
}

int
mlb_lock_wait_fd(struct mlb_lock *l, int fd, bool exclusive, int cancel_fd, int timeout_ms,
		 bool *got, struct mlb_err *err)
{
	struct waiter *w = NULL;
	int rc;

	*got = false;
	/* A free lock needs no thread. */
	if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) {
		l->fd = fd;
		*got = true;
		return 0;
	}
	if (errno != EWOULDBLOCK || timeout_ms == 0) {
		rc = errno == EWOULDBLOCK ? 0 : mlb_err_errno(err, errno, "cannot lock a file");
		close(fd);
		return rc;
	}
	rc = begin_wait(&w, fd, exclusive, err);
	if (rc || !outwait(w, cancel_fd, timeout_ms))
		return rc;
	if (w->failed) {
		rc = mlb_err_errno(err, w->failed, "cannot lock a file");
	} else {
		l->fd = w->fd;
		w->fd = -1;
		*got = true;
	}
	free_waiter(w);
	return rc;
}

int
mlb_lock_wait(struct mlb_lock *l, const char *path, bool exclusive, const char *note, int cancel_fd,
	      struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	bool got = false;
	int fd, rc = open_lock(&fd, path, exclusive, err);

	if (rc)
		return rc;
	if (mlb_lock_wait_fd(l, fd, exclusive, cancel_fd, -1, &got, &why))
		rc = mlb_err_set(err, why.code, "'%s': %s", path, why.text);
	else if (!got)
		rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted while waiting for '%s'", path);
	else if (exclusive)
		write_note(l->fd, note);
	mlb_err_release(&why);
	return rc;
}

void
mlb_lock_release(struct mlb_lock *l)
{
	if (l->fd < 0)
		return;
	/* No note without a holder. Who shares the lock finds nothing to remove. */
	if (ftruncate(l->fd, 0) != 0)
		errno = 0;
	close(l->fd);
	l->fd = -1;
}
