/*
 * GNU make's jobserver (GNU make manual, "POSIX Jobserver Interaction"): as a
 * client where MAKEFLAGS names one (fifo:PATH, or R,W descriptors), as a server
 * otherwise, so that commands that run make share our slots.
 *
 * 1. A slot that is taken is given back with the byte that was read for it; which one is
 *    given back does not depend on who had it: our own is free last.
 * 2. A FIFO is served where the make in PATH knows that form (4.4 and later):
 *    older ones stop with an error when they see it, and get a pipe, whose two
 *    descriptors every command inherits.
 * 3. What we read is non-blocking, by a description of the pipe that is ours
 *    alone: that of the others waits, as they expect.
 */
#ifndef ENGINE_JOBSERVER_H
#define ENGINE_JOBSERVER_H

#include "base/buf.h"
#include "mlbuild/err.h"

struct mlb_jobserver;

/*
 * makeflags: value of MAKEFLAGS or NULL. Serves `jobs` slots (through a FIFO in dir, or
 * a pipe) if no server is named that can be reached. A server that is named and gone is
 * no error.
 */
int mlb_jobserver_open(struct mlb_jobserver **out, const char *makeflags, const char *dir,
		       unsigned jobs, struct mlb_err *err);
void mlb_jobserver_close(struct mlb_jobserver *j); /* gives back what it holds; removes its FIFO */
bool mlb_jobserver_take(struct mlb_jobserver *j,
			int *token); /* one slot without waiting; the first is implicit (-1) */
void mlb_jobserver_give(struct mlb_jobserver *j, int token);
int
mlb_jobserver_fd(const struct mlb_jobserver *j); /* readable: a token may be had; -1 if not needed */
/* What commands have to be started with, so that MAKEFLAGS is true; borrowed. */
const int *mlb_jobserver_descriptors(const struct mlb_jobserver *j, size_t *n);
const char *mlb_jobserver_makeflags(
	const struct mlb_jobserver *j); /* MAKEFLAGS for children, NULL: as it is; borrowed */

#endif
