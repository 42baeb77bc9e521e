/* Actions: the canonical text, markers, `each`, and the differences for people. */
#include "graph_unit.h"

#include "base/hex.h"
#include "graph/action.h"
#include "store/result.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static char *
text_of(const struct mlb_graph *g, const struct mlb_action *a)
{
	struct mlb_buf b = MLB_BUF_INIT(100000);

	mlb_action_text(&b, g, a);
	return mlb_buf_detach(&b);
}

static void
assert_text(const struct mlb_graph *g, const struct mlb_action *a, const char *want)
{
	char *text = text_of(g, a);

	assert_string_equal(text, want);
	free(text);
}

/* ------------------------------------------------------------ text */

static void
test_text(void **state)
{
	static const char ini[] =
		"[cache]\nsalt = a b\n[params]\nseed = 7\nalpha = 1e-3\nmap = x y\n"
		"[dataset raw]\npath = zz.csv\n[dataset dir]\nrun = x\nout = dir/\n"
		"[model m]\nshell = bash -ec\ndir = sub\n"
		"run = train ${raw} ${dir} tool \\\n    ${params:seed} '\\' ${out}\n    second line\n"
		"out = o/model.pkl\nout.b = \"a b/\"\nmetrics = m.json\nenv.B = x y\nenv.A = \nneeds = env:MLB_T_NONE params:alpha params:map\n"
		"fingerprint = cc --version\n    python3 --version\n";
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_digest digest[2];
	struct mlb_action a;
	struct mlb_graph *g;
	char *text;

	(void)state;
	put("sub/tool", "");
	g = graph_of(ini);
	mlb_action_from_node(&a, &arena, g, mlb_graph_find(g, "m"));
	assert_int_equal(a.n_inputs, 3);
	for (uint32_t i = 0; i < a.n_inputs; i++)
		memset(a.input[i].digest.b, 0xab, MLB_DIGEST_LEN);
	a.input[0].kind = MLB_O_TREE;
	a.input[1].kind = MLB_O_EXEC;
	a.input[2].kind = MLB_O_FILE;
	memset(digest, 0x11, sizeof(digest));
	digest[0].b[0] = 0x22;
	a.fp_digest = digest;
	a.stamp = "2026 x";
#define AB "abababababababababababababababababababababababababababababababab"
#define ONE "11111111111111111111111111111111111111111111111111111111111111"
	assert_text(g, &a,
		    "mlbuild-action 1\n"
		    "command train ../zz.csv ../dir tool 7 '\\x5c' ../o/model.pkl\\x0asecond line\n"
		    "dir sub\n"
		    "shell bash -ec\n"
		    "env A \n"
		    "env B x y\n"
		    "env MLB_T_NONE\n"
		    "param alpha 1e-3\n"
		    "param map x y\n"
		    "param seed 7\n"
		    "input exec sub/tool " AB "\n"
		    "input file zz.csv " AB "\n"
		    "input tree dir " AB "\n"
		    "fingerprint 11" ONE " python3 --version\n"
		    "fingerprint 22" ONE " cc --version\n"
		    "output file o/model.pkl\n"
		    "output metrics m.json\n"
		    "output tree a b\n"
		    "stamp 2026 x\n"
		    "salt a b\n");
	text = text_of(g, &a);
	for (uint32_t i = 0, k = a.n_inputs - 1; i < k;
	     i++, k--) { /* the order of inputs does not matter */
		struct mlb_a_input t = a.input[i];

		a.input[i] = a.input[k];
		a.input[k] = t;
	}
	assert_text(g, &a, text);
	free(text);
	mlb_arena_release(&arena);
	mlb_graph_free(g);
}

/* Fields with spaces, backslashes and control characters cannot be mistaken for others; equal lines appear once. */
static void
test_fields_are_escaped(void **state)
{
	struct mlb_a_input input[] = { { "a b", MLB_O_FILE, { { 0 } } },
				       { "a!", MLB_O_FILE, { { 0 } } },
				       { "a\nb\\x20", MLB_O_FILE, { { 0 } } },
				       { "a!", MLB_O_FILE, { { 0 } } } };
	struct mlb_action a = { .command = "x\ty",
				.dir = ".",
				.shell = "",
				.salt = "",
				.input = input,
				.n_inputs = 4,
				.stamp = "" };
	struct mlb_graph g;

	(void)state;
	memset(&g, 0, sizeof(g));
	assert_text(&g, &a,
		    "mlbuild-action 1\n"
		    "command x\\x09y\n"
		    "dir .\n"
		    "input file a! " ZEROS "\n"
		    "input file a\\x0ab\\x5cx20 " ZEROS "\n"
		    "input file a\\x20b " ZEROS "\n");
}

/* What resources, secrets and names there are is in no key; what the command sees is. */
static void
test_what_is_in_a_key(void **state)
{
	static const char *const same[] = {
		"[dataset a]\nrun = x ${out}\nout = a\n",
		"[model other]\nrun = x ${out}\nout = a\n",
		"[dataset a]\nrun = x ${out}\nout = a\ncpus = 4\nmem = 1G\ntimeout = 1h\nretries = 2\ndesc = d\nowner = o\ntags = t\n",
		"[dataset a]\nrun = x ${out}\nout = a\nsecret = TOKEN\nfrozen = yes\nstore = no\n",
		"[params]\nunused = 1\n[dataset a]\nrun = x ${out}\nout = ./a\n",
	};
	static const char *const other[] = {
		"[dataset a]\nrun = x  ${out}\nout = a\n",
		"[dataset a]\nrun = x ${out}\nout = a/\n",
		"[dataset a]\nrun = x ${out}\nout = a\nenv.A = 1\n",
		"[dataset a]\nrun = x ${out}\nout = a\nshell = bash -c\n",
		"[dataset a]\nrun = x ${out}\nout = a\nneeds = env:MLB_T_NONE\n",
		"[dataset a]\nrun = x ${out}\nout = a\nfingerprint = date\n",
		"[cache]\nsalt = 1\n[dataset a]\nrun = x ${out}\nout = a\n",
	};
	struct mlb_digest first;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(same) + MLB_ARRAY_LEN(other); i++) {
		bool is_same = i < MLB_ARRAY_LEN(same);
		struct mlb_graph *g = graph_of(is_same ? same[i] : other[i - MLB_ARRAY_LEN(same)]);

		if (i == 0)
			first = g->node[0].stat_digest;
		assert_int_equal(mlb_digest_equal(&first, &g->node[0].stat_digest), is_same);
		mlb_graph_free(g);
	}
}

/* ------------------------------------------------------------ markers */

static const char each_ini[] =
	"[dataset img]\nrun = x\nout = in/\n"
	"[feature f]\neach = ${img}/**/*.jpg\n"
	"run = conv ${each} \"${each:name}\" '${each:stem}' ${each:dir} ${each:path} ${out} -c \"a b\" --tmp ${scratch} tool\n"
	"out = o/${each:dir}/${each:stem}.png\nmetrics = o/${each:path}.json\n";

static void
test_each(void **state)
{
	const struct mlb_digest digest = { { 0xcd } };
	const struct mlb_a_input file = { "in/s ub/it's.jpg", MLB_O_FILE, digest };
	const struct mlb_a_input top = { "in/top.jpg", MLB_O_EXEC, digest };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf out = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_action a, shared;
	struct mlb_graph *g;

	(void)state;
	put("tool", "");
	g = graph_of(each_ini);
	mlb_action_from_node(&shared, &arena, g, mlb_graph_find(g, "f"));
	mlb_action_each_shared(&shared, g, mlb_graph_find(g, "f"));
	assert_int_equal(shared.n_inputs, 1);
	mlb_action_for_each(&a, &arena, g, mlb_graph_find(g, "f"), &shared, &file);
	assert_string_equal(
		a.command,
		"conv 'in/s ub/it'\\''s.jpg' \"it's.jpg\" 'it'\\''s' 's ub' 's ub/it'\\''s.jpg' "
		"'o/s ub/it'\\''s.png' -c \"a b\" --tmp \x01scratch/0\x01 tool");
	assert_int_equal(a.n_inputs, 2);
	assert_string_equal(a.input[0].path, "in/s ub/it's.jpg");
	assert_int_equal(a.input[0].kind, MLB_O_FILE);
	assert_true(mlb_digest_equal(&a.input[0].digest, &digest));
	assert_string_equal(a.input[1].path, "tool");
	assert_int_equal(a.n_outputs, 2);
	assert_string_equal(a.output[0].path, "o/s ub/it's.jpg.json");
	assert_string_equal(a.output[0].name, "metrics");
	assert_string_equal(a.output[1].path, "o/s ub/it's.png");
	assert_ok(mlb_action_command(&out, &a, "/tmp/s c", NULL, 0, &err));
	assert_non_null(strstr(mlb_buf_str(&out), "--tmp '/tmp/s c' tool"));
	mlb_action_for_each(&a, &arena, g, mlb_graph_find(g, "f"), &shared, &top);
	assert_string_equal(a.output[1].path, "o/top.png");
	assert_non_null(strstr(a.command, "'top' . top.jpg o/top.png"));
	mlb_buf_release(&out);
	mlb_arena_release(&arena);
	mlb_graph_free(g);
}

static void
test_hostile_file_names(void **state)
{
	const char *const bad[] = { "in/a\x01scratch/0\x01.jpg" };
	const char *const odd[] = { "-rf", "in/$(x)\n.jpg" };
	struct mlb_buf out = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *g;

	(void)state;
	put("in/0.jpg", "");
	g = graph_of(
		"[feature f]\neach = in/*.jpg\nrun = conv ${each} `x ${each:stem}` ${out}\nout = o/${each:name}\n"
		"[feature g]\neach = in/*.jpg\nbatch = 9\nrun = conv \"${each}\" -- ${each} ${out}\nout = p/${each:name}\n");
	assert_err(mlb_action_each_command(&out, g, mlb_graph_find(g, "f"), bad, 1, &err),
		   MLB_EINVALID, "0x01");
	mlb_buf_clear(&out);
	assert_err(mlb_action_each_command(&out, g, mlb_graph_find(g, "f"), odd + 1, 1, &err),
		   MLB_EINVALID, "quoted safely");
	mlb_buf_clear(&out);
	assert_ok(mlb_action_each_command(&out, g, mlb_graph_find(g, "g"), odd, 2, &err));
	assert_string_equal(
		mlb_buf_str(&out),
		"conv \"./-rf in/\\$(x)\n.jpg\" -- ./-rf 'in/$(x)\n.jpg' p/-rf 'p/$(x)\n.jpg'");
	mlb_buf_release(&out);
	mlb_graph_free(g);
}

static void
test_lists(void **state)
{
	const char *const list[] = { "l 1", "l2", "l3" };
	const char *const grouped[] = { "l 1", NULL, "l3" };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf out = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_action a;
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[model m]\nmatrix.k = 1 2\nrun = x\nout = m/${matrix:k}\n[dataset d]\nrun = x\nout = d/\n"
		"[report r]\nrun = cat ${m:list} \"${d:list}\" > ${out}\nout = r\n");
	mlb_action_from_node(&a, &arena, g, mlb_graph_find(g, "r"));
	assert_nodes(g, &node(g, "r")->list, "m@k=1 m@k=2 d");
	assert_ok(mlb_action_command(&out, &a, "", list, 3, &err));
	assert_string_equal(mlb_buf_str(&out), "cat 'l 1' l2 \"l3\" > r");
	mlb_buf_clear(&out);
	assert_ok(mlb_action_command(&out, &a, "", grouped, 3, &err));
	assert_string_equal(mlb_buf_str(&out), "cat 'l 1' \"l3\" > r");
	assert_int_equal(mlb_action_list_group(g, mlb_graph_find(g, "r"), 0), 2);
	assert_int_equal(mlb_action_list_group(g, mlb_graph_find(g, "r"), 1), 0);
	assert_int_equal(mlb_action_list_group(g, mlb_graph_find(g, "r"), 2), 1);
	assert_int_equal(mlb_action_list_group(g, mlb_graph_find(g, "r"), 3), 0);
	mlb_buf_release(&out);
	mlb_arena_release(&arena);
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ differences */

static void
assert_diff(const char *a, const char *b, const char *want)
{
	struct mlb_buf out = MLB_BUF_INIT(100000);

	mlb_action_diff(&out, a, b);
	assert_string_equal(mlb_buf_str(&out), want);
	mlb_buf_release(&out);
}

static void
test_diff(void **state)
{
	(void)state;
	assert_diff("mlbuild-action 1\ncommand x\n", "mlbuild-action 1\ncommand x\n", "");
	assert_diff("command train --C 1.0 a b\nparam model.C 1.0\n",
		    "command train --C 0.1 a b\nparam model.C 0.1\n",
		    "param model.C: '1.0' -> '0.1'\ncommand: '1.0' -> '0.1'\n");
	assert_diff("input file a.py " ZEROS "\ninput file b.py 11\n",
		    "input file a.py 22\ninput exec c.py 11\n",
		    "input a.py changed\ninput c.py is new\ninput b.py is gone\n");
	assert_diff("input file a 11\n", "input exec a 11\n",
		    "input a was a file, is an exec now\n");
	assert_diff("input none a 00\n", "input tree a 11\n", "input a changed\n");
	assert_diff("env A 1\nenv B\nenv C x\n", "env A\nenv B y\nenv D\n",
		    "env A: is unset now\nenv B: unset -> 'y'\nenv D is new\nenv C is gone\n");
	assert_diff("fingerprint 00 cc -v\n", "fingerprint 11 cc -v\n",
		    "fingerprint 'cc -v' changed\n");
	assert_diff("output file a\\x20b\n", "output tree a\\x20b\n",
		    "output a b was a file, is a tree now\n");
	assert_diff("command a\\x0ab \\x01scratch/0\\x01\n",
		    "command a\\x0ac \\x01scratch/0\\x01\n", "command: 'a\\nb' -> 'a\\nc'\n");
	assert_diff("command x \\x01scratch/0\\x01\n", "command x \\x01list:0+1/2\\x01 \\x5c\n",
		    "command: '${scratch}' -> '${list:0+1} \\'\n");
	assert_diff("", "salt x\n", "salt is new\n");
	assert_diff("dir .\nshell sh -c\n", "dir sub\n", "dir: '.' -> 'sub'\nshell is gone\n");
	assert_diff("command \\x\\x1\\x1\n", "command \\xzz\n",
		    "command: '\\x\\x1\\x1' -> '\\xzz'\n");
}

static void
test_diff_of_long_commands(void **state)
{
	struct mlb_buf a = MLB_BUF_INIT(100000), b = MLB_BUF_INIT(100000),
		       out = MLB_BUF_INIT(100000);

	(void)state;
	mlb_buf_adds(&a, "command same ");
	mlb_buf_adds(&b, "command same ");
	for (int i = 0; i < 200; i++) {
		mlb_buf_adds(&a, "\xc3\xa4");
		mlb_buf_adds(&b, "\xc3\xb6");
	}
	mlb_action_diff(&out, mlb_buf_str(&a), mlb_buf_str(&b));
	assert_true(out.len < 200);
	assert_non_null(strstr(mlb_buf_str(&out), "\xc3\xa4...' -> '\xc3\xb6"));
	mlb_buf_release(&a);
	mlb_buf_release(&b);
	mlb_buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_text),
		cmocka_unit_test(test_fields_are_escaped),
		scratch_test(test_what_is_in_a_key),
		scratch_test(test_each),
		scratch_test(test_hostile_file_names),
		scratch_test(test_lists),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_of_long_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
