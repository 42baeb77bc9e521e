/* Metrics in JSON, YAML and CSV, and their values one by one. */
#include "unit.h"

#include "engine/metrics_read.h"

static void
expect(const char *path, const char *text, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	json_t *json = mlb_metrics_parse(path, text, strlen(text), &err);

	if (!json)
		print_error("%s\n", err.text);
	assert_non_null(json);
	mlb_metrics_dump(&got, json);
	assert_string_equal(mlb_buf_str(&got), want);
	json_decref(json);
	mlb_buf_release(&got);
}

static void
refuse(const char *path, const char *text, size_t len, const char *words)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_null(mlb_metrics_parse(path, text, len, &err));
	assert_int_equal(err.code, MLB_EINVALID);
	assert_non_null(strstr(err.text, words));
	mlb_err_release(&err);
	assert_null(mlb_metrics_parse(path, text, len, NULL));
}

static void
json(void **state)
{
	(void)state;
	expect("m.json", "{\n \"a\": 0.1, \"b\": {\"c\": [1, 2.50]}, \"t\": true, \"z\": null }\n",
	       "{\"a\":0.1,\"b\":{\"c\":[1,2.5]},\"t\":true,\"z\":null}");
	expect("metrics", "0.1", "0.1");
	expect("m.json", "{\"n\": 12345678901234567, \"s\": \"\\u00e4\\n\"}",
	       "{\"n\":12345678901234567,\"s\":\"\xc3\xa4\\n\"}");
	refuse("m.json", "{\"a\": }", 7, "line 1");
	refuse("m.json", "", 0, "m.json");
	refuse("m.json", "{\"a\": 1, \"a\": 2}", 16, "m.json");
}

static void
yaml(void **state)
{
	(void)state;
	expect("m.yaml", "# words\na: 1e-3\nb:\n  c: 2\nl: [1, x]\ns: '7'\nyes: true\n",
	       "{\"a\":0.001,\"b\":{\"c\":2},\"l\":[1,\"x\"],\"s\":\"7\",\"yes\":true}");
	expect("m.yml", "0.5\n", "0.5");
	refuse("m.yaml", "a: [1\n", 6, "m.yaml");
}

static void
csv(void **state)
{
	(void)state;
	/* The last row of a training log. */
	expect("m.csv", "epoch,loss,acc\n1,0.5,0.25\n2,0.25,1e-1\n",
	       "{\"epoch\":2,\"loss\":0.25,\"acc\":0.1}");
	expect("m.csv", "epoch,loss\r\n1,0.5\r\n2,\r\n", "{\"epoch\":2}");
	expect("m.csv", "\xef\xbb\xbf\"a, b\",\"say \"\"x\"\"\"\n1,\"y\nz\"",
	       "{\"a, b\":1,\"say \\\"x\\\"\":\"y\\nz\"}");
	/* Names and values. */
	expect("m.csv", "metric,value\nacc,0.5\nname,best\n", "{\"acc\":0.5,\"name\":\"best\"}");
	expect("m.csv", "acc,0.5\nloss,-2\n\n", "{\"acc\":0.5,\"loss\":-2}");
	expect("m.tsv", "name\tvalue\na b\t3\n", "{\"a b\":3}");
	/* Two columns that are a log nevertheless. */
	expect("m.csv", "epoch,loss\n1,0.5\n2,0.25\n", "{\"epoch\":2,\"loss\":0.25}");
	/* A header alone, nothing at all, and rows that are too long or short. */
	expect("m.csv", "epoch,loss,acc\n", "{}");
	expect("m.csv", "", "{}");
	expect("m.csv", "a,b,c\n1\n1,2,3,4\n", "{\"a\":1,\"b\":2,\"c\":3}");
	expect("m.csv", "a,b,c\n1,2,\"3", "{\"a\":1,\"b\":2,\"c\":3}");
	refuse("m.csv", "a,b\n\xff,1\n", 8, "UTF-8");
}

static void
flat(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_metrics m = MLB_VEC_INIT;
	json_t *json = json_loads(
		"{\"z\": 1, \"val\": {\"loss\": 0.5, \"by\": {\"a\": \"x\"}}, \"l\": [1, 2]}", 0,
		NULL);

	(void)state;
	mlb_metrics_flatten(&m, &arena, json);
	assert_int_equal(m.n, 4);
	assert_string_equal(m.v[0].name, "z");
	assert_true(m.v[0].is_number);
	assert_string_equal(m.v[1].name, "val.loss");
	assert_string_equal(m.v[1].json, "0.5");
	assert_string_equal(m.v[2].name, "val.by.a");
	assert_string_equal(m.v[2].text, "x");
	assert_string_equal(m.v[2].json, "\"x\"");
	assert_false(m.v[2].is_number);
	assert_string_equal(m.v[3].text, "[1,2]");
	assert_ptr_equal(mlb_metrics_find(&m, "val.loss"), &m.v[1]);
	assert_null(mlb_metrics_find(&m, "val"));
	mlb_metrics_flatten(&m, &arena, NULL);
	assert_int_equal(m.n, 4);
	mlb_vec_release(&m);
	mlb_arena_release(&arena);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(json),
		scratch_test(yaml),
		scratch_test(csv),
		scratch_test(flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
