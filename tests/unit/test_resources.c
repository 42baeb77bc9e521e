/* Resources: nothing granted twice or in part, everything given back, nobody starved. */
#include "unit.h"

#include "engine/resources.h"

enum { N_POOLS = 2 };

/* A graph with two pools (3 and 1 slots) and room for a few demands. */
struct world {
	struct mlb_graph g;
	struct mlb_g_pool pool[N_POOLS];
	struct mlb_g_pool_use use[8];
	uint32_t n_uses;
	struct mlb_resources *r;
};

static void
world_init(struct world *w, unsigned jobs, double cpus, uint64_t mem, unsigned gpus)
{
	struct mlb_err err = MLB_ERR_INIT;

	memset(w, 0, sizeof(*w));
	w->pool[0].slots = 3;
	w->pool[1].slots = 1;
	w->g.pool = w->pool;
	w->g.n_pools = N_POOLS;
	w->g.pool_use = w->use;
	assert_ok(mlb_resources_new(&w->r, &w->g, jobs, cpus, mem, gpus, &err));
}

static struct mlb_g_exec
wants(double cpus, uint64_t mem, uint32_t gpus)
{
	struct mlb_g_exec e = { .cpus = cpus, .mem = mem, .gpus = gpus };

	return e;
}

static void
wants_pool(struct world *w, struct mlb_g_exec *e, uint32_t pool, uint32_t slots)
{
	w->use[w->n_uses] = (struct mlb_g_pool_use){ pool, slots };
	e->pool.first = e->pool.n ? e->pool.first : w->n_uses;
	e->pool.n++;
	w->n_uses++;
}

static bool
take(struct world *w, struct mlb_grant *g, const struct mlb_g_exec *e,
     const struct mlb_g_exec *reserved)
{
	const struct mlb_demand rest = { &w->g, reserved };

	return mlb_resources_take(w->r, g, (struct mlb_demand){ &w->g, e },
				  reserved ? &rest : NULL);
}

static void
slots_processors_memory(void **state)
{
	struct world w;
	struct mlb_g_exec one = wants(1, 0, 0), half = wants(0.1, 0, 0), big = wants(1, 600, 0);
	struct mlb_grant a, b, c, more[10];

	(void)state;
	world_init(&w, 3, 2, 1000, 0);
	assert_true(take(&w, &a, &one, NULL));
	assert_true(take(&w, &b, &one, NULL));
	assert_false(take(&w, &c, &one, NULL)); /* processors */
	assert_false(c.held);
	mlb_resources_give(w.r, &c); /* of nothing: nothing */
	mlb_resources_give(w.r, &b);
	mlb_resources_give(w.r, &b); /* only once */
	assert_true(take(&w, &b, &one, NULL));
	assert_false(take(&w, &c, &one, NULL));
	mlb_resources_give(w.r, &a);
	mlb_resources_give(w.r, &b);
	assert_true(take(&w, &a, &big, NULL));
	assert_false(take(&w, &b, &big, NULL)); /* memory */
	mlb_resources_give(w.r, &a);
	mlb_resources_free(w.r);

	world_init(&w, 10, 1, 0, 0);
	for (int i = 0; i < 10; i++)
		assert_true(take(&w, &more[i], &half, NULL)); /* ten tenths are one */
	assert_false(take(&w, &a, &half, NULL));              /* job slots */
	for (int i = 0; i < 10; i++)
		mlb_resources_give(w.r, &more[i]);
	assert_true(take(&w, &a, &one, NULL));
	mlb_resources_free(w.r);
}

static void
too_much_is_cut_to_the_whole(void **state)
{
	struct world w;
	struct mlb_g_exec huge = wants(64, UINT64_C(1) << 50, 8), one = wants(1, 1, 1);
	struct mlb_grant a, b;

	(void)state;
	world_init(&w, 4, 2, 1 << 30, 2);
	wants_pool(&w, &huge, 1, 100);
	assert_true(take(&w, &a, &huge, NULL));
	assert_int_equal(a.n_gpus, 2);
	assert_int_equal(a.mem, 1 << 30);
	assert_false(take(&w, &b, &one, NULL));
	mlb_resources_give(w.r, &a);
	assert_true(take(&w, &b, &one, NULL));
	assert_false(take(&w, &a, &huge, NULL));
	mlb_resources_give(w.r, &b);
	mlb_resources_free(w.r);

	world_init(&w, 4, 2, 1 << 30, 0); /* a machine without any: runs all the same */
	assert_true(take(&w, &a, &one, NULL));
	assert_int_equal(a.n_gpus, 0);
	mlb_resources_give(w.r, &a);
	mlb_resources_free(w.r);
}

static void
graphics_processors_are_never_shared(void **state)
{
	enum { GPUS = 5, STEPS = 20000 };
	struct world w;
	struct mlb_g_exec exec[4] = { wants(0, 0, 1), wants(0, 0, 2), wants(0, 0, 3),
				      wants(0, 0, 0) };
	struct mlb_grant grant[GPUS + 4];
	int owner[GPUS];

	(void)state;
	srand(7);
	world_init(&w, MLB_ARRAY_LEN(grant), 8, 0, GPUS);
	memset(grant, 0, sizeof(grant));
	memset(owner, -1, sizeof(owner));
	for (int step = 0; step < STEPS; step++) {
		int i = rand() % (int)MLB_ARRAY_LEN(grant);

		if (grant[i].held) {
			for (uint32_t k = 0; k < grant[i].n_gpus; k++)
				owner[grant[i].gpu[k]] = -1;
			mlb_resources_give(w.r, &grant[i]);
			continue;
		}
		const struct mlb_g_exec *e = &exec[rand() % 4];
		uint32_t idle = 0;
		for (int k = 0; k < GPUS; k++)
			idle += owner[k] < 0;
		assert_int_equal(take(&w, &grant[i], e, NULL), e->gpus <= idle);
		assert_int_equal(grant[i].n_gpus, grant[i].held ? e->gpus : 0);
		for (uint32_t k = 0; k < grant[i].n_gpus; k++) {
			assert_true(grant[i].gpu[k] < GPUS);
			assert_int_equal(owner[grant[i].gpu[k]], -1);
			owner[grant[i].gpu[k]] = i;
		}
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(grant); i++)
		mlb_resources_give(w.r, &grant[i]);
	mlb_resources_free(w.r);
}

static void
pools_limit(void **state)
{
	struct world w;
	struct mlb_g_exec two = wants(0, 0, 0), both = wants(0, 0, 0), twice = wants(0, 0, 0);
	struct mlb_grant a, b;

	(void)state;
	world_init(&w, 8, 8, 0, 0);
	wants_pool(&w, &two, 0, 2);
	wants_pool(&w, &both, 0, 1);
	wants_pool(&w, &both, 1, 1);
	wants_pool(&w, &twice, 0, 2);
	wants_pool(&w, &twice, 0, 1);
	assert_true(take(&w, &a, &two, NULL));
	assert_false(take(&w, &b, &two, NULL));
	assert_true(take(&w, &b, &both, NULL));
	mlb_resources_give(w.r, &a);
	assert_false(take(&w, &a, &both, NULL)); /* the other pool */
	assert_true(take(&w, &a, &two, NULL));
	mlb_resources_give(w.r, &a);
	mlb_resources_give(w.r, &b);
	assert_true(take(&w, &a, &twice, NULL));
	assert_false(take(&w, &b, &both, NULL));
	mlb_resources_give(w.r, &a);
	mlb_resources_free(w.r);
}

static void
small_ones_do_not_starve_a_large_one(void **state)
{
	struct world w;
	struct mlb_g_exec small = wants(1, 0, 0), large = wants(4, 0, 0);
	struct mlb_grant run[4], big;

	(void)state;
	world_init(&w, 8, 4, 0, 0);
	for (int i = 0; i < 4; i++)
		assert_true(take(&w, &run[i], &small, NULL));
	assert_false(take(&w, &big, &large, NULL));
	for (int i = 0; i < 4; i++) {
		struct mlb_grant other;

		mlb_resources_give(w.r, &run[i]);
		assert_false(take(&w, &other, &small, &large)); /* each has to make way */
	}
	assert_true(take(&w, &big, &large, &large));
	mlb_resources_give(w.r, &big);
	mlb_resources_free(w.r);
}

static void
waiting_for_one_thing_does_not_idle_another(void **state)
{
	struct world w;
	struct mlb_g_exec train = wants(1, 0, 1), plain = wants(1, 0, 0), wide = wants(2, 0, 1),
			  gpu = wants(0, 0, 1);
	struct mlb_grant first, other, second;

	(void)state;
	world_init(&w, 8, 2, 0, 1);
	assert_true(take(&w, &first, &train, NULL));
	/* The second waits for the graphics processor: the processors are for whoever comes. */
	assert_false(take(&w, &second, &train, NULL));
	assert_true(take(&w, &other, &plain, &train));
	mlb_resources_give(w.r, &first);
	assert_true(take(&w, &second, &train, NULL));
	mlb_resources_give(w.r, &second);

	/* One that wants both processors too misses its chance once, and no more. */
	assert_true(take(&w, &first, &gpu, NULL));
	mlb_resources_give(w.r, &other);
	assert_false(take(&w, &second, &wide, NULL));
	assert_true(take(&w, &other, &plain, &wide));
	mlb_resources_give(w.r, &first);
	assert_false(take(&w, &second, &wide, NULL)); /* a processor is missing now */
	assert_false(take(&w, &first, &plain, &wide));
	assert_false(take(&w, &first, &train, &wide));
	mlb_resources_give(w.r, &other);
	assert_false(take(&w, &other, &plain, &wide)); /* it is its turn */
	assert_true(take(&w, &second, &wide, NULL));
	mlb_resources_give(w.r, &second);
	mlb_resources_free(w.r);
}

static void
order_is_the_callers_while_nothing_is_short(void **state)
{
	struct world w;
	struct mlb_g_exec urgent = wants(1, 10, 0), old = wants(1, 20, 0);
	struct mlb_grant a, b;

	(void)state;
	world_init(&w, 1, 1, 100, 0);
	assert_true(take(&w, &a, &urgent, NULL));
	assert_false(take(&w, &b, &old, NULL));
	assert_false(take(&w, &b, &urgent, &old));
	mlb_resources_give(w.r, &a);
	assert_true(take(&w, &a, &urgent, &old)); /* dearer, so the caller offers it first */
	mlb_resources_give(w.r, &a);
	mlb_resources_free(w.r);
}

/* Random demands over all dimensions: the oldest that waits is always granted before long. */
static void
nobody_starves(void **state)
{
	enum { KINDS = 6, RUNNING = 12 };
	struct world w;
	struct mlb_g_exec kind[KINDS];
	struct mlb_grant run[RUNNING], got;
	unsigned waited = 0, longest = 0, served = 0;

	(void)state;
	srand(11);
	world_init(&w, RUNNING, 8, 100, 2);
	kind[0] = wants(1, 0, 0);
	kind[1] = wants(0, 10, 0);
	kind[2] = wants(0, 0, 1);
	kind[3] = wants(0.5, 5, 0);
	wants_pool(&w, &kind[3], 0, 1);
	kind[4] = wants(2, 30, 1);
	kind[5] = wants(8, 100, 2); /* everything, always in need of all others' end */
	wants_pool(&w, &kind[5], 0, 3);
	memset(run, 0, sizeof(run));
	for (int step = 0; step < 20000; step++) {
		int i = rand() % RUNNING;

		mlb_resources_give(w.r, &run[i]);
		if (take(&w, &got, &kind[5], NULL)) {
			served++;
			longest = MLB_MAX(longest, waited);
			waited = 0;
			mlb_resources_give(w.r, &got);
		} else {
			waited++;
		}
		for (int k = 0; k < RUNNING; k++)
			if (!run[k].held)
				(void)take(&w, &run[k], &kind[rand() % 5], &kind[5]);
	}
	assert_true(served > 50);
	assert_true(longest < 400);
	for (int i = 0; i < RUNNING; i++)
		mlb_resources_give(w.r, &run[i]);
	mlb_resources_free(w.r);
}

static void
what_the_command_is_told(void **state)
{
	uint32_t id[2] = { 0, 2 };
	struct mlb_grant g = { .gpu = id, .n_gpus = 2 };
	struct mlb_buf b = MLB_BUF_INIT(1000);

	(void)state;
	mlb_grant_gpus(&b, &g, NULL);
	assert_string_equal(mlb_buf_str(&b), "0,2");
	mlb_grant_gpus(&b, &g, "4,5,GPU-6a");
	assert_string_equal(mlb_buf_str(&b), "4,GPU-6a");
	mlb_grant_gpus(&b, &g, "4");
	assert_string_equal(mlb_buf_str(&b), "4,2");
	g.n_gpus = 0;
	mlb_grant_gpus(&b, &g, "4,5");
	assert_string_equal(mlb_buf_str(&b), "");
	mlb_buf_release(&b);
}

static void
bad_limits(void **state)
{
	struct mlb_graph g = { .n_pools = 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_resources *r;

	(void)state;
	assert_err(mlb_resources_new(&r, &g, 0, 1, 1, 0, &err), MLB_EINVALID, "at least one job");
	assert_err(mlb_resources_new(&r, &g, 1, 0, 1, 0, &err), MLB_EINVALID, "one processor");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_processors_memory),
		cmocka_unit_test(too_much_is_cut_to_the_whole),
		cmocka_unit_test(graphics_processors_are_never_shared),
		cmocka_unit_test(pools_limit),
		cmocka_unit_test(small_ones_do_not_starve_a_large_one),
		cmocka_unit_test(waiting_for_one_thing_does_not_idle_another),
		cmocka_unit_test(order_is_the_callers_while_nothing_is_short),
		cmocka_unit_test(nobody_starves),
		cmocka_unit_test(what_the_command_is_told),
		cmocka_unit_test(bad_limits),
	};

	return cmocka_run_group_tests_name("resources", tests, NULL, NULL);
}
