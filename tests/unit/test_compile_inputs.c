/* The compiler: what is an input (words, needs, imports), and the facts that the graph was made from. */
#include "graph_unit.h"

#include "base/hash.h"

/* ------------------------------------------------------------ words */

static void
test_words_of_the_command(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("src/train.py", "");
	put("conf/a.yaml", "");
	put("big/file.bin", "");
	put("adam", ""); /* a file that is called like a word */
	g = graph_of(
		"[dataset raw]\npath = data/raw\n[dataset img]\nrun = unzip x -d ${out}\nout = data/img/\n"
		"[model m]\nrun = python3 src/train.py --config=conf/a.yaml --opt adam --lr 1e-3 data/raw/part.csv "
		"data/img/a/b.jpg nothing.txt ${out} conf big/../big/file.bin > big/log.txt 2> adam\nout = m.pkl\n");
	assert_inputs(g, "m",
		      "adam big/file.bin conf/a.yaml data/img<img data/raw<raw src/train.py");
	assert_int_equal(g->input[node(g, "m")->in.first].why, MLB_IN_WORD);
	assert_int_equal(fact(g, MLB_FACT_EXISTS, "nothing.txt")->pkind, MLB_P_ABSENT);
	assert_int_equal(fact(g, MLB_FACT_EXISTS, "adam")->pkind, MLB_P_FILE);
	assert_int_equal(fact(g, MLB_FACT_EXISTS, "conf")->pkind, MLB_P_TREE);
	assert_null(fact(g, MLB_FACT_EXISTS, "big/log.txt"));
	assert_null(fact(g, MLB_FACT_EXISTS, "m.pkl"));
	assert_null(fact(g, MLB_FACT_EXISTS, "1e-3"));
	assert_null(fact(g, MLB_FACT_EXISTS, "python3"));
	assert_int_equal(g->path_want[mlb_graph_path(g, "nothing.txt")], MLB_WANT_EXISTS);
	assert_int_equal(g->path_want[mlb_graph_path(g, "adam")], MLB_WANT_CONTENT);
	mlb_graph_free(g);
}

static void
test_own_outputs_are_never_inputs(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("out/x.txt", "");
	g = graph_of(
		"[dataset a]\nrun = mk out/x.txt out/d/inner.csv && cat out/d out\nout.x = out/x.txt\nout.d = out/d/\n");
	assert_inputs(g, "a", "");
	assert_null(fact(g, MLB_FACT_EXISTS, "out")); /* it comes and goes with the outputs */
	mlb_graph_free(g);
}

static void
test_values_of_references_are_words_too(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("conf/a.yaml", "");
	g = graph_of(
		"[params]\nconf = conf/a.yaml\n[dataset a]\nrun = x --conf=${params:conf} > ${out}\nout = a\n");
	assert_inputs(g, "a", "conf/a.yaml");
	mlb_graph_free(g);
}

static void
test_ignored_files_are_no_inputs(void **state)
{
	struct mlb_graph *g;

	(void)state;
	make_repository();
	put(".gitignore", "*.tmp\n/cache/\n");
	put("sub/.gitignore", "local.ini\n");
	put("a.tmp", "");
	put("cache/x.csv", "");
	put("sub/local.ini", "");
	put("sub/global.ini", "");
	put("src/t.py", "import helper, gen\n");
	put("src/helper.py", "");
	put("src/gen.py", "");
	put("src/.gitignore", "gen.py\n");
	g = graph_of(
		"[dataset a]\nrun = cat a.tmp cache/x.csv sub/local.ini sub/global.ini src/t.py > ${out}\nout = a\n"
		"[dataset b]\nneeds = sub/local.ini\nrun = x > ${out}\nout = b\n");
	assert_inputs(g, "a", "src/helper.py src/t.py sub/global.ini");
	assert_inputs(g, "b", "sub/local.ini"); /* who names it means it */
	assert_non_null(fact(g, MLB_FACT_FILE, ".gitignore"));
	assert_non_null(fact(g, MLB_FACT_FILE, "sub/.gitignore"));
	assert_true(mlb_digest_is_zero(&fact(g, MLB_FACT_FILE, "cache/.gitignore")->digest));
	assert_non_null(fact(g, MLB_FACT_FILE, ".git/info/exclude"));
	mlb_graph_free(g);
}

static void
test_project_below_the_repository(void **state)
{
	struct mlb_graph *g;

	(void)state;
	make_repository();
	put(".gitignore", "*.tmp\n");
	put("a/b/x.tmp", "");
	put("a/b/x.csv", "");
	assert_int_equal(chdir("a/b"), 0);
	put_file("mlbuild.ini", "");
	assert_int_equal(symlink("../../.git", ".git"),
			 0); /* so that the helper opens the repository */
	unlink(".git");
	{
		char root[4096];
		struct mlb_buf why = MLB_BUF_INIT(4096);
		struct mlb_err err = MLB_ERR_INIT;
		struct mlb_config *config = NULL;
		struct mlb_compile in = { root, NULL, NULL, NULL };

		put_file("mlbuild.ini", "[dataset a]\nrun = cat x.tmp x.csv > ${out}\nout = a\n");
		assert_non_null(getcwd(root, sizeof(root)));
		assert_ok(mlb_config_load(&config, root, NULL, NULL, 0, &err));
		assert_ok(mlb_vcs_open(&in.vcs, root, &why, &err));
		in.config = config;
		assert_ok(mlb_graph_compile(&g, &in, &err));
		mlb_vcs_close(in.vcs);
		mlb_config_free(config);
		mlb_buf_release(&why);
	}
	assert_inputs(g, "a", "x.csv");
	assert_non_null(fact(g, MLB_FACT_FILE, ".gitignore"));
	assert_non_null(fact(g, MLB_FACT_FILE, "../.gitignore"));
	assert_false(mlb_digest_is_zero(&fact(g, MLB_FACT_FILE, "../../.gitignore")->digest));
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ imports */

static void
test_imports_are_inputs(void **state)
{
	struct mlb_graph *g;
	const struct mlb_g_node *n;

	(void)state;
	put("src/train.py", "import util\n");
	put("src/util.py", "from lib import deep\n");
	put("lib/__init__.py", "");
	put("lib/deep.py", "");
	put("other/mod.py", "");
	g = graph_of("[model m]\nrun = python3 src/train.py > ${out}\nout = m\n"
		     "[model k]\nrun = python3 -m lib.deep > ${out}\nout = k\n"
		     "[model n]\nneeds = src/util.py\nrun = x > ${out}\nout = n\n"
		     "[model p]\nenv.PYTHONPATH = other\nrun = python3 -m mod > ${out}\nout = p\n");
	assert_inputs(g, "m", "lib/__init__.py lib/deep.py src/train.py src/util.py");
	assert_inputs(g, "k", "lib/__init__.py lib/deep.py");
	assert_inputs(g, "n", "lib/__init__.py lib/deep.py src/util.py");
	assert_inputs(g, "p", "other/mod.py");
	n = node(g, "m");
	assert_int_equal(g->input[n->in.first].why, MLB_IN_IMPORT);
	assert_string_equal(mlb_g_path(g, g->input[n->in.first].by), "src/util.py");
	assert_int_equal(g->input[n->in.first + 2].why, MLB_IN_WORD);
	assert_non_null(fact(g, MLB_FACT_FILE, "src/util.py"));
	assert_non_null(fact(g, MLB_FACT_LISTING, "./src"));
	assert_non_null(fact(g, MLB_FACT_LISTING, "./."));
	assert_int_equal(g->path_want[mlb_graph_path(g, "./src")], MLB_WANT_LISTING);
	mlb_graph_free(g);
}

static void
test_an_imported_output_is_a_dependency(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("src/train.py", "import tables\n");
	g = graph_of("[dataset tables]\nrun = gen > ${out}\nout = src/tables.py\n"
		     "[model m]\nrun = python3 src/train.py > ${out}\nout = m\n");
	assert_inputs(g, "m", "src/tables.py<tables src/train.py");
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ needs */

static void
test_needs(void **state)
{
	struct mlb_graph *g;
	const struct mlb_g_node *n;

	(void)state;
	make_repository();
	put(".gitignore", "gone.py\nblob/\n");
	put("uv.lock", "");
	put("src/a.py", "");
	put("src/gone.py", "");
	put("src/sub/b.py", "");
	put("src/made.py", "");
	put("tree/x/y.txt", "");
	put("tree/z.txt", "");
	put("blob/1.bin", "");
	put("we[ird].txt", "");
	g = graph_of(
		"[params]\ntrain.lr = 1\ntrain.opt = adam\nseed = 7\n[defaults]\nneeds = uv.lock\n"
		"[dataset raw]\npath = raw.csv\n[dataset made]\nrun = x > ${out}\nout = src/made.py\n"
		"[dataset two]\nrun = x\nout.a = two/a\nout.b = two/b\n"
		"[model m]\nrun = x > ${out}\nout = m\n"
		"needs = raw two src/**/*.py tree/ blob params:train.* we[ird].txt two/b\n");
	assert_inputs(
		g, "m",
		"blob raw.csv<raw src/a.py src/sub/b.py tree/x/y.txt tree/z.txt two/a<two two/b<two uv.lock "
		"we[ird].txt");
	n = node(g, "m");
	assert_int_equal(n->param.n, 2);
	assert_string_equal(mlb_g_str(g, g->pair[n->param.first].name), "train.lr");
	assert_non_null(fact(g, MLB_FACT_LISTING, "./src"));
	assert_non_null(fact(g, MLB_FACT_LISTING, "./src/sub"));
	assert_non_null(fact(g, MLB_FACT_LISTING, "./tree/x"));
	assert_int_equal(node(g, "raw")->in.n, 0); /* a source needs nothing */
	mlb_graph_free(g);
}

static void
test_needs_by_instance_and_by_value(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("conf/en.yaml", "");
	put("conf/de.yaml", "");
	g = graph_of(
		"[dataset d]\nmatrix.lang = en de\nrun = x\nout = d/${matrix:lang}\n"
		"[model m]\nmatrix.lang = en de\nneeds = d conf/${matrix:lang}.yaml\nrun = x\nout = m/${matrix:lang}\n"
		"[model all]\nneeds = d@lang=de ${d@lang=en}\nrun = x\nout = all\n");
	assert_inputs(g, "m@lang=en", "conf/en.yaml d/en<d@lang=en");
	assert_inputs(g, "all", "d/de<d@lang=de d/en<d@lang=en");
	mlb_graph_free(g);
}

static void
test_default_needs_leave_their_own_target_alone(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of("[defaults]\nneeds = venv made/x c\n[dataset venv]\nrun = x\nout = env.txt\n"
		     "[dataset x]\nrun = x\nout = made/x\nneeds = y\n[dataset y]\npath = y\n"
		     "[check c]\nrun = x\n[model m]\nrun = x\nout = m\n");
	assert_inputs(g, "m", "env.txt<venv made/x<x");
	assert_nodes(g, &node(g, "m")->gate, "c");
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ facts */

static void
test_facts_of_the_configuration(void **state)
{
	struct mlb_graph *g;
	struct mlb_digest d;
	const char *ini =
		"[params]\nfile = p.yaml\n[include]\nfiles = more/*.ini\n[dataset a]\nrun = x\nout = a\n";

	(void)state;
	put("p.yaml", "a: 1\n");
	put("more/b.ini", "[dataset b]\nrun = x\nout = b\n");
	g = graph_of(ini);
	mlb_sha256_of(&d, ini, strlen(ini));
	assert_true(mlb_digest_equal(&fact(g, MLB_FACT_FILE, "mlbuild.ini")->digest, &d));
	assert_non_null(fact(g, MLB_FACT_FILE, "p.yaml"));
	assert_non_null(fact(g, MLB_FACT_FILE, "more/b.ini"));
	assert_non_null(fact(g, MLB_FACT_LISTING, "./more"));
	assert_true(mlb_digest_is_zero(&fact(g, MLB_FACT_FILE, ".mlbuild/config.ini")->digest));
	mlb_graph_free(g);
}

/* The digest of a listing is what the scan computes, or the graph would never be current. */
static void
test_listing_facts_are_those_of_the_scan(void **state)
{
	const char *path[1];
	const uint8_t want[1] = { MLB_WANT_LISTING };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *g;
	struct mlb_scan scan;
	struct mlb_db *db;

	(void)state;
	put("src/a.py", "");
	put("src/sub/b.py", "");
	put("src/__pycache__/a.pyc", "");
	g = graph_of("[model m]\nneeds = src/*.py\nrun = x\nout = m\n");
	path[0] = "./src";
	assert_ok(mlb_db_open(&db, "state.db", &err));
	assert_ok(mlb_scan_init(&scan, ".", path, want, 1, db, 1, &err));
	assert_ok(mlb_scan_run(&scan, &err));
	assert_int_equal(scan.state[0].kind, MLB_P_LISTING);
	assert_true(mlb_digest_equal(&scan.state[0].digest,
				     &fact(g, MLB_FACT_LISTING, "./src")->digest));
	mlb_scan_release(&scan);
	mlb_db_close(db);
	mlb_graph_free(g);
}

static void
test_the_same_files_give_the_same_graph(void **state)
{
	struct mlb_graph *a, *b;
	const char *ini =
		"[dataset d]\nmatrix.k = 1..9\nrun = python3 s.py d/x ${out}\nout = d/${matrix:k}\nneeds = *.py\n";

	(void)state;
	put("s.py", "import t\n");
	put("t.py", "");
	a = graph_of(ini);
	b = graph_of(ini);
	assert_int_equal(a->map_len, b->map_len);
	assert_memory_equal(a->map, b->map, a->map_len);
	mlb_graph_free(b);
	put("t.py", "import os\n");
	b = graph_of(ini);
	assert_false(mlb_digest_equal(&a->id, &b->id));
	mlb_graph_free(a);
	mlb_graph_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_words_of_the_command),
		scratch_test(test_own_outputs_are_never_inputs),
		scratch_test(test_values_of_references_are_words_too),
		scratch_test(test_ignored_files_are_no_inputs),
		scratch_test(test_project_below_the_repository),
		scratch_test(test_imports_are_inputs),
		scratch_test(test_an_imported_output_is_a_dependency),
		scratch_test(test_needs),
		scratch_test(test_needs_by_instance_and_by_value),
		scratch_test(test_default_needs_leave_their_own_target_alone),
		scratch_test(test_facts_of_the_configuration),
		scratch_test(test_listing_facts_are_those_of_the_scan),
		scratch_test(test_the_same_files_give_the_same_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
