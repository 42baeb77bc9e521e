/* The jobserver: with GNU make above us, below us, and with ourselves at the other end. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/text.h"
#include "engine/jobserver.h"
#include "os/spawn.h"

extern char **environ;

static const char *self; /* this program, which make starts as a client */

/* Take all slots there are, at most 100. */
static int
take_all(struct mlb_jobserver *j, int *token)
{
	int n = 0;

	while (n < 100 && mlb_jobserver_take(j, &token[n]))
		n++;
	return n;
}

/* Wait until both of a pair are here. */
static void
meet(const char *where)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%d", where, (int)getpid());
	put_file(name, "");
	for (int tries = 0; tries < 2000; tries++) {
		DIR *d = opendir(".");
		int n = 0;

		for (struct dirent *e; d && (e = readdir(d));)
			n += mlb_str_starts(e->d_name, where);
		if (d)
			closedir(d);
		if (n >= 2)
			return;
		usleep(5000);
	}
}

/* What make runs: says how many slots it could have, and gives them back, or leaves that to close. */
static int
client(const char *mode)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j;
	int token[100], n;

	if (mlb_jobserver_open(&j, getenv("MAKEFLAGS"), ".", 1, &err))
		return 9;
	if (strcmp(mode, "pair") == 0)
		meet("begin");
	n = take_all(j, token);
	if (strcmp(mode, "pair") == 0)
		meet("end");
	printf("slots %d flags '%s'\n", n,
	       mlb_jobserver_makeflags(j) ? mlb_jobserver_makeflags(j) : "(same)");
	if (strcmp(mode, "give") == 0)
		for (int i = 0; i < n; i++)
			mlb_jobserver_give(j, token[i]);
	mlb_jobserver_close(j);
	return 0;
}

static const char *
run_make(struct mlb_buf *out, const char *flag, const char *flags_var,
	 const struct mlb_jobserver *j)
{
	const char *argv[] = { "make", flag, "-f", "Makefile", NULL };
	const char *env[200] = { NULL };
	struct mlb_spawn what = { .argv = argv, .envp = env, .out_fd = -1, .err_fd = -1 };
	struct mlb_exit x;
	struct mlb_err err = MLB_ERR_INIT;
	int n = 0;

	if (j)
		what.pass = mlb_jobserver_descriptors(j, &what.n_pass);
	for (char **e = environ; *e && n < 190; e++)
		if (!mlb_str_starts(*e, "MAKE"))
			env[n++] = *e;
	if (flags_var)
		env[n++] = flags_var;
	env[n] = NULL;
	mlb_buf_clear(out);
	assert_ok(mlb_spawn_capture(out, &x, &what, UINT64_C(30000000000), &err));
	if (x.code != 0)
		fail_msg("make: %s", mlb_buf_str(out));
	/* It counts its tokens at the end. */
	if (strstr(mlb_buf_str(out), "INTERNAL") || strstr(mlb_buf_str(out), "warning"))
		fail_msg("make: %s", mlb_buf_str(out));
	return mlb_buf_str(out);
}

static bool
have_make(void)
{
	return system("make --version >/dev/null 2>&1") == 0;
}

/* ------------------------------------------------------------- below make */

static void
under_make(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(1 << 20);
	char *text;

	(void)state;
	if (!have_make())
		skip();
	for (int i = 0; i < 2; i++) {
		text = mlb_asprintf("all:\n\t+@'%s' client %s\n\t+@'%s' client %s\n", self,
				    i ? "give" : "keep", self, i ? "keep" : "give");
		put_file("Makefile", text);
		free(text);
		text = mlb_strdup(run_make(&out, "-j4", NULL, NULL));
		/* Four slots, twice: the first client has given all of its back. */
		char *first = strstr(text, "slots 4 flags '");
		assert_non_null(first);
		assert_non_null(strstr(first + 1, "slots 4 flags '"));
		free(text);
	}
	/* Two at once have no more than there are. */
	text = mlb_asprintf("all: a b\na b:\n\t+@'%s' client pair\n", self);
	put_file("Makefile", text);
	free(text);
	run_make(&out, "-j5", NULL, NULL);
	text = strstr(mlb_buf_str(&out), "slots ");
	assert_non_null(text);
	char *other = strstr(text + 1, "slots ");
	assert_non_null(other);
	assert_int_equal(atoi(text + 6) + atoi(other + 6), 5);
	mlb_buf_release(&out);
}

static void
under_make_without_its_descriptors(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(1 << 20);
	char *text = mlb_asprintf("all:\n\t@'%s' client keep\n", self);

	(void)state;
	if (!have_make())
		skip();
	put_file("Makefile", text);
	run_make(&out, "-j4", NULL, NULL);
	/* An older make keeps its descriptors from a command that is no make; a newer one has a FIFO. */
	assert_true(strstr(mlb_buf_str(&out), "slots 100 flags ' ") ||
		    strstr(mlb_buf_str(&out), "slots 4 flags '"));
	free(text);
	mlb_buf_release(&out);
}

/* ------------------------------------------------------------- above make */

/* Four commands that wait for each other, and two more: at once, but never more than four. */
static void
above_make(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(1 << 20);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j;
	char *var;
	int token[100];

	(void)state;
	if (!have_make())
		skip();
	put_file("Makefile",
		 "all: a b c d e f\n"
		 "a b c d:\n\t@touch begin.$@; until test $$(ls begin.* | wc -l) -ge 4; do sleep 0.01; done\n"
		 "e f:\n\t@touch begin.$@\n");
	assert_ok(mlb_jobserver_open(&j, NULL, *(char **)state, 4, &err));
	assert_true(mlb_jobserver_take(j, &token[0])); /* the make itself */
	var = mlb_asprintf("MAKEFLAGS=%s", mlb_jobserver_makeflags(j));
	run_make(&out, "-s", var, j);
	mlb_jobserver_give(j, token[0]);
	assert_int_equal(take_all(j, token), 4);
	mlb_jobserver_close(j);
	free(var);
	mlb_buf_release(&out);
}

/* A PATH whose make does, or does not, know the FIFO form. */
static void
pretend_make(bool knows)
{
	char cwd[PATH_MAX], *path;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	mkdir("bin", 0777);
	put_file("bin/make", knows ? "\177ELF fifo: jobserver" : "\177ELF jobserver");
	assert_int_equal(chmod("bin/make", 0755), 0);
	path = mlb_asprintf("/no/such/directory::%s/bin:/bin:/usr/bin", cwd);
	assert_int_equal(setenv("PATH", path, 1), 0);
	free(path);
}

static void
serving_ourselves(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j, *k;
	char *path = mlb_strdup(getenv("PATH")), *want;
	int ours[100], theirs[100], one;
	struct pollfd p;
	struct stat st;

	pretend_make(true);
	assert_ok(mlb_jobserver_open(&j, "ks -j9 -- CC=a\\ b X=-j3", *(char **)state, 5, &err));
	want = mlb_asprintf("ks -j5 --jobserver-auth=fifo:%s/jobserver -- CC=a\\ b X=-j3",
			    *(char **)state);
	assert_string_equal(mlb_jobserver_makeflags(j), want);
	free(want);
	assert_int_equal(stat("jobserver", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_true(mlb_jobserver_take(j, &ours[0]));
	assert_int_equal(ours[0], -1);

	/* The command that we started is the client of ours: four more slots for both. */
	assert_ok(mlb_jobserver_open(&k, mlb_jobserver_makeflags(j), "/", 3, &err));
	assert_null(mlb_jobserver_makeflags(k));
	assert_int_equal(take_all(k, theirs), 5);
	assert_int_equal(theirs[0], -1);
	assert_int_equal(theirs[1], '+');
	assert_false(mlb_jobserver_take(j, &one));
	p = (struct pollfd){ mlb_jobserver_fd(j), POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 0), 0);
	mlb_jobserver_give(k, theirs[1]);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(mlb_jobserver_take(j, &one));
	assert_int_equal(one, '+');
	mlb_jobserver_give(j, one);
	/* Whichever slot comes back first, the one that nobody else can have stays with us. */
	assert_true(mlb_jobserver_take(j, &one));
	mlb_jobserver_give(j, -1);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(mlb_jobserver_take(j, &one));
	assert_int_equal(one, '+');
	mlb_jobserver_give(j, one);
	mlb_jobserver_close(k); /* gives back what it holds */
	assert_int_equal(take_all(j, ours + 1), 4);
	mlb_jobserver_close(j);
	assert_int_equal(stat("jobserver", &st), -1);
	setenv("PATH", path, 1);
	free(path);
}

/* A FIFO that a killed mlbuild left is in nobody's way. */
static void
a_stale_fifo(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j;
	char *path = mlb_strdup(getenv("PATH"));
	int token[100];

	pretend_make(true);
	assert_int_equal(mkfifo("jobserver", 0600), 0);
	assert_ok(mlb_jobserver_open(&j, NULL, *(char **)state, 2, &err));
	assert_int_equal(take_all(j, token), 2);
	mlb_jobserver_close(j);
	setenv("PATH", path, 1);
	free(path);
}

/* A make that does not know the FIFO, or a directory that MAKEFLAGS cannot name: a pipe, which commands get. */
static void
serving_by_a_pipe(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j, *k;
	char *path = mlb_strdup(getenv("PATH")), *want;
	int ours[100], theirs[100];

	for (int blanks = 0; blanks < 2; blanks++) {
		const int *fd;
		size_t n;

		pretend_make(blanks);
		assert_ok(mlb_jobserver_open(&j, "k", blanks ? "/tmp/with blanks" : *(char **)state,
					     4, &err));
		fd = mlb_jobserver_descriptors(j, &n);
		assert_int_equal(n, 2);
		want = mlb_asprintf("k -j4 --jobserver-auth=%d,%d", fd[0], fd[1]);
		assert_string_equal(mlb_jobserver_makeflags(j), want);
		/* No command that is not given them has them; who has them waits. */
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(fcntl(fd[i], F_GETFD), FD_CLOEXEC);
			assert_int_equal(fcntl(fd[i], F_GETFL) & O_NONBLOCK, 0);
		}
		assert_ok(mlb_jobserver_open(&k, want, "/", 3, &err));
		assert_int_equal(take_all(k, theirs), 4);
		assert_int_equal(take_all(j, ours), 1);
		mlb_jobserver_close(k);
		assert_int_equal(take_all(j, ours + 1), 3);
		mlb_jobserver_close(j);
		free(want);
	}
	setenv("PATH", path, 1);
	free(path);
}

static void
when_it_does_not_serve(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j;
	char *path = mlb_strdup(getenv("PATH"));
	int token[100];
	size_t n;

	pretend_make(true);
	assert_ok(mlb_jobserver_open(&j, NULL, *(char **)state, 1, &err)); /* nothing to share */
	assert_null(mlb_jobserver_makeflags(j));
	mlb_jobserver_descriptors(j, &n);
	assert_int_equal(n, 0);
	assert_int_equal(mlb_jobserver_fd(j), -1);
	assert_int_equal(take_all(j, token), 100); /* resources.h limits then */
	mlb_jobserver_give(j, token[0]);
	mlb_jobserver_close(j);
	assert_err(mlb_jobserver_open(&j, NULL, "/no/such/dir", 4, &err), MLB_ESYSTEM,
		   "/no/such/dir/jobserver");
	setenv("PATH", path, 1);
	free(path);
}

/* Whatever MAKEFLAGS says: no server that is not there is used, and nobody below us looks for it. */
static void
servers_that_are_gone(void **state)
{
	static const char *const flags[] = {
		"-j4 --jobserver-auth=fifo:/no/such/fifo",
		"--jobserver-auth=fifo:/etc/passwd",
		"--jobserver-auth=71,72",
		"--jobserver-fds=71,72",
		"w -j --jobserver-auth=-2,-2",
		"--jobserver-auth=0",
		"--jobserver-auth=1,2x",
		"--jobserver-auth=99999999999999999999,1",
		"--jobserver-auth=x --jobserver-auth=,",
	};
	struct mlb_err err = MLB_ERR_INIT;
	char *path = mlb_strdup(getenv("PATH"));

	pretend_make(false);
	for (size_t i = 0; i < MLB_ARRAY_LEN(flags); i++) {
		struct mlb_jobserver *j;
		int token[100];

		assert_ok(mlb_jobserver_open(&j, flags[i], *(char **)state, 1, &err));
		assert_int_equal(take_all(j, token), 100);
		assert_null(strstr(mlb_jobserver_makeflags(j), "jobserver"));
		assert_null(strstr(mlb_jobserver_makeflags(j), "-j"));
		mlb_jobserver_close(j);
	}
	setenv("PATH", path, 1);
	free(path);
}

static void
pipes_and_the_last_one_wins(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_jobserver *j;
	int fd[2], token[100];
	unsigned char byte;
	char *flags;
	size_t n;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "ab", 2), 2);
	flags = mlb_asprintf(
		"k -j3 --jobserver-fds=71,72 --jobserver-auth=%d,%d -- A=--jobserver-auth=5,6",
		fd[0], fd[1]);
	assert_ok(mlb_jobserver_open(&j, flags, "/no/such/dir", 8, &err));
	/* Commands get the same pipe. */
	assert_null(mlb_jobserver_makeflags(j));
	assert_int_equal(mlb_jobserver_descriptors(j, &n)[0], fd[0]);
	assert_int_equal(mlb_jobserver_descriptors(j, &n)[1], fd[1]);
	assert_int_equal(n, 2);
	assert_int_equal(take_all(j, token), 3);
	assert_int_equal(token[1], 'a');
	assert_int_equal(token[2], 'b');
	/* Ours does not wait; that of the others still does. */
	assert_int_equal(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
	mlb_jobserver_give(j, 'b');
	assert_int_equal(read(fd[0], &byte, 1), 1);
	assert_int_equal(byte, 'b');
	mlb_jobserver_close(j);
	assert_int_equal(read(fd[0], &byte, 1), 1);
	assert_int_equal(byte, 'a');
	close(fd[0]);
	close(fd[1]);
	free(flags);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		scratch_test(under_make),
		scratch_test(under_make_without_its_descriptors),
		scratch_test(above_make),
		scratch_test(serving_ourselves),
		scratch_test(a_stale_fifo),
		scratch_test(serving_by_a_pipe),
		scratch_test(when_it_does_not_serve),
		scratch_test(servers_that_are_gone),
		scratch_test(pipes_and_the_last_one_wins),
	};
	char *path = realpath(argv[0], NULL);
	int rc;

	if (argc == 3 && strcmp(argv[1], "client") == 0) {
		free(path);
		return client(argv[2]);
	}
	self = path;
	unsetenv("MAKEFLAGS");
	mlb_spawn_subreaper(NULL);
	rc = cmocka_run_group_tests_name("jobserver", tests, NULL, NULL);
	free(path);
	return rc;
}
