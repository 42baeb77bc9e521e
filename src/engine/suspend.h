/*
 * Commands that stop and go on with the program (Ctrl-Z), with all that they have started.
 *
 * 1. mlb_suspend and mlb_continue may be called from a signal handler or another
 *    thread: they touch nothing but what is here, and make system calls. Not both at once.
 * 2. A group is in the table from right after its start until it is reaped, so no
 *    number in it is anybody else's. The builder's thread alone adds and removes.
 * 3. The time between is no time of the commands: no timeout runs, and durations
 *    are without it.
 */
#ifndef ENGINE_SUSPEND_H
#define ENGINE_SUSPEND_H

#include <stdatomic.h>
#include <sys/types.h>

#include "mlbuild/err.h"
#include "os/family.h"

enum { MLB_MAX_GROUPS = 4096 }; /* commands beyond so many at once go on */

struct mlb_suspension {
	atomic_int *group;              /* MLB_MAX_GROUPS of them; 0: free */
	atomic_uint n_groups;           /* how many of the first may be in use */
	atomic_uint_least64_t since;    /* monotonic ns; 0: not suspended */
	atomic_uint_least64_t total_ns; /* suspended so far */
	int wake_fd;                    /* readable: it went on */
	struct mlb_family family;       /* who left the groups */
};

int mlb_suspension_init(struct mlb_suspension *s, struct mlb_err *err);
void mlb_suspension_release(struct mlb_suspension *s);

/* A group was started: stopped at once while suspended. */
void mlb_suspension_add(struct mlb_suspension *s, pid_t group);
void mlb_suspension_remove(struct mlb_suspension *s, pid_t group);

#endif
