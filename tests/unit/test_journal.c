/*
 * The journal: whatever instant mlbuild dies at, the next one finds each job's
 * outputs all old or all new, and nothing of the job alive.
 */
#include "journal_fixture.h"

#include <sys/stat.h>

#include "engine/job_files.h"

#define S_NS UINT64_C(1000000000)

/* A number of seconds that no other process sleeps for. */
static const char *
long_sleep(void)
{
	static char text[32];

	if (!text[0])
		snprintf(text, sizeof(text), "4321.%d", (int)getpid());
	return text;
}

/* Jobs without end; each that was accepted is told through fd. Every third fails. */
static void
build_forever(struct fixture *f, int fd)
{
	unsigned undone;
	struct mlb_journal *j;

	mlb_spawn_subreaper(NULL);
	if (mlb_journal_open(&j, mlb_buf_str(&f->root), mlb_buf_str(&f->state), &undone, NULL, NULL))
		_exit(9);
	char *last = text_of(f, "a"), *daemon = mlb_asprintf("setsid sleep %s &", long_sleep());
	for (int n = atoi(last) + 1;; n++) {
		char text[16];
		snprintf(text, sizeof(text), "%d", n);
		run_job(f, j, text, n % 3 == 0, n % 2 ? daemon : "");
		if (n % 3 && write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(9);
	}
}

static void
killed_at_any_moment(void **state)
{
	struct fixture *f = *state;
	unsigned undone = 0;
	int highest = 0;
	uint64_t began = mlb_clock_mono();

	srand(20261121);
	long_sleep(); /* before the fork */
	/* Fewer only where each takes more than half a second. */
	for (int round = 0; round < 120 && (round < 40 || mlb_clock_mono() - began < 60 * S_NS);
	     round++) {
		int fd[2], told = 0, status;
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(fd[0]);
			build_forever(f, fd[1]);
		}
		close(fd[1]);
		/* Every other time when something was accepted, however slow the machine. */
		if (round % 2)
			assert_int_equal(read(fd[0], &told, sizeof(told)), sizeof(told));
		usleep((useconds_t)(rand() % 40000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fd[0], &told, sizeof(told)) == sizeof(told))
			;
		close(fd[0]);
		undone += recover(f, NULL);
		char *text = generation(f);
		highest = atoi(text);
		if (highest < told)
			fail_msg("%d was accepted, but %s is there", told, text);
		assert_true(highest % 3 != 0 || highest == 0);
		free(text);
		assert_false(runs(long_sleep()));
	}
	assert_true(undone >= 10); /* else the moments were badly chosen */
	assert_true(highest >= 10);
}

static void
tells_what_it_undid(void **state)
{
	struct fixture *f = *state;
	struct mlb_buf note = MLB_BUF_INIT(4096);

	old_outputs(f, true);
	leave_a_half(f);
	assert_int_equal(recover(f, &note), 1);
	assert_string_equal(
		mlb_buf_str(&note),
		"undone after an mlbuild that was killed: train (what it left is in .mlbuild/failed/train)");
	mlb_buf_clear(&note);
	assert_int_equal(recover(f, &note), 0);
	assert_string_equal(mlb_buf_str(&note), "");
	mlb_buf_release(&note);
}

static void
a_moved_project_is_recovered(void **state)
{
	struct fixture *f = *state;
	char *there = mlb_asprintf("%s-moved", mlb_buf_str(&f->root));

	old_outputs(f, true);
	leave_a_half(f);
	assert_int_equal(rename(mlb_buf_str(&f->root), there), 0);
	mlb_buf_clear(&f->root);
	mlb_buf_adds(&f->root, there);
	mlb_buf_clear(&f->state);
	mlb_buf_addf(&f->state, "%s/.mlbuild", there);
	assert_int_equal(recover(f, NULL), 1);
	free(generation(f));
	assert_holds(f, "a", "old");
	free(there);
}

static void
more_outputs_than_a_slot_holds(void **state)
{
	enum { N = 500 };
	struct fixture *f = *state;
	struct mlb_job_output out[N];
	char *path[N];
	pid_t pid;
	int status;

	for (int i = 0; i < N; i++) {
		path[i] = mlb_asprintf("many/a-rather-long-directory-name/out-%d", i);
		out[i] = (struct mlb_job_output){ path[i], MLB_G_FILE, NULL };
		if (i % 2)
			put(f, path[i], "old\n");
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct mlb_job_spec s = {
			.name = "many", .dir = ".", .shell = "", .scratch = "", .max_log = 4096
		};
		struct mlb_journal *j;
		struct mlb_job *job;
		unsigned undone;

		s.root = mlb_buf_str(&f->root);
		s.state_dir = mlb_buf_str(&f->state);
		s.command =
			"cd many/a*; for i in $(seq 0 499); do echo new > out-$i; done; kill -9 $PPID";
		s.output = out;
		s.n_outputs = N;
		if (mlb_journal_open(&j, s.root, s.state_dir, &undone, NULL, NULL) ||
		    mlb_job_start(&job, &s, j, NULL))
			_exit(9);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(recover(f, NULL), 1);
	for (int i = 0; i < N; i++) {
		if (i % 2)
			assert_holds(f, path[i], "old");
		else
			assert_false(exists(f, path[i]));
		free(path[i]);
	}
	assert_int_equal(entries(f, ".mlbuild/failed/many/many/a-rather-long-directory-name"), N);
}

/* Outputs behind a symbolic link to another file system cannot be renamed into .mlbuild. */
static void
outputs_on_another_file_system(void **state)
{
	struct fixture *f = *state;
	struct mlb_buf big = MLB_BUF_INIT(PATH_MAX);
	struct mlb_stat here, there;
	struct mlb_job_spec s = {
		.name = "big", .dir = ".", .shell = "", .scratch = "", .max_log = 4096
	};
	const struct mlb_job_output out[] = { { "big/a", MLB_G_FILE, NULL },
					      { "big/d", MLB_G_DIR, NULL } };
	struct mlb_job_end end;
	struct mlb_journal *journal;
	struct mlb_job *job;
	unsigned undone;
	char *link = at(f, "big"), *there_a;

	if (mlb_fs_tempdir(&big, "/dev/shm", "mlb-big-", NULL) != 0)
		skip();
	assert_int_equal(mlb_fs_lstat(&here, mlb_buf_str(&f->root), NULL), 0);
	assert_int_equal(mlb_fs_lstat(&there, mlb_buf_str(&big), NULL), 0);
	if (here.dev == there.dev)
		skip();
	assert_int_equal(symlink(mlb_buf_str(&big), link), 0);
	there_a = mlb_asprintf("%s/a", mlb_buf_str(&big));
	s.root = mlb_buf_str(&f->root);
	s.state_dir = mlb_buf_str(&f->state);
	s.output = out;
	s.n_outputs = 2;
	put(f, "big/a", "old\n");
	put(f, "big/d/x", "old\n");
	for (int way = 0; way < 3; way++) {
		pid_t pid = fork();
		int status;
		if (pid == 0) {
			s.command = way == 0   ? "echo bad > big/a; echo bad > big/d/x; exit 1"
				    : way == 1 ? "echo half > big/a; kill -9 $PPID; sleep 9"
					       : "echo new > big/a; echo new > big/d/x";
			mlb_spawn_subreaper(NULL);
			if (mlb_journal_open(&journal, s.root, s.state_dir, &undone, NULL, NULL) ||
			    mlb_job_start(&job, &s, journal, NULL))
				_exit(9);
			struct pollfd p = { mlb_job_pidfd(job), POLLIN, 0 };
			while (poll(&p, 1, -1) < 1)
				;
			if (mlb_job_finish(job, &end, NULL) || end.ok != (way == 2) ||
			    (end.ok ? mlb_job_accept(job, NULL) : mlb_job_reject(job, false, NULL)))
				_exit(9);
			mlb_journal_close(journal);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(way == 1 ? WIFSIGNALED(status)
				     : WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_int_equal(recover(f, NULL), way == 1);
		assert_holds(f, "big/a", way == 2 ? "new" : "old");
		assert_holds(f, "big/d/x", way == 2 ? "new" : "old");
		assert_int_equal(entries(f, "big"), 2);
		if (way != 2)
			assert_holds(f, ".mlbuild/failed/big/big/a", way ? "half" : "bad");
	}
	assert_int_equal(mlb_fs_remove_tree(mlb_buf_str(&big), NULL), 0);
	mlb_buf_release(&big);
	free(there_a);
	free(link);
}

static void
anything_may_stand_in_the_file(void **state)
{
	struct fixture *f = *state;
	struct mlb_buf dead = MLB_BUF_INIT(1 << 20);
	char *jobs = at(f, ".mlbuild/jobs");

	srand(1);
	old_outputs(f, true);
	leave_a_half(f);
	assert_int_equal(mlb_fs_read(&dead, jobs, NULL), 0);
	assert_true(dead.len > 100);
	assert_int_equal(recover(f, NULL), 1);
	for (int i = 0; i < 1000; i++) {
		struct mlb_buf b = MLB_BUF_INIT(1 << 20);
		size_t at_byte = 8 + (size_t)rand() % (dead.len - 8);

		mlb_buf_add(&b, dead.data, (size_t)i < dead.len ? (size_t)i : dead.len);
		if (at_byte < b.len)
			b.data[at_byte] = (char)rand();
		/* Only what the hash covers: a slot that still fits is a slot. */
		if (b.len == dead.len && at_byte < 40)
			b.data[40]++;
		assert_int_equal(mlb_fs_write(jobs, b.data, b.len, false, NULL), 0);
		assert_true(recover(f, NULL) <= 1);
		assert_holds(f, "a", "old");
		mlb_buf_release(&b);
	}
	mlb_buf_release(&dead);
	free(jobs);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(killed_at_any_moment),           TEST(tells_what_it_undid),
		TEST(a_moved_project_is_recovered),   TEST(more_outputs_than_a_slot_holds),
		TEST(outputs_on_another_file_system), TEST(anything_may_stand_in_the_file),
	};

	/* What a killed process leaves comes to this one, as to the init of its session. */
	mlb_spawn_subreaper(NULL);
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
