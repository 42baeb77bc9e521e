/* Words to nodes: targets, instances, globs, kinds, paths, and what they bring along. */
#include "engine/project.h"
#include "engine_fixture.h"

static const char ini[] = "[dataset raw]\n"
			  "path = raw.txt\n"
			  "[feature clean]\n"
			  "run = cp ${raw} ${out}\n"
			  "out = data/clean.txt\n"
			  "[model fit]\n"
			  "matrix.fold = 0..1\n"
			  "matrix.kind = a b\n"
			  "run = cp ${clean} ${out}\n"
			  "out = fit/${matrix:fold}-${matrix:kind}.txt\n"
			  "[report feature]\n" /* a target called like a kind */
			  "run = cat ${fit@kind=a,fold=*} > ${out}\n"
			  "out = sum.txt\n"
			  "[check size]\n"
			  "guards = clean\n"
			  "run = test -s ${clean}\n"
			  "[check gate]\n"
			  "guards = fit\n"
			  "run = test -s ${fit@fold=0,kind=a}\n"
			  "[task fire]\n"
			  "run = true ${feature}\n";

static void
make_project(void)
{
	put_file("mlbuild.ini", ini);
	put_file("raw.txt", "raw\n");
}

/* Names of the nodes that the words name, then, after a bar, of those that come along. */
static char *
chosen(const struct mlb_plan_options *o)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_plan *plan;

	assert_ok(mlb_plan_new(&plan, p, o, &err));
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		const struct mlb_node *node = &plan->node[plan->g->by_name[i]];

		assert_true(!node->asked || (node->wanted && node->need_present));
		if (node->asked)
			mlb_buf_addf(&text, "%s ",
				     mlb_g_str(plan->g, plan->g->node[plan->g->by_name[i]].name));
	}
	mlb_buf_adds(&text, "|");
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		const struct mlb_node *node = &plan->node[plan->g->by_name[i]];

		if (node->wanted && !node->asked)
			mlb_buf_addf(&text, " %s",
				     mlb_g_str(plan->g, plan->g->node[plan->g->by_name[i]].name));
	}
	mlb_plan_free(plan);
	mlb_project_close(p);
	return mlb_buf_detach(&text);
}

static void
expect(const char *words, const char *want)
{
	struct mlb_plan_options o = { 0 };
	const char *word[MAX_WORDS];
	char copy[512], *got;

	o.word = word;
	o.n_words = split_words(words, copy, word);
	got = chosen(&o);
	assert_string_equal(got, want);
	free(got);
}

static void
words(void **state)
{
	(void)state;
	make_project();
	expect("clean", "clean |"
			" raw size");
	expect("raw", "raw |");
	expect("raw size", "raw size | clean");
	/* An instance by all its keys in another order, and by one of them. */
	expect("fit@kind=b,fold=1", "fit@fold=1,kind=b | clean fit@fold=0,kind=a gate raw size");
	expect("fit@kind=b",
	       "fit@fold=0,kind=b fit@fold=1,kind=b | clean fit@fold=0,kind=a gate raw size");
	expect("fit",
	       "fit@fold=0,kind=a fit@fold=0,kind=b fit@fold=1,kind=a fit@fold=1,kind=b | clean gate raw "
	       "size");
	expect("fit@fold=0,kind=a fit@fold=0,kind=a", "fit@fold=0,kind=a | clean gate raw size");
}

static void
globs_never_name_tasks(void **state)
{
	(void)state;
	make_project();
	expect("f*@*=0,kind=[ab]", "fit@fold=0,kind=a fit@fold=0,kind=b | clean gate raw size");
	expect("[rs]*", "raw size | clean");
	expect("fi*",
	       "fit@fold=0,kind=a fit@fold=0,kind=b fit@fold=1,kind=a fit@fold=1,kind=b | clean gate raw size");
}

static void
kinds_and_paths(void **state)
{
	(void)state;
	make_project();
	expect("dataset", "raw |");
	/* A target of that name comes before the kind. */
	expect("feature", "feature | clean fit@fold=0,kind=a fit@fold=1,kind=a gate raw size");
	expect("check", "gate size | clean fit@fold=0,kind=a raw");
	expect("data/clean.txt", "clean | raw size");
	expect("./data//clean.txt", "clean | raw size");
	expect("fit/1-b.txt", "fit@fold=1,kind=b | clean fit@fold=0,kind=a gate raw size");
	expect("fire", "fire | clean feature fit@fold=0,kind=a fit@fold=1,kind=a gate raw size");
}

static void
no_words(void **state)
{
	struct mlb_plan_options o = { 0 };
	char *got, *text;

	(void)state;
	make_project();
	got = chosen(&o);
	assert_null(strstr(got, "fire"));
	expect_contains(got, "feature ");
	expect_contains(got, "size |");
	free(got);
	text = mlb_asprintf("[project]\ndefault = clean\n%s", ini);
	put_file("mlbuild.ini", text);
	expect("", "clean | raw size");
	free(text);
}

static void
options(void **state)
{
	const char *clean = "clean", *instance = "fit@fold=1,kind=b";
	struct mlb_plan_options only = { .word = &clean, .n_words = 1, .only = true };
	struct mlb_plan_options down = {
		.word = &instance, .n_words = 1, .downstream = true, .only = true
	};
	struct mlb_plan_options below = { .word = &clean, .n_words = 1, .downstream = true };
	char *got;

	(void)state;
	make_project();
	got = chosen(&only);
	assert_string_equal(got, "clean |");
	free(got);
	got = chosen(&down);
	assert_string_equal(got, "fit@fold=1,kind=b | size");
	free(got);
	got = chosen(&below);
	assert_string_equal(got,
			    "clean feature fit@fold=0,kind=a fit@fold=0,kind=b fit@fold=1,kind=a "
			    "fit@fold=1,kind=b gate size | raw");
	free(got);
}

static int
select_words(const char *words, struct mlb_build b, struct mlb_err *err)
{
	struct mlb_project *p = open_project();
	const char *word[MAX_WORDS];
	char copy[512];
	int rc;

	b.word = word;
	b.n_words = split_words(words, copy, word);
	rc = mlb_build(p, &b, NULL, err);
	mlb_project_close(p);
	return rc;
}

static void
mistakes(void **state)
{
	struct mlb_build none = { 0 }, update = { .update = true };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	assert_err(select_words("cleam", none, &err), MLB_ENOTFOUND,
		   "'cleam': did you mean 'clean'?");
	assert_err(select_words("repots", none, &err), MLB_ENOTFOUND, "did you mean 'report'?");
	assert_err(select_words("fit@fold=7", none, &err), MLB_ENOTFOUND, "fit@fold=7");
	assert_err(select_words("zzzzzz", none, &err), MLB_ENOTFOUND, "'mlbuild ls'");
	assert_err(select_words("z*", none, &err), MLB_ENOTFOUND, "'z*'");
	/* All that is wrong at once, a line each. */
	assert_err(select_words("clean qqqqqq raww", none, &err), MLB_ENOTFOUND,
		   "'qqqqqq': 'mlbuild ls' lists what "
		   "there is\nthere is no target");
	assert_err(select_words("clean", update, &err), MLB_EINVALID, "'clean' is not frozen");
	assert_false(mlb_fs_exists("data/clean.txt"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(words),           engine_test(globs_never_name_tasks),
		engine_test(kinds_and_paths), engine_test(no_words),
		engine_test(options),         engine_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
