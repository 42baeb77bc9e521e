/* For tests that ask real shells what a text means. */
#ifndef TESTS_SHELL_UNIT_H
#define TESTS_SHELL_UNIT_H

#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>

static const char *const shells[] = { "/bin/sh", "/bin/bash" };

/* What the shell prints; the environment is empty, so that only what it has built in can run. */
static inline size_t
run_shell(const char *shell, const char *text, char *out, size_t size)
{
	char *const argv[] = { (char *)(uintptr_t)shell, (char *)(uintptr_t) "-c",
			       (char *)(uintptr_t)text, NULL };
	char *const envp[] = { (char *)(uintptr_t) "PATH=/nonexistent",
			       (char *)(uintptr_t) "HOME=/home/x", NULL };
	size_t len = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(null, 2);
		close(fds[0]);
		close(fds[1]);
		execve(shell, argv, envp);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return len;
}

#endif
