/* Labels: tsan */
#include "unit.h"

#include <poll.h>
#include <stdatomic.h>

#include "os/pool.h"

struct job {
	struct mlb_task task; /* first */
	int in, out;
	int done;
	struct mlb_pool *again; /* add it once more from done() */
	atomic_int *counter;
};

static void
work(struct mlb_task *t)
{
	struct job *j = (struct job *)t;

	j->out = j->in * 2;
	if (j->counter)
		atomic_fetch_add(j->counter, 1);
}

static void
done(struct mlb_task *t)
{
	struct job *j = (struct job *)t;
	struct mlb_pool *again = j->again;

	j->done++;
	j->again = NULL;
	if (again)
		mlb_pool_add(again, t);
}

static void
everything_is_done_once(void **state)
{
	enum { N = 2000 };
	struct mlb_err err = MLB_ERR_INIT;
	struct job *jobs = mlb_calloc(N, sizeof(*jobs));
	struct mlb_pool *p;

	(void)state;
	assert_ok(mlb_pool_new(&p, 4, &err));
	for (int i = 0; i < N; i++) {
		jobs[i].task.work = work;
		jobs[i].task.done = done;
		jobs[i].in = i;
		jobs[i].again = i % 10 == 0 ? p : NULL;
		mlb_pool_add(p, &jobs[i].task);
	}
	mlb_pool_drain(p);
	for (int i = 0; i < N; i++) {
		assert_int_equal(jobs[i].out, i * 2);
		assert_int_equal(jobs[i].done, i % 10 == 0 ? 2 : 1);
	}
	assert_int_equal(mlb_pool_dispatch(p), 0);
	mlb_pool_drain(p); /* nothing to wait for */
	mlb_pool_free(p);
	free(jobs);
}

/* The event loop's way: sleep on the descriptor, dispatch, sleep again. */
static void
descriptor_wakes_the_owner(void **state)
{
	enum { N = 500 };
	struct mlb_err err = MLB_ERR_INIT;
	struct job *jobs = mlb_calloc(N, sizeof(*jobs));
	struct mlb_pool *p;
	struct pollfd fd;
	unsigned n = 0;

	(void)state;
	assert_ok(mlb_pool_new(&p, 2, &err));
	fd = (struct pollfd){ .fd = mlb_pool_fd(p), .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 0), 0);
	for (int i = 0; i < N; i++) {
		jobs[i].task.work = work;
		jobs[i].task.done = done;
		mlb_pool_add(p, &jobs[i].task);
	}
	while (n < N) {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		n += mlb_pool_dispatch(p);
	}
	assert_int_equal(n, N);
	assert_int_equal(poll(&fd, 1, 0), 0);
	mlb_pool_free(p);
	free(jobs);
}

static void
free_finishes_what_was_queued(void **state)
{
	enum { N = 300 };
	struct mlb_err err = MLB_ERR_INIT;
	struct job *jobs = mlb_calloc(N, sizeof(*jobs));
	atomic_int counter = 0;
	struct mlb_pool *p;

	(void)state;
	assert_ok(mlb_pool_new(&p, 0, &err)); /* at least one thread */
	for (int i = 0; i < N; i++) {
		jobs[i].task.work = work;
		jobs[i].task.done = done;
		jobs[i].counter = &counter;
		mlb_pool_add(p, &jobs[i].task);
	}
	mlb_pool_free(p);
	assert_int_equal(atomic_load(&counter), N);
	for (int i = 0; i < N; i++)
		assert_int_equal(jobs[i].done, 0);
	free(jobs);
	mlb_pool_free(NULL);
}

static void
without_done(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct job j = { .task = { .work = work }, .in = 21 };
	struct mlb_pool *p;

	(void)state;
	assert_ok(mlb_pool_new(&p, 1, &err));
	mlb_pool_add(p, &j.task);
	mlb_pool_drain(p);
	assert_int_equal(j.out, 42);
	mlb_pool_free(p);
}

static void
visit(void *ctx, size_t i)
{
	((unsigned char *)ctx)[i]++;
}

static void
parallel_visits_each_once(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 63, 64, 65, 10000 };
	static const size_t chunks[] = { 0, 1, 7, 64, 20000 };

	(void)state;
	for (size_t c = 0; c < MLB_ARRAY_LEN(counts); c++) {
		for (size_t k = 0; k < MLB_ARRAY_LEN(chunks); k++) {
			unsigned char *seen = mlb_calloc(counts[c], 1);

			mlb_parallel(counts[c], chunks[k], 4, visit, seen);
			for (size_t i = 0; i < counts[c]; i++)
				assert_int_equal(seen[i], 1);
			free(seen);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_done_once),
		cmocka_unit_test(descriptor_wakes_the_owner),
		cmocka_unit_test(free_finishes_what_was_queued),
		cmocka_unit_test(without_done),
		cmocka_unit_test(parallel_visits_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
