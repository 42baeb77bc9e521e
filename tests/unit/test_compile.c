/* The compiler: instances, references, bindings, gates, order, `each`, resources. Inputs: test_compile_inputs.c. */
#include "graph_unit.h"

#include "graph/action.h"

/* ------------------------------------------------------------ references */

static void
test_references_become_paths_and_inputs(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[params]\nseed = 7\nlr = 1e-3\n"
		"[dataset raw]\npath = data/raw.csv\n"
		"[dataset split]\nrun = cut ${raw} ${out:train} ${out:test} ${params:seed} ${metrics}\n"
		"out.train = data/train.csv\nout.test = data/test.csv\nmetrics = m.json\n"
		"[model fit]\nrun = train --lr ${params:lr} ${split:train} ${split:metrics} ${out}\nout = model/\n"
		"[report r]\nrun = cat ${fit}/weights.bin $HOME $${HOME} > ${out}\nout = r.txt\n");
	assert_string_equal(command(g, "split"),
			    "cut data/raw.csv data/train.csv data/test.csv 7 m.json");
	assert_inputs(g, "split", "data/raw.csv<raw");
	assert_string_equal(command(g, "fit"), "train --lr 1e-3 data/train.csv m.json model");
	assert_inputs(g, "fit", "data/train.csv<split m.json<split");
	assert_string_equal(command(g, "r"), "cat model/weights.bin $HOME ${HOME} > r.txt");
	assert_inputs(g, "r", "model<fit");
	assert_int_equal(g->output[node(g, "fit")->out.first].kind, MLB_G_DIR);
	assert_int_equal(g->output[node(g, "split")->out.first + 2].kind, MLB_G_METRICS);
	assert_true(node(g, "raw")->flags & MLB_G_SOURCE);
	assert_string_equal(command(g, "raw"), "");
	assert_nodes(g, &node(g, "fit")->dep, "split");
	assert_nodes(g, &node(g, "fit")->user, "r");
	assert_nodes(g, &g->defaults, "raw split fit r");
	assert_int_equal(node(g, "fit")->param.n, 1);
	assert_string_equal(mlb_g_str(g, g->pair[node(g, "fit")->param.first].value), "1e-3");
	mlb_graph_free(g);
}

static void
test_values_are_quoted_for_where_they_stand(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put_file("p.yaml",
		 "words: [a, 'b c', \"it's\"]\nmap: {b: 1, a: [2]}\nbad: \"'; touch pwned; '\"\n");
	g = graph_of(
		"[params]\nfile = p.yaml\n"
		"[dataset a]\nrun = x ${params:words} \"${params:words}\" '${params:bad}' ${params:bad} > ${out}\n"
		"out = \"my file's.txt\"\n"
		"[dataset b]\nrun = x ${a} \"${a}\" ${params:map} n=${params:map.b}>${out} $V${params:map.b}\nout = -b\n");
	assert_string_equal(command(g, "a"),
			    "x a 'b c' 'it'\\''s' \"a b c it's\" ''\\''; touch pwned; '\\''' "
			    "''\\''; touch pwned; '\\''' > 'my file'\\''s.txt'");
	assert_string_equal(
		command(g, "b"),
		"x 'my file'\\''s.txt' \"my file's.txt\" '{\"a\":[2],\"b\":1}' n=1''>./-b $V\"\"1");
	mlb_graph_free(g);
}

static void
test_dir_moves_references_and_words(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("sub/conf.ini", "");
	put("sub/x.py", "import y\n");
	put("sub/y.py", "");
	g = graph_of(
		"[dataset raw]\npath = data/raw.csv\n"
		"[dataset a]\ndir = sub/\nrun = python x.py ${raw} conf.ini ../data/raw.csv ${out}\nout = sub/out/a.csv\n");
	assert_string_equal(command(g, "a"),
			    "python x.py ../data/raw.csv conf.ini ../data/raw.csv out/a.csv");
	assert_inputs(g, "a", "data/raw.csv<raw sub/conf.ini sub/x.py sub/y.py");
	assert_string_equal(mlb_g_str(g, node(g, "a")->dir), "sub");
	mlb_graph_free(g);
}

static void
test_joined_lines_do_not_matter(void **state)
{
	struct mlb_graph *a, *b;

	(void)state;
	a = graph_of(
		"[dataset a]\nrun = x --a 1 \\\n        --b 'c \\\n        d' ${out}\nout = a.txt\n");
	assert_string_equal(command(a, "a"), "x --a 1 --b 'c \\\nd' a.txt");
	b = graph_of("[dataset a]\nrun = x --a 1 --b 'c \\\n        d' ${out}\nout = a.txt\n");
	assert_true(mlb_digest_equal(&node(a, "a")->stat_digest, &node(b, "a")->stat_digest));
	mlb_graph_free(a);
	mlb_graph_free(b);
}

static void
test_shell_decides_about_quotes(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[params]\np = a b\nq = ab\n"
		"[dataset a]\nshell = bash -eo pipefail -c\nrun = x ${params:p} > ${out}\nout = a.txt\n"
		"[dataset b]\nshell = env A=1 /bin/zsh -c\nrun = x ${params:p} > ${out}\nout = b.txt\n"
		"[dataset c]\nshell = python3 -c\nrun = print('${params:q}')\nout = c.txt\n");
	assert_string_equal(command(g, "a"), "x 'a b' > a.txt");
	assert_string_equal(command(g, "b"), "x 'a b' > b.txt");
	assert_string_equal(command(g, "c"), "print('ab')");
	mlb_graph_free(g);
	assert_refused(
		"[params]\np = a b\n[dataset c]\nshell = python3 -c\nrun = print('${params:p}')\nout = c.txt\n",
		"cannot be quoted safely");
}

static void
test_environment(void **state)
{
	struct mlb_graph *g;
	const struct mlb_g_node *n;

	(void)state;
	setenv("MLB_T_SET", "a b", 1);
	unsetenv("MLB_T_UNSET");
	g = graph_of(
		"[dataset a]\nrun = x ${env:MLB_T_SET} ${env:MLB_T_UNSET} '${env:MLB_T_UNSET}' \"${env:MLB_T_UNSET}\"\n"
		"out = a.txt\nneeds = env:MLB_T_SET env:MLB_T_UNSET\nenv.X = 1\nsecret = TOKEN\n");
	n = node(g, "a");
	assert_string_equal(command(g, "a"), "x 'a b' '' '' \"\"");
	assert_string_equal(
		mlb_g_str(g, n->unset),
		"mlbuild.ini:2: in 'a': ${env:MLB_T_UNSET}: 'MLB_T_UNSET' is not set in the environment of mlbuild; set it");
	assert_int_equal(n->env.n, 3);
	assert_string_equal(mlb_g_str(g, g->pair[n->env.first].name), "MLB_T_SET");
	assert_string_equal(mlb_g_str(g, g->pair[n->env.first].value), "a b");
	assert_int_equal(g->pair[n->env.first + 1].value, MLB_NONE);
	assert_string_equal(mlb_g_str(g, g->pair[n->env.first + 2].name), "X");
	assert_int_equal(n->secret.n, 1);
	assert_string_equal(mlb_g_str(g, g->pair[n->secret.first].name), "TOKEN");
	assert_false(mlb_digest_is_zero(&fact(g, MLB_FACT_ENV, "MLB_T_SET")->digest));
	assert_true(mlb_digest_is_zero(&fact(g, MLB_FACT_ENV, "MLB_T_UNSET")->digest));
	assert_null(fact(g, MLB_FACT_ENV, "TOKEN"));
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ matrices */

static void
test_k_fold(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[dataset raw]\npath = raw.csv\n"
		"[dataset fold]\nmatrix.fold = 0..4\nrun = cut ${raw} ${matrix:fold} > ${out}\nout = f/${matrix:fold}.csv\n"
		"[model fit]\nmatrix.C = 0.1 1\nmatrix.fold = 0..4\n"
		"run = train ${matrix:C} ${fold} ${out}\nout = m/${matrix:C}-${matrix:fold}.pkl\nmetrics = m/${matrix:C}-${matrix:fold}.json\n"
		"[report best]\nmatrix.C = 0.1 1\nrun = mean ${fit:metrics} > ${out}\nout = best-${matrix:C}.txt\n"
		"[report all]\nrun = cat ${fit@fold=3} ${best@C=1} > ${out}\nout = all.txt\n");
	assert_int_equal(g->n_nodes, 1 + 5 + 10 + 2 + 1);
	assert_string_equal(command(g, "fit@C=0.1,fold=3"), "train 0.1 f/3.csv m/0.1-3.pkl");
	assert_nodes(g, &node(g, "fit@C=1,fold=4")->dep, "fold@fold=4");
	assert_string_equal(
		command(g, "best@C=1"),
		"mean m/1-0.json m/1-1.json m/1-2.json m/1-3.json m/1-4.json > best-1.txt");
	assert_string_equal(command(g, "all"), "cat m/0.1-3.pkl m/1-3.pkl best-1.txt > all.txt");
	assert_string_equal(mlb_g_str(g, node(g, "fit@C=1,fold=0")->base), "fit");
	mlb_graph_free(g);
}

static void
test_thirty_day_window(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[dataset day]\nmatrix.date = 2024-01-01..2024-03-31\nrun = get ${out}\nout = day/${matrix:date}.csv\n"
		"[feature win]\nmatrix.date = 2024-01-01..2024-03-31\n"
		"run = roll ${day@date=-29..+0} ${out}\nout = win/${matrix:date}.csv\n"
		"[feature next]\nmatrix.date = 2024-01-01..2024-03-31\n"
		"run = diff ${win@date=-1} ${win@date=+1} -- ${win} > ${out}\nout = next/${matrix:date}.csv\n");
	assert_int_equal(g->n_nodes, 3 * 91);
	assert_int_equal(node(g, "win@date=2024-03-31")->in.n, 30);
	assert_int_equal(node(g, "win@date=2024-01-30")->in.n, 30);
	assert_int_equal(node(g, "win@date=2024-01-29")->in.n, 29);
	assert_int_equal(node(g, "win@date=2024-01-01")->in.n, 1);
	assert_inputs(
		g, "win@date=2024-01-02",
		"day/2024-01-01.csv<day@date=2024-01-01 day/2024-01-02.csv<day@date=2024-01-02");
	assert_string_equal(
		command(g, "next@date=2024-02-29"),
		"diff win/2024-02-28.csv win/2024-03-01.csv -- win/2024-02-29.csv > next/2024-02-29.csv");
	assert_string_equal(command(g, "next@date=2024-01-01"),
			    "diff  win/2024-01-02.csv -- win/2024-01-01.csv > next/2024-01-01.csv");
	mlb_graph_free(g);
}

/* A state that is carried on from day to day: a target that reads itself, but not in a circle. */
static void
test_an_instance_may_read_the_one_before(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		"[model m]\nmatrix.day = 1..4\nrun = go ${m@day=-1} ${out}\nout = m/${matrix:day}\n");
	assert_string_equal(command(g, "m@day=1"), "go  m/1");
	assert_string_equal(command(g, "m@day=3"), "go m/2 m/3");
	assert_nodes(g, &node(g, "m@day=3")->dep, "m@day=2");
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ each */

static void
test_each(void **state)
{
	struct mlb_graph *g;
	const struct mlb_g_node *n;

	(void)state;
	g = graph_of(
		"[dataset images]\nrun = unzip a.zip -d ${out}\nout = data/images/\n"
		"[feature aug]\neach = ${images}/**/*.jpg\nbatch = 16\nrun = conv ${each} ${out} \"${out:j}\" > /dev/null\n"
		"out = data/aug/${each:path}.png\nout.j = data/aug/${each:stem}.json\n"
		"[report r]\nrun = ls ${aug} ${aug:list} data/aug/x.png > ${out}\nout = r.txt\n");
	n = node(g, "aug");
	assert_true(n->flags & MLB_G_EACH);
	assert_int_equal(n->batch, 16);
	assert_string_equal(mlb_g_str(g, n->each_glob), "data/images/**/*.jpg");
	assert_string_equal(mlb_g_str(g, g->node[n->each_source].name), "images");
	assert_int_equal(g->input[n->in.first].why, MLB_IN_EACH);
	assert_string_equal(command(g, "aug"), "conv \x01"
					       "each/0\x01 \x01"
					       "out:0/0\x01 \"\x01"
					       "out:1/1\x01\" > /dev/null");
	assert_int_equal(n->out.n, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_string_equal(mlb_g_path(g, g->output[n->out.first + i].path), "data/aug");
	assert_string_equal(mlb_g_str(g, g->output[n->out.first].each_out), "data/aug/\x01"
									    "each:path\x01.png");
	assert_string_equal(command(g, "r"),
			    "ls data/aug \x01list:0+1/0\x01 data/aug/x.png > r.txt");
	assert_inputs(g, "r", "data/aug<aug");
	assert_nodes(g, &node(g, "r")->list, "aug");
	mlb_graph_free(g);
}

static void
test_each_over_the_projects_files(void **state)
{
	struct mlb_graph *g;

	(void)state;
	put("in/a.txt", "");
	put("in/b.txt", "");
	put("in/c.csv", "");
	g = graph_of(
		"[feature up]\neach = in/*.txt\nrun = up ${each} ${out}\nout = up/${each:name}\n");
	assert_int_equal(node(g, "up")->each_source, MLB_NONE);
	assert_inputs(g, "up", "in/a.txt in/b.txt");
	assert_int_equal(g->input[node(g, "up")->in.first].why, MLB_IN_EACH);
	assert_non_null(fact(g, MLB_FACT_LISTING, "./in"));
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ gates */

#define GUARDED                                                                                    \
	"[dataset raw]\npath = raw.csv\n"                                                          \
	"[check c]\nguards = raw\nrun = check ${stats}\nneeds = raw\n"                             \
	"[dataset stats]\nrun = stat ${raw} ${out}\nout = stats.json\n"                            \
	"[model m]\nrun = fit ${raw} ${out}\nout = m.pkl\n"                                        \
	"[report e]\nrun = eval ${m} ${raw} ${out}\nout = e.json\n"                                \
	"[check gate]\nguards = m\nrun = test ${e}\n"                                              \
	"[task deploy]\nrun = deploy ${m}\n"

static void
test_guards_gate_consumers(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(GUARDED);
	assert_nodes(g, &node(g, "m")->gate, "c");
	assert_nodes(g, &node(g, "stats")->gate, ""); /* the check is made from it */
	assert_nodes(g, &node(g, "c")->gate, "");
	assert_nodes(g, &node(g, "e")->gate, "c"); /* reads raw; but gate is made from it */
	assert_nodes(g, &node(g, "gate")->gate, "");
	assert_nodes(g, &node(g, "deploy")->gate, "gate");
	assert_nodes(g, &g->defaults, "raw stats c m e gate");
	mlb_graph_free(g);
}

static void
test_check_in_needs_gates_one(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of("[dataset raw]\npath = raw.csv\n[check c]\nrun = check ${raw}\n"
		     "[model a]\nneeds = c\nrun = a ${raw} ${out}\nout = a.pkl\n"
		     "[model b]\nrun = b ${raw} ${out}\nout = b.pkl\n");
	assert_nodes(g, &node(g, "a")->gate, "c");
	assert_inputs(g, "a", "raw.csv<raw"); /* a check is never an input */
	assert_nodes(g, &node(g, "b")->gate, "");
	assert_nodes(g, &node(g, "c")->user, "a");
	mlb_graph_free(g);
}

static void
test_guards_bind_instances(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of("[dataset d]\nmatrix.k = a b\nrun = get ${out}\nout = d/${matrix:k}\n"
		     "[check c]\nmatrix.k = a b\nguards = d\nrun = check ${d}\n"
		     "[model m]\nmatrix.k = a b\nrun = fit ${d} ${out}\nout = m/${matrix:k}\n"
		     "[report all]\nrun = cat ${d} > ${out}\nout = all\n");
	assert_nodes(g, &node(g, "m@k=a")->gate, "c@k=a");
	assert_nodes(g, &node(g, "m@k=b")->gate, "c@k=b");
	assert_nodes(g, &node(g, "all")->gate, "c@k=a c@k=b");
	mlb_graph_free(g);
}

/* ------------------------------------------------------------ the rest */

static void
test_resources_and_flags(void **state)
{
	struct mlb_graph *g;
	const struct mlb_g_exec *e;

	(void)state;
	g = graph_of(
		"[pool db]\nslots = 3\n[project]\nname = p\ndefault = b\n"
		"[dataset a]\nrun = x\nout = a\ncpus = 2\nmem = 1G\ngpus = 1\ntimeout = 2h\nretries = 3\nretry_delay = 5s\n"
		"pool.db = 2\nfrozen = yes\ndeterministic = no\nstore = no\n"
		"[dataset b]\nrun = x ${scratch}\nout = b\n[dataset c]\nrun = x\nout = c\n");
	e = &g->exec[node(g, "a")->exec];
	assert_true(e->cpus > 1.9 && e->cpus < 2.1);
	assert_int_equal(e->mem, MLB_GIB);
	assert_int_equal(e->gpus, 1);
	assert_int_equal(e->timeout, UINT64_C(7200000000000));
	assert_int_equal(e->retries, 3);
	assert_int_equal(e->pool.n, 1);
	assert_string_equal(mlb_g_str(g, g->pool[g->pool_use[e->pool.first].pool].name), "db");
	assert_int_equal(g->pool_use[e->pool.first].slots, 2);
	assert_int_equal(node(g, "a")->flags, MLB_G_FROZEN | MLB_G_NONDET | MLB_G_NO_STORE);
	assert_int_equal(node(g, "b")->flags, MLB_G_SCRATCH);
	assert_int_equal(node(g, "b")->exec, node(g, "c")->exec);
	assert_nodes(g, &g->defaults, "b");
	assert_string_equal(mlb_g_str(g, g->project), "p");
	mlb_graph_free(g);
}

static void
test_order_is_topological_and_paths_are_sorted(void **state)
{
	struct mlb_graph *g;

	(void)state;
	g = graph_of(
		GUARDED
		"[report z]\nrun = cat ${y} > ${out}\nout = z\n[report y]\nrun = cat ${x} > ${out}\nout = y\n"
		"[report x]\nrun = cat a-b a/b a.b > ${out}\nout = x\n");
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const struct mlb_range r[2] = { g->node[i].dep, g->node[i].gate };

		for (uint32_t k = 0; k < r[0].n; k++)
			assert_true(g->index[r[0].first + k] < i);
		for (uint32_t k = 0; k < r[1].n; k++)
			assert_true(g->index[r[1].first + k] < i);
		for (uint32_t k = 1; k < g->node[i].in.n; k++)
			assert_true(g->input[g->node[i].in.first + k - 1].path <
				    g->input[g->node[i].in.first + k].path);
	}
	for (uint32_t i = 1; i < g->n_paths; i++)
		assert_true(strcmp(mlb_g_path(g, i - 1), mlb_g_path(g, i)) < 0);
	for (uint32_t i = 1; i < g->n_nodes; i++)
		assert_true(strcmp(mlb_g_str(g, g->node[g->by_name[i - 1]].name),
				   mlb_g_str(g, g->node[g->by_name[i]].name)) < 0);
	for (uint32_t i = 0; i < g->n_paths; i++)
		assert_int_equal(mlb_graph_path(g, mlb_g_path(g, i)), i);
	assert_int_equal(mlb_graph_path(g, "nowhere"), MLB_NONE);
	assert_int_equal(mlb_graph_find(g, "nobody"), MLB_NONE);
	mlb_graph_free(g);
}

/* Comments and the order of sections change the graph's order, not what is in a key. */
static void
test_keys_do_not_depend_on_the_order_of_sections(void **state)
{
	struct mlb_graph *a, *b;

	(void)state;
	a = graph_of(
		"[params]\np = 1\nq = 2\n[dataset x]\nrun = x ${params:p} ${params:q}\nout = x\nenv.B = 1\nenv.A = 2\n"
		"[dataset y]\nrun = y ${x} ${out}\nout = y\nneeds = params:q params:p\n");
	b = graph_of(
		"; a comment\n[dataset y]\nneeds = params:p params:q\nout = y\nrun = y ${x} ${out}\n"
		"[dataset x]\nenv.A = 2\nenv.B = 1\nout = x\nrun = x ${params:p} ${params:q}\n[params]\nq = 2\np = 1\n");
	assert_true(mlb_digest_equal(&node(a, "x")->stat_digest, &node(b, "x")->stat_digest));
	assert_true(mlb_digest_equal(&node(a, "y")->stat_digest, &node(b, "y")->stat_digest));
	assert_false(mlb_digest_equal(&node(a, "x")->stat_digest, &node(a, "y")->stat_digest));
	mlb_graph_free(a);
	mlb_graph_free(b);
}

static void
test_default_words(void **state)
{
	static const struct {
		const char *words, *nodes;
	} t[] = { { "a", "a" },
		  { "m", "m@k=1 m@k=2" },
		  { "m@k=2", "m@k=2" },
		  { "model", "m@k=1 m@k=2" },
		  { "d*", "d.x d.y" },
		  { "out/a", "a" },
		  { "a model", "a m@k=1 m@k=2" } };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++) {
		struct mlb_graph *g;
		char *ini = mlb_asprintf(
			"[project]\ndefault = %s\n[dataset a]\nrun = x\nout = out/a\n"
			"[model m]\nmatrix.k = 1 2\nrun = x\nout = out/m${matrix:k}\n"
			"[feature d.x]\nrun = x\nout = out/dx\n[feature d.y]\nrun = x\nout = out/dy\n",
			t[i].words);

		g = graph_of(ini);
		assert_nodes(g, &g->defaults, t[i].nodes);
		mlb_graph_free(g);
		free(ini);
	}
	assert_refused("[project]\ndefault = modle\n[model model]\nrun = x\nout = m\n",
		       "nearest: model");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_references_become_paths_and_inputs),
		scratch_test(test_values_are_quoted_for_where_they_stand),
		scratch_test(test_dir_moves_references_and_words),
		scratch_test(test_joined_lines_do_not_matter),
		scratch_test(test_shell_decides_about_quotes),
		scratch_test(test_environment),
		scratch_test(test_k_fold),
		scratch_test(test_thirty_day_window),
		scratch_test(test_an_instance_may_read_the_one_before),
		scratch_test(test_each),
		scratch_test(test_each_over_the_projects_files),
		scratch_test(test_guards_gate_consumers),
		scratch_test(test_check_in_needs_gates_one),
		scratch_test(test_guards_bind_instances),
		scratch_test(test_resources_and_flags),
		scratch_test(test_order_is_topological_and_paths_are_sorted),
		scratch_test(test_keys_do_not_depend_on_the_order_of_sections),
		scratch_test(test_default_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
