/* Parameter files with some values changed: what is written, and that it reads as the variant says. */
#include "unit.h"

#include "graph/params.h"

static void
parse(struct mlb_params *p, const char *file, const char *text)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_params_init(p);
	assert_ok(mlb_params_parse(p, file, text, strlen(text), false, &err));
}

static const char *
value(const struct mlb_params *p, const char *name)
{
	const struct mlb_param *found = mlb_params_get(p, name);

	if (!found)
		print_error("no parameter %s\n", name);
	assert_non_null(found);
	assert_string_equal(found->name, name);
	return found->text;
}

/* text with name = to set in it (as -p does) becomes want. */
static void
assert_rewritten(const char *file, const char *text, const char *name, const char *to,
		 const char *want)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	const struct mlb_param *change;
	struct mlb_params p, back;
	unsigned changed;

	parse(&p, file, text);
	assert_ok(mlb_params_set(&p, name, to, "-p", 0, true, &err));
	change = mlb_params_get(&p, name);
	assert_ok(mlb_params_rewrite(&out, file, text, strlen(text), &change, 1, &changed, &err));
	assert_int_equal(changed, 1);
	if (want)
		assert_string_equal(mlb_buf_str(&out), want);
	/* What a program reads from it is what the variant says, and nothing else has changed. */
	parse(&back, file, mlb_buf_str(&out));
	assert_int_equal(back.map.n, p.map.n);
	for (uint32_t i = 0; i < p.map.n; i++) {
		const char *key = p.map.entry[i].key;
		const char *a = value(&p, key), *b = value(&back, key);

		if (strcmp(a, b) != 0)
			print_error("%s of:\n%s", key, mlb_buf_str(&out));
		assert_string_equal(a, b);
	}
	mlb_params_release(&back);
	mlb_params_release(&p);
	mlb_buf_release(&out);
}

static void
test_rewrite_yaml(void **state)
{
	(void)state;
	assert_rewritten("p.yaml", "# top\na: 1 # one\nb: 2\n", "a", "10",
			 "# top\na: 10 # one\nb: 2\n");
	assert_rewritten("p.yaml", "a:   1\r\nb: 2\r\n", "a", "1e-3", "a:   1e-3\r\nb: 2\r\n");
	assert_rewritten("p.yaml", "a: \"x\" # c\n", "a", "y", "a: \"y\" # c\n");
	assert_rewritten("p.yaml", "a: 'x'\n", "a", "it's 5", "a: \"it's 5\"\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "b: c # d", "a: \"b: c # d\"\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "", "a: \"\"\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "-", "a: \"-\"\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "-5", "a: -5\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "[1", "a: \"[1\"\n");
	assert_rewritten("p.yaml", "a: x\n", "a", "\xc3\xa9\n\t\"", NULL);
	assert_rewritten("p.yaml", "a:\nb: 1\n", "a", "5", "a: 5\nb: 1\n");
	assert_rewritten("p.yaml", "a: ~\n", "a", "5", "a: 5\n");
	assert_rewritten("p.yaml", "m: {a: 1, b: 2} # c\n", "m.a", "3", "m: {a: 3, b: 2} # c\n");
	assert_rewritten("p.yaml", "m:\n  n:\n    a: 1\n    b: 2\n", "m.n.a", "3",
			 "m:\n  n:\n    a: 3\n    b: 2\n");
	assert_rewritten("p.yaml", "\xc3\xa9: \xf0\x9f\x98\x80 # \xc3\xa9\na: 1 # \xe2\x82\xac\n",
			 "a", "2", "\xc3\xa9: \xf0\x9f\x98\x80 # \xc3\xa9\na: 2 # \xe2\x82\xac\n");
	assert_rewritten("p.yaml",
			 "\xef\xbb\xbf"
			 "a: 1\nb: 2\n",
			 "b", "3",
			 "\xef\xbb\xbf"
			 "a: 1\nb: 3\n");
	assert_rewritten("p.yaml", "a: >\n  folded\n  text\nb: 1\n", "a", "x", "a: \"x\"\nb: 1\n");
	assert_rewritten("p.yaml", "a: |\n  one\n\n# c\nb: 1\n", "a", "x y", NULL);
	assert_rewritten("p.yaml", "a: several\n  lines\nb: 1\n", "a", "x", "a: x\nb: 1\n");
	assert_rewritten("p.yaml", "m.x: 1\nm:\n  y: 2\n", "m.y", "3", "m.x: 1\nm:\n  y: 3\n");
	assert_rewritten("p.yaml", "? a\n: 1\n", "a", "2", "? a\n: 2\n");
}

static void
test_rewrite_yaml_lists(void **state)
{
	(void)state;
	assert_rewritten("p.yaml", "a: [1, 2] # c\nb: 1\n", "a", "[3]", "a: [3] # c\nb: 1\n");
	assert_rewritten("p.yaml", "a:\n  - 1\n  - 2 # two\nb: 1\n", "a", "[3, x]",
			 "a:\n  [3,\"x\"] # two\nb: 1\n");
	assert_rewritten("p.yaml", "a:\n- 1\n- 2\n# c\nb: 1\n", "a", "[3]",
			 "a:\n [3]\n# c\nb: 1\n");
	assert_rewritten("p.yaml", "a: [1]\n", "a", "5", "a: 5\n");
	assert_rewritten("p.yaml", "a: []\n", "a", "[1]", "a: [1]\n");
	assert_rewritten("p.yaml", "a:\n  - [1, 2]\n  - {x: 3}\nb: 1\n", "a", "[[4]]",
			 "a:\n  [[4]]\nb: 1\n");
}

/* What cannot be changed in its place is written anew, and means the same. */
static void
test_rewrite_aliases(void **state)
{
	(void)state;
	assert_rewritten("p.yaml", "a: &x 1\nb: *x\n", "b", "2", "a: &x 1\nb: 2\n");
	assert_rewritten("p.yaml", "a: &x 1\nb: *x\n", "a", "2", NULL);
	assert_rewritten("p.yaml", "a: &x {k: 1, l: yes}\nb: *x\n", "b.k", "2", NULL);
	assert_rewritten("p.yaml", "a: &x {k: 1, l: 'yes'}\nb: *x\n", "a.k", "2", NULL);
	assert_rewritten("p.yaml", "a: &x {k: 1, l: [1, {m: ~}]}\nb:\n  <<: *x\n  z: 0x10\n", "b.k",
			 "2", NULL);
}

static void
test_rewrite_json(void **state)
{
	(void)state;
	assert_rewritten("p.json", "{\"a\": 1,\n \"b\": \"x\"}\n", "a", "2.5",
			 "{\"a\": 2.5,\n \"b\": \"x\"}\n");
	assert_rewritten("p.json", "{\"a\":1}", "a", "two", "{\"a\":\"two\"}");
	assert_rewritten("p.json", "{\"a\":1}", "a", "007", "{\"a\":\"007\"}");
	assert_rewritten("p.json", "{\"a\":true}", "a", "false", "{\"a\":false}");
	assert_rewritten("p.json", "{\"a\":\"1\"}", "a", "2", "{\"a\":\"2\"}");
	assert_rewritten("p.json", "{\"a\":\"1\"}", "a", "\"\\\n\xc3\xa9", NULL);
	assert_rewritten("p.json", "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\",\"m\":{\"a\":[1,2]}}", "m.a",
			 "[3, 'x']", "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\",\"m\":{\"a\":[3,\"x\"]}}");
}

static void
test_rewrite_several(void **state)
{
	static const char text[] = "# c\na: 1\nm: {b: 2, c: 3}\nd: 4\n";
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	const struct mlb_param *change[4];
	struct mlb_params p;
	unsigned changed;

	(void)state;
	parse(&p, "p.yaml", text);
	assert_ok(mlb_params_set(&p, "d", "40", "-p", 0, true, &err));
	assert_ok(mlb_params_set(&p, "m.b", "20", "-p", 0, true, &err));
	assert_ok(mlb_params_set(&p, "a", "10", "-p", 0, true, &err));
	assert_ok(mlb_params_set(&p, "elsewhere", "1", "-p", 0, true, &err));
	change[0] = mlb_params_get(&p, "d");
	change[1] = mlb_params_get(&p, "elsewhere");
	change[2] = mlb_params_get(&p, "a");
	change[3] = mlb_params_get(&p, "m.b");
	assert_ok(mlb_params_rewrite(&out, "p.yaml", text, sizeof(text) - 1, change, 4, &changed,
				     &err));
	assert_int_equal(changed, 3);
	assert_string_equal(mlb_buf_str(&out), "# c\na: 10\nm: {b: 20, c: 3}\nd: 40\n");
	mlb_buf_clear(&out);
	assert_ok(mlb_params_rewrite(&out, "p.yaml", text, sizeof(text) - 1, &change[1], 1,
				     &changed, &err));
	assert_int_equal(changed, 0);
	assert_string_equal(mlb_buf_str(&out), text);
	mlb_buf_clear(&out);
	assert_err(mlb_params_rewrite(&out, "p.yaml", "a: [", 4, change, 4, &changed, &err),
		   MLB_EINVALID, "not YAML");
	mlb_params_release(&p);
	mlb_buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite_yaml),    cmocka_unit_test(test_rewrite_yaml_lists),
		cmocka_unit_test(test_rewrite_aliases), cmocka_unit_test(test_rewrite_json),
		cmocka_unit_test(test_rewrite_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
