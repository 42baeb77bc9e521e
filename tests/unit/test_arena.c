#include "unit.h"

#include "base/arena.h"

static void
memory_is_cleared_and_aligned(void **state)
{
	struct mlb_arena a = MLB_ARENA_INIT;
	unsigned char zero[700] = { 0 };

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		size_t size = i % 700;
		unsigned char *p = mlb_arena_alloc(&a, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_memory_equal(p, zero, size ? size : 1);
		memset(p, 0xaa, size);
	}
	assert_true(a.total >= 2000 * 300);
	mlb_arena_release(&a);
	assert_null(a.head);
	assert_int_equal(a.total, 0);
}

static void
pieces_do_not_overlap(void **state)
{
	enum { N = 3000 };
	struct mlb_arena a = MLB_ARENA_INIT;
	uint32_t *p[N];

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		/* Some far larger than a chunk. */
		size_t n = i % 500 == 0 ? 100000 : i % 7 + 1;

		p[i] = mlb_arena_alloc(&a, n * sizeof(uint32_t));
		for (size_t k = 0; k < n; k++)
			p[i][k] = i;
	}
	for (uint32_t i = 0; i < N; i++) {
		size_t n = i % 500 == 0 ? 100000 : i % 7 + 1;

		for (size_t k = 0; k < n; k++)
			assert_int_equal(p[i][k], i);
	}
	mlb_arena_release(&a);
}

static void
strings(void **state)
{
	struct mlb_arena a = MLB_ARENA_INIT;

	(void)state;
	assert_string_equal(mlb_arena_strdup(&a, "hello"), "hello");
	assert_string_equal(mlb_arena_strdup(&a, ""), "");
	assert_string_equal(mlb_arena_strndup(&a, "hello", 2), "he");
	assert_string_equal(mlb_arena_printf(&a, "%d/%s", 5, "x"), "5/x");
	mlb_arena_release(&a);
	assert_string_equal(mlb_arena_strdup(&a, "again"), "again");
	mlb_arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_cleared_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
