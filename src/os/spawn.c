#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/vec.h"
#include "os/path.h"
#include "os/spawn_priv.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What was being done when the child failed. */
enum step { STEP_SETUP, STEP_DIR, STEP_EXEC };

/* What the child says of its failure before it ends. */
struct failure {
	int step; /* enum step */
	int errnum;
};

/*
 * All that the child needs, made before it exists: it may share our memory, so it
 * must neither allocate nor change anything here.  Its failure comes through a
 * pipe, which exec closes: so this is also right where vfork is no more than fork
 * (under ThreadSanitizer, and on kernels that imitate Linux).
 */
struct plan {
	char *const *argv;
	char *const *envp;
	const char *dir;
	struct mlb_strvec program; /* what to try to execute, in order */
	int fd[3];                 /* above 2; become 0, 1 and 2 */
	const int *pass;           /* above 2; stay open */
	size_t n_pass;
	bool same_group;
	int report[2]; /* the pipe: ours, and the child's, which is above 2 */
	pid_t parent;
	sigset_t mask; /* empty */
};

static const char *
env_value(const char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

const char *
mlb_spawn_job_id(const char *const *envp)
{
	return env_value(envp, "MLBUILD_JOB");
}

/* A name with a slash is a path; another one is looked for in every directory of PATH. */
static void
find_programs(struct mlb_strvec *out, const char *name, const char *const *envp)
{
	const char *path = env_value(envp, "PATH");

	if (strchr(name, '/')) {
		mlb_strvec_push(out, name);
		return;
	}
	if (!*name)
		return;
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		size_t n = strcspn(path, ":");

		/* An empty entry is the working directory. */
		mlb_vec_push(out, n ? mlb_asprintf("%.*s/%s", (int)n, path, name)
				    : mlb_asprintf("./%s", name));
		if (!path[n])
			return;
		path += n + 1;
	}
}

/* Only async-signal-safe calls from here on; and *p is not written. */
MLB_NORETURN static void
child_fail(const struct plan *p, enum step step, int errnum)
{
	const struct failure f = { .step = (int)step, .errnum = errnum };

	/* So small a message is written at once or not at all. */
	if (write(p->report[1], &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

/* Descriptors of the library are close-on-exec already; those of its user may not be. */
static void
child_close_descriptors(void)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 3; fd < 4096; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
child_reset_signals(const sigset_t *mask)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL); /* refused for some, which nobody can change */
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Like execvp: go on past entries that are not there, and remember one that is forbidden. */
MLB_NORETURN static void
child_exec(const struct plan *p)
{
	int errnum = ENOENT;

	for (size_t i = 0; i < p->program.n; i++) {
		execve(p->program.v[i], p->argv, p->envp);
		if (errno == EACCES)
			errnum = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			child_fail(p, STEP_EXEC, errno);
	}
	child_fail(p, STEP_EXEC, errnum);
}

MLB_NORETURN static void
child_main(const struct plan *p)
{
	if (!p->same_group && (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0))
		child_fail(p, STEP_SETUP, errno);
	/* The parent may have died before the line above. */
	if (getppid() != p->parent)
		_exit(127);
	child_reset_signals(&p->mask);
	for (int i = 0; i < 3; i++)
		if (dup2(p->fd[i], i) < 0)
			child_fail(p, STEP_SETUP, errno);
	child_close_descriptors();
	for (size_t i = 0; i < p->n_pass; i++)
		if (fcntl(p->pass[i], F_SETFD, 0) != 0)
			child_fail(p, STEP_SETUP, errno);
	if (p->dir && chdir(p->dir) != 0)
		child_fail(p, STEP_DIR, errno);
	child_exec(p);
}

/*
 * vfork suspends this thread until the child has called execve or _exit. Signals
 * are blocked meanwhile: a handler of ours must not run in the child. A function
 * of its own, with no variable that lives across the call but p and pid.
 */
__attribute__((noinline)) static pid_t
start(const struct plan *p)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0)
		child_main(p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int
explain(const struct plan *p, const struct failure *f, struct mlb_err *err)
{
	const char *name = p->argv[0];

	if (f->step == STEP_DIR)
		return mlb_err_errno(err, f->errnum, "cannot enter directory '%s'", p->dir);
	if (f->step == STEP_EXEC && f->errnum == ENOENT && strchr(name, '/'))
		return mlb_err_set(
			err, MLB_ENOTFOUND,
			"cannot run '%s': it, or what its first line names, does not exist", name);
	if (f->step == STEP_EXEC && f->errnum == ENOENT)
		return mlb_err_set(err, MLB_ENOTFOUND, "cannot run '%s': not found in PATH", name);
	if (f->step == STEP_EXEC && f->errnum == EACCES)
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "cannot run '%s': permission denied; is it executable?", name);
	return mlb_err_errno(err, f->errnum, "cannot run '%s'", name);
}

/* Descriptors above 2, so that putting one in place never overwrites another. */
static int
prepare_descriptors(struct plan *p, const struct mlb_spawn *what, struct mlb_err *err)
{
	int from[4] = { -1, what->out_fd, what->err_fd < 0 ? what->out_fd : what->err_fd, -1 };
	int to[4];
	int e = 0;

	from[0] = what->in_fd > 0 ? what->in_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (from[0] < 0)
		return mlb_err_errno(err, errno, "cannot open '/dev/null'");
	if (pipe2(p->report, O_CLOEXEC) != 0)
		e = errno;
	from[3] = p->report[1];
	for (int i = 0; i < 4; i++) {
		to[i] = e ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (to[i] < 0 && !e)
			e = errno;
	}
	if (from[0] != what->in_fd)
		close(from[0]);
	if (from[3] >= 0)
		close(from[3]);
	memcpy(p->fd, to, sizeof(p->fd));
	p->report[1] = to[3];
	return e ? mlb_err_errno(err, e, "cannot prepare the descriptors of '%s'", what->argv[0])
		 : MLB_OK;
}

static void
close_all(struct plan *p)
{
	const int fd[] = { p->fd[0], p->fd[1], p->fd[2], p->report[0], p->report[1] };

	for (size_t i = 0; i < MLB_ARRAY_LEN(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

/* What the child said, once it runs its program or has failed: MLB_OK if nothing. */
static int
hear(struct plan *p, struct mlb_err *err)
{
	struct failure f;
	ssize_t n;

	close(p->report[1]);
	p->report[1] = -1;
	do
		n = read(p->report[0], &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(f) ? explain(p, &f, err) : MLB_OK;
}

int
mlb_spawn(struct mlb_child *out, const struct mlb_spawn *what, struct mlb_err *err)
{
	/* execve does not change what it is given, but its type does not say so. */
	struct plan p = { .argv = (char *const *)(uintptr_t)what->argv,
			  .envp = (char *const *)(uintptr_t)what->envp,
			  .dir = what->dir,
			  .program = MLB_VEC_INIT,
			  .fd = { -1, -1, -1 },
			  .pass = what->pass,
			  .n_pass = what->n_pass,
			  .same_group = what->same_group,
			  .report = { -1, -1 },
			  .parent = getpid() };
	pid_t pid = -1;
	int rc;

	sigemptyset(&p.mask);
	find_programs(&p.program, what->argv[0], what->envp);
	rc = prepare_descriptors(&p, what, err);
	if (rc)
		goto out;
	pid = start(&p);
	if (pid < 0) {
		rc = mlb_err_errno(err, errno, "cannot start a process for '%s'", what->argv[0]);
		goto out;
	}
	rc = hear(&p, err);
	if (rc)
		goto out;
	out->pid = pid;
	out->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (out->pidfd < 0) {
		rc = mlb_err_errno(err, errno, "cannot watch '%s'", what->argv[0]);
		kill(what->same_group ? pid : -pid, SIGKILL);
		goto out;
	}
	out->start = mlb_proc_start(pid);
out:
	if (rc && pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	close_all(&p);
	mlb_strvec_release(&p.program);
	return rc;
}

int
mlb_child_reap(struct mlb_exit *out, struct mlb_child *child, struct mlb_err *err)
{
	struct rusage ru;
	int status, rc = MLB_OK;
	pid_t got;

	do
		got = wait4(child->pid, &status, 0, &ru);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		rc = mlb_err_errno(err, errno, "cannot tell how process %d ended", (int)child->pid);
	} else {
		out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		out->max_rss = (uint64_t)ru.ru_maxrss * 1024;
		out->cpu_ns = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000 +
			      (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
	}
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
	return rc;
}

void
mlb_child_signal(const struct mlb_child *child, int sig)
{
	if (child->pid > 1)
		kill(-child->pid, sig);
}

void
mlb_child_signal_alone(const struct mlb_child *child, int sig)
{
	if (child->pid > 1)
		kill(child->pid, sig);
}

int
mlb_spawn_subreaper(struct mlb_err *err)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return mlb_err_errno(err, errno, "cannot become a child subreaper");
	return MLB_OK;
}
