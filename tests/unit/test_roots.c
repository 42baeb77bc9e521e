/* What projects need of a cache: the file, and one file within another. */
#include "unit.h"

#include "store/roots.h"

static struct mlb_digest
digest(const char *text)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, text, strlen(text));
	return d;
}

static void
add(struct mlb_roots *r, enum mlb_root_kind kind, const char *text)
{
	struct mlb_digest d = digest(text);

	mlb_roots_add(r, kind, &d);
}

static void
what_is_written_is_read(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_roots r = { 0 }, again;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest zero = { { 0 } };

	(void)state;
	r.host = mlb_strdup("a host");
	r.dir = mlb_strdup("/with\nline\\feed");
	add(&r, MLB_ROOT_TREE, "b");
	add(&r, MLB_ROOT_KEY, "a");
	add(&r, MLB_ROOT_TREE, "b");
	add(&r, MLB_ROOT_ANY, "c");
	mlb_roots_add(&r, MLB_ROOT_OBJECT, &zero);
	mlb_roots_sort(&r);
	assert_int_equal(r.root.n, 3);
	mlb_roots_format(&text, &r);
	assert_ok(mlb_roots_parse(&again, mlb_buf_str(&text), text.len, &err));
	assert_string_equal(again.host, r.host);
	assert_string_equal(again.dir, r.dir);
	assert_int_equal(again.root.n, 3);
	assert_true(mlb_roots_within(&again, &r));
	assert_true(mlb_roots_within(&r, &again));
	mlb_roots_release(&again);
	mlb_roots_release(&r);
	mlb_buf_release(&text);
}

/* Whichever byte it is. */
static void
a_changed_byte_is_seen(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_roots r = { 0 }, again;

	(void)state;
	add(&r, MLB_ROOT_OBJECT, "a");
	add(&r, MLB_ROOT_TABLE, "b");
	mlb_roots_sort(&r);
	mlb_roots_format(&text, &r);
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		assert_int_equal(mlb_roots_parse(&again, text.data, text.len, NULL), MLB_ECORRUPT);
		text.data[i] ^= 1;
		assert_int_equal(mlb_roots_parse(&again, text.data, i, NULL), MLB_ECORRUPT);
	}
	mlb_roots_release(&r);
	mlb_buf_release(&text);
}

static void
one_is_within_another(void **state)
{
	struct mlb_roots less = { 0 }, more = { 0 };

	(void)state;
	assert_true(mlb_roots_within(&less, &more));
	add(&more, MLB_ROOT_OBJECT, "a");
	add(&more, MLB_ROOT_TREE, "b");
	mlb_roots_sort(&more);
	assert_true(mlb_roots_within(&less, &more));
	add(&less, MLB_ROOT_TREE, "b");
	assert_true(mlb_roots_within(&less, &more));
	/* The same bytes as something else are something else. */
	add(&less, MLB_ROOT_TREE, "a");
	mlb_roots_sort(&less);
	assert_false(mlb_roots_within(&less, &more));
	mlb_roots_release(&less);
	mlb_roots_release(&more);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_changed_byte_is_seen),
		cmocka_unit_test(one_is_within_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
