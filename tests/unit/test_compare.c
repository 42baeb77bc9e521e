/* Two versions of an output: where they differ, and what is tolerated. */
#include "cas_fixture.h"

#include <math.h>

#include "engine/compare.h"
#include "store/result.h"
#include "store/tree.h"

#define works(call) assert_int_equal(call, MLB_OK)

/* ---------------------------------------------------------- tolerances */

static void
tolerances_are_read(void **state)
{
	static const char *const bad[] = { "",     "=",     "=1",    "x",       "x=",   "x=-1",
					   "x=-0", "x=nan", "x=inf", "x=0x1",   "x=1 ", "x= 1",
					   "x=%",  "x=1%%", "x=1e",  "x=1e999", ":x=1", "t:=1" };
	static const char *const good[] = { "x=0", "x=1e-6", "a=b=2", "t:x=1", "*.acc?=0.5%" };
	struct mlb_tolerances list = MLB_VEC_INIT;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		struct mlb_err err = MLB_ERR_INIT;

		if (mlb_tolerance_add(&list, bad[i], &err) != MLB_EINVALID)
			fail_msg("'%s' was accepted", bad[i]);
		mlb_err_release(&err);
	}
	assert_int_equal(list.n, 0);
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++)
		assert_int_equal(mlb_tolerance_add(&list, good[i], NULL), 0);
	assert_string_equal(list.v[2].name, "a=b");
	assert_string_equal(list.v[3].target, "t");
	assert_true(list.v[4].relative);
	mlb_tolerances_release(&list);
}

static bool
may(const char *tolerance, double was, double is)
{
	struct mlb_tolerances list = MLB_VEC_INIT;
	bool may_be;

	assert_int_equal(mlb_tolerance_add(&list, tolerance, NULL), 0);
	may_be = mlb_tolerated(&list, "t", "metrics.a.0", was, is);
	mlb_tolerances_release(&list);
	return may_be;
}

static void
numbers_may_be_apart(void **state)
{
	(void)state;
	assert_true(may("metrics.a.0=0.1", 1, 1.1));
	assert_true(may("metrics.a.0=0.1", 1, 0.9));
	assert_false(may("metrics.a.0=0.1", 1, 1.1001));
	assert_true(may("metrics.*=1%", 200, 202));
	assert_true(may("metrics.*=1%", -200, -198));
	assert_false(may("metrics.*=1%", 200, 202.1));
	assert_false(may("metrics.*=1%", 0, 1e-9));
	assert_false(may("metrics.*=0", 1, 1 + 1e-15));
	assert_true(may("t:*=1", 1, 2));
	assert_false(may("u:*=1", 1, 2));
	assert_false(may("metrics.a=1", 1, 2));
	assert_true(may("metrics.a.?=1", 1, 2));
}

/* ---------------------------------------------------------- JSON */

struct found {
	struct mlb_arena arena;
	struct mlb_tolerances list;
	struct mlb_compared out;
	bool parsed, tolerated;
};

static struct found
compare_json(const char *was, const char *is, const char *tolerance)
{
	struct found f = { .arena = MLB_ARENA_INIT };
	const struct mlb_comparing c = { .arena = &f.arena,
					 .target = "t",
					 .name = "metrics",
					 .path = "m.json",
					 .tolerance = &f.list };
	struct mlb_buf a = MLB_BUF_INIT(10000), b = MLB_BUF_INIT(10000);

	if (tolerance)
		assert_int_equal(mlb_tolerance_add(&f.list, tolerance, NULL), 0);
	mlb_buf_adds(&a, was);
	mlb_buf_adds(&b, is);
	f.parsed = mlb_compare_json(&f.out, &c, &a, &b, &f.tolerated);
	mlb_buf_release(&a);
	mlb_buf_release(&b);
	return f;
}

static void
release(struct found *f)
{
	mlb_tolerances_release(&f->list);
	mlb_arena_release(&f->arena);
}

static void
value(const struct found *f, size_t i, const char *name, const char *was, const char *is)
{
	assert_true(i < f->out.n_values);
	assert_string_equal(f->out.value[i].name, name);
	assert_string_equal(f->out.value[i].was, was);
	assert_string_equal(f->out.value[i].is, is);
}

static void
values_have_names(void **state)
{
	struct found f =
		compare_json("{\"a\": {\"b\": [1, 2.5]}, \"s\": \"x\", \"gone\": null, \"n\": 0}",
			     "{\"a\": {\"b\": [1, 2.75, true]}, \"s\": \"y\", \"n\": 1}", NULL);

	(void)state;
	assert_true(f.parsed);
	assert_false(f.tolerated);
	assert_int_equal(f.out.n_values, 5);
	value(&f, 0, "metrics.a.b.1", "2.5", "2.75");
	assert_true(fabs(f.out.value[0].relative - 0.1) < 1e-12);
	value(&f, 1, "metrics.a.b.2", "", "true");
	value(&f, 2, "metrics.s", "\"x\"", "\"y\"");
	value(&f, 3, "metrics.gone", "null", "");
	value(&f, 4, "metrics.n", "0", "1");
	assert_true(isnan(f.out.value[4].relative));
	release(&f);
	f = compare_json("3", "4", "metrics=1");
	assert_true(f.tolerated);
	value(&f, 0, "metrics", "3", "4");
	release(&f);
}

static void
only_numbers_are_tolerated(void **state)
{
	struct found f = compare_json("{\"a\": 1, \"b\": 2}", "{\"a\": 1.5, \"b\": 2}", "*=1");

	(void)state;
	assert_true(f.tolerated);
	release(&f);
	f = compare_json("{\"a\": 1, \"b\": \"x\"}", "{\"a\": 1.5, \"b\": \"y\"}", "*=1");
	assert_false(f.tolerated);
	assert_true(f.out.value[0].tolerated);
	assert_false(f.out.value[1].tolerated);
	release(&f);
	f = compare_json("{\"a\": 1}", "{\"a\": 1, \"b\": 2}", "*=1000");
	assert_false(f.tolerated);
	release(&f);
	/* The same values in another layout: the bytes differ, and no number does. */
	f = compare_json("{\"a\": 1}", "{ \"a\":1.0 }", "*=1");
	assert_true(f.parsed);
	assert_false(f.tolerated);
	assert_int_equal(f.out.n_values, 0);
	release(&f);
	f = compare_json("{\"a\": 1}", "{\"a\": ", "*=1");
	assert_false(f.parsed);
	release(&f);
}

/* ---------------------------------------------------------- files and trees */

static void
first_byte(const char *a, const char *b, uint64_t want)
{
	uint64_t at;

	put_file("a", a);
	put_file("b", b);
	works(mlb_first_difference(&at, "a", "b", NULL));
	assert_true(at == want);
}

static void
first_bytes_are_found(void **state)
{
	char *long_a = mlb_alloc(200001), *long_b = mlb_alloc(200001);

	(void)state;
	first_byte("", "", UINT64_MAX);
	first_byte("same", "same", UINT64_MAX);
	first_byte("", "x", 0);
	first_byte("abc", "abd", 2);
	first_byte("abc", "abcd", 3);
	memset(long_a, 'x', 200000);
	memset(long_b, 'x', 200000);
	long_a[200000] = long_b[200000] = '\0';
	first_byte(long_a, long_b, UINT64_MAX);
	long_b[65536] = 'y';
	first_byte(long_a, long_b, 65536);
	long_b[131072] = '\0';
	long_b[65536] = 'x';
	first_byte(long_a, long_b, 131072);
	assert_true(mlb_first_difference(&(uint64_t){ 0 }, "a", "nowhere", NULL) < 0);
	free(long_a);
	free(long_b);
}

static struct mlb_version
version(struct store *s, const char *path, uint8_t kind)
{
	struct mlb_version v = { .kind = kind, .cas = s->cas };

	if (kind == MLB_O_TREE)
		works(mlb_tree_store(&v.digest, &v.size, path, s->cas, NULL));
	else
		works(mlb_cas_put_file(s->cas, &v.digest, &v.size, path, NULL));
	return v;
}

static void
outputs_are_compared(void **state)
{
	struct store s = open_store("db");
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_tolerances none = MLB_VEC_INIT;
	const struct mlb_comparing c = { .arena = &arena,
					 .target = "t",
					 .name = "out",
					 .path = "o",
					 .tolerance = &none,
					 .tmp = "." };
	struct mlb_version was, is, nothing = { .cas = s.cas };
	struct mlb_compared out;

	(void)state;
	put_file("f1", "hello world");
	put_file("f2", "hello there");
	was = version(&s, "f1", MLB_O_FILE);
	is = version(&s, "f2", MLB_O_FILE);
	works(mlb_compare(&out, &c, &was, &was, NULL));
	assert_int_equal(out.like, MLB_LIKE_IDENTICAL);
	works(mlb_compare(&out, &c, &was, &is, NULL));
	assert_int_equal(out.like, MLB_LIKE_DIFFERENT);
	assert_int_equal(out.first, 6);
	works(mlb_compare(&out, &c, &was, &nothing, NULL));
	assert_int_equal(out.like, MLB_LIKE_IMPOSSIBLE);
	assert_string_equal(out.is, "");
	/* Bytes that are nowhere: the digests tell that they differ, and nothing where. */
	is.digest.b[0] ^= 1;
	works(mlb_compare(&out, &c, &was, &is, NULL));
	assert_int_equal(out.like, MLB_LIKE_DIFFERENT);
	assert_true(out.first == UINT64_MAX);
	mlb_arena_release(&arena);
	close_store(&s);
}

static void
trees_are_compared(void **state)
{
	struct store s = open_store("db");
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_tolerances none = MLB_VEC_INIT;
	const struct mlb_comparing c = { .arena = &arena,
					 .target = "t",
					 .name = "out",
					 .path = "o/",
					 .tolerance = &none,
					 .tmp = "." };
	struct mlb_version was, is;
	struct mlb_compared out;

	(void)state;
	works(mlb_fs_mkdirs("a/d", NULL));
	works(mlb_fs_mkdirs("b/d", NULL));
	put_file("a/d/same", "1");
	put_file("b/d/same", "1");
	put_file("a/d/x", "12345");
	put_file("b/d/x", "1234567");
	put_file("a/old", "o");
	put_file("b/young", "n");
	was = version(&s, "a", MLB_O_TREE);
	is = version(&s, "b", MLB_O_TREE);
	works(mlb_compare(&out, &c, &was, &is, NULL));
	assert_int_equal(out.like, MLB_LIKE_DIFFERENT);
	assert_int_equal(out.files_changed, 3);
	assert_int_equal(out.n_files, 3);
	assert_string_equal(out.file[0].path, "d/x");
	assert_int_equal(out.file[0].first, 5);
	assert_int_equal(out.file[0].was_size, 5);
	assert_int_equal(out.file[0].is_size, 7);
	assert_string_equal(out.file[1].path, "old");
	assert_true(out.file[1].was && !out.file[1].is);
	assert_string_equal(out.file[2].path, "young");
	assert_true(!out.file[2].was && out.file[2].is);
	mlb_arena_release(&arena);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tolerances_are_read), cmocka_unit_test(numbers_may_be_apart),
		cmocka_unit_test(values_have_names),   cmocka_unit_test(only_numbers_are_tolerated),
		scratch_test(first_bytes_are_found),   scratch_test(outputs_are_compared),
		scratch_test(trees_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
