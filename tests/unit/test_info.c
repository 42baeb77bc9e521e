/* What there is: targets, parameters, words for completion, and the graph as text. */
#include "engine_fixture.h"

static const char ini[] =
	"[params]\nfile = params.yaml\nseed = 7\n"
	"[dataset raw]\npath = raw.txt\ndesc = the numbers\n"
	"[feature clean]\nrun = cp ${raw} ${out}\nout = clean.txt\nowner = ada\n"
	"[model fit]\nmatrix.k = 1..3\nrun = cp ${clean} ${out}\nout = fit-${matrix:k}.txt\n"
	"[task feat]\nrun = true ${fit@k=*}\n";

static void
make_project(void)
{
	put_file("mlbuild.ini", ini);
	put_file("params.yaml", "lr: 1e-3\nlist: [1, 2]\n");
	put_file("raw.txt", "raw\n");
}

static int
add_target(void *ctx, const struct mlb_target_info *t)
{
	mlb_buf_addf(ctx, "%s %s '%s' '%s' %s:%u x%u %s%s\n", t->kind, t->name, t->desc, t->owner,
		     t->file, t->line, t->instances, t->n_outputs ? t->output[0] : "-",
		     t->source ? " source" : "");
	return 0;
}

static int
add_param(void *ctx, const struct mlb_param_info *i)
{
	mlb_buf_addf(ctx, "%s=%s %s\n", i->name, i->value, i->file);
	return 0;
}

static int
stop(void *ctx, const struct mlb_target_info *t)
{
	(void)t;
	++*(int *)ctx;
	return 1;
}

static void
targets(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	int calls = 0;

	(void)state;
	make_project();
	p = open_project();
	assert_ok(mlb_targets(p, add_target, &got, &err));
	assert_string_equal(mlb_buf_str(&got),
			    "dataset raw 'the numbers' '' mlbuild.ini:4 x1 raw.txt source\n"
			    "feature clean '' 'ada' mlbuild.ini:7 x1 clean.txt\n"
			    "model fit '' '' mlbuild.ini:11 x3 fit-1.txt\n"
			    "task feat '' '' mlbuild.ini:15 x1 -\n");
	assert_ok(mlb_targets(p, stop, &calls, &err));
	assert_int_equal(calls, 1);
	assert_true(mlb_is_target(p, "fit"));
	assert_false(mlb_is_target(p, "fit@k=1"));
	assert_false(mlb_is_target(p, "model"));
	assert_false(mlb_is_target(p, "clean.txt"));
	assert_string_equal(mlb_project_name(p), "p"); /* of the directory */
	mlb_project_close(p);
	mlb_buf_release(&got);
}

static void
params(void **state)
{
	static const char *const param[] = { "seed=8" };
	struct mlb_open open = { .dir = ".", .param = param, .n_params = 1 };
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;

	(void)state;
	make_project();
	assert_ok(mlb_project_open(&p, &open, &err));
	assert_ok(mlb_params(p, add_param, &got, &err));
	expect_contains(mlb_buf_str(&got), "lr=1e-3 params.yaml\n");
	expect_contains(mlb_buf_str(&got), "seed=8 -p\n");
	mlb_project_close(p);
	mlb_buf_release(&got);
}

static void
expect_complete(struct mlb_project *p, const char *prefix, const char *want)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *got;

	assert_ok(mlb_complete(p, prefix, &got, &err));
	assert_string_equal(got, want);
	mlb_free(got);
}

static void
completion(void **state)
{
	struct mlb_project *p;

	(void)state;
	make_project();
	p = open_project();
	expect_complete(p, "fe", "feat\nfeature\n");
	expect_complete(p, "fi", "fit\n");
	expect_complete(p, "fit@", "fit@k=1\nfit@k=2\nfit@k=3\n");
	expect_complete(p, "zz", "");
	mlb_project_close(p);
}

static void
graphs(void **state)
{
	static const char *const word[] = { "clean" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	char *text;

	(void)state;
	make_project();
	p = open_project();
	for (int format = MLB_GRAPH_TEXT; format <= MLB_GRAPH_JSON; format++) {
		assert_ok(mlb_graph_write(p, word, 1, (enum mlb_graph_format)format, &text, &err));
		expect_contains(text, "clean");
		expect_contains(text, "raw");
		assert_null(strstr(text, "fit"));
		mlb_free(text);
		assert_ok(mlb_graph_write(p, NULL, 0, (enum mlb_graph_format)format, &text, &err));
		expect_contains(text, "fit");
		mlb_free(text);
	}
	mlb_project_close(p);
}

/* Errors in the ini come by the first call that reads it, each time, and not by opening. */
static void
a_wrong_ini(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	char *text;

	(void)state;
	put_file("mlbuild.ini", "[model m]\nrun = cp ${nobody} ${out}\nout = m.txt\n");
	p = open_project();
	assert_string_equal(mlb_project_root(p)[0] == '/' ? "/" : "", "/");
	assert_err(mlb_targets(p, add_target, &got, &err), MLB_EINVALID, "nobody");
	assert_err(mlb_complete(p, "m", &text, &err), MLB_EINVALID, "nobody");
	assert_true(mlb_is_target(p, "m")); /* the ini names it, whatever it needs */
	mlb_project_close(p);
	put_file("mlbuild.ini", "[nonsense m]\n");
	p = open_project();
	assert_false(mlb_is_target(p, "m"));
	assert_string_equal(mlb_project_name(p), "");
	assert_err(mlb_params(p, add_param, &got, &err), MLB_EINVALID, "mlbuild.ini:1");
	mlb_project_close(p);
	mlb_buf_release(&got);
}

static void
below_and_outside(void **state)
{
	struct mlb_open open = { .dir = "deep/er" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p = NULL;

	(void)state;
	make_project();
	assert_int_equal(mkdir("deep", 0777), 0);
	assert_int_equal(mkdir("deep/er", 0777), 0);
	assert_ok(mlb_project_open(&p, &open, &err));
	assert_true(mlb_is_target(p, "raw"));
	mlb_project_close(p);
	open.dir = "..";
	assert_err(mlb_project_open(&p, &open, &err), MLB_ENOTFOUND, "no mlbuild.ini in");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(targets), engine_test(params),      engine_test(completion),
		engine_test(graphs),  engine_test(a_wrong_ini), engine_test(below_and_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
