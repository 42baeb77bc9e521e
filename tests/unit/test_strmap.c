#include "unit.h"

#include "base/strmap.h"

static void
finds_what_was_added(void **state)
{
	enum { N = 20000 };
	struct mlb_strmap m = MLB_STRMAP_INIT;
	char(*key)[16] = mlb_calloc(N, sizeof(*key));
	bool is_new;

	(void)state;
	assert_null(mlb_strmap_find(&m, "a", 1));
	assert_null(mlb_strmap_get(&m, "a"));
	for (uint32_t i = 0; i < N; i++) {
		snprintf(key[i], sizeof(key[i]), "key%u", i);
		mlb_strmap_add(&m, key[i], strlen(key[i]), &is_new)->u.num = i;
		assert_true(is_new);
	}
	for (uint32_t i = 0; i < N; i++) {
		struct mlb_strmap_entry *e = mlb_strmap_find(&m, key[i], strlen(key[i]));

		assert_non_null(e);
		assert_int_equal(e->u.num, i);
		assert_ptr_equal(m.entry[i].key, key[i]); /* in order of insertion */
	}
	assert_null(mlb_strmap_find(&m, "key20000", 8));
	mlb_strmap_add(&m, "key7", 4, &is_new);
	assert_false(is_new);
	assert_int_equal(m.n, N);
	mlb_strmap_release(&m);
	assert_int_equal(m.n, 0);
	free(key);
}

static void
keys_are_bytes(void **state)
{
	struct mlb_strmap m = MLB_STRMAP_INIT;

	(void)state;
	mlb_strmap_add(&m, "a\0b", 3, NULL)->u.num = 1;
	mlb_strmap_add(&m, "a\0c", 3, NULL)->u.num = 2;
	mlb_strmap_add(&m, "", 0, NULL)->u.num = 3;
	mlb_strmap_add(&m, "a", 1, NULL)->u.num = 4;
	assert_int_equal(m.n, 4);
	assert_int_equal(mlb_strmap_find(&m, "a\0b", 3)->u.num, 1);
	assert_int_equal(mlb_strmap_find(&m, "a\0c", 3)->u.num, 2);
	assert_int_equal(mlb_strmap_find(&m, "", 0)->u.num, 3);
	assert_int_equal(mlb_strmap_find(&m, "abc", 1)->u.num, 4);
	mlb_strmap_release(&m);
}

static void
set_replaces(void **state)
{
	struct mlb_strmap m = MLB_STRMAP_INIT;
	int a, b;

	(void)state;
	mlb_strmap_set(&m, "k", &a);
	assert_ptr_equal(mlb_strmap_get(&m, "k"), &a);
	mlb_strmap_set(&m, "k", &b);
	assert_ptr_equal(mlb_strmap_get(&m, "k"), &b);
	assert_int_equal(m.n, 1);
	mlb_strmap_release(&m);
}

static int
cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* 64 bits: among 100,000 keys that differ little there must be no collision. */
static void
hash_does_not_collide(void **state)
{
	enum { N = 100000 };
	uint64_t *h = mlb_calloc(N, sizeof(*h));

	(void)state;
	for (uint32_t i = 0; i < N / 2; i++)
		h[i] = mlb_hash64(&i, sizeof(i), 0);
	for (uint32_t i = 0; i < N / 2; i++) {
		char key[32];
		int n = snprintf(key, sizeof(key), "data/part-%05u.csv", i);

		h[N / 2 + i] = mlb_hash64(key, (size_t)n, 0);
	}
	qsort(h, N, sizeof(*h), cmp);
	for (size_t i = 1; i < N; i++)
		assert_true(h[i - 1] != h[i]);
	free(h);
}

/* One bit of input changes about half of the output's bits, wherever it is. */
static void
hash_avalanches(void **state)
{
	unsigned char data[40];

	(void)state;
	for (size_t len = 1; len <= sizeof(data); len++) {
		unsigned total = 0;
		uint64_t h;

		for (size_t i = 0; i < len; i++)
			data[i] = (unsigned char)(i * 37 + len);
		h = mlb_hash64(data, len, 1);
		for (size_t bit = 0; bit < len * 8; bit++) {
			unsigned flips;

			data[bit / 8] ^= (unsigned char)(1u << bit % 8);
			flips = (unsigned)__builtin_popcountll(h ^ mlb_hash64(data, len, 1));
			data[bit / 8] ^= (unsigned char)(1u << bit % 8);
			assert_in_range(flips, 10, 54);
			total += flips;
		}
		assert_in_range(total / (len * 8), 25, 39);
	}
}

static void
hash_depends_on_length_and_seed(void **state)
{
	const char zero[64] = { 0 };

	(void)state;
	for (size_t a = 0; a < 64; a++)
		for (size_t b = a + 1; b <= 64; b++)
			assert_true(mlb_hash64(zero, a, 0) != mlb_hash64(zero, b, 0));
	assert_true(mlb_hash64("abc", 3, 0) != mlb_hash64("abc", 3, 1));
	assert_true(mlb_hash64("abc", 3, 5) == mlb_hash64("abcd", 3, 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(set_replaces),
		cmocka_unit_test(hash_does_not_collide),
		cmocka_unit_test(hash_avalanches),
		cmocka_unit_test(hash_depends_on_length_and_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
