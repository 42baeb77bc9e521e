/* What the files that implement spawn.h share. Not for others. */
#ifndef OS_SPAWN_PRIV_H
#define OS_SPAWN_PRIV_H

#include <sys/types.h>

#include "base/compat.h"

/* What matters of /proc/PID/stat (proc(5)). */
struct mlb_proc {
	char state; /* Z: a zombie */
	pid_t ppid, pgrp, session;
	uint64_t start; /* clock ticks after boot */
};

bool mlb_proc_read(struct mlb_proc *out, pid_t pid); /* false: there is no such process */
uint64_t mlb_proc_start(pid_t pid);                  /* 0: there is no such process */

const char *mlb_spawn_job_id(const char *const *envp); /* of MLBUILD_JOB; NULL without. Borrowed */

#endif
