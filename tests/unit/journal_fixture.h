/* A little mlbuild that runs one job after the other, to be killed; and what must hold afterwards. */
#ifndef TESTS_UNIT_JOURNAL_FIXTURE_H
#define TESTS_UNIT_JOURNAL_FIXTURE_H

#include "job_fixture.h"

#include <signal.h>
#include <sys/wait.h>

/* What a file holds, without its line feed; "" if it is absent. */
static inline char *
text_of(struct fixture *f, const char *path)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);
	char *full = at(f, path);

	if (mlb_fs_read(&b, full, NULL) == 0 && b.len && b.data[b.len - 1] == '\n')
		mlb_buf_truncate(&b, b.len - 1);
	free(full);
	return mlb_buf_detach(&b);
}

static inline void
assert_holds(struct fixture *f, const char *path, const char *want)
{
	char *text = text_of(f, path);

	if (strcmp(text, want) != 0)
		fail_msg("'%s' holds '%s', not '%s'", path, text, want);
	free(text);
}

static inline bool
exists(struct fixture *f, const char *path)
{
	struct mlb_stat st;
	char *full = at(f, path);

	assert_int_equal(mlb_fs_lstat(&st, full, NULL), 0);
	free(full);
	return st.type != MLB_F_ABSENT;
}

static inline struct mlb_journal *
journal_of(struct fixture *f, unsigned *undone, struct mlb_buf *note)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_journal *j = NULL;

	if (mlb_journal_open(&j, mlb_buf_str(&f->root), mlb_buf_str(&f->state), undone, note, &err))
		fail_msg("%s", err.text);
	return j;
}

/* Recover, and see that nothing is left over. */
static inline unsigned
recover(struct fixture *f, struct mlb_buf *note)
{
	struct mlb_stat st;
	unsigned undone;
	char *jobs = at(f, ".mlbuild/jobs");

	mlb_journal_close(journal_of(f, &undone, note));
	assert_int_equal(mlb_fs_lstat(&st, jobs, NULL), 0);
	assert_int_equal(st.size, 0);
	assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
	free(jobs);
	return undone;
}

/* Where the old d goes when there is a new one. */
#define KEPT ".mlbuild/aside/d"

/* One job as a little mlbuild runs it: outputs get the text, an exit code, accepted or rejected. */
static inline void
run_job(struct fixture *f, struct mlb_journal *journal, const char *text, int code,
	const char *extra)
{
	char *command = mlb_asprintf(
		"echo %s > a; %s echo %s > sub/b; echo %s > d/x; echo %s > new/c; exit %d", text,
		extra, text, text, text, code);
	struct mlb_job_spec s = {
		.name = "train", .dir = ".", .shell = "", .scratch = "", .max_log = 4096
	};
	char *keep = at(f, KEPT);
	const struct mlb_job_output outputs[] = { { "a", MLB_G_FILE, NULL },
						  { "sub/b", MLB_G_FILE, NULL },
						  { "d", MLB_G_DIR, keep },
						  { "new/c", MLB_G_FILE, NULL } };
	struct mlb_job_end end;
	struct mlb_job *j;

	s.root = mlb_buf_str(&f->root);
	s.state_dir = mlb_buf_str(&f->state);
	s.command = command;
	s.output = outputs;
	s.n_outputs = MLB_ARRAY_LEN(outputs);
	if (mlb_job_start(&j, &s, journal, NULL))
		_exit(9);
	struct pollfd p = { mlb_job_pidfd(j), POLLIN, 0 };
	while (poll(&p, 1, -1) < 1)
		;
	if (mlb_job_finish(j, &end, NULL))
		_exit(9);
	if (end.ok ? mlb_job_accept(j, NULL) : mlb_job_reject(j, false, NULL))
		_exit(9);
	mlb_job_free(j);
	free(keep);
	free(command);
}

/* The text that all outputs hold; it must be one. */
static inline char *
generation(struct fixture *f)
{
	char *a = text_of(f, "a");

	assert_holds(f, "sub/b", a);
	assert_holds(f, "d/x", a);
	assert_holds(f, "new/c", a);
	return a;
}

/* Outputs of an earlier build: all but new/c, or none. */
static inline void
old_outputs(struct fixture *f, bool any)
{
	static const char *const path[] = { "a", "sub", "d", "new", ".mlbuild/failed", KEPT, "accepted" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(path); i++) {
		char *full = at(f, path[i]);
		assert_int_equal(mlb_fs_remove_tree(full, NULL), 0);
		free(full);
	}
	if (any) {
		put(f, "a", "old\n");
		put(f, "sub/b", "old\n");
		put(f, "d/x", "old\n");
		put(f, "new/c", "old\n");
	}
}

/* A process that dies while its job has written the half of its outputs. */
static inline void
leave_a_half(struct fixture *f)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		unsigned undone;
		struct mlb_journal *j;
		mlb_spawn_subreaper(NULL);
		if (mlb_journal_open(&j, mlb_buf_str(&f->root), mlb_buf_str(&f->state), &undone,
				     NULL, NULL))
			_exit(9);
		run_job(f, j, "half", 0, "kill -9 $PPID; exit;");
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

#endif
