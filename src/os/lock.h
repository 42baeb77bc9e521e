/* flock(2) with a note of who holds it. The kernel drops the lock with the process: no lock is ever stale. */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include "base/buf.h"

struct mlb_lock {
	int fd; /* -1: not held */
};
#define MLB_LOCK_INIT { -1 }

/* *got false: another process holds it, and `holder` (may be NULL) is replaced by its note. note is one line. */
int mlb_lock_try(struct mlb_lock *l, const char *path, bool exclusive, const char *note, bool *got,
		 struct mlb_buf *holder, struct mlb_err *err);
/* Waits until it is free, or (MLB_EINTERRUPTED) until cancel_fd is readable; -1: no such descriptor. */
int mlb_lock_wait(struct mlb_lock *l, const char *path, bool exclusive, const char *note, int cancel_fd,
		  struct mlb_err *err);
/*
 * The same for a file that is open, for at most so many ms (-1: for ever). fd is taken: *l has it, or it is closed.
 * *got false: time was over, or cancel_fd became readable.
 */
int mlb_lock_wait_fd(struct mlb_lock *l, int fd, bool exclusive, int cancel_fd, int timeout_ms, bool *got,
		     struct mlb_err *err);
void mlb_lock_release(struct mlb_lock *l);

#endif
