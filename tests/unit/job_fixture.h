/* A project in a temporary directory, and jobs in it, for the tests of jobs and of the journal. */
#ifndef TESTS_UNIT_JOB_FIXTURE_H
#define TESTS_UNIT_JOB_FIXTURE_H

#include "unit.h"

#include <limits.h>
#include <poll.h>

#include "engine/job.h"
#include "engine/journal.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/spawn.h"

/* A project in a temporary directory, and a journal. */
struct fixture {
	struct mlb_buf root, state;
	struct mlb_journal *journal;
	struct mlb_buf lines; /* what mlb_job_read gave, one line each */
};

static inline char *
at(struct fixture *f, const char *path)
{
	return mlb_asprintf("%s/%s", mlb_buf_str(&f->root), path);
}

static inline int
set_up(void **state)
{
	struct fixture *f = mlb_calloc(1, sizeof(*f));
	struct mlb_err err = MLB_ERR_INIT;

	mlb_buf_init(&f->root, PATH_MAX);
	mlb_buf_init(&f->state, PATH_MAX);
	mlb_buf_init(&f->lines, 64 * MLB_MIB);
	assert_int_equal(mlb_spawn_subreaper(&err), 0);
	assert_int_equal(mlb_fs_tempdir(&f->root, "/tmp", "mlb-job-", &err), 0);
	mlb_buf_addf(&f->state, "%s/.mlbuild", mlb_buf_str(&f->root));
	assert_int_equal(mlb_fs_mkdirs(mlb_buf_str(&f->state), &err), 0);
	*state = f;
	return 0;
}

/* The same, with an open journal. */
static inline int
set_up_journal(void **state)
{
	struct fixture *f;
	struct mlb_err err = MLB_ERR_INIT;
	unsigned undone;

	set_up(state);
	f = *state;
	assert_ok(mlb_journal_open(&f->journal, mlb_buf_str(&f->root), mlb_buf_str(&f->state),
				   &undone, NULL, &err));
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;
	struct mlb_stat st;
	char *jobs = at(f, ".mlbuild/jobs");

	mlb_journal_close(f->journal);
	assert_int_equal(mlb_fs_lstat(&st, jobs, NULL), 0);
	assert_int_equal(st.size, 0); /* absent, or no job is left in it */
	assert_int_equal(mlb_fs_remove_tree(mlb_buf_str(&f->root), NULL), 0);
	mlb_buf_release(&f->root);
	mlb_buf_release(&f->state);
	mlb_buf_release(&f->lines);
	free(jobs);
	free(f);
	return 0;
}

static inline void
put(struct fixture *f, const char *path, const char *text)
{
	char *full = at(f, path);

	assert_int_equal(mlb_fs_mkparents(full, NULL), 0);
	assert_int_equal(mlb_fs_write(full, text, strlen(text), false, NULL), 0);
	free(full);
}

/* What a file holds; "(absent)", "(dir)" or "(other)". */
static inline const char *
get(struct fixture *f, const char *path)
{
	static char text[4096];
	struct mlb_buf b = MLB_BUF_INIT(sizeof(text) - 1);
	struct mlb_stat st;
	char *full = at(f, path);

	assert_int_equal(mlb_fs_lstat(&st, full, NULL), 0);
	if (st.type == MLB_F_FILE)
		assert_int_equal(mlb_fs_read(&b, full, NULL), 0);
	else
		mlb_buf_adds(&b, st.type == MLB_F_ABSENT ? "(absent)"
				 : st.type == MLB_F_DIR  ? "(dir)"
							 : "(other)");
	snprintf(text, sizeof(text), "%s", mlb_buf_str(&b));
	mlb_buf_release(&b);
	free(full);
	return text;
}

static inline size_t
entries(struct fixture *f, const char *dir)
{
	struct mlb_dirents d = MLB_VEC_INIT;
	char *full = at(f, dir);
	size_t n = 0;

	if (mlb_fs_exists(full)) {
		assert_int_equal(mlb_fs_list(&d, full, NULL), 0);
		n = d.n;
	}
	mlb_dirents_release(&d);
	free(full);
	return n;
}

static inline struct mlb_job_spec
spec_of(struct fixture *f, const char *command)
{
	struct mlb_job_spec s = {
		.name = "t", .dir = ".", .shell = "", .scratch = "", .max_log = 1 << 20
	};

	s.root = mlb_buf_str(&f->root);
	s.state_dir = mlb_buf_str(&f->state);
	s.command = command;
	return s;
}

static inline void
add_line(void *ctx, const char *text, size_t len)
{
	struct fixture *f = ctx;

	mlb_buf_add(&f->lines, text, len);
	mlb_buf_addc(&f->lines, '\n');
}

static inline struct mlb_job *
start(struct fixture *f, const struct mlb_job_spec *spec)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_job *j = NULL;

	if (mlb_job_start(&j, spec, f->journal, &err))
		fail_msg("%s", err.text);
	return j;
}

/* What an event loop does until the leader has ended. */
static inline struct mlb_job_end
finish(struct fixture *f, struct mlb_job *j)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_job_end end;

	mlb_buf_clear(&f->lines);
	for (;;) {
		struct pollfd p[2] = { { mlb_job_pidfd(j), POLLIN, 0 },
				       { mlb_job_output_fd(j), POLLIN, 0 } };
		uint64_t deadline = mlb_job_deadline(j), now = mlb_clock_mono();
		int ms = !deadline        ? 20000
			 : deadline > now ? (int)((deadline - now) / 1000000) + 1
					  : 0;

		int n = poll(p, 2, ms);
		assert_true(n >= 0);
		if (n == 0) {
			assert_true(deadline != 0); /* else it hangs */
			mlb_job_stop(j, true);
		}
		if (p[1].revents)
			mlb_job_read(j, add_line, f);
		if (p[0].revents)
			break;
	}
	if (mlb_job_finish(j, &end, &err))
		fail_msg("%s", err.text);
	assert_false(mlb_job_read(j, add_line, f));
	return end;
}

/* Start, wait, and accept or reject by its end. */
static inline struct mlb_job_end
run(struct fixture *f, const struct mlb_job_spec *spec, struct mlb_job **out)
{
	struct mlb_job *j = start(f, spec);
	struct mlb_job_end end = finish(f, j);

	if (end.ok)
		assert_int_equal(mlb_job_accept(j, NULL), 0);
	else
		assert_int_equal(mlb_job_reject(j, false, NULL), 0);
	*out = j;
	return end;
}

/* Does a process have this in its command line? */
static inline bool
runs(const char *pattern)
{
	struct mlb_dirents d = MLB_VEC_INIT;
	bool found = false;

	assert_int_equal(mlb_fs_list(&d, "/proc", NULL), 0);
	for (size_t i = 0; i < d.n && !found; i++) {
		struct mlb_buf b = MLB_BUF_INIT(1 << 20);
		char path[300];

		snprintf(path, sizeof(path), "/proc/%s/cmdline", d.v[i].name);
		if (d.v[i].name[0] >= '1' && d.v[i].name[0] <= '9' &&
		    mlb_fs_read(&b, path, NULL) == 0 && b.len)
			found = memmem(b.data, b.len, pattern, strlen(pattern)) != NULL;
		mlb_buf_release(&b);
	}
	mlb_dirents_release(&d);
	return found;
}

#endif
