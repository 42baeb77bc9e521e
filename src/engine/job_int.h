/* Shared by job.c, job_end.c, job_env.c and job_exit.c. */
#ifndef ENGINE_JOB_INT_H
#define ENGINE_JOB_INT_H

#include "engine/job_files.h"
#include "engine/job_log.h"

#define MLB_JOB_MAX_TEXT                                                                           \
	((size_t)100 *                                                                             \
	 1024) /* longer commands run from a script: Linux takes 128 KiB as one argument */

enum job_state { JOB_NEW = 0, JOB_RUNNING, JOB_ENDED, JOB_CLOSED };

struct mlb_job {
	struct mlb_arena arena;
	struct mlb_jobfiles files;
	struct mlb_joblog log;
	struct mlb_journal *journal;
	unsigned slot;
	bool journaled; /* the slot is ours */
	enum job_state state;
	struct mlb_child child;
	int out_fd; /* read end of the pipe, -1 at its end */
	const char *scratch;
	const char *part; /* as in the spec */
	uint64_t started, deadline;
	uint64_t timeout_ns;
	int64_t started_wall;
	int stopping; /* 0, or how often mlb_job_stop was called */
	bool timed_out;
	struct mlb_buf reason;
	struct mlb_buf kept, log_path; /* relative to the project */
};

/* After the last process of the job has gone: read what is left in the pipe, and close it. */
void mlb_job_drain(struct mlb_job *j);

/* The caller's environment with these changes, MLBUILD_JOB and PWD; strings are borrowed or in the arena. */
const char *const *mlb_job_env(struct mlb_arena *arena, const char *const *change, const char *id,
			       const char *dir);

/* As mlb_job_argv, but always through the shell. */
void mlb_job_shell_argv(struct mlb_strvec *argv, const char *shell, const char *command,
			const char *script_path);

#endif
