#include "engine/job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/job_int.h"
#include "engine/journal.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/path.h"

#define READ_SIZE 65536 /* what a pipe holds */
#define MAX_DRAIN 64    /* reads after the end: a stray writer must not hold us up */
#define GRACE_NS ((uint64_t)2000000000) /* between SIGTERM and SIGKILL */
#define ID_BYTES 16

/* -------------------------------------------------------------- starting */

/* Inside a job of another mlbuild its id comes first: what ends that job ends ours too. */
static int
new_id(struct mlb_job *j, struct mlb_err *err)
{
	const char *outer = getenv("MLBUILD_JOB");
	uint8_t raw[ID_BYTES];
	char hex[2 * ID_BYTES + 1];
	int rc = mlb_machine_random(raw, sizeof(raw), err);

	if (rc)
		return rc;
	mlb_hex_encode(hex, raw, sizeof(raw));
	j->files.job = mlb_jobfiles_is_job(outer) ? mlb_arena_printf(&j->arena, "%s/%s", outer, hex)
						  : mlb_arena_strdup(&j->arena, hex);
	j->files.id = strrchr(j->files.job, '/') ? strrchr(j->files.job, '/') + 1 : j->files.job;
	return 0;
}

static struct mlb_job *
job_new(const struct mlb_job_spec *spec, struct mlb_journal *journal)
{
	struct mlb_job *j = mlb_calloc(1, sizeof(*j));

	j->journal = journal;
	j->out_fd = -1;
	j->child.pidfd = -1;
	j->timeout_ns = spec->timeout_ns;
	j->scratch = mlb_arena_strdup(&j->arena, spec->scratch ? spec->scratch : "");
	j->files.arena = &j->arena;
	j->files.name = mlb_arena_strdup(&j->arena, spec->name);
	j->part = spec->part ? mlb_arena_strdup(&j->arena, spec->part) : NULL;
	j->files.root = mlb_arena_strdup(&j->arena, spec->root);
	j->files.state_dir = mlb_arena_strdup(&j->arena, spec->state_dir);
	for (size_t i = 0; i < spec->n_outputs; i++) {
		struct mlb_jobfile f = { .kind = spec->output[i].kind };
		f.path = mlb_arena_strdup(&j->arena, spec->output[i].path);
		if (spec->output[i].keep)
			f.keep = mlb_arena_strdup(&j->arena, spec->output[i].keep);
		mlb_vec_push(&j->files.file, f);
	}
	mlb_joblog_init(&j->log, spec->max_log, spec->secret);
	mlb_buf_init(&j->reason, 64 * MLB_KIB);
	mlb_buf_init(&j->kept, PATH_MAX);
	mlb_buf_init(&j->log_path, PATH_MAX);
	return j;
}

/* Files in their places: written down first, then moved. */
static int
prepare(struct mlb_job *j, struct mlb_err *err)
{
	int rc = new_id(j, err);

	if (rc == 0)
		rc = mlb_jobfiles_look(&j->files, err);
	if (rc == 0 && j->journal) {
		rc = mlb_journal_begin(j->journal, &j->slot, &j->files, err);
		j->journaled = rc == 0;
	}
	if (rc)
		return rc;
	j->state = JOB_ENDED; /* from here on there is something to undo */
	rc = mlb_jobfiles_set_aside(&j->files, err);
	if (rc == 0 && j->scratch[0] && access(j->scratch, F_OK) != 0)
		rc = mlb_fs_mkdirs(j->scratch, err);
	return rc;
}

static int
write_script(struct mlb_job *j, const char *command, struct mlb_buf *path, struct mlb_err *err)
{
	int rc = mlb_jobfiles_make_aside(&j->files, err);

	if (rc)
		return rc;
	mlb_jobfiles_aside_dir(path, &j->files);
	mlb_buf_adds(path, "/script");
	return mlb_fs_write(mlb_buf_str(path), command, strlen(command), false, err);
}

static int
open_pipe(struct mlb_job *j, int *write_end, struct mlb_err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) != 0)
		return mlb_err_errno(err, errno, "cannot make a pipe");
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK) != 0) {
		int e = errno;
		close(fd[0]);
		close(fd[1]);
		return mlb_err_errno(err, e, "cannot make a pipe non-blocking");
	}
	j->out_fd = fd[0];
	*write_end = fd[1];
	return 0;
}

/* Start the command; one that is not there is left to the shell, which says so and exits with 127. */
static int
spawn(struct mlb_job *j, const struct mlb_job_spec *spec, const char *script, int fd,
      struct mlb_err *err)
{
	struct mlb_err first = MLB_ERR_INIT;
	struct mlb_strvec argv = MLB_VEC_INIT;
	struct mlb_spawn what = {
		.out_fd = fd, .err_fd = -1, .pass = spec->pass, .n_pass = spec->n_pass
	};
	struct mlb_buf dir = MLB_BUF_INIT(PATH_MAX);
	int rc;

	mlb_path_join(&dir, j->files.root, strcmp(spec->dir, ".") == 0 ? "" : spec->dir);
	while (dir.len > 1 && dir.data[dir.len - 1] == '/')
		mlb_buf_truncate(&dir, dir.len - 1);
	mlb_job_argv(&argv, spec->shell, spec->command, script);
	mlb_vec_push(&argv, NULL);
	what.argv = (const char *const *)argv.v;
	what.envp = mlb_job_env(&j->arena, spec->env, j->files.job, mlb_buf_str(&dir));
	what.dir = mlb_buf_str(&dir);
	rc = mlb_spawn(&j->child, &what, &first);
	if (rc == MLB_ENOTFOUND && spec->shell[0] == '\0' && !script) {
		mlb_strvec_release(&argv);
		mlb_job_shell_argv(&argv, spec->shell, spec->command, NULL);
		mlb_vec_push(&argv, NULL);
		what.argv = (const char *const *)argv.v;
		mlb_err_release(&first);
		rc = mlb_spawn(&j->child, &what, &first);
	}
	if (rc)
		rc = mlb_err_set(err, first.code, "%s", first.text);
	mlb_err_release(&first);
	mlb_strvec_release(&argv);
	mlb_buf_release(&dir);
	return rc;
}

static int
start(struct mlb_job *j, const struct mlb_job_spec *spec, struct mlb_err *err)
{
	struct mlb_buf script = MLB_BUF_INIT(PATH_MAX);
	int fd = -1, rc = 0;

	if (strlen(spec->command) > MLB_JOB_MAX_TEXT)
		rc = write_script(j, spec->command, &script, err);
	if (rc == 0)
		rc = open_pipe(j, &fd, err);
	if (rc == 0)
		rc = spawn(j, spec, script.len ? script.data : NULL, fd, err);
	if (fd >= 0)
		close(fd);
	mlb_buf_release(&script);
	if (rc)
		return rc;
	j->state = JOB_RUNNING;
	j->started = mlb_clock_mono();
	j->started_wall = mlb_clock_wall();
	j->deadline = j->timeout_ns ? j->started + j->timeout_ns : 0;
	if (j->journaled)
		rc = mlb_journal_started(j->journal, j->slot, j->child.pid, j->child.start, err);
	return rc;
}

int
mlb_job_start(struct mlb_job **out, const struct mlb_job_spec *spec, struct mlb_journal *journal,
	      struct mlb_err *err)
{
	struct mlb_job *j = job_new(spec, journal);
	int rc = prepare(j, err);

	if (rc == 0)
		rc = start(j, spec, err);
	if (rc) {
		mlb_job_free(j);
		return rc;
	}
	*out = j;
	return 0;
}

/* --------------------------------------------------------------- running */

int
mlb_job_pidfd(const struct mlb_job *j)
{
	return j->child.pidfd;
}

int
mlb_job_output_fd(const struct mlb_job *j)
{
	return j->out_fd;
}

uint64_t
mlb_job_deadline(const struct mlb_job *j)
{
	return j->deadline;
}

pid_t
mlb_job_group(const struct mlb_job *j)
{
	return j->child.pid;
}

void
mlb_job_skip(struct mlb_job *j, uint64_t ns)
{
	/* One that was started since cannot have been stopped for all of it. */
	j->started = MLB_MIN(j->started + ns, mlb_clock_mono());
	if (j->deadline)
		j->deadline += ns;
}

static void
close_output(struct mlb_job *j)
{
	if (j->out_fd >= 0)
		close(j->out_fd);
	j->out_fd = -1;
	mlb_joblog_end(&j->log);
}

/* One read. False: nothing more is there now (out_fd is still open) or ever. */
static bool
read_some(struct mlb_job *j)
{
	char data[READ_SIZE];
	ssize_t n;

	do {
		n = read(j->out_fd, data, sizeof(data));
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		mlb_joblog_add(&j->log, data, (size_t)n);
		return true;
	}
	if (n == 0 || errno != EAGAIN)
		close_output(j);
	return false;
}

void
mlb_job_drain(struct mlb_job *j)
{
	for (int i = 0; i < MAX_DRAIN && j->out_fd >= 0 && read_some(j); i++)
		;
	close_output(j);
}

bool
mlb_job_read(struct mlb_job *j, void (*fn)(void *ctx, const char *text, size_t len), void *ctx)
{
	if (j->out_fd >= 0)
		(void)read_some(j);
	mlb_joblog_lines(&j->log, j->out_fd < 0, fn, ctx);
	return j->out_fd >= 0;
}

const char *
mlb_job_unended(const struct mlb_job *j, size_t *len)
{
	return mlb_joblog_unended(&j->log, len);
}

void
mlb_job_stop(struct mlb_job *j, bool timed_out)
{
	if (j->state != JOB_RUNNING)
		return;
	if (j->stopping++ == 0) {
		j->timed_out = timed_out;
		j->deadline = mlb_clock_mono() + GRACE_NS;
		mlb_child_signal(&j->child, SIGTERM);
		mlb_child_signal(&j->child, SIGCONT); /* a stopped one could not end */
	} else {
		j->deadline = 0;
		mlb_child_signal(&j->child, SIGKILL);
	}
}
