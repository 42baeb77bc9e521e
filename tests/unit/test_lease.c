/* Leases: who relies on a cache, and the moment in which nobody does. Labels: tsan */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fs.h"
#include "store/lease.h"

static char *dir;

static int
set_up(void **state)
{
	char template[] = "/tmp/mlbuild-lease.XXXXXX";

	(void)state;
	dir = mkdtemp(template) ? mlb_strdup(template) : NULL;
	return dir ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	chmod(dir, 0777);
	mlb_fs_remove_tree(dir, NULL);
	free(dir);
	return 0;
}

static size_t
alive(void)
{
	struct mlb_leases l = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;
	size_t n;

	assert_int_equal(mlb_gate_close(&gate, &l, dir, 0, NULL), 0);
	n = l.n;
	mlb_leases_release(&l);
	mlb_gate_open(&gate);
	return n;
}

static void
one_that_is_held_is_seen(void **state)
{
	struct mlb_lease a = MLB_LEASE_INIT, b = MLB_LEASE_INIT;
	struct mlb_leases l = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;

	(void)state;
	assert_int_equal(alive(), 0);
	mlb_lease_begin(&a, dir, "process 7 in '/p'");
	assert_true(a.fd >= 0);
	assert_int_equal(mlb_gate_close(&gate, &l, dir, 0, NULL), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].who, "process 7 in '/p'");
	assert_true(l.v[0].started > 0);
	mlb_leases_release(&l);
	mlb_gate_open(&gate);
	mlb_lease_begin(&b, dir, "another");
	assert_int_equal(alive(), 2);
	mlb_lease_end(&a);
	assert_int_equal(alive(), 1);
	mlb_lease_end(&b);
	assert_int_equal(alive(), 0);
}

/* Also what a process left behind that was killed. */
static void
one_whose_process_died_is_over(void **state)
{
	char *leases = mlb_asprintf("%s/leases", dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		struct mlb_lease l = MLB_LEASE_INIT;

		mlb_lease_begin(&l, dir, "child");
		_exit(l.fd >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(mlb_fs_list(&list, leases, NULL), 0);
	assert_int_equal(list.n, 2); /* its file, and the gate */
	mlb_dirents_release(&list);
	assert_int_equal(alive(), 0);
	assert_int_equal(mlb_fs_list(&list, leases, NULL), 0);
	assert_int_equal(list.n, 1);
	mlb_dirents_release(&list);
	free(leases);
}

static void *
begin_in_thread(void *arg)
{
	mlb_lease_begin(arg, dir, "late");
	return NULL;
}

static void
none_begins_while_the_gate_is_closed(void **state)
{
	struct mlb_lease late = MLB_LEASE_INIT;
	struct mlb_leases l = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;
	char *leases = mlb_asprintf("%s/leases", dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	pthread_t thread;

	(void)state;
	assert_int_equal(mlb_gate_close(&gate, &l, dir, 0, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, begin_in_thread, &late), 0);
	assert_int_equal(mlb_fs_list(&list, leases, NULL), 0);
	assert_int_equal(list.n, 1); /* the gate alone */
	mlb_dirents_release(&list);
	mlb_gate_open(&gate);
	pthread_join(thread, NULL);
	assert_true(late.fd >= 0);
	assert_non_null(late.path);
	mlb_lease_end(&late);
	mlb_leases_release(&l);
	free(leases);
}

/* 0, or the number of what went wrong. */
static int
read_and_try_to_collect(void)
{
	struct mlb_lease l = MLB_LEASE_INIT;
	struct mlb_leases seen = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	mlb_lease_begin(&l, dir, "reader");
	if (l.fd < 0 || l.path)
		return 1;
	if (mlb_gate_close(&gate, &seen, dir, 0, &err) != MLB_ESYSTEM)
		return 2;
	if (!strstr(err.text, "nothing is removed"))
		return 3;
	mlb_err_release(&err);
	mlb_lease_end(&l);
	if (mlb_gate_close(&gate, &seen, dir, 0, NULL) != 0)
		return 4;
	mlb_gate_open(&gate);
	return 0;
}

/* Nothing can be made there: the gate itself is held. root may write anywhere, so that it becomes somebody else. */
static void
a_reader_of_a_full_cache_keeps_the_gate_open(void **state)
{
	const uid_t nobody = 65534;
	char *leases = mlb_asprintf("%s/leases", dir);
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(alive(), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(leases, 0555), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0))
			_exit(10);
		_exit(read_and_try_to_collect());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	chmod(leases, 0755);
	free(leases);
}

static void
without_a_directory_there_is_no_lease_and_no_failure(void **state)
{
	struct mlb_lease l = MLB_LEASE_INIT;
	char *file = mlb_asprintf("%s/file", dir);

	(void)state;
	assert_int_equal(mlb_fs_write(file, "x", 1, false, NULL), 0);
	mlb_lease_begin(&l, file, "nobody");
	assert_int_equal(l.fd, -1);
	mlb_lease_end(&l);
	free(file);
}

static void
a_directory_of_a_group_stays_one(void **state)
{
	char *path = mlb_asprintf("%s/shared", dir);
	char *sub = mlb_asprintf("%s/sub", path);
	char *file = mlb_asprintf("%s/file", path);
	struct stat st;
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 02770), 0);
	assert_int_equal(mkdir(sub, 0777), 0);
	mlb_fs_share(sub);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_int_equal(mlb_fs_write(file, "x", 1, false, NULL), 0);
	mlb_fs_share(file);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(chmod(file, 0600), 0);
	mlb_fs_share(file);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	umask(old);
	free(file);
	free(sub);
	free(path);
}

static void *
let_go(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/* Who holds the gate itself is waited for, but not for ever. */
static void
a_held_gate_is_waited_for(void **state)
{
	struct mlb_leases seen = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	pthread_t thread;
	char *path;
	int fd;

	(void)state;
	assert_int_equal(alive(), 0);
	path = mlb_asprintf("%s/leases/gate", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(mlb_gate_close(&gate, &seen, dir, 1, &err), MLB_ESYSTEM);
	assert_non_null(strstr(err.text, "nothing is removed"));
	mlb_err_release(&err);
	assert_int_equal(pthread_create(&thread, NULL, let_go, &fd), 0);
	assert_int_equal(mlb_gate_close(&gate, &seen, dir, 60, NULL), 0);
	pthread_join(thread, NULL);
	mlb_gate_open(&gate);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_held_gate_is_waited_for),
		TEST(one_that_is_held_is_seen),
		TEST(one_whose_process_died_is_over),
		TEST(none_begins_while_the_gate_is_closed),
		TEST(a_reader_of_a_full_cache_keeps_the_gate_open),
		TEST(without_a_directory_there_is_no_lease_and_no_failure),
		TEST(a_directory_of_a_group_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
