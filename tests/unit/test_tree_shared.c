/* Trees that have subtrees in common. */
#include "cas_fixture.h"

#include "store/tree.h"

static int
count_objects(void *ctx, const struct mlb_digest *object MLB_UNUSED, struct mlb_err *err MLB_UNUSED)
{
	++*(size_t *)ctx;
	return 0;
}

/* Each directory has the one below it twice: 2^40 paths, 41 nodes. */
static void
test_shared_below(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_tree_seen seen = { 0 };
	struct mlb_tree_entry e[2];
	struct mlb_digest at;
	struct store s = open_store("state.db");
	size_t n = 0;
	uint64_t size;

	(void)state;
	e[0] = (struct mlb_tree_entry){ .name = "f", .kind = MLB_T_FILE };
	assert_ok(mlb_cas_put(s.cas, &e[0].digest, "", 0, &err));
	assert_ok(mlb_tree_node(&at, &size, e, 1, s.cas, &err));
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 2; k++)
			e[k] = (struct mlb_tree_entry){
				.name = k ? "b" : "a", .kind = MLB_T_DIR, .size = size, .digest = at
			};
		assert_ok(mlb_tree_node(&at, &size, e, 2, s.cas, &err));
	}
	assert_ok(mlb_tree_objects(s.cas, &at, &seen, count_objects, &n, &err));
	assert_int_equal(n, 42);
	assert_ok(mlb_tree_objects(s.cas, &at, &seen, count_objects, &n, &err));
	assert_int_equal(n, 42);
	assert_true(mlb_tree_sure(s.cas, &at));
	mlb_tree_seen_release(&seen);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { scratch_test(test_shared_below) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
