/*
 * Parameters: from YAML, JSON and by hand; the flat view and the JSON of maps.
 */
#include "unit.h"

#include <jansson.h>

#include "base/vec.h"
#include "graph/params.h"

static void
parse(struct mlb_params *p, const char *file, const char *text)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_params_init(p);
	assert_ok(mlb_params_parse(p, file, text, strlen(text), false, &err));
}

static void
assert_wrong(const char *file, const char *text, const char *message)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	mlb_params_init(&p);
	assert_err(mlb_params_parse(&p, file, text, strlen(text), false, &err), MLB_EINVALID,
		   message);
	mlb_params_release(&p);
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

static void
assert_list(const struct mlb_params *p, const char *name, const char *const *item, uint32_t n)
{
	const struct mlb_param *found = mlb_params_get(p, name);

	assert_non_null(found);
	assert_int_equal(found->type, MLB_PARAM_LIST);
	assert_int_equal(found->n_items, n);
	for (uint32_t i = 0; i < n; i++)
		assert_string_equal(found->item[i], item[i]);
}

/* ------------------------------------------------------------ YAML */

static void
test_yaml_scalars_keep_their_text(void **state)
{
	static const char text[] = "lr: 1e-3\n"
				   "C: 1.0 # a comment\n"
				   "hex: 0x1F\n"
				   "zeros: 007\n"
				   "yes: yes\n"
				   "no value:\n"
				   "tilde: ~\n"
				   "date: 2024-01-01\n"
				   "time: 12:30:45\n"
				   "sci: +.5E+3\n"
				   "double: \"a\\tb \\u00e9\"\n"
				   "single: 'it''s'\n"
				   "plain: several words # gone\n"
				   "folded: >\n  one\n  two\n"
				   "literal: |\n  one\n  two\n"
				   "tagged: !!str 12\n"
				   "\xc3\xa9t\xc3\xa9: \xf0\x9f\x98\x80\n";
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yaml", text);
	assert_string_equal(value(&p, "lr"), "1e-3");
	assert_string_equal(value(&p, "C"), "1.0");
	assert_string_equal(value(&p, "hex"), "0x1F");
	assert_string_equal(value(&p, "zeros"), "007");
	assert_string_equal(value(&p, "yes"), "yes");
	assert_string_equal(value(&p, "no value"), "");
	assert_string_equal(value(&p, "tilde"), "~");
	assert_string_equal(value(&p, "date"), "2024-01-01");
	assert_string_equal(value(&p, "time"), "12:30:45");
	assert_string_equal(value(&p, "sci"), "+.5E+3");
	assert_string_equal(value(&p, "double"), "a\tb \xc3\xa9");
	assert_string_equal(value(&p, "single"), "it's");
	assert_string_equal(value(&p, "plain"), "several words");
	assert_string_equal(value(&p, "folded"), "one two\n");
	assert_string_equal(value(&p, "literal"), "one\ntwo\n");
	assert_string_equal(value(&p, "tagged"), "12");
	assert_string_equal(value(&p, "\xc3\xa9t\xc3\xa9"), "\xf0\x9f\x98\x80");
	assert_int_equal(mlb_params_get(&p, "hex")->line, 3);
	assert_string_equal(mlb_params_get(&p, "hex")->file, "p.yaml");
	assert_int_equal(mlb_params_get(&p, "hex")->type, MLB_PARAM_SCALAR);
	assert_null(mlb_params_get(&p, "none"));
	mlb_params_release(&p);
}

static void
test_yaml_maps_and_lists(void **state)
{
	static const char *const layers[] = { "64", "0x20", "a b" };
	static const char text[] = "model:\n"
				   "  C: 1.50\n"
				   "  opt: {name: adam, betas: [0.9, 0.999]}\n"
				   "  layers:\n"
				   "  - 64\n"
				   "  - 0x20\n"
				   "  - \"a b\"\n"
				   "empty: []\n"
				   "none: {}\n"
				   "grid: [{a: 1}, [2]]\n";
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yml", text);
	assert_string_equal(value(&p, "model.C"), "1.50");
	assert_string_equal(value(&p, "model.opt.name"), "adam");
	assert_string_equal(value(&p, "model.opt.betas"), "[0.9,0.999]");
	assert_list(&p, "model.layers", layers, 3);
	assert_list(&p, "empty", NULL, 0);
	assert_string_equal(value(&p, "model.layers"), "[64,32,\"a b\"]");
	assert_string_equal(value(&p, "model.opt"), "{\"betas\":[0.9,0.999],\"name\":\"adam\"}");
	assert_string_equal(
		value(&p, "model"),
		"{\"C\":1.50,\"layers\":[64,32,\"a b\"],\"opt\":{\"betas\":[0.9,0.999],\"name\":\"adam\"}}");
	assert_string_equal(value(&p, "empty"), "[]");
	assert_string_equal(value(&p, "none"), "{}");
	assert_string_equal(value(&p, "grid"), "[{\"a\":1},[2]]");
	assert_int_equal(mlb_params_get(&p, "grid")->type, MLB_PARAM_JSON);
	assert_false(mlb_params_get(&p, "grid")->map);
	assert_int_equal(mlb_params_get(&p, "model")->type, MLB_PARAM_JSON);
	assert_true(mlb_params_get(&p, "model")->map);
	mlb_params_release(&p);
}

/* The JSON of unquoted scalars, by the core schema of YAML 1.2; jansson agrees that it is JSON. */
static void
test_yaml_as_json(void **state)
{
	static const char *const cases[][2] = {
		{ "1", "1" },
		{ "-1", "-1" },
		{ "+1", "1" },
		{ "007", "7" },
		{ "0", "0" },
		{ "000", "0" },
		{ "-00.50", "-0.50" },
		{ ".5", "0.5" },
		{ "5.", "5" },
		{ "1e-3", "1e-3" },
		{ "1E+3", "1E+3" },
		{ "+.5e1", "0.5e1" },
		{ "0x1F", "31" },
		{ "0o17", "15" },
		{ "0xZ", "\"0xZ\"" },
		{ "1_000", "\"1_000\"" },
		{ "e5", "\"e5\"" },
		{ "1e", "\"1e\"" },
		{ ".", "\".\"" },
		{ "1.2.3", "\"1.2.3\"" },
		{ "true", "true" },
		{ "True", "true" },
		{ "FALSE", "false" },
		{ "tRue", "\"tRue\"" },
		{ "yes", "\"yes\"" },
		{ "null", "null" },
		{ "~", "null" },
		{ "", "null" },
		{ ".inf", "\".inf\"" },
		{ "12:30", "\"12:30\"" },
		{ "0xffffffffffffffff", "18446744073709551615" },
		{ "0x1ffffffffffffffff", "\"0x1ffffffffffffffff\"" },
		{ "\"1\"", "\"1\"" },
		{ "'true'", "\"true\"" },
		{ "!!str 1", "\"1\"" },
		{ "a\\\"b", "\"a\\\\\\\"b\"" },
		{ "123456789012345678901234567890", "123456789012345678901234567890" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		char *text = mlb_asprintf("m:\n  k: %s\n", cases[i][0]);
		char *want = mlb_asprintf("{\"k\":%s}", cases[i][1]);
		struct mlb_params p;
		json_t *json;

		parse(&p, "p.yaml", text);
		assert_string_equal(value(&p, "m"), want);
		json = json_loads(want, JSON_DECODE_INT_AS_REAL, NULL);
		assert_non_null(json);
		json_decref(json);
		mlb_params_release(&p);
		free(text);
		free(want);
	}
}

static void
test_yaml_aliases(void **state)
{
	static const char text[] = "base: &b {lr: 0.1, deep: {x: 1}}\n"
				   "copy: *b\n"
				   "derived:\n"
				   "  <<: *b\n"
				   "  lr: 0.2\n"
				   "both:\n"
				   "  <<: [{lr: 9, a: 1}, *b]\n"
				   "name: &n model\n"
				   "again: [*n, *n]\n"
				   "'<<': not a merge\n";
	static const char *const again[] = { "model", "model" };
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yaml", text);
	assert_string_equal(value(&p, "copy.deep.x"), "1");
	assert_string_equal(value(&p, "derived.lr"), "0.2");
	assert_string_equal(value(&p, "derived.deep.x"), "1");
	assert_string_equal(value(&p, "both"), "{\"a\":1,\"deep\":{\"x\":1},\"lr\":9}");
	assert_string_equal(value(&p, "<<"), "not a merge");
	assert_list(&p, "again", again, 2);
	mlb_params_release(&p);
}

static void
test_yaml_errors(void **state)
{
	(void)state;
	assert_wrong("p.yaml", "a: 1\nb: [\n", "p.yaml:3: not YAML: ");
	assert_wrong("p.yaml", "a: 1\na: 2\n", "p.yaml:2: 'a' is given twice");
	assert_wrong("p.yaml", "- 1\n", "p.yaml:1: parameters are a map");
	assert_wrong("p.yaml", "\n\nword\n", "p.yaml:3: parameters are a map");
	assert_wrong("p.yaml", "a: 1\n---\nb: 2\n", "a second document");
	assert_wrong("p.yaml", "a: 1\n? [x]\n: 2\n", "p.yaml:2: a key that is not plain text");
	assert_wrong("p.yaml", "'': 1\n", "p.yaml:1: a key that is empty");
	assert_wrong("p.yaml", "a: !!python/object:os.system x\n",
		     "p.yaml:1: a tag that a parameter cannot have");
	assert_wrong("p.yaml", "a: !mine x\n", "p.yaml:1: a tag that a parameter cannot have");
	assert_wrong("p.yaml", "a: *none\n", "p.yaml:1: an alias (*) without its anchor");
	assert_wrong("p.yaml", "a: &a\n  b: *a\n",
		     "p.yaml:2: an alias (*) inside of what it stands for");
	assert_wrong("p.yaml", "a:\n  <<: 5\n", "'<<' takes a map or a list of maps");
	assert_wrong("p.yaml", "b: &b {}\na:\n  <<: *b\n  <<: *b\n", "'<<' is given twice");
	assert_wrong("p.yaml", "a: \"\\0\"\n", "p.yaml:1: a value that holds a NUL");
	assert_wrong("p.yaml", "a: \xff\n", "p.yaml:");
	assert_wrong("p.yaml", "a.b: 1\na:\n  b: 2\n",
		     "p.yaml:3: parameter 'a.b' is given already at p.yaml:1");
}

static void
test_yaml_bombs(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	(void)state;
	/* The billion laughs. */
	mlb_buf_adds(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		mlb_buf_addf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			mlb_buf_addf(&text, "%s*a%d", k ? "," : "", i - 1);
		mlb_buf_adds(&text, "]\n");
	}
	assert_wrong("p.yaml", mlb_buf_str(&text),
		     "too many values (aliases count as often as they are used)");

	/* A long text, many times: few values, many bytes. */
	mlb_buf_clear(&text);
	mlb_buf_adds(&text, "a: &a ");
	for (int i = 0; i < 50000; i++)
		mlb_buf_addc(&text, 'x');
	mlb_buf_adds(&text, "\nb: [");
	for (int i = 0; i < 2000; i++)
		mlb_buf_adds(&text, "*a,");
	mlb_buf_adds(&text, "]\n");
	mlb_params_init(&p);
	assert_err(mlb_params_parse(&p, "p.yaml", text.data, text.len, false, &err), MLB_ETOOBIG,
		   "p.yaml: ");
	mlb_params_release(&p);

	mlb_buf_clear(&text);
	for (int i = 0; i < 40; i++)
		mlb_buf_adds(&text, "{a: ");
	assert_wrong("p.yaml", mlb_buf_str(&text),
		     "p.yaml:1: nested too deeply: 32 levels are allowed");

	/* Deep by aliases alone. */
	mlb_buf_clear(&text);
	mlb_buf_adds(&text, "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 100; i++)
		mlb_buf_addf(&text, "a%d: &a%d {x: *a%d}\n", i, i, i - 1);
	assert_wrong("p.yaml", mlb_buf_str(&text), "nested too deeply: 32 levels are allowed");
	mlb_buf_clear(&text);
	mlb_buf_adds(&text, "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 100; i++)
		mlb_buf_addf(&text, "a%d: &a%d {<<: {y: {<<: *a%d}}}\n", i, i, i - 1);
	assert_wrong("p.yaml", mlb_buf_str(&text), "nested too deeply: 32 levels are allowed");
	mlb_buf_release(&text);
}

static void
test_yaml_empty(void **state)
{
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yaml", "");
	assert_int_equal(p.map.n, 0);
	mlb_params_release(&p);
	parse(&p, "p.yaml", "# nothing\n---\n");
	assert_int_equal(p.map.n, 0);
	mlb_params_release(&p);
	parse(&p, "p.yaml",
	      "\xef\xbb\xbf"
	      "a: 1\r\nb: 2\r\n");
	assert_string_equal(value(&p, "b"), "2");
	mlb_params_release(&p);
}

/* ------------------------------------------------------------ JSON */

static void
test_json(void **state)
{
	static const char text[] =
		"{\n"
		"\t\"lr\": 1e-3, \"big\": 123456789012345678901234567890,\n"
		"\t\"model\": {\"C\": 1.50, \"on\": true, \"off\": null},\n"
		"\t\"layers\": [64, 32.0, \"x\"], \"mixed\": [1, {\"a\": [2]}],\n"
		"\t\"\": {}\n"
		"}\n";
	struct mlb_params p;
	char *fixed;

	(void)state;
	assert_wrong("p.json", text, "p.json:5: an empty key");
	fixed = mlb_strdup(text);
	memcpy(strstr(fixed, "\"\": {}"), "\"e\":{}", 6);
	parse(&p, "p.json", fixed);
	free(fixed);
	assert_string_equal(value(&p, "lr"), "1e-3");
	assert_string_equal(value(&p, "big"), "123456789012345678901234567890");
	assert_string_equal(value(&p, "model.C"), "1.50");
	assert_string_equal(value(&p, "model.on"), "true");
	assert_string_equal(value(&p, "model.off"), "null");
	assert_string_equal(value(&p, "model"), "{\"C\":1.50,\"off\":null,\"on\":true}");
	assert_string_equal(value(&p, "layers"), "[64,32.0,\"x\"]");
	assert_int_equal(mlb_params_get(&p, "layers")->type, MLB_PARAM_LIST);
	assert_int_equal(mlb_params_get(&p, "mixed")->type, MLB_PARAM_JSON);
	assert_string_equal(value(&p, "e"), "{}");
	assert_int_equal(mlb_params_get(&p, "model.C")->line, 3);
	mlb_params_release(&p);
}

/* Every escape means what jansson says it means. */
static void
test_json_escapes(void **state)
{
	static const char *const strings[] = {
		"",
		"plain",
		"\\\"\\\\\\/\\b\\f\\n\\r\\t",
		"\\u0041",
		"\\u00e9",
		"\\u20ac",
		"\\uFFFF",
		"\\ud83d\\ude00",
		"\\uD83D\\uDE00 x",
		"\\udbff\\udfff",
		"a\\u000Ab",
		"\xc3\xa9\xf0\x9f\x98\x80",
		"\\u001f\\u007f",
		"\\\\u0041",
		"\\\\\\u0041",
		"\\ufeff",
		"x: [y] {z} # ; = ${a}",
	};
	static const char *const bad[] = { "\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\x41",
					   "\\u12",   "\\u00zz", "\\u0000",        "\\",
					   "\x01",    "\xff",    "\xc0\x80" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(strings); i++) {
		char *text = mlb_asprintf("{\"k\": \"%s\"}", strings[i]);
		json_t *json = json_loads(text, 0, NULL);
		struct mlb_params p;

		assert_non_null(json);
		parse(&p, "p.json", text);
		assert_string_equal(value(&p, "k"), json_string_value(json_object_get(json, "k")));
		mlb_params_release(&p);
		json_decref(json);
		free(text);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		char *text = mlb_asprintf("{\"k\": \"%s\"}", bad[i]);

		assert_wrong("p.json", text, "p.json:1: not JSON: ");
		free(text);
	}
}

static void
test_json_errors(void **state)
{
	(void)state;
	assert_wrong("p.json", "", "p.json:1: not JSON: ");
	assert_wrong("p.json", "[1]", "p.json:1: parameters are an object");
	assert_wrong("p.json", "{\"a\": 1,\n\"a\": 2}", "p.json:2: not JSON: ");
	assert_wrong("p.json", "{\"a\": 01}", "p.json:1: not JSON: ");
	assert_wrong("p.json", "{\"a\": .5}", "p.json:1: not JSON: ");
	assert_wrong("p.json", "{\"a\": 1} x", "p.json:1: not JSON: ");
	assert_wrong("p.json", "{a: 1}", "p.json:1: not JSON: ");
}

/* ------------------------------------------------------------ by hand */

static void
test_set(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	(void)state;
	mlb_params_init(&p);
	assert_ok(mlb_params_set(&p, "seed", "7", "mlbuild.ini", 3, false, &err));
	assert_ok(mlb_params_set(&p, "model.opt.lr", "1e-3", "mlbuild.ini", 4, false, &err));
	assert_ok(mlb_params_set(&p, "model.name", "a \"b\"", "mlbuild.ini", 5, false, &err));
	assert_string_equal(value(&p, "seed"), "7");
	assert_string_equal(value(&p, "model"), "{\"name\":\"a \\\"b\\\"\",\"opt\":{\"lr\":1e-3}}");
	assert_err(mlb_params_set(&p, "seed", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "b.ini:9: parameter 'seed' is given already at mlbuild.ini:3");
	assert_err(mlb_params_set(&p, "seed.x", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "b.ini:9: 'seed' cannot hold 'seed.x': it is a value already at mlbuild.ini:3");
	assert_err(mlb_params_set(&p, "model", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "given already");
	assert_err(mlb_params_set(&p, "", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "cannot be the name");
	assert_err(mlb_params_set(&p, "a..b", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "cannot be the name");
	assert_err(mlb_params_set(&p, ".a", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "cannot be the name");
	assert_err(mlb_params_set(&p, "a.", "8", "b.ini", 9, false, &err), MLB_EINVALID,
		   "cannot be the name");
	/* A file joins in, but not with the same name. */
	assert_ok(mlb_params_parse(&p, "p.yaml", "model: {x: 1}\n", 14, false, &err));
	assert_string_equal(value(&p, "model"),
			    "{\"name\":\"a \\\"b\\\"\",\"opt\":{\"lr\":1e-3},\"x\":1}");
	assert_err(mlb_params_parse(&p, "q.yaml", "model:\n  name: 1\n", 16, false, &err),
		   MLB_EINVALID,
		   "q.yaml:2: parameter 'model.name' is given already at mlbuild.ini:5");
	mlb_params_release(&p);
}

/* Changing a leaf shows in every map above it, read before or not. */
static void
test_override(void **state)
{
	static const char *const layers[] = { "3", "4" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yaml", "a: {b: {c: 1, d: 'x'}, l: [1, 2]}\n");
	assert_string_equal(value(&p, "a"), "{\"b\":{\"c\":1,\"d\":\"x\"},\"l\":[1,2]}");
	assert_ok(mlb_params_set(&p, "a.b.c", "0.10", "-p", 0, true, &err));
	assert_string_equal(value(&p, "a"), "{\"b\":{\"c\":0.10,\"d\":\"x\"},\"l\":[1,2]}");
	assert_ok(mlb_params_set(&p, "a.b.d", "5", "-p", 0, true,
				 &err)); /* was quoted: stays a string */
	assert_string_equal(value(&p, "a.b"), "{\"c\":0.10,\"d\":\"5\"}");
	assert_string_equal(mlb_params_get(&p, "a.b.c")->file, "-p");
	assert_ok(mlb_params_set(&p, "a.l", "[3, 4]", "-p", 0, true, &err));
	assert_list(&p, "a.l", layers, 2);
	assert_ok(mlb_params_set(&p, "a.l", "5", "-p", 0, true, &err));
	assert_int_equal(mlb_params_get(&p, "a.l")->type, MLB_PARAM_SCALAR);
	assert_string_equal(value(&p, "a"), "{\"b\":{\"c\":0.10,\"d\":\"5\"},\"l\":5}");
	assert_err(mlb_params_set(&p, "a.b", "1", "-p", 0, true, &err), MLB_EINVALID,
		   "'a.b' is a group of parameters: name one of them, such as 'a.b.c'");
	assert_ok(mlb_params_parse(&p, "dev.yaml", "a: {b: {c: 7}}\n", 15, true, &err));
	assert_string_equal(value(&p, "a"), "{\"b\":{\"c\":7,\"d\":\"5\"},\"l\":5}");
	assert_err(mlb_params_parse(&p, "dev.yaml", "a: {b: {c: {x: 1}}}\n", 20, true, &err),
		   MLB_EINVALID, "'a.b.c' is one parameter");
	mlb_params_release(&p);
}

static void
test_match(void **state)
{
	struct mlb_strvec found = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	(void)state;
	parse(&p, "p.yaml", "train: {z: 1, opt: {lr: 2}, a: [3]}\nseed: 4\n");
	assert_ok(mlb_params_match(&p, "train.*", &found, &err));
	assert_int_equal(found.n, 3);
	assert_string_equal(found.v[0], "train.a");
	assert_string_equal(found.v[1], "train.opt.lr");
	assert_string_equal(found.v[2], "train.z");
	mlb_strvec_release(&found);
	assert_ok(mlb_params_match(&p, "train.opt", &found, &err)); /* a map by its name */
	assert_ok(mlb_params_match(&p, "see?", &found, &err));
	assert_int_equal(found.n, 2);
	assert_string_equal(found.v[0], "train.opt");
	assert_string_equal(found.v[1], "seed");
	mlb_strvec_release(&found);
	assert_err(mlb_params_match(&p, "sead", &found, &err), MLB_ENOTFOUND,
		   "no parameter 'sead': did you mean 'seed'?");
	assert_err(mlb_params_match(&p, "q*", &found, &err), MLB_ENOTFOUND, "no parameter 'q*'");
	assert_int_equal(found.n, 0);
	mlb_params_release(&p);
}

/* ------------------------------------------------------------ many */

static void
test_many(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(16 * MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	(void)state;
	mlb_buf_adds(&text, "m:\n");
	for (int i = 0; i < 50000; i++)
		mlb_buf_addf(&text, "  k%d: %d\n", i, i);
	parse(&p, "p.yaml", text.data);
	assert_string_equal(value(&p, "m.k49999"), "49999");
	for (int i = 0; i < 50000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "by.hand.k%d", i);
		assert_ok(mlb_params_set(&p, name, "1", "mlbuild.ini", 1, false, &err));
	}
	assert_true(strlen(value(&p, "by")) > 500000);
	mlb_params_release(&p);
	mlb_buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_scalars_keep_their_text),
		cmocka_unit_test(test_yaml_maps_and_lists),
		cmocka_unit_test(test_yaml_as_json),
		cmocka_unit_test(test_yaml_aliases),
		cmocka_unit_test(test_yaml_errors),
		cmocka_unit_test(test_yaml_bombs),
		cmocka_unit_test(test_yaml_empty),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_escapes),
		cmocka_unit_test(test_json_errors),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
