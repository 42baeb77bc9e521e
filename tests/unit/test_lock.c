#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "os/lock.h"

/* flock belongs to the open file, so two opens exclude each other in one process too. */
static void
exclusive_excludes(void **state)
{
	struct mlb_lock a = MLB_LOCK_INIT, b = MLB_LOCK_INIT;
	struct mlb_buf holder = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	bool got;

	(void)state;
	assert_ok(mlb_lock_try(&a, "lock", true, "pid 1: mlbuild model\nsecond line", &got, NULL,
			       &err));
	assert_true(got);
	mlb_buf_adds(&holder, "old");
	assert_ok(mlb_lock_try(&b, "lock", true, "b", &got, &holder, &err));
	assert_false(got);
	assert_int_equal(b.fd, -1);
	assert_string_equal(mlb_buf_str(&holder), "pid 1: mlbuild model");
	assert_ok(mlb_lock_try(&b, "lock", false, NULL, &got, NULL, &err));
	assert_false(got);
	mlb_lock_release(&a);
	assert_int_equal(a.fd, -1);
	mlb_lock_release(&a); /* again is harmless */
	assert_file("lock", "");
	assert_ok(mlb_lock_try(&b, "lock", true, "b", &got, &holder, &err));
	assert_true(got);
	assert_file("lock", "b\n");
	mlb_lock_release(&b);
	mlb_buf_release(&holder);
}

static void
shared_is_shared(void **state)
{
	struct mlb_lock a = MLB_LOCK_INIT, b = MLB_LOCK_INIT, c = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	bool got;

	(void)state;
	assert_ok(mlb_lock_wait(&a, "lock", false, NULL, -1, &err));
	assert_ok(mlb_lock_try(&b, "lock", false, NULL, &got, NULL, &err));
	assert_true(got);
	assert_ok(mlb_lock_try(&c, "lock", true, NULL, &got, NULL, &err));
	assert_false(got);
	mlb_lock_release(&a);
	mlb_lock_release(&b);
	assert_ok(mlb_lock_wait(&c, "lock", true, NULL, -1, &err));
	mlb_lock_release(&c);
}

/* The kernel releases the lock of a process that was killed; the next one waits for that. */
static void
death_releases(void **state)
{
	struct mlb_lock l = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	int ready[2];
	char c;
	pid_t pid;
	bool got;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (mlb_lock_wait(&l, "lock", true, "child", -1, NULL) != 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_ok(mlb_lock_try(&l, "lock", true, "parent", &got, NULL, &err));
	assert_false(got);
	kill(pid, SIGKILL);
	assert_ok(mlb_lock_wait(&l, "lock", true, "parent", -1, &err));
	assert_file("lock", "parent\n");
	mlb_lock_release(&l);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void
waiting_can_be_given_up(void **state)
{
	struct mlb_lock a = MLB_LOCK_INIT, b = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	int cancel[2];

	(void)state;
	assert_int_equal(pipe(cancel), 0);
	assert_ok(mlb_lock_wait(&a, "lock", true, "a", cancel[0], &err));
	assert_int_equal(write(cancel[1], "x", 1), 1);
	assert_err(mlb_lock_wait(&b, "lock", true, "b", cancel[0], &err), MLB_EINTERRUPTED,
		   "'lock'");
	assert_int_equal(b.fd, -1);
	mlb_lock_release(&a);
	/* What is free is had, cancelled or not. (The first one may go through the hands of who gave up.) */
	assert_ok(mlb_lock_wait(&b, "free", true, "b", cancel[0], &err));
	mlb_lock_release(&b);
	close(cancel[0]);
	close(cancel[1]);
}

static void
failures_name_the_path(void **state)
{
	struct mlb_lock l = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	bool got;

	(void)state;
	assert_err(mlb_lock_try(&l, "no/such/dir/lock", true, "x", &got, NULL, &err), MLB_ESYSTEM,
		   "no/such/dir/lock");
	assert_false(got);
	assert_int_equal(l.fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(exclusive_excludes),     scratch_test(shared_is_shared),
		scratch_test(death_releases),         scratch_test(waiting_can_be_given_up),
		scratch_test(failures_name_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
