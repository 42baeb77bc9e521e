#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "os/clock.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/spawn.h"

#define SECOND UINT64_C(1000000000)

/*
 * Two of these tests may run at once, and survivors are looked for on the whole
 * machine: the id is this process's own. main() fills them in.
 */
static char job[32], job_env[64], other_env[64];
static const char *const envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin", job_env, "GREETING=hello",
				    NULL };

/* Runs a shell command; its output is in *out. */
static int
run(struct mlb_buf *out, struct mlb_exit *status, const char *script, struct mlb_err *err)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .err_fd = -1 };

	mlb_buf_clear(out);
	return mlb_spawn_capture(out, status, &s, 30 * SECOND, err);
}

static void
output_and_exit_code(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(1 << 20);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_exit x;

	(void)state;
	assert_ok(run(&out, &x, "echo $GREETING; echo oops >&2; exit 7", &err));
	assert_string_equal(mlb_buf_str(&out), "hello\noops\n");
	assert_int_equal(x.code, 7);
	assert_int_equal(x.signal, 0);
	assert_true(x.max_rss > 100 * MLB_KIB);
	assert_ok(run(&out, &x, "kill -TERM $$", &err));
	assert_int_equal(x.code, -1);
	assert_int_equal(x.signal, SIGTERM);
	assert_ok(run(&out, &x,
		      "cat; i=0; while [ $i -lt 20000 ]; do echo 123456789; i=$((i+1)); done",
		      &err));
	assert_int_equal(out.len, 200000); /* stdin was empty; more than a pipe holds */
	assert_true(x.cpu_ns > 0);
	mlb_buf_release(&out);
}

static void
exec_failure_is_reported(void **state)
{
	const char *argv[] = { "no-such-program-here", NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .out_fd = 2, .err_fd = -1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;

	(void)state;
	assert_err(mlb_spawn(&c, &s, &err), MLB_ENOTFOUND,
		   "'no-such-program-here': not found in PATH");
	argv[0] = "./absent";
	assert_err(mlb_spawn(&c, &s, &err), MLB_ENOTFOUND, "'./absent'");
	argv[0] = "";
	assert_err(mlb_spawn(&c, &s, &err), MLB_ENOTFOUND, "''");
	put_file("plain", "#!/bin/sh\n");
	argv[0] = "./plain";
	assert_err(mlb_spawn(&c, &s, &err), MLB_ENOTFOUND, "permission denied");
	put_file("bad", "#!/no/such/interpreter\n");
	assert_int_equal(chmod("bad", 0755), 0);
	argv[0] = "./bad";
	assert_err(mlb_spawn(&c, &s, &err), MLB_ENOTFOUND, "first line");
	argv[0] = "sh";
	s.dir = "no/such/dir";
	assert_err(mlb_spawn(&c, &s, &err), MLB_ESYSTEM, "directory 'no/such/dir'");
	s.dir = NULL;
	s.out_fd = 12345;
	assert_err(mlb_spawn(&c, &s, &err), MLB_ESYSTEM, "descriptors");
	/* No zombie is left of any of them. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
path_is_the_given_one(void **state)
{
	const char *argv[] = { "tool", NULL };
	const char *env[] = { "PATH=first:/nowhere:second", NULL };
	struct mlb_spawn s = { .argv = argv, .envp = env, .dir = "dir", .err_fd = -1 };
	struct mlb_buf out = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_exit x;

	(void)state;
	assert_ok(mlb_fs_mkdirs("dir/first", &err));
	assert_ok(mlb_fs_mkdirs("dir/second", &err));
	/* What may not be executed is passed over. */
	put_file("dir/first/tool", "#!/bin/sh\necho first\n");
	put_file("dir/second/tool", "#!/bin/sh\necho second\n");
	assert_int_equal(chmod("dir/second/tool", 0755), 0);
	assert_ok(mlb_spawn_capture(&out, &x, &s, 10 * SECOND, &err));
	assert_string_equal(mlb_buf_str(&out), "second\n");
	assert_int_equal(x.code, 0);
	mlb_buf_release(&out);
}

static void
child_is_clean(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_exit x;
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */
	sigset_t block, old;

	(void)state;
	assert_true(leak >= 3);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	assert_ok(run(&out, &x,
		      "ls /proc/self/fd | wc -w; readlink /proc/self/fd/0; "
		      "sed -n '/^Sig[BI]/p' /proc/self/status",
		      &err));
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	close(leak);
	/* 0, 1, 2 and the one by which ls reads the directory. */
	assert_string_equal(mlb_buf_str(&out), "4\n/dev/null\nSigBlk:\t0000000000000000\n"
					       "SigIgn:\t0000000000000000\n");
	mlb_buf_release(&out);
}

/* Also where stdin, stdout or stderr of the parent are closed, or the ones to use. */
static void
low_descriptors(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(10000);
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct mlb_exit x;

		close(0);
		close(1);
		close(2);
		_exit(run(&out, &x, "echo out; echo err >&2", NULL) != 0 ||
		      strcmp(mlb_buf_str(&out), "out\nerr\n") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
separate_stderr(void **state)
{
	const char *argv[] = { "sh", "-c", "echo out; echo err >&2", NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;

	(void)state;
	s.out_fd = open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	s.err_fd = open("err", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_ok(mlb_spawn(&c, &s, &err));
	assert_true(c.start > 0);
	assert_int_equal(getpgid(c.pid), c.pid);
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(c.pidfd, -1);
	assert_file("out", "out\n");
	assert_file("err", "err\n");
	close(s.out_fd);
	close(s.err_fd);
	assert_err(mlb_child_reap(&x, &c, &err), MLB_ESYSTEM, "No child");
}

/* It may ask the user at the terminal, and speaks with us by its stdin. */
static void
stdin_and_our_group(void **state)
{
	const char *argv[] = { "sh", "-c", "read -r line; echo \"got $line\"; exec sleep 100",
			       NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .err_fd = -1, .same_group = true };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;
	char got[20] = "";
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s.in_fd = in[0];
	s.out_fd = out[1];
	assert_ok(mlb_spawn(&c, &s, &err));
	assert_int_equal(close(in[0]), 0); /* it was ours still */
	close(out[1]);
	assert_int_equal(getpgid(c.pid), getpgrp());
	assert_int_equal(write(in[1], "word\n", 5), 5);
	assert_int_equal(read(out[0], got, sizeof(got) - 1), 9);
	assert_string_equal(got, "got word\n");
	mlb_child_signal_alone(&c, SIGTERM);
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(x.signal, SIGTERM);
	close(in[1]);
	close(out[0]);
}

/* What ssh leaves behind for its next start is not ours to kill. */
static void
an_empty_id_is_no_jobs(void **state)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
					   "MLBUILD_JOB=", NULL };
	/* Not in the middle of an exec, when nobody's environment can be read. */
	const char *argv[] = { "sh", "-c",
			       "mkfifo hold; setsid sh -c 'echo $$ >pid; read -r x <hold' & "
			       "until [ -s pid ]; do sleep 0.01; done",
			       NULL };
	struct mlb_spawn s = { .argv = argv, .envp = env, .out_fd = 2, .err_fd = -1 };
	uint64_t since = mlb_spawn_ticks();
	struct mlb_buf text = MLB_BUF_INIT(100);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;
	pid_t pid;

	(void)state;
	assert_ok(mlb_spawn_subreaper(&err));
	assert_ok(mlb_spawn(&c, &s, &err));
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_ok(mlb_fs_read(&text, "pid", &err));
	pid = (pid_t)strtol(mlb_buf_str(&text), NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(mlb_spawn_kill_strays(since), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	mlb_buf_release(&text);
}

static void
pidfd_tells_the_end(void **state)
{
	const char *argv[] = { "sleep", "100", NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .out_fd = 2, .err_fd = -1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;
	struct pollfd p;

	(void)state;
	assert_ok(mlb_spawn(&c, &s, &err));
	p = (struct pollfd){ .fd = c.pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	mlb_child_signal(&c, SIGINT);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(x.signal, SIGINT);
}

/* A file that a script wrote its process id into, once it is there. */
static pid_t
wait_for_pid(const char *path)
{
	for (int i = 0; i < 1000; i++) {
		struct mlb_buf b = MLB_BUF_INIT(100);
		long pid = 0;

		if (mlb_fs_read(&b, path, NULL) == 0)
			pid = strtol(mlb_buf_str(&b), NULL, 10);
		mlb_buf_release(&b);
		if (pid > 0)
			return (pid_t)pid;
		usleep(10000);
	}
	fail_msg("%s never appeared", path);
	return 0;
}

static bool
alive(pid_t pid)
{
	struct mlb_buf b = MLB_BUF_INIT(10000);
	char path[64];
	bool yes;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	yes = mlb_fs_read(&b, path, NULL) == 0 && !strstr(mlb_buf_str(&b), "State:\tZ") &&
	      !strstr(mlb_buf_str(&b), "State:\tX");
	mlb_buf_release(&b);
	return yes;
}

static void
start_family(struct mlb_child *c, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .out_fd = 2, .err_fd = -1 };
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_spawn_subreaper(&err));
	assert_ok(mlb_spawn(c, &s, &err));
}

/* A daemon in a session of its own, with a child in yet another one, outlives its leader. */
static void
escaped_grandchildren_are_killed(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;
	pid_t daemon, deeper, plain;

	(void)state;
	start_family(&c,
		     "setsid sh -c 'setsid sh -c \"echo \\$\\$ >deeper.tmp; mv deeper.tmp deeper;"
		     " sleep 100; :\" & echo $$ >daemon.tmp; mv daemon.tmp daemon; sleep 100; :' &"
		     " sleep 100 & echo $! >plain; exit 3");
	daemon = wait_for_pid("daemon");
	deeper = wait_for_pid("deeper");
	plain = wait_for_pid("plain");
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(x.code, 3);
	assert_true(alive(daemon) && alive(deeper) && alive(plain));
	/* Another job's id touches none of them, be it shorter or longer. */
	assert_int_equal(mlb_spawn_kill_job("unit", 0), 0);
	assert_int_equal(mlb_spawn_kill_job(other_env + strlen("MLBUILD_JOB="), 0), 0);
	assert_true(alive(daemon) && alive(deeper) && alive(plain));
	assert_true(mlb_spawn_kill_job(job, c.pid) >= 3);
	assert_false(alive(daemon));
	assert_false(alive(deeper));
	assert_false(alive(plain));
	/* And all of them have been reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(mlb_spawn_kill_job(job, c.pid), 0);
}

static void
kill_leaves_the_leader_to_reap(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;

	(void)state;
	start_family(&c, "trap '' TERM INT; echo $$ >leader; sleep 100; sleep 100");
	wait_for_pid("leader");
	assert_true(mlb_spawn_kill_job(job, c.pid) >= 1);
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(x.signal, SIGKILL);
}

/* A job inside of a job is found with the outer one. */
static void
nested_jobs_are_found(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;
	pid_t inner;

	(void)state;
	start_family(&c,
		     "MLBUILD_JOB=$MLBUILD_JOB/7 setsid sh -c 'echo $$ >inner; sleep 100; :' &");
	inner = wait_for_pid("inner");
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_true(mlb_spawn_kill_job(job, c.pid) >= 1);
	assert_false(alive(inner));
}

/* A mlbuild dies by SIGKILL; its job's leader dies with it, and the next one finds the rest. */
static void
survivors_of_a_dead_parent(void **state)
{
	struct mlb_buf boot = MLB_BUF_INIT(100);
	struct mlb_child c = { .pid = 0 };
	pid_t parent, daemon;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	parent = fork();
	if (parent == 0) {
		start_family(&c, "setsid sh -c 'echo $$ >daemon; sleep 100; :' & sleep 100; :");
		if (write(fd[1], &c, sizeof(c)) < 0)
			_exit(1);
		pause();
	}
	assert_int_equal(read(fd[0], &c, sizeof(c)), sizeof(c));
	daemon = wait_for_pid("daemon");
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	for (int i = 0; i < 1000 && alive(c.pid); i++)
		usleep(10000);
	assert_false(alive(c.pid));
	assert_true(alive(daemon));
	mlb_machine_boot_id(&boot);
	assert_int_equal(mlb_spawn_kill_survivors(job, c.pid, c.start, "another boot"), 0);
	assert_true(alive(daemon));
	/* Also its sleep, which has the id too. */
	assert_true(mlb_spawn_kill_survivors(job, c.pid, c.start, mlb_buf_str(&boot)) >= 1);
	assert_false(alive(daemon));
	while (waitpid(-1, NULL, 0) > 0)
		;
	mlb_buf_release(&boot);
	close(fd[0]);
	close(fd[1]);
}

/* A process group number that someone else has by now is left alone. */
static void
survivors_need_the_right_start(void **state)
{
	const char *argv[] = { "sleep", "100", NULL };
	const char *env[] = { "PATH=/usr/bin:/bin", other_env, NULL };
	struct mlb_spawn s = { .argv = argv, .envp = env, .out_fd = 2, .err_fd = -1 };
	struct mlb_buf boot = MLB_BUF_INIT(100);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_child c;
	struct mlb_exit x;

	(void)state;
	mlb_machine_boot_id(&boot);
	assert_ok(mlb_spawn(&c, &s, &err));
	assert_int_equal(mlb_spawn_kill_survivors(job, c.pid, c.start + 1, mlb_buf_str(&boot)), 0);
	assert_true(alive(c.pid));
	assert_int_equal(mlb_spawn_kill_survivors(job, c.pid, c.start, mlb_buf_str(&boot)), 1);
	assert_ok(mlb_child_reap(&x, &c, &err));
	assert_int_equal(x.signal, SIGKILL);
	mlb_buf_release(&boot);
}

static void
capture_has_limits(void **state)
{
	const char *argv[] = { "sh", "-c", NULL, NULL };
	struct mlb_spawn s = { .argv = argv, .envp = envp, .err_fd = -1 };
	struct mlb_buf out = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t before = mlb_clock_mono();
	struct mlb_exit x;

	(void)state;
	assert_ok(mlb_spawn_subreaper(&err));
	argv[2] = "echo begun; sleep 100";
	assert_err(mlb_spawn_capture(&out, &x, &s, SECOND / 5, &err), MLB_EFAILED,
		   "'sh' took longer than 200 ms");
	assert_string_equal(mlb_buf_str(&out), "begun\n");
	argv[2] = "while :; do echo 123456789; done";
	assert_err(mlb_spawn_capture(&out, &x, &s, 0, &err), MLB_ETOOBIG, "more than 1000 bytes");
	/* A background process that keeps the pipe open is not waited for, but ended. */
	argv[2] = "setsid sleep 100 & echo $! >bg; echo done";
	mlb_buf_clear(&out);
	assert_ok(mlb_spawn_capture(&out, &x, &s, 0, &err));
	assert_string_equal(mlb_buf_str(&out), "done\n");
	assert_false(alive(wait_for_pid("bg")));
	assert_true(mlb_clock_mono() - before < 50 * SECOND);
	mlb_buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(output_and_exit_code),
		scratch_test(exec_failure_is_reported),
		scratch_test(path_is_the_given_one),
		scratch_test(child_is_clean),
		scratch_test(low_descriptors),
		scratch_test(separate_stderr),
		scratch_test(stdin_and_our_group),
		scratch_test(an_empty_id_is_no_jobs),
		scratch_test(pidfd_tells_the_end),
		scratch_test(escaped_grandchildren_are_killed),
		scratch_test(kill_leaves_the_leader_to_reap),
		scratch_test(nested_jobs_are_found),
		scratch_test(survivors_of_a_dead_parent),
		scratch_test(survivors_need_the_right_start),
		scratch_test(capture_has_limits),
	};

	snprintf(job, sizeof(job), "unit-%d", (int)getpid());
	snprintf(job_env, sizeof(job_env), "MLBUILD_JOB=%s", job);
	snprintf(other_env, sizeof(other_env), "MLBUILD_JOB=%s0", job);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
