/*
 * One command from start to end: a root to run in, old outputs set aside, the
 * process, its output, and what happens to the files afterwards. It knows
 * nothing of graphs, keys or caches.
 *
 * 1. Before anything is changed the job is written down (journal.h), so that the
 *    next mlbuild can undo it whatever happens to this one.
 * 2. Old outputs are set aside by rename, not deleted, until the new ones are accepted.
 * 3. After success the caller accepts (old outputs are dropped) or rejects.
 * 4. After failure or rejection the old outputs return to their places, and what
 *    the command left is kept in .mlbuild/failed/NAME/.
 * 5. When a job has ended no process that it started is alive.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "base/arena.h"
#include "base/buf.h"
#include "graph/graph.h"
#include "os/spawn.h"

struct mlb_journal;

struct mlb_job_output {
	const char *path; /* relative to the root */
	uint8_t kind;     /* enum mlb_g_okind */
	const char *
		keep; /* absolute: where the old output goes instead of being dropped, NULL: drop it */
};

struct mlb_job_spec {
	const char *name; /* node, for .mlbuild/failed/NAME and messages */
	const char *part; /* of several commands of this name, which: said of one that fails; NULL */
	const char *root;       /* absolute: the workspace or a private root */
	const char *state_dir;  /* absolute: the project's .mlbuild */
	const char *dir;        /* relative to root */
	const char *shell;      /* prefix words, "" for the default */
	const char *command;    /* ready to start; may be above 100 KB */
	const char *const *env; /* NAME=VALUE to set; NAME alone to unset; NULL-terminated */
	const char *const
		*secret; /* values (not names) to mask in the log and events; NULL-terminated */
	const int *pass; /* descriptors it gets under their own numbers */
	size_t n_pass;
	const struct mlb_job_output *output;
	size_t n_outputs;
	const char *scratch; /* absolute directory to make, "" without */
	uint64_t timeout_ns; /* 0: none */
	size_t max_log;      /* bytes kept of the captured output (first half and last half) */
};

struct mlb_job;

/* How it ended. */
struct mlb_job_end {
	bool ok; /* exit 0 and every output is there */
	bool timed_out;
	bool cancelled;
	bool no; /* exit 1 to 125 (a check's "no") */
	struct mlb_exit exit;
	uint64_t started_wall, duration_ns;
	const char *reason;  /* for people; borrowed from the job; "" if ok */
	const char *missing; /* the output that was not made, "" */
};

/*
 * Set aside, make parents, start. On failure nothing has changed. A command
 * that does not exist starts all the same and ends with exit code 127, as the
 * shell says it; MLB_ENOTFOUND comes only when the shell itself is not there.
 * journal may be NULL (tests).
 */
int mlb_job_start(struct mlb_job **out, const struct mlb_job_spec *spec,
		  struct mlb_journal *journal, struct mlb_err *err);

int mlb_job_pidfd(const struct mlb_job *j); /* readable: the leader ended */
int mlb_job_output_fd(
	const struct mlb_job *j); /* readable: there is output; non-blocking; -1 at its end */
uint64_t mlb_job_deadline(const struct mlb_job *j); /* monotonic ns, 0: none */

/*
 * Read what is there. fn (may be NULL) is called once per whole line (masked,
 * without its line feed; of a line that was overwritten by carriage returns the
 * last state). False at the end of the output. Call it once more after
 * mlb_job_finish for what was drained there, the last unfinished line included.
 */
bool mlb_job_read(struct mlb_job *j, void (*fn)(void *ctx, const char *text, size_t len),
		  void *ctx);
/* Of a line that has no end yet the last state, masked; borrowed until the next read; *len 0: there is none. */
const char *mlb_job_unended(const struct mlb_job *j, size_t *len);

pid_t mlb_job_group(const struct mlb_job *j); /* its process group */

/* It was stopped for so long: no time of its timeout, nor of its duration. */
void mlb_job_skip(struct mlb_job *j, uint64_t ns);

/* Stop it: SIGTERM to the group, SIGKILL at the deadline this sets (2 s; later calls: at once). why: timeout or cancel. */
void mlb_job_stop(struct mlb_job *j, bool timed_out);

/* Call when the pidfd is readable: reaps, kills what is left of it, drains output, looks for the outputs. */
int mlb_job_finish(struct mlb_job *j, struct mlb_job_end *end, struct mlb_err *err);

/* Absolute: where what it leaves is kept when it fails. */
void mlb_job_failed_dir(struct mlb_buf *out, const struct mlb_job *j);
const char *mlb_job_log(struct mlb_job *j, size_t *len); /* captured output; borrowed */
const char *
mlb_job_kept(const struct mlb_job *j); /* ".mlbuild/failed/NAME" if a reject kept something, "" */
const char *mlb_job_log_path(
	const struct mlb_job *j); /* ".mlbuild/logs/NAME.log", written by reject; "" before */

/* The outputs are taken: drop the old ones, and the scratch directory. */
int mlb_job_accept(struct mlb_job *j, struct mlb_err *err);
/* Put the old outputs back; keep_outputs (a check's "no"): the new ones stay and the old are dropped. */
int mlb_job_reject(struct mlb_job *j, bool keep_outputs, struct mlb_err *err);
void mlb_job_free(struct mlb_job *j); /* rejects if neither was called */

/*
 * What is started: the command's own words where no shell is needed, else the
 * shell's words and the text. A command above 100 KB (script_path given) runs
 * as `SHELL SCRIPT`: the shell's last word loses the letter that takes a text
 * (-ec becomes -e, -c goes).
 */
void mlb_job_argv(struct mlb_strvec *argv, const char *shell, const char *command,
		  const char *script_path);

/* Why a command failed, for people. The log may name what was not found. */
void mlb_job_explain_exit(struct mlb_buf *out, const struct mlb_exit *x, const char *log,
			  size_t len);

#endif
