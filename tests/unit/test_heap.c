#include "unit.h"

#include "engine/heap.h"

/* The dearest first; of equals the older. */
static void
test_order(void **state)
{
	static const uint64_t cost[] = { 5, 9, 1, 9, 7, 3, 9, 0, 5, 2 };
	struct mlb_work work[MLB_ARRAY_LEN(cost)];
	struct mlb_works heap = MLB_VEC_INIT;
	const struct mlb_work *last = NULL;

	(void)state;
	memset(work, 0, sizeof(work));
	for (size_t i = 0; i < MLB_ARRAY_LEN(cost); i++) {
		work[i].cost = cost[i];
		work[i].seq = i;
		mlb_heap_push(&heap, &work[i]);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(cost); i++) {
		const struct mlb_work *w = mlb_heap_pop(&heap);

		assert_non_null(w);
		if (last)
			assert_true(last->cost > w->cost ||
				    (last->cost == w->cost && last->seq < w->seq));
		last = w;
	}
	assert_null(mlb_heap_pop(&heap));
	mlb_vec_release(&heap);
}

static void
test_mixed(void **state)
{
	enum { N = 2000 };
	struct mlb_work *work = calloc(N, sizeof(*work));
	struct mlb_works heap = MLB_VEC_INIT;
	unsigned seed = 7, popped = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		seed = seed * 1103515245 + 12345;
		work[i].cost = seed >> 20;
		work[i].seq = i;
		mlb_heap_push(&heap, &work[i]);
		if (i % 3 == 0) {
			const struct mlb_work *top = mlb_heap_pop(&heap);

			popped++;
			for (size_t k = 0; k < heap.n; k++)
				assert_true(heap.v[k]->cost <= top->cost);
		}
	}
	while (mlb_heap_pop(&heap))
		popped++;
	assert_int_equal(popped, N);
	mlb_vec_release(&heap);
	free(work);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
