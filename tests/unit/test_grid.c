/* The combinations of a sweep: how they are written, numbered and drawn. */
#include "unit.h"

#include "engine/grid.h"

static int
parse(struct mlb_grid *g, const char *a, const char *b, struct mlb_err *err)
{
	const char *param[] = { a, b };

	return mlb_grid_parse(g, param, b ? 2 : 1, err);
}

static void
assert_values(const char *text, const char *want)
{
	struct mlb_grid g;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);

	assert_ok(parse(&g, text, NULL, &err));
	for (size_t i = 0; i < g.axis.v[0].value.n; i++)
		mlb_buf_addf(&got, "%s%s", i ? "|" : "", g.axis.v[0].value.v[i]);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
	mlb_grid_release(&g);
}

static void
values(void **state)
{
	(void)state;
	assert_values("x=1,2.5,abc", "1|2.5|abc");
	assert_values("x=1..3,7", "1|2|3|7");
	assert_values("x=08..11", "08|09|10|11");
	assert_values("x=-1..1", "-1|0|1");
	assert_values("x=2024-02-28..2024-03-01", "2024-02-28|2024-02-29|2024-03-01");
	assert_values("x='1..3',\"a,b\",c'd,e'f", "1..3|a,b|cd,ef");
	assert_values("x=", "");
	assert_values("x=1,''", "1|");
	assert_values("x=a=b,c", "a=b|c");
	assert_values("x=../data,..", "../data|..");
	assert_values("x=1e-3,1E3", "1e-3|1E3");
}

static void
assert_refused(const char *a, const char *b, const char *what)
{
	struct mlb_grid g;
	struct mlb_err err = MLB_ERR_INIT;

	assert_int_equal(parse(&g, a, b, &err), MLB_EINVALID);
	assert_non_null(strstr(err.text, what));
	mlb_err_release(&err);
	mlb_grid_release(&g);
}

static void
what_is_refused(void **state)
{
	(void)state;
	assert_refused("x=1,1", NULL, "'1' is given twice");
	assert_refused("x=1..3,2", NULL, "'2' is given twice");
	assert_refused("x=1", "x=2", "-p x is given twice");
	assert_refused("x", NULL, "neither");
	assert_refused("=1", NULL, "neither");
	assert_refused("x='1", NULL, "quote");
	assert_refused("x=1,,2", NULL, "missing");
	assert_refused("x=1,", NULL, "missing");
	assert_refused("x=3..1", NULL, "backwards");
	assert_refused("x=0.1..0.5", NULL, "range");
	assert_refused("x=1..1000000", NULL, "100,000");
	assert_refused("@only.yaml", NULL, "needs values");
}

static void
assert_label(const struct mlb_grid *g, uint64_t number, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_KIB);

	mlb_grid_label(g, number, &b);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
the_first_varies_slowest(void **state)
{
	struct mlb_grid g;
	struct mlb_err err = MLB_ERR_INIT;
	const char *param[] = { "a=x,'y z'", "@base.yaml", "b=1..3" };
	struct mlb_strvec given = MLB_VEC_INIT;

	(void)state;
	assert_ok(mlb_grid_parse(&g, param, 3, &err));
	assert_int_equal(g.total, 6);
	assert_label(&g, 0, "a=x b=1");
	assert_label(&g, 1, "a=x b=2");
	assert_label(&g, 3, "a='y z' b=1");
	mlb_grid_params(&g, 5, &given);
	assert_int_equal(given.n, 3);
	assert_string_equal(given.v[0], "@base.yaml");
	assert_string_equal(given.v[1], "a=y z");
	assert_string_equal(given.v[2], "b=3");
	mlb_strvec_release(&given);
	mlb_grid_release(&g);
}

/* Every number below total at most once, the same for the same seed. */
static void
draws(void **state)
{
	struct mlb_grid g;
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t *a, *b, *c;
	size_t n, same = 0;
	bool seen[100] = { false };

	(void)state;
	assert_ok(parse(&g, "a=1..10", "b=1..10", &err));
	assert_ok(mlb_grid_choose(&g, 60, 1, &a, &n, &err));
	assert_int_equal(n, 60);
	for (size_t i = 0; i < n; i++) {
		assert_true(a[i] < 100);
		assert_false(seen[a[i]]);
		seen[a[i]] = true;
	}
	assert_ok(mlb_grid_choose(&g, 60, 1, &b, &n, &err));
	assert_memory_equal(a, b, n * sizeof(*a));
	assert_ok(mlb_grid_choose(&g, 60, 2, &c, &n, &err));
	for (size_t i = 0; i < n; i++)
		same += a[i] == c[i];
	assert_true(same < n / 2);
	free(a);
	free(b);
	free(c);
	assert_ok(mlb_grid_choose(&g, 1000, 1, &a, &n, &err));
	assert_int_equal(n, 100);
	assert_int_equal(a[99], 99);
	free(a);
	mlb_grid_release(&g);
	assert_ok(parse(&g, "a=1..1000", "b=1..1000", &err));
	assert_int_equal(mlb_grid_choose(&g, 0, 0, &a, &n, &err), MLB_EINVALID);
	free(a);
	mlb_err_release(&err);
	mlb_grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(the_first_varies_slowest),
		cmocka_unit_test(draws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
