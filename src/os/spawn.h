/*
 * The only place that starts processes.
 *
 * 1. A child is started with vfork semantics: a large parent costs nothing.
 * 2. It leads its own process group, has /dev/null as stdin, and gets SIGKILL
 *    when the thread that started it dies (so start from the main thread). A
 *    program that speaks with us by its stdin, and asks the user by /dev/tty (ssh for
 *    a passphrase), is given in_fd and same_group: the terminal stops whoever reads
 *    from it in another group than the one in the foreground. It outlives the thread,
 *    and ends when its stdin does.
 * 3. Its environment carries MLBUILD_JOB=<id>, by which everything that it
 *    started can be found again, in whatever session or group it hides.  A
 *    mlbuild inside of a job puts the outer id and '/' before its own ids, so
 *    that they are found with it.  An empty id marks what is no job's and may outlive
 *    us, as the connection that ssh keeps open for its next start.
 * 4. Signal dispositions and the mask are reset; no descriptor above 2 leaks but
 *    those that are passed by name.
 */
#ifndef OS_SPAWN_H
#define OS_SPAWN_H

#include <sys/types.h>

#include "base/compat.h"
#include "mlbuild/err.h"

struct mlb_spawn {
	const char *const *argv; /* argv[0] is looked up in PATH of envp, relative entries from dir */
	const char *const *envp; /* whole environment, NULL-terminated, with MLBUILD_JOB in it */
	const char *dir;         /* working directory; NULL: the caller's */
	int out_fd;              /* becomes stdout and stderr */
	int err_fd;              /* -1: stderr goes to out_fd */
	int in_fd;               /* becomes stdin; 0: that is /dev/null */
	bool same_group;         /* it stays in our process group, and is signalled alone */
	const int *pass;         /* descriptors above 2 that it gets too, under their own numbers */
	size_t n_pass;
};

struct mlb_child {
	pid_t pid;       /* also the process group, but of one that stays in ours */
	int pidfd;       /* readable when the leader has ended; owned */
	uint64_t start;  /* start time from /proc/PID/stat, clock ticks after boot */
};

/* ENOENT or EACCES of exec are reported here, as MLB_ENOTFOUND naming argv[0]. */
int mlb_spawn(struct mlb_child *out, const struct mlb_spawn *what, struct mlb_err *err);

/* What became of a leader that has ended. */
struct mlb_exit {
	int code;          /* exit code, or -1 if a signal ended it */
	int signal;        /* or 0 */
	uint64_t max_rss;  /* bytes, leader and its waited-for children */
	uint64_t cpu_ns;   /* user and system */
};
int mlb_child_reap(struct mlb_exit *out, struct mlb_child *child, struct mlb_err *err); /* closes pidfd */
void mlb_child_signal(const struct mlb_child *child, int sig);  /* to the whole group */
void mlb_child_signal_alone(const struct mlb_child *child, int sig); /* before it is reaped */

/* Make this process a child subreaper, so that orphans of its jobs come to it. */
int mlb_spawn_subreaper(struct mlb_err *err);

/*
 * Kill (SIGKILL) and reap every process that belongs to the job: the group, and
 * whatever carries MLBUILD_JOB=<id> and is an orphan of ours.  The leader itself is
 * killed but left to mlb_child_reap; call this before it, while the group's number
 * cannot be anyone else's.  Gives up on the unkillable after 5 s.  Returns how many
 * were found alive.
 */
int mlb_spawn_kill_job(const char *id, pid_t group);

/* Clock ticks since boot, as in a process's start time. */
uint64_t mlb_spawn_ticks(void);

/*
 * Kill and reap orphans that mlb_spawn_kill_job cannot tell from other jobs'
 * processes: those in a group of their own (set -m), and those that dropped both
 * group and MLBUILD_JOB (env -i setsid …): children of ours in another session or group, started at or
 * after `since`.
 * Only while no job runs.
 */
int mlb_spawn_kill_strays(uint64_t since);

/*
 * Kill what is left of a job of a mlbuild that died: its group if its leader's
 * start time and the boot id still fit, and any process of this user with
 * MLBUILD_JOB=<id> in its environment.  Returns how many.
 */
int mlb_spawn_kill_survivors(const char *id, pid_t group, uint64_t start, const char *boot_id);

/*
 * Run to the end and collect stdout (what->out_fd is ignored; out->max bounds it), and
 * with it stderr, unless what->err_fd is a place for that. A timeout of 0 is none.
 */
struct mlb_buf;
int mlb_spawn_capture(struct mlb_buf *out, struct mlb_exit *status, const struct mlb_spawn *what,
		      uint64_t timeout_ns, struct mlb_err *err);

#endif
