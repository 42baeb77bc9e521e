/*
 * All that a program's commands have started, wherever it went, stopped and let go on.
 *
 * 1. mlb_family_stop and mlb_family_continue may be called from a signal handler: they
 *    use nothing but system calls and what was allocated before. Not two of them at once.
 * 2. A command's descendants are found by their parents; of those whose parents have
 *    ended, which are our children then (mlb_spawn_subreaper), by the MLBUILD_JOB that
 *    they carry. Other children of the program are left alone.
 * 3. Who was stopped before stays so when the others go on.
 *
 * Ownership: whoever initialises it releases it.
 */
#ifndef OS_FAMILY_H
#define OS_FAMILY_H

#include <stdatomic.h>
#include <sys/types.h>

struct mlb_kin;

struct mlb_family {
	struct mlb_kin *all; /* processes of the machine, while we look */
	struct mlb_kin *stopped; /* by us */
	unsigned n_stopped;
	char *text;          /* what is read of /proc */
	char *own;           /* MLBUILD_JOB=… of this program itself; "" */
};

void mlb_family_init(struct mlb_family *f);
void mlb_family_release(struct mlb_family *f);

/* leader: pids of the commands, 0 entries are passed over. */
void mlb_family_stop(struct mlb_family *f, const atomic_int *leader, unsigned n);
void mlb_family_continue(struct mlb_family *f);

#endif
